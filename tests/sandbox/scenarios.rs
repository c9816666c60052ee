//! What runs inside: each scenario is the controller of a sandbox of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use splitbrain::clock::Clock;
use splitbrain::plan;
use splitbrain::sandbox::{
    self, Inside, LinkEvent, LinkState, Network, Prober, Running, Side, system_program,
};
use splitbrain_checkers::history::{Name, Time};
use splitbrain_checkers::partition::{Link, Partition, Proof};

use crate::measure::measure;
use crate::stage::{Stage, addresses, confirmed};

/// Runs a scenario. Those that fail panic: exit code 101.
pub fn run(name: &str, arguments: &[String]) -> ExitCode {
    if name == "shell" {
        let (dir, node, command) = (&arguments[0], &arguments[1], arguments[2..].to_vec());
        return match sandbox::shell(Path::new(dir), node, command) {
            Ok(code) => ExitCode::from(code as u8),
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(254)
            }
        };
    }
    if name == "throwaway" {
        let seen = sandbox::throwaway(|_| (std::process::id(), 40 + 2));
        println!("{seen:?}");
        return ExitCode::SUCCESS;
    }
    if name == "doctor" {
        let checks = splitbrain::doctor::examine();
        print!("{}", splitbrain::doctor::render(&checks));
        println!("{}", serde_json::to_string(&checks).unwrap());
        return ExitCode::from(u8::from(!splitbrain::doctor::healthy(&checks)));
    }
    let began = Instant::now();
    let inside = match sandbox::enter() {
        Ok(Side::Inside(inside)) => inside,
        Ok(Side::Outside { exit_code }) => std::process::exit(exit_code),
        Err(refusal) => {
            eprintln!("{refusal}");
            return ExitCode::from(254);
        }
    };
    let entered = began.elapsed();
    match name {
        "exit" => return ExitCode::from(arguments[0].parse::<u8>().unwrap()),
        "abort" => nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap(),
        "surroundings" => surroundings(),
        "orphans" => orphans(),
        "signals" => signals(),
        "linger" => linger(&inside, Path::new(&arguments[0])),
        "network" => network(&inside, entered),
        "cuts" => cuts(&inside),
        "sabotage" => sabotage(&inside),
        "foreign-rules" => foreign_rules(&inside),
        "without-user-namespaces" => return without_user_namespaces(arguments),
        "measure" => measure(&inside, arguments[0].parse().unwrap(), arguments[1] == "busy"),
        other => panic!("no scenario {other}"),
    }
    ExitCode::SUCCESS
}

fn surroundings() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    println!("stdin {}", line.trim());
    println!("folder {}", std::env::current_dir().unwrap().display());
    println!("variable {}", std::env::var("SPLITBRAIN_TEST").unwrap());
    println!("uid {} pid {}", nix::unistd::geteuid(), std::process::id());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let is_process = |name: &str| name.chars().all(|c| c.is_ascii_digit());
    let processes = processes.filter(|entry| is_process(&entry.file_name().to_string_lossy()));
    println!("processes {}", processes.count());
    eprintln!("stderr too");
}

/// Children of ours end as ours; what they leave behind is reaped by pid 1.
fn orphans() {
    for _ in 0..20 {
        let status = Command::new("sh").args(["-c", "sleep 0.05 & exit 3"]).status().unwrap();
        assert_eq!(status.code(), Some(3));
    }
    let zombies = || {
        let stats = fs::read_dir("/proc").unwrap().flatten();
        let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        stats.filter(|stat| stat.contains(") Z ")).count()
    };
    thread::sleep(Duration::from_millis(100));
    let deadline = Instant::now() + Duration::from_secs(5);
    while zombies() > 0 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    println!("zombies {}", zombies());
}

/// Counts the interrupts that arrive within a while of the first.
fn signals() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let kind = tokio::signal::unix::SignalKind::interrupt();
        let mut interrupts = tokio::signal::unix::signal(kind).unwrap();
        println!("ready");
        interrupts.recv().await;
        let mut count = 1;
        let more = Duration::from_millis(400);
        while tokio::time::timeout(more, interrupts.recv()).await.is_ok() {
            count += 1;
        }
        println!("interrupts {count}");
    });
}

/// A run that is up until somebody ends it.
fn linger(inside: &Inside, dir: &Path) {
    let network = Network::create(inside, &addresses(3), &BTreeMap::new()).unwrap();
    let mut children = Vec::new();
    for name in network.names() {
        let entry = network.entry(&name);
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM INT HUP; sleep 1000 & setsid sleep 1000; wait"]);
        // SAFETY: `enter` makes system calls only.
        unsafe { command.pre_exec(move || entry.enter()) };
        children.push(command.stdin(Stdio::null()).spawn().unwrap());
    }
    Running::of(inside, network.names()).unwrap().write(dir).unwrap();
    println!("up");
    for mut child in children {
        child.wait().unwrap();
    }
}

