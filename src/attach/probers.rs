//! Probers in network namespaces of others: where they can run, they watch every link every 10 ms,
//! as in the sandbox.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::access;
use crate::clock::Clock;
use crate::link_log::LinkLog;
use crate::plan::NodePlan;
use crate::sandbox::{Family, ProbeError, Prober, Station};

/// How long it may take until probes get through on every link, as connections do.
const LINKS_UP: Duration = Duration::from_secs(2);

/// Starts a prober on every node. `None` where they cannot run: outside namespaces of this host,
/// without root's rights in this very process, or where nodes do not let datagrams of others
/// through. Then the rounds of connections stand alone; the log says why.
pub async fn start(nodes: &[NodePlan], clock: Clock, links: LinkLog) -> Option<Prober> {
    let stations = stations(nodes)?;
    let started = tokio::task::spawn_blocking(move || watch(&stations, clock, links));
    match started.await.expect("starting a prober does not panic") {
        Ok(prober) => {
            tracing::info!("probers watch every link");
            Some(prober)
        }
        Err(error) => {
            tracing::warn!("no probers, so cuts are proven by connections: {error}");
            None
        }
    }
}

fn watch(stations: &[Station], clock: Clock, mut links: LinkLog) -> Result<Prober, ProbeError> {
    let prober = Prober::start(stations, clock, move |event| links.write(&event))?;
    match prober.wait_until_up(LINKS_UP) {
        Ok(()) => Ok(prober),
        Err(error) => prober.stop().and(Err(error)),
    }
}

fn stations(nodes: &[NodePlan]) -> Option<Vec<Station>> {
    let station = |node: &NodePlan| {
        let process = node.site.namespace_process()?;
        let opened = access::namespace::open(process)
            .inspect_err(|error| tracing::info!("the network of process {process}: {error}"));
        Some(Station {
            node: node.name.clone(),
            namespace: Arc::new(opened.ok()?),
            addresses: BTreeMap::from([(Family::Ipv4, IpAddr::V4(node.ip))]),
        })
    };
    nodes.iter().map(station).collect()
}
