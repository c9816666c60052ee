//! `splitbrain doctor --target FILE`: can a cluster that runs already be cut, and is it well?
//! Nothing is changed.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use splitbrain_checkers::history::{Function, Value};
use splitbrain_targets::driver::{Cluster, Driver, Node, Reply, Request};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::keeper::{self, KeeperError};
use super::machines;
use crate::access::{AccessError, Machine};
use crate::doctor::{Check, Status};
use crate::driving;
use crate::plan::Target;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clocks that differ by more are told: logs of nodes would be hard to compare.
const CLOCKS_APART: Duration = Duration::from_millis(500);
const PACKAGES: &str = "install what is missing there: apt-get install util-linux coreutils \
                        diffutils bash iproute2 iptables";
const CGROUP2: &str = "mount it: mkdir -p /sys/fs/cgroup/unified && \
                       mount -t cgroup2 none /sys/fs/cgroup/unified";

/// Tries every machine and every node.
///
/// # Errors
/// If there is no such driver.
pub async fn examine(target: &Target) -> Result<Vec<Check>, String> {
    let driver = driving::driver(target)?;
    let cluster = driving::cluster(target);
    let local = target.is_local();
    let mut checks = Vec::new();
    for (machine, node) in machines(target).await.into_iter().zip(&target.nodes) {
        match machine {
            Ok(machine) => checks.extend(of_a_machine(&machine, local).await),
            Err(error) => checks.push(unreached(&node.name, &error)),
        }
    }
    for node in &cluster.nodes {
        checks.push(connects(node).await);
        checks.push(answers(&*driver, &cluster, node).await);
    }
    checks.push(leads(&*driver, &cluster).await);
    Ok(checks)
}

fn unreached(node: &str, error: &AccessError) -> Check {
    Check::not(Status::Fail, &format!("{node} reached"), error.to_string(), "mend that first")
}

/// Rights, programs, who holds it, its clock.
async fn of_a_machine(machine: &Arc<dyn Machine>, local: bool) -> Vec<Check> {
    let name = machine.name();
    let short = name.split(' ').next().unwrap_or(name);
    let short = if local { "host" } else { short };
    let (owner, missing) = match keeper::look(&**machine).await {
        Ok(found) => found,
        Err(KeeperError::Access(AccessError::NoRights { reason, mend, .. })) => {
            return vec![Check::not(Status::Fail, &format!("{short} rights"), reason, mend)];
        }
        Err(error) => {
            let check = format!("{short} reached");
            return vec![Check::not(Status::Fail, &check, error.to_string(), "mend that first")];
        }
    };
    let mut checks = vec![Check::ok(&format!("{short} rights"), format!("root on {name}"))];
    // Control groups tell only processes of one host apart.
    let missing: Vec<String> =
        missing.into_iter().filter(|what| local || what != "cgroup2").collect();
    let programs = format!("{short} programs");
    checks.push(match missing.as_slice() {
        [] => Check::ok(&programs, "iptables and all that is needed beside it"),
        [only] if only == "cgroup2" => {
            Check::not(Status::Fail, &programs, "no cgroup2 is mounted", CGROUP2)
        }
        all => Check::not(Status::Fail, &programs, format!("no {}", all.join(", ")), PACKAGES),
    });
    if let Some(owner) = owner {
        let mend = "wait for its end, or: splitbrain heal --target FILE";
        let check = format!("{short} free");
        checks.push(Check::not(Status::Fail, &check, format!("held by {owner}"), mend));
    }
    checks.extend(clock(&**machine, short).await);
    checks
}

/// How far its clock is from ours, give or take half the time that asking took.
async fn clock(machine: &dyn Machine, short: &str) -> Option<Check> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let before = now();
    let said = machine.run(&["date", "+%s.%N"], b"").await.ok()?.text().ok()?;
    let after = now();
    let theirs: f64 = said.trim().parse().ok()?;
    let (apart, unsure) = (theirs - f64::midpoint(before, after), (after - before) / 2.0);
    let found = format!("{:.0} ms from ours, give or take {:.0} ms", apart * 1e3, unsure * 1e3);
    let name = format!("{short} clock");
    Some(match apart.abs() > CLOCKS_APART.as_secs_f64() + unsure {
        true => {
            let mend = "let both follow a time server (chrony); the verdict does not need it, \
                        but a database may";
            Check::not(Status::Warn, &name, found, mend)
        }
        false => Check::ok(&name, found),
    })
}

async fn connects(node: &Node) -> Check {
    let name = format!("{} connects", node.name);
    let address = node.address(0);
    let began = Instant::now();
    let mend = "start the node, or correct its address in the target file";
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Check::ok(&name, format!("{address} in {:.1?}", began.elapsed())),
        Ok(Err(error)) => Check::not(Status::Fail, &name, format!("{address}: {error}"), mend),
        Err(_) => {
            let found = format!("{address}: no answer within {} s", PATIENCE.as_secs());
            Check::not(Status::Fail, &name, found, mend)
        }
    }
}

/// Whether a client of the node gets an answer.
async fn answers(driver: &dyn Driver, cluster: &Cluster, node: &Node) -> Check {
    let name = format!("{} answers", node.name);
    let key = "splitbrain-doctor".into();
    let request = Request { f: Function::Read, key, value: Value::Nil };
    let asked = async {
        let mut client = driver.connect(cluster, node).await?;
        match client.request(&request).await {
            Reply::Ok(_) => Ok(()),
            Reply::Mismatch => Err("a read was answered with a mismatch".to_string()),
            Reply::Fail(error) | Reply::Info(error) => Err(error),
        }
    };
    let mend = "look at the database's own status; a run needs a healthy cluster to begin with";
    let late = format!("no answer within {} s", PATIENCE.as_secs());
    match timeout(PATIENCE, asked).await.unwrap_or(Err(late)) {
        Ok(()) => Check::ok(&name, "a read"),
        Err(error) => Check::not(Status::Fail, &name, error, mend),
    }
}

async fn leads(driver: &dyn Driver, cluster: &Cluster) -> Check {
    let name = "primary";
    let mend = "without one, `isolate: primary` cannot be asked for";
    let late = format!("no answer within {} s", PATIENCE.as_secs());
    match timeout(PATIENCE, driver.primary(cluster)).await.unwrap_or(Err(late)) {
        Ok(Some(primary)) => Check::ok(name, primary.to_string()),
        Ok(None) => Check::not(Status::Warn, name, "nobody leads", mend),
        Err(error) => Check::not(Status::Warn, name, error, mend),
    }
}
