//! Invented runs for the tests of the outputs: plausible numbers, none of them measured.

use std::time::Duration;

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain_checkers::availability::{Period, Row};
use splitbrain_checkers::convergence::{Agreement, KeyState, Lost, Phantom};
use splitbrain_checkers::finding::{Arrow, Finding, Relation, Validity, Witness};
use splitbrain_checkers::history::{
    Function, History, MISMATCH, Name, Operation, Outcome, Time, Value,
};
use splitbrain_checkers::partition::Partition;
use splitbrain_checkers::verdict::Kind;

use super::data::*;
pub use scenery::disagreed;
use scenery::{agreed, availability, links, partition, plan, promises, scope, verdict, window};

mod scenery;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// etcd with serializable reads: stale reads on the minority side, writes refused there.
pub fn stale_reads() -> RunData {
    Invented { nodes: 3, rate: 150.0, seconds: 28, stale: true }.run()
}

/// A gossip store: linearizability and convergence refuted, every node available.
pub fn lost_writes() -> RunData {
    let mut data = stale_reads();
    let convergent = convergent_finding(&data);
    data.findings.retain(|finding| finding.check != "convergent");
    data.findings.push(convergent);
    let key = |i: i64| {
        let other = Some(310 + i % 5);
        let third = if i % 4 > 0 { other } else { None };
        disagreed(&format!("k{i}"), &[("n1", Some(300 + i)), ("n2", other), ("n3", third)])
    };
    let mut convergence = agreed(40);
    let keys: Vec<KeyState> = (0..27).map(key).collect();
    convergence.agreement =
        Agreement::Refuted { keys: keys.iter().map(|key| key.key.clone()).collect() };
    convergence.keys.splice(..27, keys);
    convergence.lost =
        (0..3).map(|i| lost_write(acknowledged_write(&data, 400 + 31 * i))).collect();
    let (key, node) = ("k9".into(), "n2".into());
    let phantom = Phantom { key, node, read: 0, value: Value::Int(-1), failed_write: None };
    convergence.phantoms.push(phantom);
    data.convergence = Some(convergence);
    data.verdict.kind = Kind::AP;
    data
}

/// A majority store in order: everything valid.
pub fn consistent() -> RunData {
    let mut data = Invented { nodes: 3, rate: 40.0, seconds: 28, stale: false }.run();
    for finding in &mut data.findings {
        finding.validity = Validity::Valid;
        finding.violations = 0;
        finding.keys.clear();
    }
    data.verdict = VerdictView {
        kind: Kind::CP,
        sentence: "etcd 3.4.23 behaved CP: it stayed linearizable through both cuts; the majority \
                   side answered everything, the minority side answered nothing"
            .to_string(),
        details: vec!["after the heal all nodes agreed within 0.412 s".to_string()],
        evidence: vec!["12,300 operations on 10 keys are linearizable.".to_string()],
        not_exercised: Vec::new(),
        expected: Some(Kind::CP),
    };
    data
}

/// Seven nodes with long names, five cuts, and everything said at length.
pub fn wordy() -> RunData {
    let mut data = Invented { nodes: 7, rate: 60.0, seconds: 28, stale: true }.run();
    let long = "a-name-that-somebody-chose-on-a-long-afternoon";
    data.scope.target = long.to_string();
    data.scope.settings.insert(long.to_string(), long.to_string());
    data.scope.command = format!("splitbrain run {long} --target {long} --set {long}={long}");
    data.scope.folder = format!("results/{long}-{long}/2026-07-01T14-03-11Z");
    data.verdict.sentence = data.verdict.sentence.repeat(5);
    for finding in &mut data.findings {
        if let Validity::Invalid { witness } = &mut finding.validity {
            witness.sentence = witness.sentence.repeat(4);
        }
    }
    let rows = data.availability.rows.clone();
    for partition in 2..5 {
        data.partitions.push(data.partitions[0].clone());
        let again = rows.iter().filter(|row| row.period == Period::Cut { partition: 0 }).cloned();
        let period = Period::Cut { partition };
        data.availability.windows.push(window(period));
        data.availability.rows.extend(again.map(|row| Row { period, ..row }));
    }
    data
}

/// The stale reads with text that would break a page which forgot to escape it.
pub fn hostile() -> RunData {
    let mut data = lost_writes();
    let bad = "</script><script>alert(1)</script><b>&\"'\u{1b}[31m";
    data.scope.target = bad.to_string();
    data.verdict.sentence = format!("{bad} behaved");
    data.partitions[0].name = bad.to_string();
    data.findings[0].keys[0] = bad.into();
    data.history.operations.iter_mut().for_each(|operation| {
        if operation.error.as_deref().is_some_and(|error| error != MISMATCH) {
            operation.error = Some(bad.into());
        }
    });
    for finding in &mut data.findings {
        if let Validity::Invalid { witness } = &mut finding.validity {
            witness.sentence = bad.to_string();
            witness.operations[0].key = Some(bad.into());
            witness.operations[0].input = Value::Text(bad.into());
        }
    }
    data
}

