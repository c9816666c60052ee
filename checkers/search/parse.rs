//! From operations to the actions of a model, and which of them belong together.

use crate::checker::Options;
use crate::history::{Function, Operation, Outcome, Time};
use crate::model::{Model, Parsed, Parts};

/// A model, and the actions of a history.
pub(super) type Understood<M> = (M, Vec<Parsed<<M as Model>::Action>>);

/// The model with these operations, and their actions; those that cannot matter are left out.
/// The model still has to [settle](Model::settle) before its states are asked for.
pub(super) fn parse<M: Model>(
    operations: &[&Operation],
    options: &Options<'_>,
) -> Result<Understood<M>, String> {
    let mut model = M::new(options)?;
    let mut parsed = Vec::with_capacity(operations.len());
    for (source, operation) in operations.iter().enumerate() {
        let action = match (&operation.f, operation.outcome) {
            (Function::ReplicaRead, _) => None,
            (_, Outcome::Fail) => model.refusal(operation),
            _ => model.action(operation)?,
        };
        let Some(action) = action else { continue };
        let (invoke, end) = operation.interval()?;
        let is_sure = operation.outcome != Outcome::Info;
        let finish = if is_sure { end } else { Time::MAX };
        parsed.push(Parsed { action, invoke, finish, is_sure, source: source as u32 });
    }
    Ok((model, parsed))
}

/// The operations of each group of parts that some operation joins; one group if one operation
/// touches all.
pub(super) fn groups<M: Model>(model: &M, parsed: &[Parsed<M::Action>]) -> Vec<Vec<u32>> {
    let sources = || parsed.iter().map(|parsed| parsed.source);
    let mut joined = Joined::default();
    for operation in parsed {
        match model.parts(&operation.action) {
            Parts::All | Parts::These([]) => return vec![sources().collect()],
            Parts::One(part) => joined.join(part, part),
            Parts::These(parts) => parts.iter().for_each(|part| joined.join(parts[0], *part)),
        }
    }
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); joined.leaders.len()];
    for operation in parsed {
        let part = match model.parts(&operation.action) {
            Parts::One(part) => part,
            Parts::These(parts) => parts[0],
            Parts::All => continue,
        };
        groups[joined.leader(part) as usize].push(operation.source);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Parts that belong together, each known by one of them (union-find).
#[derive(Debug, Default)]
struct Joined {
    leaders: Vec<u32>,
}

impl Joined {
    fn leader(&mut self, part: u32) -> u32 {
        self.leaders.extend(self.leaders.len() as u32..=part);
        let mut part = part;
        while self.leaders[part as usize] != part {
            let next = self.leaders[self.leaders[part as usize] as usize];
            self.leaders[part as usize] = next;
            part = next;
        }
        part
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.leader(one), self.leader(other));
        self.leaders[one.max(other) as usize] = one.min(other);
    }
}
