//! The keeper of a machine: takes it for one run, puts rules in, takes them out. Its program is
//! `keeper.sh`, which says how nothing stays behind whatever becomes of the controller.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::Link;

use crate::access::{AccessError, Machine};
use crate::sandbox::Family;

/// What runs on the machine, as root.
pub const PROGRAM: &str = include_str!("keeper.sh");
/// Exit codes of the program.
const TAKEN: i32 = 3;
const LOST: i32 = 4;

/// Why a machine could not be kept. Each message says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeeperError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(
        "{machine} is held by {owner}; wait for its end, or take out what it put in with \
         `splitbrain heal --target FILE`"
    )]
    Taken { machine: String, owner: String },
    #[error("{machine} is not ours any more: {reason}; its rules have been taken out")]
    Lost { machine: String, reason: String },
    #[error("{verb} on {machine}: {complaint}")]
    Refused { machine: String, verb: String, complaint: String },
}

/// What is given to `iptables-restore` and `ip6tables-restore` at once. An empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    pub ipv4: String,
    pub ipv6: String,
}

impl Rules {
    /// Those of the families that a machine has.
    pub fn of(families: &[Family], text: impl Fn(Family) -> String) -> Rules {
        let of = |family| if families.contains(&family) { text(family) } else { String::new() };
        Rules { ipv4: of(Family::Ipv4), ipv6: of(Family::Ipv6) }
    }
}

/// A connection to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub link: Link,
    pub ip: Ipv4Addr,
    pub port: u16,
    /// Folder of the control group from within which it is tried.
    pub group: Option<String>,
}

/// A group of processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub folder: String,
    /// As the firewall names it.
    pub path: String,
}

/// Keeps one machine for one run. Has to be released; a guard on the machine does that half a
/// minute after the last word from here.
pub struct Keeper {
    machine: Arc<dyn Machine>,
    owner: String,
    families: Vec<Family>,
}

impl Keeper {
    /// Takes the machine. `owner` is one line that says who we are; it is unique.
    ///
    /// # Errors
    /// If somebody holds it, if it cannot be reached, or if something there is missing.
    pub async fn claim(machine: Arc<dyn Machine>, owner: &str) -> Result<Keeper, KeeperError> {
        let mut keeper = Keeper { machine, owner: owner.to_string(), families: Vec::new() };
        let said = keeper.call("claim", &[], PROGRAM.as_bytes()).await?;
        keeper.families = said.lines().filter_map(family).collect();
        Ok(keeper)
    }

    pub fn machine(&self) -> &Arc<dyn Machine> {
        &self.machine
    }

    /// What can be cut there: IPv4, and IPv6 where there is any.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// Says that we are still there.
    ///
    /// # Errors
    /// If the machine cannot be reached or is not ours any more.
    pub async fn beat(&self) -> Result<(), KeeperError> {
        self.call("beat", &[], b"").await.map(drop)
    }

    /// Puts processes into a control group of their own, from which they are given back later.
    ///
    /// # Errors
    /// If the group cannot be made.
    pub async fn group(&self, node: &Name, processes: &[u32]) -> Result<Group, KeeperError> {
        let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
        let mut arguments = vec![&**node];
        arguments.extend(processes.iter().map(String::as_str));
        let said = self.call("group", &arguments, b"").await?;
        let mut lines = said.lines();
        match (lines.next(), lines.next()) {
            (Some(folder), Some(path)) => {
                Ok(Group { folder: folder.to_string(), path: path.to_string() })
            }
            _ => Err(self.unreadable("group", &said)),
        }
    }

    /// Puts rules in, those of both families at once.
    ///
    /// # Errors
    /// If they are refused; some may be in effect then.
    pub async fn apply(&self, rules: &Rules) -> Result<(), KeeperError> {
        self.call("apply", &[&rules.ipv4, &rules.ipv6], b"").await.map(drop)
    }

    /// What our rules have dropped so far, by link and family; a rule that is not there is absent.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn dropped(&self) -> Result<BTreeMap<(Link, Family), u64>, KeeperError> {
        let said = self.call("counters", &[], b"").await?;
        counters(&said).map_err(|line| self.unreadable("counters", line))
    }

    /// Tries to connect, on all at once; takes a second if one is cut. True where it was answered.
    ///
    /// # Errors
    /// If it cannot be tried.
    pub async fn connect(&self, attempts: &[Attempt]) -> Result<BTreeMap<Link, bool>, KeeperError> {
        let line = |Attempt { link, ip, port, group }: &Attempt| {
            let group = group.as_deref().unwrap_or_default();
            format!("{} {} {ip} {port} {group}\n", link.from, link.to)
        };
        let input: String = attempts.iter().map(line).collect();
        let said = self.call("connect", &[], input.as_bytes()).await?;
        let read = |line: &str| {
            let mut words = line.split(' ');
            let link = Link { from: words.next()?.into(), to: words.next()?.into() };
            Some((link, words.next()? == "yes"))
        };
        let found: BTreeMap<Link, bool> = said.lines().filter_map(read).collect();
        match attempts.iter().find(|attempt| !found.contains_key(&attempt.link)) {
            None => Ok(found),
            Some(attempt) => {
                let missing = format!("nothing of {}", attempt.link);
                Err(self.unreadable("connect", &missing))
            }
        }
    }

    /// Takes everything out and lets go of the machine. Lines that say what was done.
    ///
    /// # Errors
    /// If something of ours is still there; the guard goes on trying then.
    pub async fn release(&self) -> Result<Vec<String>, KeeperError> {
        let said = self.call("release", &[], b"").await?;
        Ok(said.lines().map(str::to_string).collect())
    }

    /// What another program there says.
    ///
    /// # Errors
    /// If the machine cannot be reached, or the program fails.
    pub async fn ask(&self, command: &[&str]) -> Result<String, KeeperError> {
        let said = self.machine.run(command, b"").await?.text();
        said.map_err(|complaint| self.refused(&command.join(" "), complaint))
    }

    /// That something on this machine does not do.
    pub fn refused(&self, verb: &str, complaint: String) -> KeeperError {
        let machine = self.machine.name().to_string();
        KeeperError::Refused { machine, verb: verb.to_string(), complaint }
    }

    async fn call(
        &self,
        verb: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<String, KeeperError> {
        call(&*self.machine, verb, &self.owner, arguments, input).await
    }

    fn unreadable(&self, verb: &str, said: &str) -> KeeperError {
        self.refused(verb, format!("an answer that cannot be read: {said:?}"))
    }
}

