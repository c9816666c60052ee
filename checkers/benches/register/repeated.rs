//! Values written more than once: closed-loop clients on a register with five values, and the
//! logs of an etcd cluster.

use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::checker::Options;
use splitbrain_checkers::finding::Validity;
use splitbrain_checkers::format;
use splitbrain_checkers::history::{Function, Operation, Value};
use splitbrain_checkers::register::{self, repeated};

use crate::measure::Measure;
use crate::support::generate::{self, Shape};

/// Clients, operations, different values, and how many of ten thousand are not answered.
const SIZES: [(u64, usize, i64, u32); 10] = [
    (20, 10_000, 5, 0),
    (10, 100_000, 5, 0),
    (15, 10_000, 5, 0),
    (20, 5_000, 500, 0),
    (50, 2_000, 3, 0),
    (10, 10_000, 5, 10),
    (5, 100_000, 5, 0),
    (10, 200_000, 5, 0),
    (20, 20_000, 5, 0),
    (20, 40_000, 5, 0),
];

/// Valid histories of several sizes, and the same with a read of another value near the end.
pub fn run(_: usize) {
    for (clients, count, values, unanswered) in SIZES {
        let shape = Shape { operations: count, clients, writes: 30, cas: 20, unanswered, values };
        let mut operations = generate::valid(&mut ChaCha8Rng::seed_from_u64(2), shape);
        let what = format!("{clients} clients, {values} values, {unanswered}e-4 lost");
        let check = |operations: &[Operation], what: &str| {
            let measure = Measure::begin();
            let validity = repeated::check(operations, &Options::default());
            measure.report(what, count);
            let measure = Measure::begin();
            let result = register::check_key(operations, &Options::default());
            measure.report("  by the register check", count);
            assert_eq!(validity.rank(), result.validity.rank());
            validity
        };
        assert_eq!(check(&operations, &what), Validity::Valid, "{what}");
        spoil(&mut operations);
        match check(&operations, &format!("{what}, spoilt")) {
            Validity::Invalid { witness } => {
                println!("  refuted with {} operations", witness.operations.len());
            }
            other => println!("  {other:?}"),
        }
    }
}

/// Makes reads at nine tenths of the history return a value that is never there.
fn spoil(operations: &mut [Operation]) {
    let place = operations.len() * 9 / 10;
    let read = operations[place..].iter_mut().find(|operation| operation.f == Function::Read);
    read.expect("half of the operations are reads").output = Value::Int(-1);
}

/// All logs in one process, read and checked.
pub fn etcd(_: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/porcupine/jepsen");
    let all = Measure::begin();
    let readings: Vec<_> = (0..60)
        .map(|log| std::fs::read(folder.join(format!("etcd_{log:03}.log"))).unwrap())
        .map(|bytes| format::read(&bytes).unwrap())
        .collect();
    let count = readings.iter().map(|reading| reading.history.operations.len()).sum();
    all.report("read 60 etcd logs", count);
    let checking = Measure::begin();
    let mut invalid = 0;
    for reading in &readings {
        let options =
            Options { clock: reading.clock, observe_failed_cas: true, ..Options::default() };
        let result = register::check_key(&reading.history.operations, &options);
        invalid += usize::from(result.validity.is_invalid());
    }
    checking.report("check 60 etcd logs, witnesses included", count);
    all.report("read and check 60 etcd logs", count);
    println!("  {invalid} of 60 refuted");
}
