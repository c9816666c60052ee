//! An append-only file of JSON lines: what a replica has to know after a restart.
//!
//! Written without a buffer and without fsync, so it survives the death of the process but not
//! that of the machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A journal of records of one type.
#[derive(Debug)]
pub struct Journal<T> {
    file: File,
    record: PhantomData<fn(T)>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens the file, creating it if need be, and returns what is in it. A last line without
    /// its end was being written when the process died: it is cut off, since nobody can have
    /// been told of it.
    pub fn open(path: &Path) -> io::Result<(Journal<T>, Vec<T>)> {
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).truncate(false).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let records =
            text[..whole].lines().map(serde_json::from_str).collect::<Result<Vec<T>, _>>()?;
        Ok((Journal { file, record: PhantomData }, records))
    }

    /// Writes one record.
    pub fn append(&mut self, record: &T) {
        self.append_all(std::slice::from_ref(record));
    }

    /// Writes some records at once. A node that cannot keep its promises must not make any: if
    /// the disk fails, the process ends.
    pub fn append_all(&mut self, records: &[T]) {
        if let Err(error) = self.try_append_all(records) {
            eprintln!("cannot write the journal: {error}; this node stops");
            std::process::exit(1);
        }
    }

    fn try_append_all(&mut self, records: &[T]) -> io::Result<()> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_again_and_a_torn_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, records) = Journal::<(String, i64)>::open(&path).unwrap();
        assert!(records.is_empty());
        journal.append(&("x".into(), 1));
        journal.append(&("y".into(), 2));
        drop(journal);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"[\"z\",").unwrap();

        let (mut journal, records) = Journal::<(String, i64)>::open(&path).unwrap();
        assert_eq!(records, [("x".into(), 1), ("y".into(), 2)]);
        journal.append(&("z".into(), 3));
        let (_, records) = Journal::<(String, i64)>::open(&path).unwrap();
        assert_eq!(records.last(), Some(&("z".into(), 3)));
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "[\"x\",1]\nrubbish\n[\"y\",2]\n").unwrap();
        assert!(Journal::<(String, i64)>::open(&path).is_err());
    }
}
