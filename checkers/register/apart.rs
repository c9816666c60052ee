//! Values written more than once, where real time tells which write each operation found.
//!
//! Let w write v, and let o be an operation that found v. If an acknowledged write or cas began
//! after w had ended, and ended before o began, then in every order it lies between the two, so o
//! did not find what w wrote. Let `death(w)` be the earliest end of an acknowledged write or cas
//! that began after w had ended (infinity if there is none): o can have found what w wrote only if
//! `start(o) <= death(w)`, and `start(w) <= finish(o)`, that is, if the intervals
//! \[start(w), death(w)\] and \[start(o), finish(o)\] meet. The initial value is a write that ended
//! before everything.
//!
//! So the operations that write or find v fall into groups: those connected by such meetings. An
//! operation of one group cannot have found what another group wrote. Each group may therefore have
//! a value of its own: every order of the history is an order of the renamed one, and the other
//! way round. If then every value that was found has one writer, the renamed history is decided
//! without a search, and so is the history. O(n log n).

use super::step::{AFTER_ALL, BEFORE_ALL, INITIAL, Step, ValueId};

/// One operation that writes or finds a value.
#[derive(Debug, Clone, Copy)]
struct Part {
    value: ValueId,
    start: u64,
    /// Until when the value may be found, or the operation may find it.
    end: u64,
    writes: bool,
    /// Position of the step; `u32::MAX` for the initial value.
    step: u32,
}

/// A group while it may still grow.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// Until when one of its writes may be found.
    write_end: u64,
    /// Until when one of its operations may find a value.
    find_end: u64,
    /// One of its parts.
    part: u32,
}

/// The steps with a value for each group, and how many values there are then. The initial value's
/// group keeps its number.
pub(crate) fn tell_apart(steps: &[Step], values: usize) -> (Vec<Step>, usize) {
    let repeated = repeated(steps, values);
    let mut parts = parts(steps, &repeated);
    parts.sort_unstable_by_key(|part| (part.value, part.start));
    let mut groups = Groups { parents: (0..parts.len() as u32).collect() };
    let mut growing: Vec<Group> = Vec::new();
    for (id, part) in parts.iter().enumerate() {
        if id == 0 || parts[id - 1].value != part.value {
            growing.clear();
        }
        groups.place(id as u32, part, &mut growing);
    }
    rename(steps, values, &parts, &mut groups)
}

/// By value, whether it has several writers and was found by anyone.
fn repeated(steps: &[Step], values: usize) -> Vec<bool> {
    let mut writers = vec![0_u32; values];
    let mut found = vec![false; values];
    writers[INITIAL as usize] = 1;
    for step in steps {
        if let Some(value) = step.writes {
            writers[value as usize] += 1;
        }
        if let Some(value) = step.observes {
            found[value as usize] = true;
        }
    }
    writers.into_iter().zip(found).map(|(writers, found)| found && writers > 1).collect()
}

/// The parts of all steps in repeated values.
fn parts(steps: &[Step], repeated: &[bool]) -> Vec<Part> {
    let deaths = Deaths::new(steps);
    let mut parts = Vec::new();
    if repeated[INITIAL as usize] {
        let end = deaths.after(BEFORE_ALL);
        parts.push(Part { value: INITIAL, start: BEFORE_ALL, end, writes: true, step: u32::MAX });
    }
    for (id, step) in steps.iter().enumerate() {
        let (start, id) = (step.start, id as u32);
        if let Some(value) = step.writes.filter(|value| repeated[*value as usize]) {
            let end = deaths.after(step.finish);
            parts.push(Part { value, start, end, writes: true, step: id });
        }
        if let Some(value) = step.observes.filter(|value| repeated[*value as usize]) {
            parts.push(Part { value, start, end: step.finish, writes: false, step: id });
        }
    }
    parts
}

/// When what was written before some instant had surely been overwritten.
struct Deaths {
    /// Starts of acknowledged writes and cas, and the earliest finish of that one and all later.
    finishes: Vec<(u64, u64)>,
}

impl Deaths {
    fn new(steps: &[Step]) -> Self {
        let writes = steps.iter().filter(|step| step.sure && step.writes.is_some());
        let mut finishes: Vec<(u64, u64)> = writes.map(|step| (step.start, step.finish)).collect();
        finishes.sort_unstable();
        let mut earliest = AFTER_ALL;
        for (_, finish) in finishes.iter_mut().rev() {
            earliest = earliest.min(*finish);
            *finish = earliest;
        }
        Self { finishes }
    }

    /// The earliest finish of a write that began after `instant`.
    fn after(&self, instant: u64) -> u64 {
        let next = self.finishes.partition_point(|(start, _)| *start <= instant);
        self.finishes.get(next).map_or(AFTER_ALL, |(_, finish)| *finish)
    }
}