/// How large an invented run is.
pub struct Invented {
    pub nodes: usize,
    /// Operations per second of each node.
    pub rate: f64,
    pub seconds: u64,
    pub stale: bool,
}

impl Invented {
    /// The run: cuts from 5 to 13 s and from 16 s to 4 s before its end.
    pub fn run(self) -> RunData {
        let nodes: Vec<Name> = (1..=self.nodes).map(|i| format!("n{i}").into()).collect();
        let second = 16 * SECOND..(self.seconds - 4) * SECOND;
        let partitions = vec![
            partition("isolate n1", &nodes, 0, 5 * SECOND..13 * SECOND),
            partition("isolate n3 (primary)", &nodes, 2, second),
        ];
        let history = self.history(&nodes, &partitions);
        let witness = stale_witness(&history, self.stale);
        let phases = [("healthy", 0, 5), ("partition", 5, 13), ("healthy", 13, 16)].into_iter();
        let mut phases: Vec<PhaseSpan> = phases.map(|(n, a, b)| span(n, a, b)).collect();
        phases.push(span("partition", 16, self.seconds - 4));
        phases.push(span("settle", self.seconds - 4, self.seconds));
        RunData {
            promises: Some(promises(self.stale)),
            scope: scope(nodes.len()),
            plan: plan(&nodes),
            phases,
            links: links(&nodes, &partitions),
            availability: availability(&nodes, &partitions),
            findings: findings(&history, witness),
            convergence: Some(agreed(10)),
            verdict: verdict(),
            history,
            partitions,
        }
    }

    fn history(&self, nodes: &[Name], partitions: &[Partition]) -> History {
        let mut random = ChaCha8Rng::seed_from_u64(42);
        let mut operations = Vec::new();
        let step = (SECOND as f64 / self.rate) as u64;
        for (node, name) in nodes.iter().enumerate() {
            let mut due = 0;
            while due < (self.seconds - 4) * SECOND {
                due += random.random_range(step / 2..step * 3 / 2);
                operations.push(self.operation(&mut random, node, name, Time(due), partitions));
            }
        }
        for poll in 0..20 {
            for (node, name) in nodes.iter().enumerate() {
                let mut read =
                    operation(900 + node as u64, name, Time((self.seconds - 4) * SECOND));
                read.f = Function::ReplicaRead;
                read.invoke = read.invoke + Duration::from_millis(poll * 100);
                read.complete = Some(read.invoke + Duration::from_millis(1));
                operations.push(read);
            }
        }
        operations.sort_by_key(|operation| operation.invoke);
        for (i, operation) in operations.iter_mut().enumerate() {
            operation.index = 2 * i as u64;
        }
        History { operations, nemesis: Vec::new(), end: Time(self.seconds * SECOND) }
    }

    fn operation(
        &self,
        random: &mut ChaCha8Rng,
        node: usize,
        name: &Name,
        due: Time,
        partitions: &[Partition],
    ) -> Operation {
        let mut operation = operation(node as u64 * 3 + random.random_range(0..3), name, due);
        operation.key = Some(format!("k{}", random.random_range(0..10)).into());
        let value = Value::Int((due.0 / MS) as i64);
        let is_read = random.random_bool(0.5);
        if is_read {
            operation.output = value;
        } else if random.random_bool(0.6) {
            operation.f = Function::Write;
            operation.input = value;
        } else {
            operation.f = Function::Cas;
            operation.input = Value::pair(Value::Int(1), value);
        }
        let median = if is_read { 0.9 } else { 2.4 };
        let spread: f64 = (0..6).map(|_| random.random_range(-0.5..0.5)).sum();
        let mut latency = Duration::from_secs_f64(median * (0.9 * spread).exp() / 1_000.0);
        if random.random_bool(0.004) {
            latency *= 30;
        }
        if operation.f == Function::Cas && random.random_bool(0.3) {
            operation.outcome = Outcome::Fail;
            operation.error = Some(MISMATCH.into());
        }
        let cut = partitions.iter().find(|p| p.commanded <= due && due < p.heal_commanded);
        if let Some(cut) = cut {
            let minority = cut.side(name) == Some(1);
            let electing =
                cut.name.contains("primary") && due.since(cut.began) < Duration::from_millis(1400);
            if (minority && !(is_read && self.stale)) || (electing && !is_read) {
                latency = self.refuse(random, &mut operation);
            }
        }
        operation.complete = Some(operation.invoke + latency);
        operation
    }

    /// Ends the operation without an answer and returns how long that took.
    fn refuse(&self, random: &mut ChaCha8Rng, operation: &mut Operation) -> Duration {
        operation.output = Value::Nil;
        if operation.f == Function::Read || random.random_bool(0.4) {
            operation.outcome = Outcome::Fail;
            operation.error = Some("etcdserver: no leader".into());
            Duration::from_micros(random.random_range(300..900))
        } else {
            operation.outcome = Outcome::Info;
            operation.error = Some("timed out".into());
            Duration::from_secs(1)
        }
    }
}

