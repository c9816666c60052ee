//! Last in, first out: taking values off a history from the outside, until none is left or none
//! can be taken. The proof is in the [module](super).
//!
//! Instants are the ends of cores only: if some instant of a push's or a pop's interval is free,
//! then so is an end of a core in it, since free instants are what open intervals leave over.
//! One tree counts for every instant how many cores hold it and finds those that no core holds
//! any more; two others find the pushes and the pops that wait for such an instant.

use crate::queue::items::Item;

/// The items that are left when no more can be taken off; none iff the items are those of a
/// stack. O(n log n).
pub(super) fn stuck(items: &[Item]) -> Vec<u32> {
    let mut peeling = Peeling::new(items);
    peeling.run();
    peeling.left().collect()
}

/// An item that is inside for certain at some time, with instants as positions.
#[derive(Debug, Clone, Copy)]
struct Shell {
    item: u32,
    /// The ends of the core, both outside of it.
    from: u32,
    to: u32,
    /// What it still waits for: a free instant during its push, one during its pop.
    awaits: u8,
}

const PUSH: u8 = 1;
const POP: u8 = 2;

struct Peeling {
    shells: Vec<Shell>,
    /// How many cores hold each instant.
    counts: Counts,
    pushes: Waiting,
    pops: Waiting,
    /// Shells that can be taken off.
    ready: Vec<u32>,
}

impl Peeling {
    fn new(items: &[Item]) -> Peeling {
        let mut shells = Vec::with_capacity(items.len());
        let mut ends: Vec<(u64, u32)> = Vec::with_capacity(2 * items.len());
        for (item, (from, to)) in
            items.iter().enumerate().filter_map(|(i, item)| Some((i as u32, item.core()?)))
        {
            let shell = shells.len() as u32;
            ends.push((from, 2 * shell));
            ends.push((to, 2 * shell + 1));
            shells.push(Shell { item, from: 0, to: 0, awaits: PUSH | POP });
        }
        ends.sort_unstable();
        let mut instants: Vec<u64> = Vec::with_capacity(ends.len());
        for (instant, end) in ends {
            if instants.last() != Some(&instant) {
                instants.push(instant);
            }
            let position = instants.len() as u32 - 1;
            let shell = &mut shells[end as usize / 2];
            *(if end % 2 == 0 { &mut shell.from } else { &mut shell.to }) = position;
        }
        let windows = |window: fn(&Shell, &Item, &[u64]) -> (u32, u32)| {
            shells
                .iter()
                .map(|shell| window(shell, &items[shell.item as usize], &instants))
                .collect()
        };
        let pushes = Waiting::new(windows(|shell, item, instants| {
            (first_from(instants, shell.from, item.add_start), shell.from)
        }));
        let pops = Waiting::new(windows(|shell, item, instants| {
            (shell.to, last_to(instants, shell.to, item.remove_finish))
        }));
        let counts = Counts::new(&shells, instants.len());
        Peeling { shells, counts, pushes, pops, ready: Vec::new() }
    }

    fn run(&mut self) {
        loop {
            while let Some(instant) = self.counts.take_free() {
                self.free(instant);
            }
            let Some(shell) = self.ready.pop() else { return };
            let Shell { from, to, .. } = self.shells[shell as usize];
            if from + 1 < to {
                self.counts.lower(from as usize + 1, to as usize);
            }
        }
    }

    /// Wakes all that wait for an instant that has become free.
    fn free(&mut self, instant: u32) {
        for (waiting, what) in [(&mut self.pushes, PUSH), (&mut self.pops, POP)] {
            while let Some(shell) = waiting.take(instant) {
                let awaits = &mut self.shells[shell as usize].awaits;
                *awaits &= !what;
                if *awaits == 0 {
                    self.ready.push(shell);
                }
            }
        }
    }

    fn left(&self) -> impl Iterator<Item = u32> {
        self.shells.iter().filter(|shell| shell.awaits != 0).map(|shell| shell.item)
    }
}

/// The first position at or after `instant`, which is no later than that of position `near`.
fn first_from(instants: &[u64], near: u32, instant: u64) -> u32 {
    let near = near as usize;
    let mut reach = 1;
    while reach <= near && instants[near - reach] >= instant {
        reach *= 2;
    }
    let low = near.saturating_sub(reach);
    (low + instants[low..=near].partition_point(|other| *other < instant)) as u32
}

