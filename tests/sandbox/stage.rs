//! A network that is up, watched, and can be cut.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use splitbrain::clock::Clock;
use splitbrain::nemesis::{Cut, SandboxNemesis, cut_links, union};
use splitbrain::plan;
use splitbrain::sandbox::{Inside, LinkEvent, Network, Prober};
use splitbrain_checkers::history::Name;
use splitbrain_checkers::partition::{Partition, Proof};

pub fn addresses(count: u8) -> Vec<(Name, Ipv4Addr)> {
    (1..=count).map(|i| (Name::from(format!("n{i}")), Ipv4Addr::new(10, 77, 0, i))).collect()
}

/// A network that is up and watched, and its nemesis.
pub struct Stage {
    pub network: Arc<Network>,
    pub prober: Arc<Prober>,
    pub nemesis: SandboxNemesis,
    pub clock: Clock,
    pub events: Arc<Mutex<Vec<LinkEvent>>>,
}

impl Stage {
    pub fn new(inside: &Inside, nodes: u8) -> Stage {
        let network = Network::create(inside, &addresses(nodes), &BTreeMap::new());
        let network = Arc::new(network.unwrap_or_else(|error| panic!("{error}")));
        let clock = Clock::start();
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let observe = move |event| seen.lock().unwrap().push(event);
        let prober = Arc::new(Prober::start(&network.stations(), clock, observe).unwrap());
        prober.wait_until_up(Duration::from_secs(10)).unwrap_or_else(|error| panic!("{error}"));
        let nemesis = SandboxNemesis::new(Arc::clone(&network), Arc::clone(&prober), clock);
        Stage { network, prober, nemesis, clock, events }
    }

    pub fn plan(&self, partitions: &[plan::Partition]) -> Cut {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let nodes = self.network.names();
        let cut = |partition| cut_links(partition, &nodes, Some(&nodes[0]), &mut rng).unwrap();
        union(&partitions.iter().map(cut).collect::<Vec<_>>())
    }

    /// Cuts for a while, with `during` in the middle of it.
    pub fn cut(&self, partitions: &[plan::Partition], during: impl FnOnce()) -> Partition {
        let active = self.nemesis.cut_blocking(self.plan(partitions)).unwrap();
        during();
        thread::sleep(Duration::from_millis(300));
        self.nemesis.heal_blocking(active).unwrap()
    }

    /// Whether a TCP connection from one node to another can be made and carries a byte.
    pub fn connects(&self, from: &str, to: &str) -> bool {
        const LIMIT: Duration = Duration::from_secs(1);
        let address = self.network.addresses().into_iter().find(|(name, _)| &**name == to);
        let address = SocketAddr::from((address.unwrap().1, 7007));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let (ready, listening) = mpsc::channel();
            let over = &over;
            scope.spawn(move || {
                self.network.enter(to).unwrap();
                let listener = TcpListener::bind(address).unwrap();
                listener.set_nonblocking(true).unwrap();
                ready.send(()).unwrap();
                while !over.load(Ordering::Relaxed) {
                    if let Ok((mut stream, _)) = listener.accept() {
                        let _ = stream.write_all(b"x");
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            });
            let client = scope.spawn(move || {
                listening.recv().unwrap();
                self.network.enter(from).unwrap();
                let mut stream = TcpStream::connect_timeout(&address, LIMIT).ok()?;
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                stream.read_exact(&mut [0]).ok()
            });
            let connected = client.join().unwrap().is_some();
            over.store(true, Ordering::Relaxed);
            connected
        })
    }
}

/// The cut was real, and everything about it is in order.
pub fn confirmed(partition: &Partition) {
    assert_eq!(partition.proof, Proof::Confirmed, "{partition:#?}");
    assert!(partition.commanded <= partition.began, "{partition:#?}");
    assert!(partition.began < partition.heal_commanded, "{partition:#?}");
    let healed = partition.healed.expect("probes came back");
    assert!(partition.heal_commanded <= healed, "{partition:#?}");
    assert!(partition.dropped_packets.iter().all(|(_, packets)| *packets > 0));
}
