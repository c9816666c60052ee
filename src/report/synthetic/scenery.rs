//! What surrounds the operations of an invented run: scope, plan, cuts, links and counts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use splitbrain_checkers::availability::{
    Answered, Availability, Class, FirstSuccess, Period, Recovery, Row, Window,
};
use splitbrain_checkers::clock::Clock;
use splitbrain_checkers::convergence::{
    Agreement, Cell, Convergence, KeyState, KeyStatus, LastRead,
};
use splitbrain_checkers::format::{Format, Reading};
use splitbrain_checkers::history::{Function, Name, Time, Value};
use splitbrain_checkers::notation;
use splitbrain_checkers::partition::{Link, Partition, Proof};
use splitbrain_checkers::verdict::Kind;

use super::MS;
use crate::check::{self, Promises};
use crate::plan::{
    self, Check, Clients, DataType, NodePlan, Phase, Plan, Ready, ReadyProbe, Server, Site, Target,
};
use crate::report::data::*;
use crate::sandbox::{LinkEvent, LinkState};

/// What a short history shows, in place of what the invented one would.
pub fn promises(stale: bool) -> Promises {
    let read = if stale { 1 } else { 3 };
    let history = notation::history(&format!(
        "0 write@x 1                0..10000000
         0 write@x 2         20000000..30000000
         0 write@x 3         40000000..50000000
         1 read@x -> 3       60000000..70000000
         2 read@x -> {read}  80000000..90000000",
    ));
    let (problems, format) = (Vec::new(), Format::JsonLines);
    let reading = Reading { history, problems, format, clock: Clock::default() };
    check::promises(&reading, Duration::from_secs(60)).expect("no event is missing")
}

pub fn partition(
    name: &str,
    nodes: &[Name],
    isolated: usize,
    time: std::ops::Range<u64>,
) -> Partition {
    let alone = &nodes[isolated];
    let rest: Vec<Name> = nodes.iter().filter(|node| *node != alone).cloned().collect();
    let mut cut = std::collections::BTreeSet::new();
    for other in &rest {
        cut.insert(Link { from: alone.clone(), to: other.clone() });
        cut.insert(Link { from: other.clone(), to: alone.clone() });
    }
    Partition {
        name: name.to_string(),
        cut,
        components: vec![rest, vec![alone.clone()]],
        commanded: Time(time.start),
        began: Time(time.start + 12 * MS),
        heal_commanded: Time(time.end),
        healed: Some(Time(time.end + 23 * MS)),
        dropped_packets: nodes.iter().map(|node| (node.clone(), 1_482)).collect(),
        proof: Proof::Confirmed,
        pulse: None,
    }
}

pub fn links(nodes: &[Name], partitions: &[Partition]) -> Vec<LinkEvent> {
    let mut events = Vec::new();
    for from in nodes {
        for to in nodes.iter().filter(|to| *to != from) {
            let event = |time, link| LinkEvent { time, from: from.clone(), to: to.clone(), link };
            events.push(event(Time(9 * MS), LinkState::Up));
            let link = Link { from: from.clone(), to: to.clone() };
            for partition in partitions.iter().filter(|partition| partition.cut.contains(&link)) {
                events.push(event(partition.began, LinkState::Down));
                events.extend(partition.healed.map(|healed| event(healed, LinkState::Up)));
            }
        }
    }
    events.sort_by_key(|event| event.time);
    events
}

pub fn scope(nodes: usize) -> Scope {
    Scope {
        target: "etcd".to_string(),
        version: Some("3.4.23".to_string()),
        settings: BTreeMap::from([("read".to_string(), "serializable".to_string())]),
        workload: "register".to_string(),
        faults: vec!["isolate one for 8 s".to_string(), "isolate primary for 8 s".to_string()],
        clients: nodes * 3,
        seed: 42,
        date: "2026-07-01 14:03 UTC".to_string(),
        command: "splitbrain run register --target etcd --set read=serializable --seed 42"
            .to_string(),
        folder: "results/register-etcd/2026-07-01T14-03-11Z".to_string(),
        machine: Machine {
            cores: 2,
            memory_bytes: 8_200_000_000,
            kernel: "6.12.0".to_string(),
            splitbrain: "0.1.0".to_string(),
        },
    }
}

pub fn plan(nodes: &[Name]) -> Plan {
    let node = |(i, name): (usize, &Name)| NodePlan {
        name: name.clone(),
        ip: Ipv4Addr::new(10, 77, 0, i as u8 + 1),
        port: None,
        site: Site::Sandbox(Server {
            start: "etcd".to_string(),
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            ready: Ready {
                probe: ReadyProbe::Http("http://10.77.0.1:2379/health".to_string()),
                contains: String::new(),
                within: Duration::from_secs(10),
            },
        }),
    };
    let seconds = Duration::from_secs;
    let cut = |partition| Phase::Faults { partitions: vec![partition], length: seconds(8) };
    Plan {
        request: plan::Request::default(),
        seed: 42,
        workload: plan::Workload {
            name: "register".to_string(),
            data_type: DataType::Register,
            operations: BTreeMap::from([
                (Function::Read, 5),
                (Function::Write, 3),
                (Function::Cas, 2),
            ]),
            keys: 10,
            writes_per_key: None,
            clients: 3,
            rate: Some(50.0),
            timeout: seconds(1),
            phases: vec![
                Phase::Healthy { length: seconds(5) },
                cut(plan::Partition::IsolateOne),
                Phase::Healthy { length: seconds(3) },
                cut(plan::Partition::IsolatePrimary),
                Phase::Settle { limit: seconds(4) },
            ],
            checks: vec![Check::Linearizable, Check::Convergent, Check::Available],
        },
        target: Target {
            name: "etcd".to_string(),
            driver: "etcd".to_string(),
            driver_config: serde_json::Value::Null,
            nodes: nodes.iter().enumerate().map(node).collect(),
            clients: Clients::Beside,
            settings: BTreeMap::new(),
            operations: vec![Function::Read, Function::Write, Function::Cas],
            version: None,
            prepare: None,
            warm_up: Duration::from_secs(1),
            failover_allowance: seconds(2),
            sysctl: BTreeMap::new(),
            needs: Vec::new(),
        },
    }
}

