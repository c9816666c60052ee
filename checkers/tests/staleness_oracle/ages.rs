//! Ages and versions behind, against what follows rule by rule, and against every placement.

use super::*;

/// What is certain of each write, worked out rule by rule until nothing changes any more.
struct Certain<'o> {
    /// That took effect.
    writes: Vec<&'o Operation>,
    reads: Vec<&'o Operation>,
    done_by: Vec<u64>,
    not_before: Vec<u64>,
    /// The second was made from the first by a chain of cas.
    made_from: Vec<Vec<bool>>,
}

impl<'o> Certain<'o> {
    fn new(operations: &'o [Operation]) -> Self {
        let writer = |value: &Value| operations.iter().find(|o| effect(o).1 == Some(value));
        let mut took_effect: Vec<&Operation> =
            operations.iter().filter(|o| o.outcome == Outcome::Ok).collect();
        let mut next = 0;
        while next < took_effect.len() {
            if let Some(writer) = effect(took_effect[next]).0.and_then(writer)
                && !took_effect.contains(&writer)
            {
                took_effect.push(writer);
            }
            next += 1;
        }
        // In time: the writer had begun when the finder was through.
        let in_time = |o: &&&Operation| {
            let end = if o.outcome == Outcome::Ok { o.complete.unwrap() } else { Time::MAX };
            let found = effect(o).0;
            found.is_some_and(|v| *v == Value::Nil || writer(v).is_some_and(|w| w.invoke <= end))
        };
        let finders: Vec<&Operation> = took_effect.iter().filter(in_time).copied().collect();
        let reads: Vec<&Operation> =
            finders.iter().copied().filter(|o| o.outcome == Outcome::Ok).collect();
        let writes: Vec<&Operation> =
            took_effect.iter().copied().filter(|o| effect(o).1.is_some()).collect();
        let replaced = |value: &Value| -> usize {
            finders.iter().filter(|o| effect(o).1.is_some() && effect(o).0 == Some(value)).count()
        };
        let place = |value: &Value| writes.iter().position(|w| effect(w).1 == Some(value));
        let mut ties = Vec::new();
        for (child, write) in writes.iter().enumerate() {
            if let Some(found) = effect(write).0
                && finders.contains(write)
                && let Some(parent) = place(found)
                && replaced(found) == 1
            {
                ties.push((parent, child));
            }
        }
        let mut this =
            Self { writes, reads, done_by: vec![], not_before: vec![], made_from: vec![] };
        this.settle(&ties);
        // Chains that contradict themselves say nothing.
        let broken: Vec<usize> = (0..this.writes.len())
            .filter(|&w| this.made_from[w][w] || this.not_before[w] > this.done_by[w])
            .collect();
        let tied = |a: usize, b: usize| a == b || this.made_from[a][b] || this.made_from[b][a];
        ties.retain(|&(parent, _)| !broken.iter().any(|&bad| tied(parent, bad)));
        this.settle(&ties);
        this
    }

    fn settle(&mut self, ties: &[(usize, usize)]) {
        let count = self.writes.len();
        self.not_before = self.writes.iter().map(|w| w.invoke.0).collect();
        self.done_by = vec![u64::MAX; count];
        for (place, write) in self.writes.iter().enumerate() {
            let found_it = self.reads.iter().filter(|r| effect(r).0 == effect(write).1).copied();
            for operation in found_it.chain([*write]) {
                if let (Outcome::Ok, Some(end)) = (operation.outcome, operation.complete) {
                    self.done_by[place] = self.done_by[place].min(end.0);
                }
            }
        }
        self.made_from = vec![vec![false; count]; count];
        for _ in 0..=count {
            for &(parent, child) in ties {
                self.made_from[parent][child] = true;
                for other in 0..count {
                    self.made_from[other][child] |= self.made_from[other][parent];
                }
                self.not_before[child] = self.not_before[child].max(self.not_before[parent]);
                self.done_by[parent] = self.done_by[parent].min(self.done_by[child]);
            }
        }
    }

    /// The writes that had surely replaced what the read returned when it began.
    fn between(&self, read: &Operation) -> Vec<usize> {
        let value = effect(read).0.unwrap();
        let its = self.writes.iter().position(|w| effect(w).1 == Some(value));
        let later = |u: usize| match its {
            // Initially: everything that was written is later.
            None => true,
            Some(w) => self.done_by[w] < self.not_before[u] || self.made_from[w][u],
        };
        (0..self.writes.len()).filter(|&u| later(u) && self.done_by[u] < read.invoke.0).collect()
    }
}

