//! How old what each read returned was, and how many versions behind.
//!
//! The definitions are in the [module's comment](super). A chain's "not before" and "done by"
//! instants both grow along it, and for every reign the one is no later than the other: chains
//! that contradict this were taken apart.

use super::reigns::{INITIAL_REIGN, NONE, Reigns};

/// What is certain of one read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    /// Its number in [`Reigns::reads`].
    pub read: u32,
    /// For how many nanoseconds its value had surely been overwritten; zero if it was not stale.
    pub age: u64,
    /// How many writes surely came between.
    pub behind: usize,
    /// The reign that was the first to overwrite it, or [`NONE`].
    pub overwritten_by: u32,
}

/// The age of every read, in their order.
pub(super) fn ages(reigns: &Reigns<'_>) -> Vec<Age> {
    let overwriters = overwriters(reigns);
    let mut ages: Vec<Age> = reigns
        .reads
        .iter()
        .enumerate()
        .map(|(number, read)| {
            let (done_by, by) = overwriters[read.reign as usize];
            let age = read.start.saturating_sub(done_by);
            let overwritten_by = if age > 0 { by } else { NONE };
            Age { read: number as u32, age, behind: 0, overwritten_by }
        })
        .collect();
    count(reigns, &mut ages);
    ages
}

/// For every reign, when the first write that is surely later was done, and which one that is.
fn overwriters(reigns: &Reigns<'_>) -> Vec<(u64, u32)> {
    let mut later: Vec<u32> = (INITIAL_REIGN + 1..reigns.all.len() as u32).collect();
    later.sort_unstable_by_key(|&id| reigns.all[id as usize].not_before);
    let mut first = vec![(u64::MAX, NONE); later.len() + 1];
    for (place, &id) in later.iter().enumerate().rev() {
        first[place] = first[place + 1].min((reigns.all[id as usize].done_by, id));
    }
    let overwriter = |reign: &super::reigns::Reign| {
        let from = later.partition_point(|&id| reigns.all[id as usize].not_before <= reign.done_by);
        let next = reign.place + 1;
        if next == reign.chain_end {
            return first[from];
        }
        let next = reigns.chains[next as usize];
        first[from].min((reigns.all[next as usize].done_by, next))
    };
    reigns.all.iter().map(overwriter).collect()
}

/// Counts for each stale read the writes that surely came between: those not before its value
/// was done, and done before it began, plus those that a chain made from its value before then.
fn count(reigns: &Reigns<'_>, ages: &mut [Age]) {
    let mut stale: Vec<&mut Age> = ages.iter_mut().filter(|age| age.age > 0).collect();
    if stale.is_empty() {
        return;
    }
    let value_done = |age: &Age| reigns.all[reigns.reads[age.read as usize].reign as usize].done_by;
    // From the latest "not before" down, so that the tree holds what is late enough.
    stale.sort_unstable_by_key(|age| std::cmp::Reverse(value_done(age)));
    let mut by_start: Vec<u32> = (INITIAL_REIGN + 1..reigns.all.len() as u32).collect();
    by_start.sort_unstable_by_key(|&id| std::cmp::Reverse(reigns.all[id as usize].not_before));
    let mut ends: Vec<u64> = by_start.iter().map(|&id| reigns.all[id as usize].done_by).collect();
    ends.sort_unstable();
    let mut done = Fenwick::new(ends.len());
    let mut entering = by_start.into_iter().peekable();
    for age in stale {
        let read = reigns.reads[age.read as usize];
        let value_done = value_done(age);
        while let Some(id) = entering.next_if(|&id| reigns.all[id as usize].not_before > value_done)
        {
            let end = reigns.all[id as usize].done_by;
            done.add(ends.partition_point(|&other| other < end));
        }
        let elsewhere = done.sum(ends.partition_point(|&end| end < read.start));
        age.behind = elsewhere + made_from(reigns, read.reign, read.start);
    }
}

/// How many writes a chain surely made from this reign's value before the instant, without those
/// that are surely later for another reason.
fn made_from(reigns: &Reigns<'_>, reign: u32, instant: u64) -> usize {
    let reign = &reigns.all[reign as usize];
    let chain = &reigns.chains[reign.place as usize + 1..reign.chain_end as usize];
    let other = |id: &u32| &reigns.all[*id as usize];
    let otherwise = chain.partition_point(|id| other(id).not_before <= reign.done_by);
    chain[..otherwise].partition_point(|id| other(id).done_by < instant)
}

/// Counts of places, and how many lie before a place.
struct Fenwick {
    counts: Vec<usize>,
}

impl Fenwick {
    fn new(places: usize) -> Self {
        Self { counts: vec![0; places + 1] }
    }

    fn add(&mut self, place: usize) {
        let mut node = place + 1;
        while node < self.counts.len() {
            self.counts[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    /// How many were added at places before this one.
    fn sum(&self, place: usize) -> usize {
        let mut node = place;
        let mut sum = 0;
        while node > 0 {
            sum += self.counts[node];
            node &= node - 1;
        }
        sum
    }
}