pub fn availability(nodes: &[Name], partitions: &[Partition]) -> Availability {
    let cut = |partition| [Period::Cut { partition }, Period::After { partition }];
    let periods = [Period::Healthy].into_iter().chain(cut(0)).chain(cut(1));
    let mut all = Availability {
        latency_bound: Duration::from_secs(1),
        failover_allowance: Duration::from_secs(2),
        nodes: nodes.to_vec(),
        classes: vec![Class::Read, Class::Write],
        windows: periods.clone().map(window).collect(),
        ..Availability::default()
    };
    let after = |ms| FirstSuccess::After { time: Duration::from_millis(ms) };
    for (node, class) in nodes.iter().flat_map(|node| all.classes.iter().map(move |&c| (node, c))) {
        for period in periods.clone() {
            let cut_off = match period {
                Period::Cut { partition } => partitions[partition].side(node) == Some(1),
                Period::Healthy | Period::After { .. } => false,
            };
            all.rows.push(availability_row(node, class, period, cut_off && class != Class::Read));
        }
        for (partition, cut) in partitions.iter().enumerate() {
            let cut_off = cut.side(node) == Some(1) && class != Class::Read;
            all.recoveries.push(Recovery {
                node: node.clone(),
                class,
                partition,
                after_cut: if cut_off { FirstSuccess::Never { attempted: 612 } } else { after(3) },
                after_heal: after(if cut_off { 231 } else { 2 }),
            });
        }
    }
    all
}

pub fn window(period: Period) -> Window {
    let (from, to) = (Time(MS), Time(2_000 * MS));
    Window { period, from, to, judged_from: from, judged_to: to }
}

fn availability_row(node: &Name, class: Class, period: Period, down: bool) -> Row {
    let attempted = if matches!(period, Period::After { .. }) { 12 } else { 612 };
    let answered = Answered { answered: if down { 0 } else { attempted }, attempted };
    let latency = |ms| (!down).then_some(Duration::from_millis(ms));
    Row {
        node: node.clone(),
        class,
        period,
        answered,
        level: answered.level(),
        p50: latency(1),
        p99: latency(7),
        outages: usize::from(down),
        downtime: Duration::from_millis(if down { 8_012 } else { 0 }),
    }
}

/// A key on whose values the nodes did not agree; `None` for a node that did not answer.
pub fn disagreed(key: &str, values: &[(&str, Option<i64>)]) -> KeyState {
    let read = |value| LastRead {
        read: 0,
        value: Value::Int(value),
        invoke: Time(25_000 * MS),
        complete: Time(25_001 * MS),
        since: Time(24_001 * MS),
        polls: 3,
        failed_after: 0,
    };
    let cell =
        |&(node, value): &(&str, Option<i64>)| Cell { node: node.into(), last: value.map(read) };
    KeyState {
        key: key.into(),
        status: KeyStatus::Unsettled { reason: "invented".to_string() },
        cells: values.iter().map(cell).collect(),
    }
}

/// Nothing lost, nothing made up, and nothing disagreed on.
pub fn agreed(keys: usize) -> Convergence {
    let key = |i| KeyState { status: KeyStatus::Agreed, ..disagreed(&format!("k{i}"), &[]) };
    Convergence {
        healed: Some(Time(24_000 * MS)),
        agreement: Agreement::Agreed { after: Duration::from_millis(412) },
        keys: (0..keys).map(key).collect(),
        acknowledged: 812,
        lost: Vec::new(),
        phantoms: Vec::new(),
        breaches: Vec::new(),
    }
}

pub fn verdict() -> VerdictView {
    VerdictView {
        kind: Kind::Neither,
        sentence: "etcd 3.4.23 with serializable reads behaved neither CP nor AP: it stayed \
                   readable on both sides of the cut, but 41 reads returned values that had been \
                   overwritten up to 8.2 s before"
            .to_string(),
        details: vec!["with n1 cut off from n2 and n3, n1 answered no writes".to_string()],
        evidence: vec![
            "Linearizability is refuted by 41 violations, each with a witness of its own."
                .to_string(),
            "Reads were answered on both sides of both cuts, writes on the majority side only."
                .to_string(),
        ],
        not_exercised: vec!["Clock skew: no fault of this run touches clocks.".to_string()],
        expected: None,
    }
}
