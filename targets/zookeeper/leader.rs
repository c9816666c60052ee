//! Who leads now, by the command `srvr` that every server answers.

use std::net::SocketAddrV4;
use std::time::Duration;

use splitbrain_checkers::history::Name;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PORT;
use crate::driver::Cluster;

/// How long a server may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// The server that says it leads; of two, which there are until a deposed one notices, that of
/// the later epoch.
pub async fn find(cluster: &Cluster) -> Result<Option<Name>, String> {
    let mut tasks = tokio::task::JoinSet::new();
    for node in cluster.nodes.clone() {
        tasks.spawn(async move {
            let answer = tokio::time::timeout(LIMIT, ask(node.address(PORT))).await;
            (node.name, answer.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())))
        });
    }
    let mut best: Option<(u64, Name)> = None;
    let mut errors = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        match joined.map_err(|error| format!("asking for the leader: {error}"))? {
            (name, Ok(answer)) => best = best.max(leads_in_epoch(&answer).map(|e| (e, name))),
            (name, Err(error)) => errors.push(format!("{name}: {error}")),
        }
    }
    if errors.len() == cluster.nodes.len() {
        return Err(format!("no server answered: {}", errors.join("; ")));
    }
    Ok(best.map(|(_, name)| name))
}

async fn ask(address: SocketAddrV4) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"srvr").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The epoch of a server that leads: the upper half of its last transaction's number.
fn leads_in_epoch(srvr: &str) -> Option<u64> {
    let field = |name: &str| srvr.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if field("Mode:")? != "leader" {
        return None;
    }
    let zxid = u64::from_str_radix(field("Zxid:")?.strip_prefix("0x")?, 16).ok()?;
    Some(zxid >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leader_leads() {
        let answer = |mode| format!("Zookeeper version: 3.8.0\nZxid: 0x30000000a\nMode: {mode}\n");
        assert_eq!(leads_in_epoch(&answer("leader")), Some(3));
        assert_eq!(leads_in_epoch(&answer("follower")), None);
        assert_eq!(leads_in_epoch("This ZooKeeper instance is not currently serving"), None);
    }
}
