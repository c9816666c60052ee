//! From a target to its driver and the cluster as drivers know it.

use std::sync::Arc;

use splitbrain_targets::driver::{Cluster, Driver, Node};

use crate::plan::{NodePlan, Target};

/// The target's driver, made for its settings.
///
/// # Errors
/// If there is no such driver, or it does not take the settings.
pub fn driver(target: &Target) -> Result<Arc<dyn Driver>, String> {
    splitbrain_targets::make_driver(&target.driver, &target.driver_config, &target.settings)
        .map_err(|error| error.to_string())
}

/// The cluster, with nobody cut off. Nodes count from 1.
pub fn cluster(target: &Target) -> Cluster {
    let node = |(index, plan): (usize, &NodePlan)| Node {
        name: plan.name.clone(),
        index,
        ip: plan.ip,
        port: plan.port,
    };
    let nodes = (1..).zip(&target.nodes).map(node).collect();
    Cluster::new(nodes, target.settings.clone())
}
