//! What an error says about whether a request was executed: the one place where it is decided.

use zookeeper_client::Error;

use crate::driver::Reply;

/// A request that changes nothing surely did not.
pub fn of_a_read(error: &Error) -> Reply {
    Reply::Fail(error.to_string())
}

/// Refusals are definite; that the connection or the session is gone is not, even if the client
/// library counts an expired session as "no change": it thinks of ephemeral znodes.
pub fn of_a_write(error: &Error) -> Reply {
    let text = error.to_string();
    match error {
        Error::NoNode
        | Error::NodeExists
        | Error::BadVersion
        | Error::NoAuth
        | Error::InvalidAcl
        | Error::NoChildrenForEphemerals
        | Error::QuotaExceeded
        | Error::NotReadOnly
        | Error::Throttled
        | Error::Unimplemented
        | Error::BadArguments(_) => Reply::Fail(text),
        _ => Reply::Info(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_open_and_what_was_refused_is_not() {
        for error in [
            Error::ConnectionLoss,
            Error::SessionExpired,
            Error::SessionMoved,
            Error::ClientClosed,
            Error::Timeout,
            Error::UnexpectedErrorCode(-7),
        ] {
            assert!(matches!(of_a_write(&error), Reply::Info(_)), "{error}");
            assert!(matches!(of_a_read(&error), Reply::Fail(_)), "{error}");
        }
        for error in [Error::NoAuth, Error::BadVersion, Error::NotReadOnly] {
            assert!(matches!(of_a_write(&error), Reply::Fail(_)), "{error}");
        }
    }
}
