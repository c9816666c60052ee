//! What an error says about whether the command was executed: the one place where it is decided.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::driver::Reply;

/// Another server has the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub address: String,
    /// `ASK`: for this one command, after `ASKING`.
    pub ask: bool,
}

/// Why a command gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Not executed here.
    Redirected(Redirect),
    /// Surely not executed: never sent, or answered with an error.
    Refused(String),
    /// Sent, and no answer: it may have been executed.
    Silent(String),
}

impl Trouble {
    pub fn text(self) -> String {
        match self {
            Trouble::Redirected(redirect) => format!("redirected to {}", redirect.address),
            Trouble::Refused(text) | Trouble::Silent(text) => text,
        }
    }

    /// The outcome of a write or a compare-and-set.
    pub fn of_a_write(self) -> Reply {
        match self {
            Trouble::Silent(text) => Reply::Info(text),
            definite => Reply::Fail(definite.text()),
        }
    }
}

/// Sorts an error that came after a command was sent to `address`.
///
/// An error reply (`CLUSTERDOWN`, `TRYAGAIN`, `READONLY`, `LOADING`, `NOREPLICAS`, `OOM` ...)
/// means that the command was rejected; in our script nothing can fail after its only write.
/// Everything else, a reply that cannot be parsed included, leaves it open.
pub fn classify(address: &str, error: &RedisError) -> Trouble {
    let text = format!("{address}: {error}");
    match error.kind() {
        ErrorKind::Server(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask)) => {
            match error.redirect_node().and_then(|(next, _)| complete(address, next)) {
                Some(next) => Trouble::Redirected(Redirect {
                    address: next,
                    ask: kind == ServerErrorKind::Ask,
                }),
                None => Trouble::Refused(text),
            }
        }
        ErrorKind::Server(_) | ErrorKind::Extension => Trouble::Refused(text),
        _ => Trouble::Silent(text),
    }
}

/// A server that does not know its peer's host leaves it out: it is the host that was asked.
fn complete(address: &str, next: &str) -> Option<String> {
    let (host, port) = next.rsplit_once(':')?;
    match host {
        "" => Some(format!("{}:{port}", address.rsplit_once(':')?.0)),
        _ => Some(next.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(reply: &[u8]) -> Trouble {
        let error = redis::parse_redis_value(reply).unwrap().extract_error().unwrap_err();
        classify("10.0.0.1:6379", &error)
    }

    #[test]
    fn error_replies_are_definite() {
        for reply in [
            &b"-CLUSTERDOWN The cluster is down\r\n"[..],
            b"-TRYAGAIN Multiple keys\r\n",
            b"-READONLY You can't write against a read only replica.\r\n",
            b"-LOADING Redis is loading the dataset in memory\r\n",
            b"-NOREPLICAS Not enough good replicas to write.\r\n",
            b"-MASTERDOWN Link with MASTER is down\r\n",
            b"-ERR something\r\n",
        ] {
            assert!(matches!(trouble(reply), Trouble::Refused(_)), "{reply:?}");
        }
    }

    #[test]
    fn redirections_are_followed() {
        let redirect = |address: &str, ask| {
            Trouble::Redirected(Redirect { address: address.to_string(), ask })
        };
        assert_eq!(trouble(b"-MOVED 7 10.0.0.2:6379\r\n"), redirect("10.0.0.2:6379", false));
        assert_eq!(trouble(b"-ASK 7 10.0.0.3:6379\r\n"), redirect("10.0.0.3:6379", true));
        assert_eq!(trouble(b"-MOVED 7 :6380\r\n"), redirect("10.0.0.1:6380", false));
    }

    #[test]
    fn a_broken_connection_leaves_a_write_open() {
        for kind in [
            std::io::ErrorKind::BrokenPipe,
            std::io::ErrorKind::TimedOut,
            std::io::ErrorKind::ConnectionReset,
            std::io::ErrorKind::UnexpectedEof,
        ] {
            let error = RedisError::from(std::io::Error::from(kind));
            let reply = classify("10.0.0.1:6379", &error).of_a_write();
            assert!(matches!(reply, Reply::Info(_)), "{kind}: {reply:?}");
        }
    }
}
