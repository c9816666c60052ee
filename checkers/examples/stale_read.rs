//! A history written by hand, and what the ladder of models says of it.
//!
//!     cargo run -p splitbrain-checkers --example stale_read

use splitbrain_checkers::{checker::Options, finding::Validity, notation, registry};

fn main() {
    let history = notation::history(
        "0 write@x 1        0..10
         0 write@x 2       20..30
         1 read@x -> 1     40..50
         1 read@x -> 2     60..70",
    );
    for name in ["cas-register", "sequential", "causal-convergence", "monotonic-reads"] {
        let checker = registry::find(name).expect("a name of the registry");
        let finding = checker.run(&history, &Options::default());
        match finding.validity {
            Validity::Valid => println!("{name}: not refuted"),
            Validity::Unknown { reason } => println!("{name}: unknown: {reason}"),
            Validity::Invalid { witness } => println!("{name}: refuted: {}", witness.sentence),
        }
    }
}
