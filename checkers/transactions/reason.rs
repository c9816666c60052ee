//! Why an edge of a cycle is there: which key, and which of its versions.

use super::cycle::{ANTI, Link, OVERWRITES, READS};
use super::parse::{INITIAL, Parsed};
use super::versions::{Next, Versions};

/// Two versions of a key, the second of which the target wrote, or read as the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason {
    pub key: u32,
    /// What the source wrote or read: a write or [`INITIAL`].
    pub version: u32,
    /// What the target wrote; of a read the same version.
    pub next: u32,
}

/// All keys that give an edge; none if it is process order or real time.
pub(super) fn reasons(parsed: &Parsed<'_>, versions: &Versions, link: Link) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let side = if link.kind == READS { link.to } else { link.from };
    for step in parsed.steps_of(side) {
        let version = step.value;
        let is_known = version == INITIAL || parsed.writes.get(version as usize).is_some();
        if !is_known {
            continue;
        }
        let next = match link.kind {
            READS if step.is_write || version == INITIAL => continue,
            READS => (parsed.writer(version) == link.from).then_some(version),
            OVERWRITES if step.is_write => follower(parsed, versions, step.key, version, link.to),
            ANTI if !step.is_write => follower(parsed, versions, step.key, version, link.to),
            _ => None,
        };
        reasons.extend(next.map(|next| Reason { key: step.key, version, next }));
    }
    reasons
}

/// The write of that transaction that follows the version.
fn follower(
    parsed: &Parsed<'_>,
    versions: &Versions,
    key: u32,
    version: u32,
    transaction: u32,
) -> Option<u32> {
    let next = match version {
        INITIAL => versions.next_of_initial[key as usize],
        write => versions.next[write as usize],
    };
    match next {
        Next::Nothing => None,
        Next::Write(write) => (parsed.writer(write) == transaction).then_some(write),
        Next::Several { first, last } => {
            let members = &versions.members[first as usize..=last as usize];
            let position =
                members.binary_search_by_key(&transaction, |write| parsed.writer(*write));
            position.ok().map(|position| members[position])
        }
    }
}

/// A key that gives every edge of a cycle, if there is one.
pub(super) fn common_key(parsed: &Parsed<'_>, versions: &Versions, links: &[Link]) -> Option<u32> {
    let (first, rest) = links.split_first()?;
    let gives = |link: &Link, key: u32| {
        reasons(parsed, versions, *link).iter().any(|reason| reason.key == key)
    };
    let keys = reasons(parsed, versions, *first).into_iter().map(|reason| reason.key);
    keys.into_iter().find(|key| rest.iter().all(|link| gives(link, *key)))
}