#[test]
fn ages_and_versions_behind_are_what_the_definition_says() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 2);
    let (mut stale_total, mut fresh_total, mut deepest) = (0, 0, 0);
    for case in 0..120_000 {
        let operations = match case % 3 {
            0 => crowded(&mut random, 9),
            _ => random_history(&mut random, 8),
        };
        let stale = stale_reads(&operations, &Value::Nil).unwrap();
        let certain = Certain::new(&operations);
        for read in &certain.reads {
            let between = certain.between(read);
            let found: Vec<&StaleRead> = stale.iter().filter(|s| s.read == read.index).collect();
            let context = || format!("case {case}: {read} {found:?}{}", show(&operations));
            let first = between.iter().map(|&u| certain.done_by[u]).min();
            match (&found[..], first) {
                ([], None) => fresh_total += 1,
                ([one], Some(first)) => {
                    let age = Duration::from_nanos(read.invoke.0 - first);
                    assert_eq!((one.age, one.behind), (age, between.len()), "{}", context());
                    assert_eq!(one.overwritten, Time(first), "{}", context());
                    let by = |&u: &usize| certain.writes[u].index == one.overwritten_by;
                    assert!(between.iter().any(by), "{}", context());
                    stale_total += 1;
                    deepest = deepest.max(one.behind);
                }
                _ => panic!("{first:?} {}", context()),
            }
        }
        let reads = measured(&operations, 1);
        assert_eq!(reads.reads - reads.impossible, certain.reads.len(), "{}", show(&operations));
        assert_eq!(reads.stale, stale.len());
        for row in &reads.fresh[..1] {
            let any = |r: &&&Operation| certain.done_by.iter().any(|done| *done < r.invoke.0);
            let after: Vec<&&Operation> = certain.reads.iter().filter(any).collect();
            let current = after.iter().filter(|r| certain.between(r).is_empty()).count();
            assert_eq!((row.fresh.answered, row.fresh.attempted), (current, after.len()));
        }
    }
    println!("{stale_total} stale reads, {fresh_total} others, {deepest} versions behind at most");
    let total = stale_total + fresh_total;
    assert!(stale_total * 10 > total && fresh_total * 10 > total && deepest > 2);
}

/// The number of writes behind is the least that any placement of effects allows.
#[test]
fn versions_behind_is_the_least_that_any_placement_allows() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 3);
    let mut seen = [0; 5];
    for case in 0..40_000 {
        let operations = crowded(&mut random, 6);
        if measured(&operations, 1).least_k == LeastK::Never {
            continue;
        }
        let certain = Certain::new(&operations);
        for read in &certain.reads {
            // A value replaced by two cas: neither may be called later here, so leave it out.
            let cas: Vec<&Value> =
                certain.writes.iter().filter_map(|write| effect(write).0).collect();
            if cas.iter().any(|value| cas.iter().filter(|other| *other == value).count() > 1) {
                continue;
            }
            let least = least_between(&certain, read);
            let behind = certain.between(read).len();
            assert_eq!(least, behind, "case {case}: {read}{}", show(&operations));
            seen[behind.min(4)] += 1;
        }
    }
    println!("reads by versions behind: {seen:?}");
    assert!(seen[0] > 1000 && seen[1] > 1000 && seen[2] > 100, "{seen:?}");
}

/// Tries every order of the effects of the writes and of the read's.
fn least_between(certain: &Certain<'_>, read: &Operation) -> usize {
    let value = effect(read).0.unwrap();
    let its = certain.writes.iter().position(|write| effect(write).1 == Some(value));
    // An effect by its earliest and latest instant; the read comes last in the list.
    let mut spans: Vec<(u64, u64)> = (0..certain.writes.len())
        .map(|w| (certain.writes[w].invoke.0, certain.done_by[w]))
        .collect();
    spans.push((read.invoke.0, read.complete.unwrap().0));
    let count = spans.len();
    let comes_after = |place: usize| -> Option<usize> {
        let operation = if place + 1 == count { read } else { certain.writes[place] };
        let found = effect(operation).0?;
        certain.writes.iter().position(|write| effect(write).1 == Some(found))
    };
    let mut least = usize::MAX;
    let mut open: Vec<(Vec<usize>, u64)> = vec![(Vec::new(), 0)];
    while let Some((order, now)) = open.pop() {
        if order.last() == Some(&(count - 1)) {
            let from = its.map_or(0, |w| order.iter().position(|&o| o == w).unwrap() + 1);
            least = least.min(order.len() - 1 - from);
            continue;
        }
        for next in (0..count).filter(|next| !order.contains(next)) {
            let at = now.max(spans[next].0);
            let overdue = (0..count).any(|o| !order.contains(&o) && spans[o].1 < at);
            let early = comes_after(next).is_some_and(|parent| !order.contains(&parent));
            if !overdue && !early {
                open.push(([&order[..], &[next]].concat(), at));
            }
        }
    }
    least
}