fn span(name: &str, from: u64, to: u64) -> PhaseSpan {
    PhaseSpan { name: name.to_string(), from: Time(from * SECOND), to: Time(to * SECOND) }
}

fn operation(process: u64, node: &Name, due: Time) -> Operation {
    Operation {
        index: 0,
        process,
        node: Some(node.clone()),
        f: Function::Read,
        key: Some("k3".into()),
        input: Value::Nil,
        output: Value::Int(0),
        invoke: due,
        complete: Some(due + Duration::from_millis(2)),
        outcome: Outcome::Ok,
        intended: None,
        error: None,
    }
}

/// A write that the majority acknowledged, seen there, and an older value read at n1 afterwards.
fn stale_witness(history: &History, stale: bool) -> Witness {
    let near = history.operations.partition_point(|o| o.invoke < Time(9 * SECOND));
    let index = |i: usize| history.operations[(near + i).min(history.operations.len() - 1)].index;
    let make = |i: usize, process, node: &str, f: Function, value: i64, from: u64, to: u64| {
        let mut operation = operation(process, &node.into(), Time(from));
        operation.index = index(i);
        operation.complete = Some(Time(to));
        if f == Function::Read {
            operation.output = Value::Int(value);
        } else {
            operation.input = Value::Int(value);
        }
        operation.f = f;
        operation
    };
    let begin = if stale { 9 * SECOND } else { 2 * SECOND };
    let operations = vec![
        make(0, 1, "n1", Function::Write, 5, 4 * SECOND + 120 * MS, 4 * SECOND + 122 * MS),
        make(1, 4, "n2", Function::Write, 7, begin + 100 * MS, begin + 102 * MS),
        make(2, 7, "n3", Function::Read, 7, begin + 131 * MS, begin + 131 * MS + 700_000),
        make(3, 2, "n1", Function::Read, 5, begin + 1_502 * MS, begin + 1_503 * MS),
    ];
    let arrow = |from, to, relation| Arrow { from, to, relation };
    Witness {
        sentence: "w(7) on key k3 was acknowledged at n2 at 9.102 s; 1.40 s later n1 still \
                   returned 5, which w(7) had overwritten."
            .to_string(),
        operations,
        arrows: vec![
            arrow(0, 3, Relation::ReadsFrom),
            arrow(1, 2, Relation::ReadsFrom),
            arrow(0, 1, Relation::RealTime),
            arrow(2, 3, Relation::RealTime),
        ],
        instead: Some("7 at n1, or no answer until the cut was healed.".to_string()),
    }
}

fn findings(history: &History, witness: Witness) -> Vec<Finding> {
    let finding = |check: &str, validity, summary: &str, violations| Finding {
        check: check.to_string(),
        validity,
        summary: summary.to_string(),
        operations: history.operations.len(),
        violations,
        keys: Vec::new(),
    };
    let witness = Box::new(witness);
    let mut linearizable = finding(
        "linearizable",
        Validity::Invalid { witness },
        "12,345 operations on 10 keys; 41 violations on 3 keys",
        41,
    );
    linearizable.keys = vec!["k3".into(), "k7".into(), "k1".into()];
    vec![
        linearizable,
        finding("convergent", Validity::Valid, "10 keys agreed 412 ms after the last heal", 0),
        finding(
            "available",
            Validity::Unknown { reason: "n3 had 310 writes in cut 2, 400 are needed".to_string() },
            "3 nodes, 3 classes, 2 partitions",
            0,
        ),
    ]
}

fn convergent_finding(data: &RunData) -> Finding {
    let lost = acknowledged_write(data, 400).clone();
    let mut read = operation(902, &"n2".into(), Time(26 * SECOND));
    read.f = Function::ReplicaRead;
    read.key = lost.key.clone();
    read.output = Value::Int(310);
    let witness = Witness {
        sentence: format!("{lost} was acknowledged and is gone: n2 has 310, written before it."),
        operations: vec![lost, read],
        arrows: vec![Arrow { from: 0, to: 1, relation: Relation::RealTime }],
        instead: None,
    };
    Finding {
        check: "convergent".to_string(),
        validity: Validity::Invalid { witness: Box::new(witness) },
        summary: "3 of 812 acknowledged writes are gone; 27 of 40 keys disagree".to_string(),
        operations: 812,
        violations: 3,
        keys: vec!["k0".into()],
    }
}

/// An acknowledged write of the history, with its place there.
fn acknowledged_write(data: &RunData, from: usize) -> &Operation {
    let mut writes = data.history.operations[from..].iter();
    writes
        .find(|o| o.f == Function::Write && o.outcome == Outcome::Ok)
        .expect("the invented runs have writes everywhere")
}

fn lost_write(operation: &Operation) -> Lost {
    Lost {
        key: operation.key.clone().unwrap_or_else(|| "?".into()),
        write: operation.index,
        value: operation.input.clone(),
        node: operation.node.clone(),
        acknowledged: operation.complete.unwrap_or_default(),
    }
}
