//! Who is a primary now, as every node says of itself.

use std::time::Duration;

use splitbrain_checkers::history::Name;

use super::{PORT, open};
use crate::driver::Cluster;

/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// What a primary says of itself, ordered by how much it stands for the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    slots: u32,
    /// After a failover the new primary's is higher than that of the deposed one.
    epoch: u64,
}

/// The primary with the most slots; of two with as many, the one that was elected last.
pub async fn primary(cluster: &Cluster) -> Result<Option<Name>, String> {
    let mut tasks = tokio::task::JoinSet::new();
    for node in cluster.nodes.clone() {
        tasks.spawn(async move {
            let address = node.address(PORT).to_string();
            (node.name, ask(&address).await)
        });
    }
    let mut best: Option<(Claim, Name)> = None;
    let mut errors = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        match joined.map_err(|error| format!("asking for the primary: {error}"))? {
            (name, Ok(Some(claim))) if best.as_ref().is_none_or(|(held, _)| claim > *held) => {
                best = Some((claim, name));
            }
            (_, Ok(_)) => {}
            (name, Err(error)) => errors.push(format!("{name}: {error}")),
        }
    }
    if errors.len() == cluster.nodes.len() {
        return Err(format!("no node answered: {}", errors.join("; ")));
    }
    Ok(best.map(|(_, name)| name))
}

async fn ask(address: &str) -> Result<Option<Claim>, String> {
    let answer = async {
        let mut connection = open(address).await?;
        let mut command = redis::cmd("CLUSTER");
        command.arg("NODES");
        command.query_async::<String>(&mut connection).await.map_err(|error| error.to_string())
    };
    match tokio::time::timeout(LIMIT, answer).await {
        Ok(answer) => Ok(own_claim(&answer?)),
        Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
    }
}

/// The node's own line of `CLUSTER NODES`:
/// `ID ADDRESS FLAGS PRIMARY PING PONG EPOCH LINK SLOT SLOT-SLOT ...`.
fn own_claim(nodes: &str) -> Option<Claim> {
    let fields = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    let own = nodes
        .lines()
        .map(fields)
        .find(|fields| fields.get(2).is_some_and(|flags| flags.contains("myself")))?;
    if !own[2].split(',').any(|flag| flag == "master") {
        return None;
    }
    let epoch = own.get(6)?.parse().ok()?;
    let slots = own.iter().skip(8).filter_map(|range| slot_count(range)).sum();
    (slots > 0).then_some(Claim { slots, epoch })
}

/// `7`, `0-5460`; slots on the move (`[7->-ID]`) are counted where they are still held.
fn slot_count(range: &str) -> Option<u32> {
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
    Some(high.checked_sub(low)? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_speaks_for_itself() {
        let master = "a 10.0.0.2:6379@16379 master - 0 1 2 connected 5461-10922\n\
                      b 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460 [7->-a] 9000\n";
        assert_eq!(own_claim(master), Some(Claim { slots: 5462, epoch: 1 }));
        let replica = "c 10.0.0.3:6379@16379 myself,slave a 0 0 2 connected\n";
        assert_eq!(own_claim(replica), None);
        assert_eq!(own_claim("d 10.0.0.4:6379@16379 myself,master - 0 0 0 connected\n"), None);
        assert_eq!(own_claim(""), None);
    }

    #[test]
    fn the_one_elected_last_wins() {
        assert!(Claim { slots: 5461, epoch: 7 } > Claim { slots: 5461, epoch: 1 });
        assert!(Claim { slots: 5462, epoch: 2 } > Claim { slots: 5461, epoch: 7 });
    }
}
