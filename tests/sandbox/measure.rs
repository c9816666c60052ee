//! How long cuts and heals take here. Printed, never asserted.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use splitbrain::plan;
use splitbrain::sandbox::Inside;
use splitbrain_checkers::history::Time;

use crate::stage::{Stage, confirmed};

/// Prints how long cuts and heals take, as the prober sees it.
pub fn measure(inside: &Inside, nodes: u8, busy: bool) {
    let stage = Stage::new(inside, nodes);
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let burner = |_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
    let mut burners: Vec<_> = (0..if busy { cores } else { 0 }).map(burner).collect();
    let mut spans: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..6 {
        let call = Instant::now();
        let active = stage
            .nemesis
            .cut_blocking(stage.plan(&[plan::Partition::IsolateNode("n1".into())]))
            .unwrap();
        spans.entry("cut: whole call").or_default().push(call.elapsed());
        let applied = active.applied.since(active.commanded);
        spans.entry("cut: command to last rule known in place").or_default().push(applied);
        thread::sleep(Duration::from_millis(300));
        let call = Instant::now();
        let partition = stage.nemesis.heal_blocking(active).unwrap();
        spans.entry("heal: whole call").or_default().push(call.elapsed());
        confirmed(&partition);
        let began = partition.began.since(partition.commanded);
        spans.entry("cut: command to all rules in place").or_default().push(began);
        let healed = partition.healed.unwrap().since(partition.heal_commanded);
        spans.entry("heal: command to probes on every link").or_default().push(healed);
        thread::sleep(Duration::from_millis(50));
    }
    let log = stage.prober.log(Time(0));
    let sent = log.values().map(Vec::len).sum::<usize>() / log.len();
    let (elapsed, used) = (stage.clock.now(), prober_cpu());
    println!(
        "  {nodes} nodes: {sent} ticks of 10 ms in {elapsed}, which took {used:.1?} of a core"
    );
    for burner in &mut burners {
        burner.kill().unwrap();
        burner.wait().unwrap();
    }
    for (what, mut span) in spans {
        span.sort();
        let load = if busy { "busy" } else { "idle" };
        let (median, most) = (span[span.len() / 2], span[span.len() - 1]);
        println!("  {nodes} nodes, {load}: {what}: median {median:.1?}, most {most:.1?}");
    }
}

/// Processor time of the prober's thread.
fn prober_cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let mut stats = tasks.map(|task| fs::read_to_string(task.path().join("stat")).unwrap());
    let stat = stats.find(|stat| stat.contains("(prober)")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    // Fields 14 and 15: user and system time, in hundredths of a second on Linux.
    let ticks = fields.split_whitespace().skip(11).take(2).map(|f| f.parse::<u64>().unwrap());
    Duration::from_millis(10 * ticks.sum::<u64>())
}
