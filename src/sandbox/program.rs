//! Where the system's own programs are.

use std::env;
use std::path::PathBuf;

/// An ordinary user's PATH often lacks the folders of the system's programs.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The path of a program such as `ip` or `iptables`: from PATH, or else from the folders of
/// system programs. If it is nowhere, the name as it is, whose start then fails as "not found".
pub fn system_program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    let mut candidates = folders.map(|folder| folder.join(name));
    candidates.find(|candidate| candidate.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_nowhere_keeps_its_name() {
        assert_eq!(system_program("no-such-program"), PathBuf::from("no-such-program"));
        assert!(system_program("sh").is_absolute());
    }
}
