//! The clients of one node against drivers that misbehave in one way each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;
use splitbrain_checkers::history::{Function, Name, Value};
use splitbrain_targets::driver::{Client, Cluster, Driver, Node, Reply, Request};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::clients::{NodeClients, Shared, Tally};
use super::record::Recorder;
use crate::clock::Clock;
use crate::fault::HarnessFault;
use crate::generator::Keys;
use crate::plan::{DataType, Workload};

/// After this long something that has to happen will not happen any more.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

/// What a driver does.
#[derive(Clone)]
enum Behaviour {
    PanicsWhenConnecting,
    PanicsWhenAsked,
    NeverAnswers,
    /// Reads are answered, and nobody knows what became of a write.
    WritesAreIndeterminate,
    /// Fails unless the request is in this history already.
    LooksInto(PathBuf),
}

#[async_trait]
impl Driver for Behaviour {
    async fn connect(&self, _: &Cluster, _: &Node) -> Result<Box<dyn Client>, String> {
        match self {
            Behaviour::PanicsWhenConnecting => panic!("no socket left"),
            other => Ok(Box::new(other.clone())),
        }
    }

    async fn primary(&self, _: &Cluster) -> Result<Option<Name>, String> {
        Ok(None)
    }
}

#[async_trait]
impl Client for Behaviour {
    async fn request(&mut self, request: &Request) -> Reply {
        // As every real client does at some point.
        tokio::task::yield_now().await;
        match self {
            Behaviour::PanicsWhenConnecting => Reply::Fail("was never connected".into()),
            Behaviour::PanicsWhenAsked => panic!("index out of bounds"),
            Behaviour::NeverAnswers => std::future::pending().await,
            Behaviour::WritesAreIndeterminate => match request.f {
                Function::Read => Reply::Ok(Value::Nil),
                _ => Reply::Info("the connection was reset".into()),
            },
            Behaviour::LooksInto(history) => {
                let number = serde_json::to_value(&request.value).unwrap();
                let is_it = |event: &Json| {
                    event["type"] == "invoke"
                        && event["f"] == request.f.as_str()
                        && event["key"] == *request.key
                        && event["value"] == number
                };
                match events(history).iter().any(is_it) {
                    true => Reply::Ok(Value::Nil),
                    false => Reply::Fail("not recorded".into()),
                }
            }
        }
    }
}

/// Clients beside one node that run until the value is dropped.
struct Stage {
    clients: NodeClients,
    faults: mpsc::UnboundedReceiver<HarnessFault>,
    folder: TempDir,
}

