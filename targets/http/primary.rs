//! Who leads now: every node is asked, and an answer says it of itself or names another node.

use serde_json::Value as Json;
use splitbrain_checkers::history::{Name, Value};

use super::call::{Call, NoAnswer, http_client};
use super::condition::{Answer, read_pointer, read_pointers};
use super::section::{Mistake, Section};
use super::template::{Arguments, Scope, Slot, address_of};
use crate::driver::{Cluster, Node};

/// The compiled `primary` section.
#[derive(Debug, Clone)]
pub struct Primary {
    pub call: Call,
    sign: Sign,
}

/// How an answer says who leads.
#[derive(Debug, Clone)]
enum Sign {
    /// The node that answered leads if these two places hold the same value.
    Equal(String, String),
    /// The node that answered leads if its answer contains this text.
    Contains(String),
    /// This place holds the leader's name.
    Named(String),
}

/// The slots of the request.
pub const SLOTS: &[Slot] = &[Slot::Ip, Slot::Address, Slot::Node, Slot::Index];

impl Primary {
    /// Reads the section.
    pub fn read(
        mut section: Section,
        scope: &Scope,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<Primary> {
        let call = Call::read(&mut section, scope, mistakes);
        let equal = section_equal(&mut section, mistakes);
        let contains = section.take_text("contains", "text of a leader's answer", mistakes);
        let named = read_pointer(&mut section, "pointer", mistakes);
        let mut signs: Vec<Sign> = Vec::new();
        signs.extend(equal);
        signs.extend(contains.map(|text| Sign::Contains(text.to_string())));
        signs.extend(named.map(Sign::Named));
        if signs.len() != 1 {
            mistakes.push(Mistake {
                path: section.own_path().to_vec(),
                message: format!("{} ways to tell the leader, one is needed", signs.len()),
                accepted: "one of `equal: [pointer, pointer]`, `contains: text` (of the node \
                           that answers) and `pointer: /leader` (the leader's name)"
                    .to_string(),
            });
        }
        section.finish(mistakes);
        Some(Primary { call: call?, sign: signs.pop()? })
    }

    /// Asks every node. `None` if none leads, or if the answers contradict each other, which
    /// they do for a moment while leadership moves. `port` is the usual one, if there is one.
    pub async fn find(&self, cluster: &Cluster, port: Option<u16>) -> Result<Option<Name>, String> {
        let client = http_client()?;
        let mut tasks = tokio::task::JoinSet::new();
        for node in cluster.nodes.clone() {
            let (call, client) = (self.call.clone(), client.clone());
            tasks.spawn(async move {
                let answer = ask(&call, &client, &node, &address_of(&node, port)).await;
                (node, answer)
            });
        }
        let mut leaders = Vec::new();
        let mut errors = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            match joined.map_err(|error| format!("asking for the leader: {error}"))? {
                (node, Ok(answer)) => leaders.extend(self.leader(&node, &answer, cluster)),
                (node, Err(error)) => errors.push(format!("{}: {error}", node.name)),
            }
        }
        if errors.len() == cluster.nodes.len() {
            return Err(format!("no node said who leads: {}", errors.join("; ")));
        }
        leaders.sort();
        leaders.dedup();
        Ok(if leaders.len() == 1 { leaders.pop() } else { None })
    }

    fn leader(&self, node: &Node, answer: &Answer, cluster: &Cluster) -> Option<Name> {
        let place = |pointer: &str| answer.json.as_ref()?.pointer(pointer);
        match &self.sign {
            Sign::Equal(left, right) => match (place(left), place(right)) {
                (Some(left), Some(right)) if left == right && !left.is_null() => {
                    Some(node.name.clone())
                }
                _ => None,
            },
            Sign::Contains(text) => answer.body.contains(text.as_str()).then(|| node.name.clone()),
            Sign::Named(pointer) => {
                let name = place(pointer)?.as_str()?;
                cluster.nodes.iter().find(|node| &*node.name == name).map(|node| node.name.clone())
            }
        }
    }
}

/// Only a 2xx says anything.
async fn ask(
    call: &Call,
    client: &reqwest::Client,
    node: &Node,
    address: &str,
) -> Result<Answer, String> {
    const LIMIT: std::time::Duration = std::time::Duration::from_secs(3);
    let nil = Value::Nil;
    let arguments = Arguments { node, address, key: "", value: &nil, expected: &nil, new: &nil };
    match tokio::time::timeout(LIMIT, call.send(client, &arguments)).await {
        Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
        Ok(Err(NoAnswer { text, .. })) => Err(text),
        Ok(Ok(answer)) if (200..300).contains(&answer.status) => Ok(answer),
        Ok(Ok(answer)) => Err(answer.summary()),
    }
}

fn section_equal(section: &mut Section, mistakes: &mut Vec<Mistake>) -> Option<Sign> {
    let pointers = read_pointers(section, "equal", mistakes);
    match <[String; 2]>::try_from(pointers) {
        Ok([left, right]) => Some(Sign::Equal(left, right)),
        Err(pointers) if pointers.is_empty() => None,
        Err(pointers) => {
            let found = Json::from(pointers);
            mistakes.push(section.not_accepted("equal", &found, "a list of two JSON pointers"));
            None
        }
    }
}
