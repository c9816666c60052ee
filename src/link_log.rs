//! `links.jsonl`: a line for every link that went down or came up, when it did.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::sandbox::LinkEvent;

/// The open file of one run.
#[derive(Debug)]
pub struct LinkLog(File);

impl LinkLog {
    /// Makes the file, which must not be there yet.
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: &Path) -> io::Result<LinkLog> {
        Ok(LinkLog(File::options().create_new(true).append(true).open(path)?))
    }

    /// A second handle of the same file.
    ///
    /// # Errors
    /// The system's.
    pub fn share(&self) -> io::Result<LinkLog> {
        Ok(LinkLog(self.0.try_clone()?))
    }

    /// Adds a line. A line that cannot be written is said to be missing in the run's log: the
    /// proof of a cut does not rest on this file.
    pub fn write(&mut self, event: &LinkEvent) {
        let line = serde_json::to_string(event).expect("plain data") + "\n";
        if let Err(error) = self.0.write_all(line.as_bytes()) {
            tracing::error!("links.jsonl: {error}");
        }
    }
}
