//! Whatever ends a run, a cluster that runs already is left as it was: at once where we can, by
//! the guards within half a minute where we cannot.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::groups::Groups;
use crate::hosts::Hosts;
use crate::namespace::Namespace;
use crate::scene::{Footprint, LONG_CUT, Scene, Started, foreign_rules};
use crate::servers::{Cluster, etcd_on_loopback, zookeeper_on_hosts};
use crate::support::{holds_within, succeed};
use crate::verdicts::over_ssh;

/// A guard waits for 25 s and looks once a second.
const GUARD: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(5);

/// A cluster on loopback with rules of somebody else beside it.
struct Loopback {
    namespace: Namespace,
    cluster: Cluster,
    before: Footprint,
    _groups: Groups,
}

impl Loopback {
    fn new() -> Loopback {
        let groups = Groups::new();
        let namespace = Namespace::new();
        let cluster = etcd_on_loopback(&namespace);
        foreign_rules(&namespace);
        let before = footprint(&namespace, &cluster);
        Loopback { namespace, cluster, before, _groups: groups }
    }

    fn scene(&self) -> Scene<'_> {
        let lines = (1..).zip(&self.cluster.addresses);
        let nodes: String = lines.map(|(n, address)| format!("  n{n}: {address}\n")).collect();
        let target = format!("driver: etcd\naccess: local\nnodes:\n{nodes}");
        Scene::new(&self.namespace, &target, LONG_CUT)
    }

    fn now(&self) -> Footprint {
        footprint(&self.namespace, &self.cluster)
    }

    fn assert_left_within(&self, limit: Duration) {
        let left = holds_within(limit, || self.now() == self.before);
        assert!(left, "{:#?}\nis not\n{:#?}", self.now(), self.before);
    }
}

fn footprint(namespace: &Namespace, cluster: &Cluster) -> Footprint {
    let servers: Vec<u32> = cluster.servers.iter().map(|server| server.process()).collect();
    Footprint::of(namespace, &servers)
}

fn signal(run: &Started, signal: Signal) {
    kill(Pid::from_raw(run.child.id() as i32), signal).unwrap();
}

#[test]
fn an_interrupt_takes_everything_out_at_once() {
    let world = Loopback::new();
    for ended_by in [Signal::SIGINT, Signal::SIGTERM] {
        let scene = world.scene();
        let mut run = scene.start();
        run.until_cut();
        assert!(world.now().is_held());
        signal(&run, ended_by);
        assert_eq!(run.end(), 2, "{}", run.stderr());
        world.assert_left_within(Duration::ZERO);
    }
}

#[test]
fn the_guard_takes_everything_out_after_a_kill() {
    let world = Loopback::new();
    let scene = world.scene();
    let mut run = scene.start();
    run.until_cut();
    signal(&run, Signal::SIGKILL);
    assert_eq!(run.end(), 128 + Signal::SIGKILL as i32);
    assert!(world.now().is_held(), "nobody can have healed that yet");
    world.assert_left_within(GUARD);
}

#[test]
fn heal_takes_everything_out_and_says_what() {
    let world = Loopback::new();
    let scene = world.scene();
    assert!(scene.say("heal").contains("this host: nothing to heal"));
    let run = scene.start();
    run.until_cut();
    let doctor = scene.say("doctor");
    assert!(doctor.contains("FAIL  host free") && doctor.contains("held by"), "{doctor}");
    signal(&run, Signal::SIGKILL);
    let said = scene.say("heal");
    for part in ["held by splitbrain run w", "iptables -D OUTPUT -j SPLITBRAIN", " back to /"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    world.assert_left_within(Duration::ZERO);
}

#[test]
fn a_run_that_is_healed_by_somebody_else_ends_without_a_verdict() {
    let world = Loopback::new();
    let scene = world.scene();
    let mut run = scene.start();
    run.until_cut();
    assert!(scene.say("heal").contains("held by"));
    assert_eq!(run.end(), 255, "{}", run.stderr());
    assert!(run.stderr().contains("is not ours any more"), "{}", run.stderr());
    world.assert_left_within(SOON);
}

#[test]
fn a_second_run_at_the_same_cluster_is_refused() {
    let world = Loopback::new();
    let (scene, other) = (world.scene(), world.scene());
    let mut run = scene.start();
    run.until_cut();
    let second = other.run(&[]);
    assert_eq!(second.exit, 255, "{}", second.stderr);
    assert!(second.stderr.contains("this host is held by splitbrain run w"), "{}", second.stderr);
    assert!(world.now().is_held(), "the first run goes on");
    signal(&run, Signal::SIGINT);
    assert_eq!(run.end(), 2);
    world.assert_left_within(Duration::ZERO);
}

#[test]
fn a_full_disk_ends_the_run_and_leaves_nothing() {
    let world = Loopback::new();
    let scene = world.scene();
    let disk = Disk::of_kilobytes(96);
    let mut run = scene.start_with_results(disk.folder.path());
    assert_eq!(run.end(), 255, "{}", run.stderr());
    assert!(run.stderr().contains("No space left on device"), "{}", run.stderr());
    world.assert_left_within(Duration::ZERO);
}

/// A small file system of its own.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn of_kilobytes(size: u32) -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={size}k");
        succeed(
            Command::new("mount")
                .args(["-n", "-t", "tmpfs", "-o", &size, "none"])
                .arg(folder.path()),
        );
        Disk { folder }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").args(["-n", "-l"]).arg(self.folder.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "a mount is left");
    }
}

