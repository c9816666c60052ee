//! A smallest subset that still proves the same.
//!
//! QuickXplain (Junker, "QuickXplain: preferred explanations and relaxations for
//! over-constrained problems", AAAI 2004): divide and conquer; about 2 k log2(n / k) + 2 k tests
//! for a result of k out of n.

/// The members of `candidates` that are needed: `refuted` holds for them together, and for none
/// of their proper subsets. Where there are several such sets, members at the front are
/// preferred.
///
/// `refuted` has to be monotone (whatever refutes, refutes in larger company) and has to hold
/// for all candidates together.
pub(crate) fn minimise<T: Clone>(
    candidates: &[T],
    refuted: &mut impl FnMut(&[T]) -> bool,
) -> Vec<T> {
    if candidates.is_empty() {
        return Vec::new();
    }
    needed(&mut Vec::new(), false, candidates, refuted)
}

/// What is needed of `candidates` beside `background`; `grown` says that the background has
/// changed since it was last tested.
fn needed<T: Clone>(
    background: &mut Vec<T>,
    grown: bool,
    candidates: &[T],
    refuted: &mut impl FnMut(&[T]) -> bool,
) -> Vec<T> {
    if grown && refuted(background) {
        return Vec::new();
    }
    if candidates.len() == 1 {
        return candidates.to_vec();
    }
    let (front, back) = candidates.split_at(candidates.len() / 2);
    let before = background.len();
    background.extend_from_slice(front);
    let mut needed_of_back = needed(background, true, back, refuted);
    background.truncate(before);
    background.extend_from_slice(&needed_of_back);
    let mut result = needed(background, !needed_of_back.is_empty(), front, refuted);
    background.truncate(before);
    result.append(&mut needed_of_back);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_exactly_what_is_needed() {
        let mut tests = 0;
        let all: Vec<u32> = (0..1000).collect();
        let found = minimise(&all, &mut |set| {
            tests += 1;
            [7, 500, 999].iter().all(|member| set.contains(member))
        });
        assert_eq!(found, [7, 500, 999]);
        assert!(tests < 100, "{tests} tests");
    }

    #[test]
    fn one_of_several_sets_and_none_at_all() {
        let found = minimise(&[1, 2, 3, 4], &mut |set| set.contains(&2) || set.contains(&4));
        assert_eq!(found, [2]);
        assert!(minimise::<u32>(&[], &mut |_| true).is_empty());
    }
}