fn network(inside: &Inside, entered: Duration) {
    let setting = "net.ipv4.tcp_retries2";
    let sysctl = BTreeMap::from([(setting.to_string(), "4".to_string())]);
    let began = Instant::now();
    let network = Network::create(inside, &addresses(6), &sysctl).unwrap();
    let created = began.elapsed();
    for value in
        network.in_each_node(|_| fs::read_to_string("/proc/sys/net/ipv4/tcp_retries2").unwrap())
    {
        assert_eq!(value.trim(), "4");
    }
    assert_ne!(fs::read_to_string("/proc/sys/net/ipv4/tcp_retries2").unwrap().trim(), "4");
    let entry = network.entry("n2");
    let mut command = Command::new("sh");
    command.args(["-c", "hostname; ip -o addr show dev eth0; getent ahostsv4 n5; cat /etc/hosts"]);
    // SAFETY: `enter` makes system calls only.
    unsafe { command.pre_exec(move || entry.enter()) };
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(output.starts_with("n2\n"), "{output}");
    assert!(output.contains(" 10.77.0.2/24 "), "{output}");
    assert!(!output.contains("fe80"), "no address that a rule does not know: {output}");
    assert!(output.contains("10.77.0.5 "), "{output}");
    assert_eq!(output.contains(" fd77::2/64 "), network.ipv6(), "{output}");
    assert!(!fs::read_to_string("/etc/hosts").unwrap().contains("10.77.0.5"));
    let impossible = BTreeMap::from([("net.ipv4.no_such_thing".to_string(), "1".to_string())]);
    let network = Arc::new(network);
    let prober = Prober::start(&network.stations(), Clock::start(), |_| {}).unwrap();
    prober.wait_until_up(Duration::from_secs(10)).unwrap();
    prober.stop().unwrap();
    // The second network in one sandbox fails on what exists; the message has the line.
    let error = Network::create(inside, &addresses(1), &impossible).unwrap_err().to_string();
    assert!(error.contains("ip -batch") && error.contains("(ip "), "{error}");
    println!("entered in {entered:.1?}, six nodes in {created:.1?}, IPv6 {}", network.ipv6());
}

fn cuts(inside: &Inside) {
    let stage = Stage::new(inside, 5);
    let names = |list: &str| list.split(' ').map(Name::from).collect::<Vec<Name>>();
    assert!(stage.connects("n1", "n2") && stage.connects("n2", "n1"));

    let partition = stage.cut(&[plan::Partition::IsolatePrimary], || {
        assert!(!stage.connects("n1", "n2") && !stage.connects("n2", "n1"));
        assert!(stage.connects("n2", "n3"));
    });
    confirmed(&partition);
    assert_eq!(partition.name, "isolate n1 (primary)");
    assert_eq!(partition.components, [names("n2 n3 n4 n5"), names("n1")]);
    assert!(stage.connects("n1", "n2") && stage.connects("n2", "n1"));
    links_followed(&stage, &partition);

    let one_way = plan::Partition::OneWay { from: names("n1"), to: names("n2 n3") };
    let groups = plan::Partition::Groups(vec![names("n1 n2"), names("n3 n4 n5")]);
    confirmed(&stage.cut(&[groups], || assert!(stage.connects("n1", "n2"))));
    confirmed(&stage.cut(std::slice::from_ref(&one_way), || {}));
    confirmed(&stage.cut(&[plan::Partition::HalvesRandom], || {}));
    confirmed(&stage.cut(&[plan::Partition::Bridge("n3".into())], || {
        assert!(stage.connects("n1", "n3") && stage.connects("n3", "n5"));
        assert!(!stage.connects("n1", "n5"));
    }));
    confirmed(&stage.cut(&[plan::Partition::Ring], || {
        assert!(stage.connects("n1", "n5") && !stage.connects("n1", "n3"));
    }));
    let both = stage.cut(&[plan::Partition::IsolateNode("n5".into()), one_way], || {});
    confirmed(&both);
    assert_eq!(both.name, "isolate n5 and one-way n1 -> n2 n3");
    assert_eq!(both.components, [names("n1 n2 n3 n4"), names("n5")]);
    stage.prober.stop().unwrap();
}

/// What the prober told as it happened agrees with what was judged.
fn links_followed(stage: &Stage, partition: &Partition) {
    let events = stage.events.lock().unwrap().clone();
    let last = |link: &Link, state, from: Time| {
        let of = |event: &&LinkEvent| event.from == link.from && event.to == link.to;
        let found = events.iter().filter(of).rfind(|event| event.link == state);
        found.filter(|event| event.time >= from).map(|event| event.time)
    };
    let before = partition.commanded - Duration::from_secs(1);
    for link in &partition.cut {
        let down = last(link, LinkState::Down, before).expect("told as down");
        assert!(down <= partition.began, "{link:?} {down:?} {partition:#?}");
        let up = last(link, LinkState::Up, partition.heal_commanded).expect("told as up");
        assert!(Some(up) <= partition.healed, "{link:?}");
    }
    let downs: Vec<&LinkEvent> =
        events.iter().filter(|event| event.link == LinkState::Down).collect();
    assert_eq!(downs.len(), partition.cut.len(), "no other link went down: {downs:?}");
}

