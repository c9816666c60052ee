//! Exit codes, the same for every command.

use std::process::ExitCode;

use splitbrain_checkers::finding::Validity;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Valid = 0,
    Invalid = 1,
    /// Never passes: not exercised, a limit was reached, data are missing.
    Unknown = 2,
    /// Arguments or files that do not fit; nothing was started.
    BadArguments = 254,
    /// The harness or the cluster failed; there is no verdict.
    HarnessFault = 255,
}

impl From<&Validity> for Exit {
    fn from(validity: &Validity) -> Exit {
        match validity {
            Validity::Valid => Exit::Valid,
            Validity::Invalid { .. } => Exit::Invalid,
            Validity::Unknown { .. } => Exit::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
