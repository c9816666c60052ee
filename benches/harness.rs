//! How many operations per second the harness can generate, carry out and record, against a
//! driver that answers at once; and what of that is the recording.
//!
//!     cargo bench --bench harness
//!
//! Prints operations per second with every event written to a file before the request leaves
//! (as in a run), and the same loop without the file, side by side, several times.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use splitbrain::clock::Clock;
use splitbrain::generator::Keys;
use splitbrain::plan::{DataType, Workload};
use splitbrain::run::clients::{NodeClients, Shared, Tally};
use splitbrain::run::record::Recorder;
use splitbrain_checkers::history::{Function, Name, Value};
use splitbrain_targets::driver::{Client, Cluster, Driver, Node, Reply, Request};
use tokio::sync::mpsc;

/// How long one measurement takes.
const LENGTH: Duration = Duration::from_secs(3);
/// Measurements of each kind, in turn.
const ROUNDS: usize = 5;

/// A database that agrees to everything at once.
struct AtOnce;

#[async_trait]
impl Driver for AtOnce {
    async fn connect(&self, _: &Cluster, _: &Node) -> Result<Box<dyn Client>, String> {
        Ok(Box::new(AtOnce))
    }

    async fn primary(&self, _: &Cluster) -> Result<Option<Name>, String> {
        Ok(None)
    }
}

#[async_trait]
impl Client for AtOnce {
    async fn request(&mut self, request: &Request) -> Reply {
        match request.f {
            Function::Read => Reply::Ok(Value::Int(1)),
            _ => Reply::Ok(Value::Nil),
        }
    }
}

fn workload() -> Workload {
    Workload {
        name: "benchmark".into(),
        data_type: DataType::Register,
        operations: BTreeMap::from([(Function::Read, 5), (Function::Write, 3), (Function::Cas, 2)]),
        keys: 10,
        writes_per_key: Some(100),
        clients: 5,
        rate: None,
        timeout: Duration::from_secs(1),
        phases: Vec::new(),
        checks: Vec::new(),
    }
}

/// Operations per second over all nodes, with the history in `path`.
fn measure(path: &Path) -> f64 {
    let clock = Clock::start();
    let (faults, _faulted) = mpsc::unbounded_channel();
    let nodes: Vec<Node> = (1..=3)
        .map(|index| Node {
            name: format!("n{index}").into(),
            index,
            ip: Ipv4Addr::new(127, 0, 0, index as u8),
            port: None,
        })
        .collect();
    let shared = Arc::new(Shared {
        driver: Arc::new(AtOnce),
        cluster: Cluster::new(nodes.clone(), BTreeMap::new()),
        workload: workload(),
        seed: 1,
        clock,
        keys: Keys::new("k", 10, Some(100)),
        warm_up_keys: Keys::new("warm-up-", 10, Some(100)),
        recorder: Recorder::to(File::options().append(true).open(path).expect("a file"), clock),
        tally: Tally::default(),
        faults,
        next_process: AtomicU64::new(0),
    });
    let clients: Vec<NodeClients> = nodes
        .into_iter()
        .map(|node| NodeClients::start(shared.clone(), node, || Ok(())).expect("a thread"))
        .collect();
    let began = Instant::now();
    clients.iter().for_each(NodeClients::resume);
    std::thread::sleep(LENGTH);
    clients.iter().for_each(NodeClients::pause);
    let operations = shared.tally.ok.load(Ordering::Relaxed);
    let rate = operations as f64 / began.elapsed().as_secs_f64();
    drop(clients);
    rate
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    println!("round  recorded op/s  unrecorded op/s  ratio");
    for round in 1..=ROUNDS {
        let history = folder.path().join(format!("{round}.jsonl"));
        File::create_new(&history).expect("a file can be created");
        let recorded = measure(&history);
        let unrecorded = measure(Path::new("/dev/null"));
        println!(
            "{round:>5}  {recorded:>13.0}  {unrecorded:>15.0}  {:>5.2}",
            recorded / unrecorded
        );
    }
}
