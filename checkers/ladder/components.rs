//! Strongly connected components (Tarjan, "Depth-first search and linear graph algorithms", SIAM
//! Journal on Computing 1(2), 1972), without recursion and from each node backwards.

use super::frame::NONE;

/// What [`find`] found.
#[derive(Debug)]
pub(crate) struct Components {
    /// All nodes, those of a component next to each other, predecessors first.
    pub order: Vec<u32>,
    /// The components that hold a cycle.
    pub cyclic: Vec<Vec<u32>>,
}

/// The components of the graph of `count` nodes in which `predecessor(node, slot)` comes directly
/// before `node`: the slots of a node are counted from 0 up to the first that is `None`, and
/// [`NONE`] is an empty one.
pub(crate) fn find(count: usize, predecessor: impl Fn(u32, u32) -> Option<u32>) -> Components {
    let mut walk = Walk {
        index: vec![NONE; count],
        low: vec![0; count],
        before_itself: vec![false; count],
        waiting: Vec::new(),
        next: 0,
        found: Components { order: Vec::with_capacity(count), cyclic: Vec::new() },
    };
    let mut path: Vec<(u32, u32)> = Vec::new();
    for root in 0..count as u32 {
        if walk.index[root as usize] != NONE {
            continue;
        }
        walk.enter(root);
        path.push((root, 0));
        while let Some((node, slot)) = path.last_mut() {
            let (node, here) = (*node, *slot);
            *slot += 1;
            match predecessor(node, here) {
                Some(NONE) => {}
                Some(before) if walk.index[before as usize] == NONE => {
                    walk.enter(before);
                    path.push((before, 0));
                }
                Some(before) => {
                    walk.before_itself[node as usize] |= before == node;
                    walk.touch(node, before);
                }
                None => {
                    path.pop();
                    walk.leave(node);
                    if let Some((parent, _)) = path.last() {
                        walk.touch(*parent, node);
                    }
                }
            }
        }
    }
    walk.found
}

/// Where the walk is. What has been left for good has `low` = [`NONE`].
struct Walk {
    index: Vec<u32>,
    low: Vec<u32>,
    before_itself: Vec<bool>,
    waiting: Vec<u32>,
    next: u32,
    found: Components,
}

impl Walk {
    fn enter(&mut self, node: u32) {
        self.index[node as usize] = self.next;
        self.low[node as usize] = self.next;
        self.next += 1;
        self.waiting.push(node);
    }

    fn touch(&mut self, node: u32, before: u32) {
        let reached = self.low[before as usize];
        let low = &mut self.low[node as usize];
        *low = (*low).min(reached);
    }

    fn leave(&mut self, node: u32) {
        if self.low[node as usize] != self.index[node as usize] {
            return;
        }
        let first = self.found.order.len();
        while let Some(member) = self.waiting.pop() {
            self.low[member as usize] = NONE;
            self.found.order.push(member);
            if member == node {
                break;
            }
        }
        let members = &self.found.order[first..];
        if members.len() > 1 || self.before_itself[node as usize] {
            self.found.cyclic.push(members.to_vec());
        }
    }
}