/// The last position at or before `instant`, which is no earlier than that of position `near`.
fn last_to(instants: &[u64], near: u32, instant: u64) -> u32 {
    let near = near as usize;
    let mut reach = 1;
    while near + reach < instants.len() && instants[near + reach] <= instant {
        reach *= 2;
    }
    let high = instants.len().min(near + reach + 1);
    (near + instants[near..high].partition_point(|other| *other <= instant) - 1) as u32
}

/// Counts per instant, in a tree of minima: a node holds the least count below it, less what was
/// added to any node above.
struct Counts {
    leaves: usize,
    least: Vec<i32>,
    added: Vec<i32>,
}

/// More than any count: the instant was found to be free.
const TAKEN: i32 = 1 << 30;

impl Counts {
    fn new(shells: &[Shell], instants: usize) -> Counts {
        let leaves = instants.next_power_of_two();
        let mut least = vec![0; 2 * leaves];
        for shell in shells {
            if shell.from + 1 < shell.to {
                least[leaves + shell.from as usize + 1] += 1;
                least[leaves + shell.to as usize] -= 1;
            }
        }
        let mut count = 0;
        for leaf in &mut least[leaves..leaves + instants] {
            count += *leaf;
            *leaf = count;
        }
        least[leaves + instants..].fill(TAKEN);
        for node in (1..leaves).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Counts { leaves, least, added: vec![0; leaves] }
    }

    /// Lowers the counts of these positions by one.
    fn lower(&mut self, from: usize, to: usize) {
        let (first, last) = (from + self.leaves, to - 1 + self.leaves);
        let (mut left, mut right) = (first, last + 1);
        while left < right {
            if left % 2 == 1 {
                self.add(left, -1);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                self.add(right, -1);
            }
            left /= 2;
            right /= 2;
        }
        self.renew(first);
        self.renew(last);
    }

    fn add(&mut self, node: usize, number: i32) {
        self.least[node] += number;
        if node < self.leaves {
            self.added[node] += number;
        }
    }

    /// Recomputes all nodes above.
    fn renew(&mut self, mut node: usize) {
        while node > 1 {
            node /= 2;
            self.least[node] =
                self.least[2 * node].min(self.least[2 * node + 1]) + self.added[node];
        }
    }

    /// A position whose count is zero, once for each.
    fn take_free(&mut self) -> Option<u32> {
        if self.least[1] != 0 {
            return None;
        }
        let (mut node, mut sought) = (1, 0);
        while node < self.leaves {
            sought -= self.added[node];
            node *= 2;
            node += usize::from(self.least[node] != sought);
        }
        self.least[node] += TAKEN;
        self.renew(node);
        Some((node - self.leaves) as u32)
    }
}

/// Closed windows of positions, each waiting for a position in it; in the order of their first
/// positions, with a tree of the greatest last position.
struct Waiting {
    /// First position and number, in order.
    windows: Vec<(u32, u32)>,
    leaves: usize,
    /// The greatest last position below a node, plus one; zero where nobody waits.
    last: Vec<u32>,
}

impl Waiting {
    fn new(given: Vec<(u32, u32)>) -> Waiting {
        let mut windows: Vec<(u32, u32)> =
            given.iter().enumerate().map(|(number, window)| (window.0, number as u32)).collect();
        windows.sort();
        let leaves = windows.len().next_power_of_two();
        let mut last = vec![0; 2 * leaves];
        for (leaf, (_, number)) in windows.iter().enumerate() {
            last[leaves + leaf] = given[*number as usize].1 + 1;
        }
        for node in (1..leaves).rev() {
            last[node] = last[2 * node].max(last[2 * node + 1]);
        }
        Waiting { windows, leaves, last }
    }

    /// The number of a window that holds the position; it waits no longer.
    fn take(&mut self, position: u32) -> Option<u32> {
        if self.last[1] <= position {
            return None;
        }
        // The first window that ends late enough begins early enough, or none does.
        let mut node = 1;
        while node < self.leaves {
            node *= 2;
            node += usize::from(self.last[node] <= position);
        }
        let (first, number) = self.windows[node - self.leaves];
        if first > position {
            return None;
        }
        self.last[node] = 0;
        while node > 1 {
            node /= 2;
            self.last[node] = self.last[2 * node].max(self.last[2 * node + 1]);
        }
        Some(number)
    }
}