/// Takes out whatever a run left or still has on a machine. Lines that say what was done; none if
/// there was nothing.
///
/// # Errors
/// If the machine cannot be reached, or something is still there.
pub async fn heal(machine: &dyn Machine) -> Result<Vec<String>, KeeperError> {
    let said = call(machine, "heal", "", &[], b"").await?;
    Ok(said.lines().map(str::to_string).collect())
}

/// Who holds a machine, if anybody does, and what is missing there; changes nothing.
///
/// # Errors
/// If the machine cannot be reached.
pub async fn look(machine: &dyn Machine) -> Result<(Option<String>, Vec<String>), KeeperError> {
    let said = call(machine, "look", "", &[], b"").await?;
    let (missing, owner): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with("missing "));
    let missing = missing.iter().map(|line| line["missing ".len()..].to_string());
    Ok((owner.first().map(ToString::to_string), missing.collect()))
}

async fn call(
    machine: &dyn Machine,
    verb: &str,
    owner: &str,
    arguments: &[&str],
    input: &[u8],
) -> Result<String, KeeperError> {
    let mut command = vec!["sh", "-c", PROGRAM, "keeper", verb, owner];
    command.extend(arguments);
    let output = machine.run(&command, input).await?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    let complaint = || said(&output.stderr).replace('\n', "; ");
    let machine = machine.name().to_string();
    match output.status {
        0 => Ok(said(&output.stdout)),
        TAKEN => Err(KeeperError::Taken { machine, owner: complaint() }),
        LOST => Err(KeeperError::Lost { machine, reason: complaint() }),
        status => {
            let complaint = format!("exit code {status} ({})", complaint());
            Err(KeeperError::Refused { machine, verb: verb.to_string(), complaint })
        }
    }
}

/// The family that a firewall is for.
fn family(program: &str) -> Option<Family> {
    match program {
        "iptables" => Some(Family::Ipv4),
        "ip6tables" => Some(Family::Ipv6),
        _ => None,
    }
}

/// Sums up the rules of every link. An error is the line that cannot be read.
fn counters(said: &str) -> Result<BTreeMap<(Link, Family), u64>, &str> {
    let mut dropped = BTreeMap::new();
    let mut of = Family::Ipv4;
    for line in said.lines() {
        if let Some(family) = family(line) {
            of = family;
        } else if line.ends_with("-j DROP") {
            let (link, packets) = counter(line).ok_or(line)?;
            *dropped.entry((link, of)).or_insert(0) += packets;
        }
    }
    Ok(dropped)
}

/// `[packets:bytes] -A SPLITBRAIN ... -m comment --comment "n1 -> n2" -j DROP`
fn counter(line: &str) -> Option<(Link, u64)> {
    let (packets, _) = line.strip_prefix('[')?.split_once(':')?;
    let (_, rest) = line.split_once("--comment \"")?;
    let (comment, _) = rest.split_once('"')?;
    let (from, to) = comment.split_once(" -> ")?;
    Some((Link { from: from.into(), to: to.into() }, packets.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_a_link_are_summed_up_by_family() {
        let rule = |packets: u32, comment: &str| {
            format!("[{packets}:9] -A SPLITBRAIN -m comment --comment \"{comment}\" -j DROP\n")
        };
        let said = "iptables\n:SPLITBRAIN - [0:0]\n[7:9] -A OUTPUT -j SPLITBRAIN\n".to_string()
            + &rule(3, "n1 -> n2")
            + &rule(4, "n1 -> n2")
            + "[1:9] -A SPLITBRAIN -j CONNMARK --set-xmark 0x1000000/0xff000000\nip6tables\n"
            + &rule(0, "n2 -> n1");
        let link = |from: &str, to: &str| Link { from: from.into(), to: to.into() };
        let expected =
            [((link("n1", "n2"), Family::Ipv4), 7), ((link("n2", "n1"), Family::Ipv6), 0)];
        assert_eq!(counters(&said), Ok(BTreeMap::from(expected)));
        let odd = "iptables\n[x:9] -A SPLITBRAIN -j DROP";
        assert_eq!(counters(odd), Err("[x:9] -A SPLITBRAIN -j DROP"));
    }
}
