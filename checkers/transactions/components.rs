//! Strongly connected components: Tarjan, "Depth-first search and linear graph algorithms", SIAM
//! Journal on Computing 1(2), 1972, section 4, without recursion, since a graph of transactions
//! is as deep as the history is long.

use super::parse::NONE;

/// The components of more than one node. `edge` gives the target of a node's edge at a position:
/// `None` behind the last, `Some(None)` for one to pass over.
pub(super) fn components(
    nodes: u32,
    edge: impl Fn(u32, u32) -> Option<Option<u32>>,
) -> Vec<Vec<u32>> {
    // The order of discovery, lowered to that of the earliest node that can be reached on the
    // stack; `DONE` once the component is complete.
    const DONE: u32 = NONE - 1;
    let mut low = vec![NONE; nodes as usize];
    let mut stack: Vec<u32> = Vec::new();
    // Node, its order of discovery, and the position of its next edge.
    let mut path: Vec<(u32, u32, u32)> = Vec::new();
    let mut discovered = 0;
    let mut found = Vec::new();
    for root in 0..nodes {
        if low[root as usize] != NONE {
            continue;
        }
        path.push((root, discovered, 0));
        low[root as usize] = discovered;
        stack.push(root);
        discovered += 1;
        while let Some((node, order, position)) = path.last_mut() {
            let (node, order) = (*node, *order);
            if let Some(target) = edge(node, *position) {
                *position += 1;
                let Some(target) = target else { continue };
                match low[target as usize] {
                    NONE => {
                        path.push((target, discovered, 0));
                        low[target as usize] = discovered;
                        stack.push(target);
                        discovered += 1;
                    }
                    DONE => {}
                    reached => low[node as usize] = low[node as usize].min(reached),
                }
                continue;
            }
            path.pop();
            let lowest = low[node as usize];
            if let Some((parent, ..)) = path.last() {
                let parent = &mut low[*parent as usize];
                *parent = (*parent).min(lowest);
            }
            if lowest != order {
                continue;
            }
            if stack.last() == Some(&node) {
                stack.pop();
                low[node as usize] = DONE;
            } else {
                let first = stack.iter().rposition(|other| *other == node).unwrap_or_default();
                for member in &stack[first..] {
                    low[*member as usize] = DONE;
                }
                found.push(stack.split_off(first));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(nodes: u32, edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut found = components(nodes, |node, position| {
            let mut targets = edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| *to);
            targets.nth(position as usize).map(Some)
        });
        found.iter_mut().for_each(|component| component.sort());
        found.sort();
        found
    }

    #[test]
    fn cycles_are_found_and_trees_are_not() {
        assert!(of(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]).is_empty());
        let edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 4)];
        assert_eq!(of(6, &edges), [vec![0, 1, 2], vec![4, 5]]);
        assert_eq!(of(3, &[(0, 1), (1, 0), (1, 2), (2, 1)]), [vec![0, 1, 2]]);
    }

    #[test]
    fn as_deep_as_it_is_long() {
        let nodes = 1_000_000;
        let next = |node: u32, position: u32| (position == 0).then_some(Some((node + 1) % nodes));
        assert_eq!(components(nodes, next).len(), 1);
    }
}
