//! What surrounds the operations of an invented run: scope, plan, cuts, links and counts.

use splitbrain_checkers::availability::Level;
use splitbrain_checkers::verdict::Kind;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use splitbrain_checkers::history::{Function, Name, Time};
use splitbrain_checkers::partition::{Link, Partition, Proof};

use super::MS;
use crate::plan::{self, Check, DataType, NodePlan, Phase, Plan, Ready, ReadyProbe, Target};
use crate::report::data::*;

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
    }
}

pub fn links(nodes: &[Name], partitions: &[Partition]) -> Vec<LinkEvent> {
    let mut events = Vec::new();
    for from in nodes {
        for to in nodes.iter().filter(|to| *to != from) {
            let event = |time, up| LinkEvent { time, from: from.clone(), to: to.clone(), up };
            events.push(event(Time(9 * MS), true));
            let link = Link { from: from.clone(), to: to.clone() };
            for partition in partitions.iter().filter(|partition| partition.cut.contains(&link)) {
                events.push(event(partition.began, false));
                events.extend(partition.healed.map(|healed| event(healed, true)));
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
        start: "etcd".to_string(),
        environment: BTreeMap::new(),
        files: BTreeMap::new(),
        ready: Ready {
            probe: ReadyProbe::Http("http://10.77.0.1:2379/health".to_string()),
            contains: String::new(),
            within: Duration::from_secs(10),
        },
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

pub fn availability(nodes: &[Name], partitions: &[Partition]) -> AvailabilityView {
    let mut view = AvailabilityView {
        latency_bound: Duration::from_secs(1),
        failover_allowance: Duration::from_secs(2),
        needed: 400,
        ..AvailabilityView::default()
    };
    let cut = |partition| [Period::Cut { partition }, Period::After { partition }];
    let periods = [Period::Healthy].into_iter().chain(cut(0)).chain(cut(1));
    let window = |period| Window { period, judged_from: Time(MS), judged_to: Time(2_000 * MS) };
    view.windows = periods.clone().map(window).collect();
    let after = |ms| FirstAnswer::After { time: Duration::from_millis(ms) };
    for node in nodes {
        for class in ["read", "write", "cas"] {
            for period in periods.clone() {
                let cut_off = match period {
                    Period::Cut { partition } => partitions[partition].side(node) == Some(1),
                    Period::Healthy | Period::After { .. } => false,
                };
                view.rows.push(availability_row(node, class, period, cut_off && class != "read"));
            }
            for (partition, cut) in partitions.iter().enumerate() {
                let cut_off = cut.side(node) == Some(1) && class != "read";
                view.recovery.push(RecoveryRow {
                    node: node.clone(),
                    class: class.into(),
                    partition,
                    after_cut: if cut_off { FirstAnswer::Never } else { after(3) },
                    after_heal: after(if cut_off { 231 } else { 2 }),
                });
            }
        }
    }
    view
}

fn availability_row(node: &Name, class: &str, period: Period, down: bool) -> AvailabilityRow {
    let is_after = matches!(period, Period::After { .. });
    let attempted = if is_after { 12 } else { 612 };
    let answered = if down { 0 } else { attempted };
    let latency = |ms| (!down).then_some(Duration::from_millis(ms));
    AvailabilityRow {
        node: node.clone(),
        class: class.into(),
        period,
        attempted,
        answered,
        low: if down { 0.0 } else { 0.9938 },
        high: if down { 0.0062 } else { 1.0 },
        p50: latency(1),
        p99: latency(7),
        outages: u64::from(down),
        down: Duration::from_millis(if down { 8_012 } else { 0 }),
        level: match (is_after, down) {
            (true, _) => Level::TooFew,
            (_, true) => Level::Unavailable,
            (_, false) => Level::Available,
        },
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