impl Stage {
    fn start(behaviour: impl FnOnce(&Path) -> Behaviour, workload: Workload) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history.jsonl");
        let clock = Clock::start();
        let (faults, receiver) = mpsc::unbounded_channel();
        let node = Node { name: "n1".into(), index: 1, ip: [127, 0, 0, 1].into(), port: None };
        let cluster = Cluster::new(vec![node.clone()], [].into());
        let shared = Shared {
            driver: Arc::new(behaviour(&history)),
            cluster,
            seed: 1,
            clock,
            keys: Keys::new("k", workload.keys, workload.writes_per_key),
            warm_up_keys: Keys::new("warm-up-", workload.keys, workload.writes_per_key),
            workload,
            recorder: Recorder::create(&history, clock).unwrap(),
            tally: Tally::default(),
            faults,
            next_process: AtomicU64::new(0),
        };
        let clients = NodeClients::start(Arc::new(shared), node, || Ok(())).unwrap();
        clients.resume();
        Stage { clients, faults: receiver, folder }
    }

    /// The first events, so many at least.
    async fn events(&self, least: usize) -> Vec<Json> {
        let history = self.folder.path().join("history.jsonl");
        let enough = async {
            loop {
                let events = events(&history);
                if events.len() >= least {
                    return events;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, enough).await.expect("so many events")
    }

    async fn fault(&mut self) -> HarnessFault {
        timeout(PATIENCE, self.faults.recv()).await.expect("a fault").unwrap()
    }
}

/// The events that were written as a whole.
fn events(history: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(history).unwrap();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One client that waits for its answers.
fn closed_loop() -> Workload {
    Workload {
        name: "test".into(),
        data_type: DataType::Register,
        operations: [(Function::Read, 1), (Function::Write, 1)].into(),
        keys: 2,
        writes_per_key: None,
        clients: 1,
        rate: None,
        timeout: SHORT,
        phases: Vec::new(),
        checks: Vec::new(),
    }
}

#[tokio::test]
async fn a_driver_that_panics_ends_the_run() {
    for (behaviour, expected) in [
        (Behaviour::PanicsWhenConnecting, "no socket left"),
        (Behaviour::PanicsWhenAsked, "index out of bounds"),
    ] {
        let mut stage = Stage::start(|_| behaviour, closed_loop());
        let HarnessFault::DriverPanic { node, operation, message } = stage.fault().await else {
            panic!("another fault");
        };
        assert_eq!((&*node, &*message), ("n1", expected));
        assert!(operation.contains(" of k"), "{operation}");
    }
}

#[tokio::test]
async fn an_invocation_is_recorded_before_its_request_leaves() {
    let stage = Stage::start(|history| Behaviour::LooksInto(history.to_path_buf()), closed_loop());
    let events = stage.events(200).await;
    let unrecorded = events.iter().find(|event| event["type"] == "fail");
    assert_eq!(unrecorded, None);
    assert!(events.iter().filter(|event| event["type"] == "ok").count() >= 99);
}

#[tokio::test]
async fn an_indeterminate_operation_retires_its_process() {
    let stage = Stage::start(|_| Behaviour::WritesAreIndeterminate, closed_loop());
    let mut retired = BTreeSet::new();
    let mut went_on = BTreeSet::new();
    for event in stage.events(100).await {
        let process = event["process"].as_u64().unwrap();
        assert!(!retired.contains(&process), "{event}");
        match event["type"].as_str().unwrap() {
            "info" => drop(retired.insert(process)),
            "ok" => drop(went_on.insert(process)),
            _ => {}
        }
    }
    assert!(retired.len() > 5, "{retired:?}");
    // It goes on after an answer, up to the first operation without one.
    assert!(went_on.intersection(&retired).count() > 5, "{went_on:?}");
}

#[tokio::test]
async fn without_an_answer_a_read_fails_and_a_write_is_indeterminate() {
    let stage = Stage::start(|_| Behaviour::NeverAnswers, closed_loop());
    let events = stage.events(20).await;
    let completions = events.iter().filter(|event| event["type"] != "invoke");
    let kinds: BTreeSet<(&str, &str, &str)> = completions
        .map(|event| {
            let word = |field: &str| event[field].as_str().unwrap();
            (word("f"), word("type"), word("error"))
        })
        .collect();
    assert_eq!(kinds, [("read", "fail", "timed out"), ("write", "info", "timed out")].into());
}

/// Intended instants follow the rate, not the answers: none is more than one and a half of the
/// mean pause after the one before.
#[tokio::test]
async fn an_open_loop_keeps_its_rate_although_every_operation_times_out() {
    let rate = 200.0;
    let workload = Workload { rate: Some(rate), ..closed_loop() };
    let stage = Stage::start(|_| Behaviour::NeverAnswers, workload);
    let events = stage.events(200).await;
    let intended: Vec<u64> = events.iter().filter_map(|event| event["intended"].as_u64()).collect();
    assert!(intended.len() >= 90, "{} of {} events", intended.len(), events.len());
    for pair in intended.windows(2) {
        let pause = (pair[1] - pair[0]) as f64 / 1e9;
        assert!((0.49 / rate..=1.51 / rate).contains(&pause), "{pause} s");
    }
}

/// As many operations are begun as the rate wants, however few of them have ended.
#[tokio::test]
async fn an_open_loop_does_not_wait_for_answers() {
    let workload = Workload { rate: Some(200.0), timeout: PATIENCE, ..closed_loop() };
    let stage = Stage::start(|_| Behaviour::NeverAnswers, workload);
    let events = stage.events(100).await;
    assert!(events.iter().all(|event| event["type"] == "invoke"));
    let processes: BTreeSet<u64> =
        events.iter().map(|event| event["process"].as_u64().unwrap()).collect();
    assert_eq!(processes.len(), events.len());
}

/// A run that failed must not wait for clients that wait for something themselves.
#[tokio::test]
async fn clients_end_at_once_when_nobody_wants_them() {
    let workload = Workload { timeout: PATIENCE, ..closed_loop() };
    let stage = Stage::start(|_| Behaviour::NeverAnswers, workload);
    stage.events(1).await;
    let Stage { clients, folder, .. } = stage;
    let draining = clients.drained();
    assert!(timeout(SHORT, draining).await.is_err(), "drained with a request in flight");
    let ended = tokio::task::spawn_blocking(move || drop((clients, folder)));
    timeout(PATIENCE / 2, ended).await.expect("the end of the thread").unwrap();
}

/// Whatever was due at the instant of the pause either is waited for or does not begin.
#[tokio::test]
async fn once_all_has_ended_nothing_begins() {
    let workload = Workload { clients: 20, rate: Some(500.0), ..closed_loop() };
    let stage = Stage::start(|_| Behaviour::WritesAreIndeterminate, workload);
    let history = stage.folder.path().join("history.jsonl");
    for pause in 0..300 {
        stage.clients.pause();
        stage.clients.drained().await;
        let ended = std::fs::metadata(&history).unwrap().len();
        sleep(Duration::from_millis(2)).await;
        assert_eq!(std::fs::metadata(&history).unwrap().len(), ended, "pause {pause}");
        stage.clients.resume();
        sleep(Duration::from_millis(2)).await;
    }
    assert!(stage.events(100).await.len() >= 100);
}