/// Which parts belong together: a forest, one tree a group.
struct Groups {
    parents: Vec<u32>,
}

impl Groups {
    fn root(&mut self, mut part: u32) -> u32 {
        while self.parents[part as usize] != part {
            let grandparent = self.parents[self.parents[part as usize] as usize];
            self.parents[part as usize] = grandparent;
            part = grandparent;
        }
        part
    }

    /// Joins a part with all groups that it meets; parts of a value come in order of their start.
    fn place(&mut self, id: u32, part: &Part, growing: &mut Vec<Group>) {
        let mut own = match part.writes {
            true => Group { write_end: part.end, find_end: BEFORE_ALL, part: id },
            false => Group { write_end: BEFORE_ALL, find_end: part.end, part: id },
        };
        let mut has_met = |group: &Group| {
            let meets = part.start <= if part.writes { group.find_end } else { group.write_end };
            if meets {
                own.write_end = own.write_end.max(group.write_end);
                own.find_end = own.find_end.max(group.find_end);
                let root = self.root(group.part);
                self.parents[root as usize] = id;
            }
            meets
        };
        growing.retain(|group| {
            let is_over = group.write_end.max(group.find_end) < part.start;
            !is_over && !has_met(group)
        });
        growing.push(own);
    }
}

/// Gives every group its value.
fn rename(
    steps: &[Step],
    values: usize,
    parts: &[Part],
    groups: &mut Groups,
) -> (Vec<Step>, usize) {
    let mut steps = steps.to_vec();
    let mut numbers = vec![ValueId::MAX; parts.len()];
    if let Some(initial) = parts.iter().position(|part| part.step == u32::MAX) {
        numbers[groups.root(initial as u32) as usize] = INITIAL;
    }
    let mut next = values as ValueId;
    for (id, part) in parts.iter().enumerate() {
        let number = &mut numbers[groups.root(id as u32) as usize];
        if *number == ValueId::MAX {
            *number = next;
            next += 1;
        }
        if let Some(step) = steps.get_mut(part.step as usize) {
            *(if part.writes { &mut step.writes } else { &mut step.observes }) = Some(*number);
        }
    }
    (steps, next as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(f: char, value: ValueId, start: u64, finish: u64) -> Step {
        let (observes, writes) = if f == 'r' { (Some(value), None) } else { (None, Some(value)) };
        Step { start, finish, observes, writes, source: 0, sure: finish != AFTER_ALL }
    }

    /// The values after telling apart, with the first of each group in place of its number.
    fn groups(steps: &[Step]) -> Vec<usize> {
        let (renamed, _) = tell_apart(steps, 3);
        let values: Vec<_> = renamed.iter().map(|step| step.writes.or(step.observes)).collect();
        values.iter().map(|value| values.iter().position(|it| it == value).unwrap()).collect()
    }

    #[test]
    fn an_overwritten_value_is_another_one_when_it_is_written_again() {
        let both = [
            step('w', 1, 1, 2),
            step('r', 1, 2, 3),
            step('w', 2, 4, 5),
            step('w', 1, 6, 7),
            step('r', 1, 8, 9),
        ];
        assert_eq!(groups(&both), [0, 0, 2, 3, 3]);
    }

    #[test]
    fn touching_is_not_enough_to_tell_apart() {
        // The write of 2 ends at the instant when the read begins, so it may come after it.
        let touching =
            [step('w', 1, 1, 2), step('w', 2, 3, 5), step('r', 1, 5, 9), step('w', 1, 6, 7)];
        assert_eq!(groups(&touching), [0, 1, 0, 0]);
        let apart =
            [step('w', 1, 1, 2), step('w', 2, 3, 5), step('r', 1, 6, 9), step('w', 1, 7, 8)];
        assert_eq!(groups(&apart), [0, 1, 2, 2]);
    }

    #[test]
    fn the_initial_value_and_unanswered_writes_take_part() {
        let steps = [step('w', 0, 5, AFTER_ALL), step('r', 0, 2, 3), step('r', 0, 8, 9)];
        assert_eq!(tell_apart(&steps, 3).0[1].observes, Some(INITIAL));
        assert_eq!(groups(&steps), [0, 0, 0]);
        let overwritten = [
            step('w', 2, 2, 3),
            step('w', 0, 4, AFTER_ALL),
            step('r', 0, 5, 6),
            step('r', 0, 1, 1),
        ];
        assert_eq!(groups(&overwritten), [0, 1, 1, 3]);
        assert_eq!(tell_apart(&overwritten, 3).0[3].observes, Some(INITIAL));
    }
}
