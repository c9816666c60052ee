//! Reads of a counter whose deltas all have one sign, compared with each other.
//!
//! # The condition
//!
//! Let all deltas be positive (else turn every sign round). For reads r1 of v1 and r2 of v2 of
//! which r1 finished before r2 started: v2 >= v1 + the sum of all acknowledged adds that started
//! after r1 finished and finished before r2 started. Such adds take effect after r1 and before r2,
//! and no add takes anything away. As r1 there is also the initial value: v1 = 0, finished before
//! everything.
//!
//! # If all deltas are equal, nothing else can be wrong
//!
//! Let the delta be 1 (divide; values that are no multiples are refused by the sums). The history
//! is linearizable iff there are instants t(1) <= t(2) <= ... of effective adds with each add in
//! its interval and a read of v between t(v) and t(v + 1). Let V be the greatest value read. Let
//! E(j) be the latest start of a read of less than j, and D(j) the earliest finish of a read of j or
//! more: slot j has the window \[E(j), D(j)\], both growing in j, and E(j) <= D(j) by the condition
//! (with no add between). An add \[s, f\] can take slot j iff s <= D(j) and E(j) <= f, so the slots
//! that an add can take are without gaps. If every slot up to V is taken, and every acknowledged
//! add has a slot (a slot beyond V has E = the latest start of any read, and no D), instants exist:
//! t(j) = the greatest of all E and starts of slots up to j. It is too late for slot k only if, for
//! an earlier j, an add of slot j starts after the add of slot k has finished; then exchange these
//! two, which is possible: s(j) <= D(j) <= D(k), and f(k) >= E(k) >= E(j). That ends, since it sorts
//! by start.
//!
//! Slots and adds are the two sides of a bipartite graph. By Mendelsohn and Dulmage ("Some
//! generalizations of the problem of distinct representatives", 1958) there is one matching of
//! all slots up to V and all acknowledged adds if there is one of each. By Hall there is one of
//! all acknowledged adds iff no run of slots j..k (k <= V) has to hold more of them than it has:
//! an add has to be in j..k iff it started after D(j - 1), the finish of a read of at least j - 1,
//! and finished before E(k + 1), the start of a read of at most k. More than k - j + 1 of these
//! contradict the condition for those two reads. There is one of all slots iff no set X of slots
//! has less than |X| adds that can take one of it. Those that can take none of X lie in the gaps
//! between the runs of X, no more in an inner gap than it is long, by what was just said, so X
//! may as well be without gaps, from 1 on, to some k: fewer than k adds started by D(k), and the
//! read that finished then returned at least k, more than the sum of all that had started.
//! That is refused by the sums.
//!
//! # Algorithm
//!
//! For each read the greatest of v1 + sum over all r1 before it, by a sweep over time with a tree:
//! reads in the order of their finishes are its leaves. When an add finishes, its delta is added to
//! all leaves that finished before it started; when a read starts, the greatest of all leaves that
//! finished before is looked up. O(n log n).

use super::adds::{Add, Adds};
use crate::evidence::{BEFORE_ALL, NEVER};

/// For each read an earlier one (`Some(None)` is the initial value) that requires more than it
/// returned; `None` if there is none.
pub(super) fn too_little(counter: &Adds) -> Vec<Option<Option<usize>>> {
    let reads = &counter.reads;
    let mut too_little = vec![None; reads.len()];
    let Some(sign) = counter.sign() else { return too_little };
    let mut by_finish: Vec<usize> = (0..reads.len()).collect();
    by_finish.sort_by_key(|read| reads[*read].span.finish);
    // Leaf 0 is the initial value.
    let finishes: Vec<u64> = std::iter::once(BEFORE_ALL)
        .chain(by_finish.iter().map(|read| reads[*read].span.finish))
        .collect();
    let values: Vec<i128> =
        std::iter::once(0).chain(by_finish.iter().map(|read| reads[*read].value * sign)).collect();
    let mut tree = Tree::new(&values);
    let mut adds: Vec<&Add> = counter.adds.iter().filter(|add| add.span.finish != NEVER).collect();
    adds.sort_by_key(|add| add.span.finish);
    let mut adds = adds.into_iter().peekable();
    let before = |instant: u64| finishes.partition_point(|finish| *finish < instant);
    for (position, read) in reads.iter().enumerate() {
        while let Some(add) = adds.next_if(|add| add.span.finish < read.span.start) {
            tree.add(before(add.span.start), add.delta * sign);
        }
        let (required, leaf) = tree.greatest(before(read.span.start));
        if required > read.value * sign {
            too_little[position] = Some(leaf.checked_sub(1).map(|leaf| by_finish[leaf]));
        }
    }
    too_little
}

/// Numbers in a row: adds to all of a prefix, finds the greatest of a prefix.
struct Tree {
    /// Leaves, a power of two.
    width: usize,
    /// Of each node: the greatest number below it, with what was added to all of it, and where.
    greatest: Vec<(i128, usize)>,
    /// Of each node: what was added to all below it.
    added: Vec<i128>,
}

impl Tree {
    fn new(values: &[i128]) -> Tree {
        let width = values.len().next_power_of_two();
        let mut greatest = vec![(i128::MIN / 2, 0); 2 * width];
        for (leaf, value) in values.iter().enumerate() {
            greatest[width + leaf] = (*value, leaf);
        }
        for node in (1..width).rev() {
            greatest[node] = larger(greatest[2 * node], greatest[2 * node + 1]);
        }
        Tree { width, greatest, added: vec![0; 2 * width] }
    }

    /// Adds to the first `count` leaves.
    fn add(&mut self, count: usize, amount: i128) {
        self.add_below(1, self.width, count, amount);
    }

    fn add_below(&mut self, node: usize, width: usize, count: usize, amount: i128) {
        if count == 0 {
            return;
        }
        if count >= width {
            self.greatest[node].0 += amount;
            self.added[node] += amount;
            return;
        }
        let half = width / 2;
        self.add_below(2 * node, half, count.min(half), amount);
        self.add_below(2 * node + 1, half, count.saturating_sub(half), amount);
        let below = larger(self.greatest[2 * node], self.greatest[2 * node + 1]);
        self.greatest[node] = (below.0 + self.added[node], below.1);
    }

    /// The greatest of the first `count` leaves, at least one, and which it is.
    fn greatest(&self, count: usize) -> (i128, usize) {
        let (mut node, mut width, mut count) = (1, self.width, count);
        let (mut above, mut best) = (0, (i128::MIN, 0));
        while count < width && count > 0 {
            above += self.added[node];
            let half = width / 2;
            if count >= half {
                let left = self.greatest[2 * node];
                best = larger(best, (left.0 + above, left.1));
                (node, count) = (2 * node + 1, count - half);
            } else {
                node *= 2;
            }
            width = half;
        }
        if count > 0 {
            let all = self.greatest[node];
            best = larger(best, (all.0 + above, all.1));
        }
        best
    }
}

/// The larger number; of equal ones the first.
fn larger(one: (i128, usize), other: (i128, usize)) -> (i128, usize) {
    if other.0 > one.0 { other } else { one }
}
