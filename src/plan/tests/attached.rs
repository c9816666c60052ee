//! Files of clusters that run already: what they take over from a built-in target, who the nodes
//! are, and what is refused.

use std::net::Ipv4Addr;

use super::super::{Clients, Mistakes, Site, SshHost, Target, load_target};
use super::{TARGET, registry, with};

const LOCAL: &str = "\
driver: store
access: local
nodes:
  n1: 127.0.0.1:7001
  n2: localhost:7002
";

fn load(text: &str) -> Result<Target, Mistakes> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    std::fs::write(&path, text).unwrap();
    load_target(path.to_str().unwrap(), &registry(&[("store", TARGET)]))
}

fn good(text: &str) -> Target {
    load(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn a_built_in_target_lends_what_starts_nothing() {
    let target = good(LOCAL);
    assert!(target.is_attached());
    assert_eq!((&*target.name, &*target.driver), ("mine", "http"));
    assert_eq!(target.clients, Clients::Outside);
    assert_eq!(target.operations.len(), 3);
    assert_eq!(target.failover_allowance.as_secs(), 2);
    assert_eq!(target.driver_config["read"]["method"], "GET");
    // `mode` is what `when` asks for, so it counts when a cluster starts.
    assert_eq!(target.settings.keys().collect::<Vec<_>>(), ["read"]);
    let nodes: Vec<(Ipv4Addr, Option<u16>)> =
        target.nodes.iter().map(|node| (node.ip, node.port)).collect();
    assert_eq!(nodes, [7001, 7002].map(|port| (Ipv4Addr::LOCALHOST, Some(port))));
    assert!(target.nodes.iter().all(|node| node.site == Site::Local { process: None }));
    let own = good(&(LOCAL.to_string() + "failover-allowance: 9s\noperations: [read, write]\n"));
    assert_eq!((own.failover_allowance.as_secs(), own.operations.len()), (9, 2));
}

#[test]
fn processes_and_containers_are_where_their_file_says() {
    let own = std::process::id();
    let namespace = with(LOCAL, "access: local", "access: namespace\nclients: beside");
    let namespace = namespace
        .replace("127.0.0.1:7001", &format!("{{ address: 10.0.0.1:80, process: {own} }}"))
        .replace("localhost:7002", &format!("{{ address: 10.0.0.2:80, process: {own} }}"));
    let target = good(&namespace);
    assert_eq!(target.clients, Clients::Beside);
    assert_eq!(target.nodes[1].site, Site::Namespace { process: own });
    let docker = with(LOCAL, "access: local", "access: docker")
        .replace("127.0.0.1:7001", "store-1:80")
        .replace("localhost:7002", "{ container: store-2, port: 81, ip: 10.0.0.9 }");
    let target = good(&docker);
    let site = Site::Docker { container: "store-1".into(), process: 71 };
    assert_eq!((target.nodes[0].ip, &target.nodes[0].site), ([172, 18, 0, 2].into(), &site));
    assert_eq!((target.nodes[1].ip, target.nodes[1].port), ([10, 0, 0, 9].into(), Some(81)));
}

#[test]
fn a_host_of_its_own_overrides_what_all_have() {
    let common = "access: ssh\nssh: { user: admin, port: 2222, key: /keys/id, jump: gate }";
    let text = with(LOCAL, "access: local", common)
        .replace("localhost:7002", "{ address: 10.0.0.2:80, ssh: { host: db2, user: root } }");
    let target = good(&text);
    let first = SshHost {
        host: "127.0.0.1".into(),
        user: Some("admin".into()),
        port: Some(2222),
        key: Some("/keys/id".into()),
        jump: Some("gate".into()),
        known_hosts: None,
        sudo: true,
    };
    let second =
        SshHost { host: "db2".into(), user: Some("root".into()), sudo: false, ..first.clone() };
    assert_eq!(target.nodes[0].site, Site::Ssh(first));
    assert_eq!(target.nodes[1].site, Site::Ssh(second));
}

/// A part, its replacement, line, column, and parts of the message and of what is accepted.
const REFUSED: &[(&str, &str, usize, usize, &str, &str)] = &[
    ("access: local\n", "", 1, 1, "`access` is missing", "`access: local`"),
    ("access: local", "access: telnet", 2, 9, "unknown value of `access` `telnet`", "ssh"),
    ("driver: store", "driver: stor", 1, 9, "unknown driver or target `stor`", "store"),
    ("driver: store", "driver: redis", 1, 1, "`operations` is missing", "operations:"),
    ("127.0.0.1:7001", "127.0.0.1", 4, 7, "is no address with a port", "127.0.0.1:7001"),
    ("127.0.0.1:7001", "127.0.0.1:70010", 4, 7, "is no address with a port", "port"),
    ("127.0.0.1:7001", "0.0.0.0:7001", 4, 7, "no IPv4 address to connect to", "IPv4"),
    ("127.0.0.1:7001", "{ process: 1 }", 4, 3, "`address` is missing in a node", "address:"),
    ("localhost:7002", "127.0.0.1:7001", 5, 7, "n1 and n2 have the same address and port", "own"),
    ("  n1:", "  1:", 4, 3, "`1` cannot be the name of a node", "beginning with a letter"),
    (
        "127.0.0.1:7001",
        "{ address: 127.0.0.1:7001, pid: 1 }",
        4,
        34,
        "unknown field `pid`",
        "process",
    ),
    (
        "127.0.0.1:7001",
        "{ address: 127.0.0.1:7001, process: 4194304 }",
        4,
        43,
        "there is no process 4194304",
        "pgrep",
    ),
    ("access: local", "access: local\nclients: beside", 3, 10, "clients can be beside", "outside"),
    (
        "access: local",
        "access: local\nssh: { user: a }",
        3,
        1,
        "`ssh` without `access: ssh`",
        "ssh",
    ),
    ("access: local", "access: local\nstart: exec x", 3, 1, "unknown field `start`", "nodes"),
    ("access: local", "access: ssh", 5, 7, "n1 and n2 have the same address", "access: local"),
];

#[test]
fn what_does_not_fit_is_refused_where_it_is_written() {
    for (part, replacement, line, column, message, accepted) in REFUSED {
        let text = with(LOCAL, part, replacement);
        let mistakes = load(&text).err().unwrap_or_else(|| panic!("accepted:\n{text}"));
        let fits = mistakes.iter().any(|mistake| {
            (mistake.place.line(), mistake.place.column()) == (*line, *column)
                && mistake.message.contains(message)
                && mistake.accepted.contains(accepted)
        });
        assert!(fits, "{line}:{column} {message} ({accepted}) is not said of\n{text}\n{mistakes}");
    }
}

#[test]
fn a_process_is_needed_for_its_namespace_and_a_container_has_to_run() {
    let said = load(&with(LOCAL, "access: local", "access: namespace")).unwrap_err().to_string();
    assert!(said.contains("whose network namespace is it?"), "{said}");
    let docker = with(LOCAL, "access: local", "access: docker").replace("127.0.0.1:7001", "web:80");
    let said = load(&docker).unwrap_err().to_string();
    assert!(said.contains("there is no container `web`"), "{said}");
}
