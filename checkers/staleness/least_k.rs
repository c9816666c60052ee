//! The least k for which a register's history is k-atomic.
//!
//! **In pieces.** Tie reigns together wherever a cas found the value of one and began the other,
//! and call what hangs together a component: with `begin` its earliest finish and `end` its latest
//! start. Join components with `begin < end` (forward) whose open intervals overlap, directly or
//! through others, to a chunk, and add to it every backward component that lies strictly inside
//! the chunk's interval. *The history is k-atomic iff every chunk by itself is*, and so is every
//! backward component left over.
//!
//! Only if: in an order of the whole, leave out all operations of other components; every found
//! value keeps its writer, and no more writes than before lie between. If: the intervals of chunks
//! do not overlap, so they have an order in time, and a backward component left over contains an
//! instant inside none of them; put each piece as one block at its place. Within blocks nothing
//! changes. Across blocks real time is respected: in a chunk all starts are at most the upper
//! border and all finishes at least the lower one (of a forward component by definition, of a
//! backward one because it lies inside), and for a backward component both hold of its instant; so
//! no operation of a later block finished before one of an earlier block started.
//!
//! This is the first stage of Golab, Hurwitz and Li ("On the k-atomicity-verification problem",
//! ICDCS 2013, algorithm FZF), there for reads and writes and k = 2; the argument needs neither.
//!
//! **The pieces.** A backward component, and a chunk of one component, is 1-atomic iff it is a
//! chain without contradiction (step 3 of the register's proof). A chunk of several components
//! never is: two of them overlap. For k = 2 and no cas there is a polynomial algorithm
//! ([`two`]); in all other cases a [search] with a budget. As far as we know nobody has a
//! polynomial algorithm for k of 3 and more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::chunk::Chunk;
use super::reigns::{NONE, Reign, Reigns};
use super::{Settings, search, two};
use crate::limits::Spent;

/// The least k for which a history is k-atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "least", rename_all = "kebab-case")]
pub enum LeastK {
    /// It is this. 1: linearizable.
    Exactly { k: usize },
    /// It is more than was looked for.
    MoreThan { k: usize },
    /// It is at least this; the search for it was given up.
    Unknown { at_least: usize, reason: String },
    /// There is none: some value was found that nobody wrote, or before it was written, or cas
    /// replaced each other's values in a circle or against real time.
    Never,
}

impl LeastK {
    /// What holds of two histories of different keys together.
    pub fn join(self, other: LeastK) -> LeastK {
        let rank = |this: &LeastK| match this {
            LeastK::Exactly { k } => (0, *k),
            LeastK::Unknown { at_least, .. } => (1, *at_least),
            LeastK::MoreThan { k } => (2, *k),
            LeastK::Never => (3, 0),
        };
        let (low, high) = if rank(&self) < rank(&other) { (self, other) } else { (other, self) };
        match (low, high) {
            (LeastK::Exactly { k }, LeastK::Unknown { at_least, reason }) => {
                LeastK::Unknown { at_least: at_least.max(k), reason }
            }
            (_, high) => high,
        }
    }
}

/// Looks for it from `lower` on, which it is known to be at least.
pub(super) fn least_k(reigns: &Reigns<'_>, lower: usize, settings: &Settings<'_>) -> LeastK {
    if reigns.contradictory {
        return LeastK::Never;
    }
    let mut k = lower;
    let mut budget = search::Budget::new(settings.limits);
    for chunk in chunks(reigns) {
        k = k.max(2);
        loop {
            if k > settings.k_max.max(1) {
                return LeastK::MoreThan { k: settings.k_max.max(1) };
            }
            match is_k_atomic(&chunk, k, &mut budget) {
                Ok(true) => break,
                Ok(false) => k += 1,
                Err(spent) => return LeastK::Unknown { at_least: k, reason: spent.to_string() },
            }
        }
    }
    LeastK::Exactly { k }
}

fn is_k_atomic(chunk: &Chunk, k: usize, budget: &mut search::Budget<'_>) -> Result<bool, Spent> {
    if k == 2 && !chunk.has_cas {
        two::is_two_atomic(chunk, budget)
    } else {
        search::is_k_atomic(chunk, k, budget)
    }
}

/// What hangs together by cas.
#[derive(Debug, Clone, Copy)]
struct Component {
    begin: u64,
    end: u64,
    /// Whether it is a chain that does not contradict itself.
    is_chain: bool,
    id: u32,
}

/// Components that have to be ordered together.
#[derive(Debug, Clone, Copy)]
struct Piece {
    begin: u64,
    end: u64,
    /// Whether it is 1-atomic: a single chain.
    is_easy: bool,
}