/// A cut that somebody undoes in part must not be confirmed.
fn sabotage(inside: &Inside) {
    let stage = Stage::new(inside, 3);
    let isolate = [plan::Partition::IsolateNode("n1".into())];
    let on_n1 = |command: &'static str| {
        let entry = stage.network.entry("n1");
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("PATH=$PATH:/usr/sbin; {command}")]);
        // SAFETY: `enter` makes system calls only.
        unsafe { shell.pre_exec(move || entry.enter()) };
        assert!(shell.status().unwrap().success(), "{command}");
    };
    // One rule of one node is gone, and then there again.
    let leaky = stage.cut(&isolate, || {
        thread::sleep(Duration::from_millis(50));
        on_n1(
            "iptables -D SPLITBRAIN 1 && sleep 0.3 && \
             iptables -I SPLITBRAIN 1 -s 10.77.0.2 -j DROP",
        );
    });
    match &leaky.proof {
        Proof::Missing { reason } => {
            assert!(reason.contains("got through on n2 -> n1 (IPv4)"), "{reason}");
        }
        Proof::Confirmed => panic!("a leaking cut was confirmed: {leaky:#?}"),
    }
    // Somebody else's rule cuts a link that should have stayed.
    let wider = stage.cut(&[plan::Partition::OneWay { from: vec!["n1".into()], to: vec!["n2".into()] }], || {
        on_n1("iptables -A INPUT -s 10.77.0.3 -j DROP && sleep 0.6 && iptables -D INPUT -s 10.77.0.3 -j DROP");
    });
    match &wider.proof {
        Proof::Missing { reason } => {
            assert!(reason.contains("n3 -> n1 (IPv4) was not to be cut"), "{reason}");
        }
        Proof::Confirmed => panic!("a wider cut was confirmed: {wider:#?}"),
    }
    // A chain that is gone altogether: the heal says so instead of passing.
    let active = stage.nemesis.cut_blocking(stage.plan(&isolate)).unwrap();
    on_n1("iptables -D INPUT -j SPLITBRAIN && iptables -F SPLITBRAIN && iptables -X SPLITBRAIN");
    let error = stage.nemesis.heal_blocking(active).unwrap_err().to_string();
    assert!(error.contains("iptables-restore on n1 refused"), "{error}");
}

fn foreign_rules(inside: &Inside) {
    let stage = Stage::new(inside, 2);
    let rules = || {
        let saved = stage.network.in_each_node(|_| {
            let output = Command::new(system_program("iptables-save"))
                .args(["-t", "filter"])
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            // Without the policies' counters and the comments with the time of day.
            let lines = text.lines().filter(|line| line.starts_with('-'));
            lines.map(str::to_string).collect::<Vec<_>>()
        });
        saved.concat()
    };
    stage.network.in_each_node(|_| {
        // An ACCEPT of everything that was there before must not weaken the cut.
        for rule in ["-A INPUT -s 10.77.0.0/24 -j ACCEPT", "-A INPUT -p tcp --dport 9 -j DROP"] {
            let status =
                Command::new(system_program("iptables")).args(rule.split(' ')).status().unwrap();
            assert!(status.success());
        }
    });
    let before = rules();
    assert_eq!(before.len(), 4, "{before:?}");
    let partition = stage.cut(&[plan::Partition::IsolateOne], || assert_ne!(rules(), before));
    confirmed(&partition);
    assert_eq!(rules(), before);
}

/// In a sandbox where user namespaces are forbidden from now on: another one, by root, and
/// (if this root can be somebody else) the refusal that an ordinary user gets.
fn without_user_namespaces(arguments: &[String]) -> ExitCode {
    fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
    let own = std::env::current_exe().unwrap();
    let mut inner = Command::new(&own);
    inner.args(["--scenario", "network"]);
    assert!(inner.status().unwrap().success(), "root does without a user namespace");
    if arguments.first().is_some_and(|first| first == "ordinary") {
        let mut refused = Command::new(&own);
        refused.args(["--scenario", "exit", "0"]).uid(65_534).gid(65_534);
        let output = refused.output().unwrap();
        assert_eq!(output.status.code(), Some(254));
        print!("{}", String::from_utf8_lossy(&output.stderr));
        let mut doctor = Command::new(&own);
        doctor.args(["--scenario", "doctor"]).uid(65_534).gid(65_534);
        let output = doctor.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    ExitCode::SUCCESS
}
