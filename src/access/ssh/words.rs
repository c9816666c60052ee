//! The words of a command on their way through ssh, which hands one line to a shell.

use crate::plan::{SshHost, quoted};

/// Where root's programs are, which is not where an ordinary user's PATH leads.
const PATH: &str = "PATH=/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin";

/// `admin@db2`
pub(super) fn destination(host: &SshHost) -> String {
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    format!("{user}{}", host.host)
}

/// What a person would type to run `command` as root on that host. For brevity without the PATH
/// that it really gets.
pub fn command_line(host: &SshHost, command: &[&str]) -> Vec<String> {
    let known_hosts = host.known_hosts.as_ref();
    let options = [
        ("-p", host.port.map(|port| port.to_string())),
        ("-i", host.key.as_ref().map(|key| key.display().to_string())),
        ("-J", host.jump.clone()),
        ("-o", known_hosts.map(|file| format!("UserKnownHostsFile={}", file.display()))),
    ];
    let options = options.into_iter().filter_map(|(option, value)| Some([option.into(), value?]));
    let mut line = vec!["ssh".to_string()];
    line.extend(options.flatten());
    line.push(destination(host));
    line.extend(sudo(host).iter().chain(command).map(|word| quoted(word)));
    line
}

/// The line for the host's shell that runs `command` as root with every word as it is.
pub(super) fn remote_line(host: &SshHost, command: &[&str]) -> String {
    let words = sudo(host).iter().chain(&["env", PATH]).chain(command);
    words.map(|word| quoted(word)).collect::<Vec<String>>().join(" ")
}

fn sudo(host: &SshHost) -> &'static [&'static str] {
    if host.sudo { &["sudo", "-n"] } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> SshHost {
        SshHost {
            host: "db2".to_string(),
            user: None,
            port: None,
            key: None,
            jump: None,
            known_hosts: None,
            sudo: false,
        }
    }

    #[test]
    fn the_command_line_is_what_a_person_would_type() {
        assert_eq!(command_line(&host(), &["iptables", "-S"]).join(" "), "ssh db2 iptables -S");
        let host = SshHost {
            user: Some("admin".to_string()),
            port: Some(2222),
            key: Some("/keys/id".into()),
            jump: Some("gate:22,inner".to_string()),
            known_hosts: Some("/keys/known".into()),
            sudo: true,
            ..host()
        };
        assert_eq!(
            command_line(&host, &["sh", "-c", "echo $1"]).join(" "),
            "ssh -p 2222 -i /keys/id -J gate:22,inner -o UserKnownHostsFile=/keys/known \
             admin@db2 sudo -n sh -c 'echo $1'"
        );
    }

    #[test]
    fn sudo_comes_before_the_path_that_it_would_replace() {
        let host = SshHost { sudo: true, ..host() };
        let line = remote_line(&host, &["kill", "it's", ""]);
        assert_eq!(line, format!("sudo -n env {PATH} kill 'it'\\''s' ''"));
    }
}