impl Piece {
    fn of(component: &Component) -> Self {
        Self { begin: component.begin, end: component.end, is_easy: component.is_chain }
    }
}

/// The pieces, in the order of time except for backward ones; and by component the piece that it
/// is in. Backward chains left over are in none.
fn pieces(components: Vec<Component>, reigns: usize) -> (Vec<Piece>, Vec<u32>) {
    let (mut forward, backward): (Vec<Component>, Vec<Component>) =
        components.into_iter().partition(|component| component.begin < component.end);
    forward.sort_unstable_by_key(|component| (component.begin, component.end));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut piece_of = vec![NONE; reigns];
    for component in forward {
        match pieces.last_mut() {
            Some(piece) if component.begin < piece.end => {
                piece.end = piece.end.max(component.end);
                piece.is_easy = false;
            }
            _ => pieces.push(Piece::of(&component)),
        }
        piece_of[component.id as usize] = pieces.len() as u32 - 1;
    }
    let joined = pieces.len();
    for component in backward {
        let before = pieces[..joined].partition_point(|piece| piece.begin < component.end);
        match before.checked_sub(1) {
            Some(last) if pieces[last].end > component.begin => {
                pieces[last].is_easy = false;
                piece_of[component.id as usize] = last as u32;
            }
            _ if component.is_chain => {}
            _ => {
                piece_of[component.id as usize] = pieces.len() as u32;
                pieces.push(Piece::of(&component));
            }
        }
    }
    (pieces, piece_of)
}

/// The operations of each piece that is not 1-atomic.
fn chunks(reigns: &Reigns<'_>) -> Vec<Chunk> {
    let of_reign = components_of(reigns);
    let (pieces, piece_of) = pieces(components(reigns, &of_reign), reigns.all.len());
    let mut chunks: BTreeMap<u32, Chunk> = (0..pieces.len())
        .filter(|&piece| !pieces[piece].is_easy)
        .map(|piece| (piece as u32, Chunk::default()))
        .collect();
    if chunks.is_empty() {
        return Vec::new();
    }
    let chunk_of = |reign: usize| piece_of[of_reign[reign] as usize];
    let mut local = vec![NONE; reigns.all.len()];
    for (id, reign) in reigns.all.iter().enumerate() {
        if let Some(chunk) = chunks.get_mut(&chunk_of(id)) {
            local[id] = chunk.reign(reign.writer.is_none());
        }
    }
    for effect in &reigns.effects {
        let reign = if effect.found == NONE { effect.began } else { effect.found };
        if let Some(chunk) = chunks.get_mut(&chunk_of(reign as usize)) {
            let local = |reign: u32| if reign == NONE { NONE } else { local[reign as usize] };
            chunk.push(effect, local(effect.found), local(effect.began));
        }
    }
    chunks.into_values().collect()
}

/// By reign: the component that it is in, named after one of its reigns.
fn components_of(reigns: &Reigns<'_>) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..reigns.all.len() as u32).collect();
    fn root(parent: &mut [u32], mut id: u32) -> u32 {
        while parent[id as usize] != id {
            // Halves the path for whoever comes next.
            parent[id as usize] = parent[parent[id as usize] as usize];
            id = parent[id as usize];
        }
        id
    }
    for effect in &reigns.effects {
        if effect.found != NONE && effect.began != NONE {
            let (found, began) = (root(&mut parent, effect.found), root(&mut parent, effect.began));
            parent[began as usize] = found;
        }
    }
    (0..parent.len() as u32).map(|id| root(&mut parent, id)).collect()
}

fn components(reigns: &Reigns<'_>, of_reign: &[u32]) -> Vec<Component> {
    let mut components: Vec<Option<Component>> = vec![None; reigns.all.len()];
    // A chain's reigns are looked at from its first on; in a component with a value that was
    // replaced twice any order will do.
    for &id in &reigns.chains {
        let reign: &Reign = &reigns.all[id as usize];
        let end = reign.latest_fixed.max(reign.latest_read);
        let place = &mut components[of_reign[id as usize] as usize];
        let component = place.get_or_insert(Component {
            begin: u64::MAX,
            end: 0,
            is_chain: true,
            id: of_reign[id as usize],
        });
        component.is_chain &= reign.replaced <= 1 && component.end <= reign.earliest_finish;
        component.begin = component.begin.min(reign.earliest_finish);
        component.end = component.end.max(end);
    }
    components.into_iter().flatten().collect()
}
