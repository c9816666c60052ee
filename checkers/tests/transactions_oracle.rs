//! The check of transactions against an oracle that tries everything, for every model, on random
//! histories; and its witnesses against the same oracle.

mod transactions_support;

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::history::{History, Operation};
use splitbrain_checkers::transactions::{Model, Standing, Workload, analyse};
use transactions_support::generate;
use transactions_support::oracle::{MOST, Oracle};

const SEED: u64 = 0x5eed_0005;

fn show(operations: &[Operation]) -> String {
    let mut lines: Vec<String> = operations
        .iter()
        .map(|o| {
            let end = o.complete.map_or("...".to_owned(), |end| end.0.to_string());
            format!("{} {:?} {o} [{}, {end}]", o.process, o.outcome, o.invoke.0)
        })
        .collect();
    lines.insert(0, String::new());
    lines.join("\n  ")
}

/// How often a model was refuted, not refuted, and left open.
type Counts = BTreeMap<Model, [usize; 3]>;

fn compare(history: &History, workload: Workload, models: &[Model], counts: &mut Counts) {
    let result = analyse(history, workload, &Options::default()).unwrap();
    let oracle = Oracle::new(&history.operations, workload);
    for &model in models {
        let context = || format!("{workload:?} {model}: {result:#?}{}", show(&history.operations));
        let count = counts.entry(model).or_default();
        match result.standing(model) {
            Standing::Refuted { .. } => {
                assert!(!oracle.allows(model), "a false alarm: {}", context());
                count[0] += 1;
            }
            Standing::NotRefuted => {
                assert!(oracle.allows(model), "a false pass: {}", context());
                count[1] += 1;
            }
            Standing::Unknown { .. } => count[2] += 1,
        }
    }
}

/// Compares on so many random histories, the models that need every order on a tenth of them.
fn compare_many(workload: Workload, seed: u64, cases: usize) -> Counts {
    use Model::*;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = Counts::new();
    let quick = [
        Serializable,
        RepeatableRead,
        StrongSessionSerializable,
        StrictSerializable,
        SnapshotIsolation,
        StrongSessionSnapshotIsolation,
        StrongSnapshotIsolation,
    ];
    let slow = [ReadCommitted, MonotonicAtomicView, ReadAtomic, Causal, ParallelSnapshotIsolation];
    for case in 0..cases {
        let history = generate::history(&mut random, workload, MOST);
        compare(&history, workload, &quick, &mut counts);
        if case % 10 == 0 {
            compare(&history, workload, &slow, &mut counts);
        }
    }
    println!("{workload:?}: {counts:?}");
    counts
}

#[test]
fn lists_agree_with_the_oracle() {
    let counts = compare_many(Workload::ListAppend, SEED, 60_000);
    for (model, [refuted, kept, open]) in counts {
        let total = refuted + kept + open;
        assert!(refuted.min(kept) * 10 >= total, "{model}: {refuted} {kept} {open}");
        assert!(open * 50 <= total, "{model}: {open} open");
    }
}

#[test]
fn registers_agree_with_the_oracle() {
    let counts = compare_many(Workload::RwRegister, SEED + 1, 60_000);
    for (model, [refuted, kept, open]) in counts {
        let total = refuted + kept + open;
        assert!(refuted.min(kept) * 10 >= total, "{model}: {refuted} {kept} {open}");
        assert!(open * 10 <= total, "{model}: {open} open");
    }
}
