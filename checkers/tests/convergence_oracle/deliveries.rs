//! E6: the same deliveries, the same state.

use super::*;

#[test]
fn e6_same_deliveries_same_state() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 5);
    let mut split = Split::default();
    for case in 0..CASES {
        let mut reads = Vec::new();
        for poll in 0..3 {
            for node in &nodes() {
                let count = random.random_range(0..=3);
                let mut delivered: Vec<Value> = (1..=count).map(int).collect();
                // Mostly what the deliveries make it, in any order.
                let mut state = delivered.clone();
                if random.random_range(0..12) == 0 {
                    state.pop();
                }
                state.reverse();
                if random.random_bool(0.5) {
                    delivered.reverse();
                }
                let entry = |name: &str, values: Vec<Value>| list([name.into(), list(values)]);
                let mut map = [entry("delivered", delivered), entry("state", state)];
                if random.random_bool(0.5) {
                    map.reverse();
                }
                let start = HEAL + 10 + 10 * poll + 5 * u64::from(node == &nodes()[1]);
                let fails = random.random_range(0..20) == 0;
                let outcome = if fails { Outcome::Fail } else { Outcome::Ok };
                reads.push(replica_read(node, start, list(map), outcome));
            }
        }
        let adds: Vec<Operation> =
            (1..=3).map(|e| operation("add", int(e), (e as u64, Some(9)), Outcome::Ok)).collect();
        let history = history(&adds, reads);
        let (convergence, _) = run(&history, DataType::Set, true);
        let shown = |o: &Operation| -> (BTreeSet<Value>, BTreeSet<Value>) {
            let Value::List(map) = &o.output else { panic!() };
            let get = |wanted: &str| {
                let entry = map.iter().filter_map(Value::as_pair).find(|e| *e.0 == wanted.into());
                match entry.unwrap().1 {
                    Value::List(values) => values.iter().cloned().collect(),
                    _ => panic!(),
                }
            };
            (get("delivered"), get("state"))
        };
        let answered: Vec<&Operation> =
            history.operations.iter().filter(|o| is_read(o) && o.outcome == Outcome::Ok).collect();
        let breaks = |one: &Operation, other: &Operation| {
            let ((a, state_a), (b, state_b)) = (shown(one), shown(other));
            a == b && state_a != state_b
        };
        let broken = answered.iter().any(|one| answered.iter().any(|other| breaks(one, other)));
        let found = convergence.breaches.iter().find_map(|breach| match breach {
            Breach::Differs { reads, .. } => Some(*reads),
            _ => None,
        });
        let context = || format!("case {case}: {found:?} {answered:#?}");
        assert_eq!(found.is_some(), broken, "{}", context());
        if let Some(pair) = found {
            let read = |index: u64| answered.iter().find(|o| o.index == index).unwrap();
            assert!(breaks(read(pair[0]), read(pair[1])), "{}", context());
        }
        split.count(broken);
    }
    split.assert_balanced("E6");
}