#[test]
fn a_lost_connection_leaves_nothing_on_any_host() {
    let hosts = Hosts::new(3);
    let cluster = zookeeper_on_hosts(&hosts);
    hosts.network().nodes().iter().for_each(foreign_rules);
    let lines = (1..).zip(&cluster.addresses);
    let nodes: String = lines.map(|(n, address)| format!("  n{n}: {address}\n")).collect();
    let target = over_ssh(&hosts, "zookeeper", &nodes);
    let before = footprints(&hosts);
    let scene = Scene::new(hosts.network().controller(), &target, LONG_CUT);
    let mut run = scene.start();
    run.until_cut();
    assert!(footprints(&hosts).iter().all(Footprint::is_held));
    hosts.stop_sshd(0);
    assert_eq!(run.end(), 255, "{}", run.stderr());
    // Those that could be reached were released; the first one's guard does it by itself.
    let others = |now: &[Footprint]| now[1..] == before[1..];
    assert!(holds_within(SOON, || others(&footprints(&hosts))), "{:#?}", footprints(&hosts));
    assert!(holds_within(GUARD, || footprints(&hosts) == before), "{:#?}", footprints(&hosts));
    hosts.start_sshd(0);
    check_kill(&hosts, &target, &before);
}

/// Nor does a kill, neither on the hosts nor here: its sessions end, too.
fn check_kill(hosts: &Hosts, target: &str, before: &[Footprint]) {
    let controller = hosts.network().controller();
    let own = controller.processes();
    let scene = Scene::new(controller, target, LONG_CUT);
    let mut run = scene.start();
    run.until_cut();
    assert!(fs::read_dir(scene.temporary()).unwrap().next().is_some(), "no session");
    signal(&run, Signal::SIGKILL);
    run.end();
    assert!(holds_within(GUARD, || footprints(hosts) == before), "{:#?}", footprints(hosts));
    assert!(holds_within(GUARD, || controller.processes() == own), "sessions are left");
    assert_eq!(fs::read_dir(scene.temporary()).unwrap().count(), 0);
}

fn footprints(hosts: &Hosts) -> Vec<Footprint> {
    hosts.network().nodes().iter().map(|node| Footprint::of(node, &[])).collect()
}

/// Stops at random instants, in each of the ways in which a run can end. `SPLITBRAIN_STOPS` says
/// how many.
#[test]
fn random_stops_leave_nothing() {
    const WAYS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL];
    let world = Loopback::new();
    for stop in 0..stops() {
        let scene = world.scene();
        let mut run = scene.start();
        let delay = Duration::from_millis(rand::random_range(0..8000));
        thread::sleep(delay);
        let way = WAYS[stop % WAYS.len()];
        signal(&run, way);
        run.end();
        let limit = if way == Signal::SIGKILL { GUARD } else { Duration::ZERO };
        let left = holds_within(limit, || world.now() == world.before);
        assert!(left, "{way} after {delay:?}: {:#?}\n{}", world.now(), run.stderr());
    }
}

/// The same for hosts, of which one cannot be reached any more.
#[test]
fn random_losses_of_a_host_leave_nothing() {
    let hosts = Hosts::new(3);
    let cluster = zookeeper_on_hosts(&hosts);
    let lines = (1..).zip(&cluster.addresses);
    let nodes: String = lines.map(|(n, address)| format!("  n{n}: {address}\n")).collect();
    let target = over_ssh(&hosts, "zookeeper", &nodes);
    let before = footprints(&hosts);
    for stop in 0..stops() {
        let scene = Scene::new(hosts.network().controller(), &target, LONG_CUT);
        let mut run = scene.start();
        // The warm-up alone takes six seconds.
        let delay = Duration::from_millis(rand::random_range(0..14000));
        thread::sleep(delay);
        hosts.stop_sshd(stop % 3);
        run.end();
        let left = holds_within(GUARD, || footprints(&hosts) == before);
        assert!(left, "after {delay:?}: {:#?}\n{}", footprints(&hosts), run.stderr());
        hosts.start_sshd(stop % 3);
    }
}

fn stops() -> usize {
    let asked = std::env::var("SPLITBRAIN_STOPS").ok();
    asked.map_or(3, |number| number.parse().expect("a number of stops"))
}
