//! What each mode does while it works, during a cut, after it, and after a restart.

use super::cluster::{Cluster, eventually};
use crate::reference::bug::Bug;
use crate::reference::mode::MODES;

async fn start(mode: &str) -> Cluster {
    Cluster::start(mode, Bug::None).await
}

#[tokio::test]
async fn what_any_node_writes_every_node_has_in_the_end() {
    for mode in MODES {
        let cluster = start(mode.name).await;
        assert_eq!(cluster.read(1, "x").await, Err(404), "{}", mode.name);
        for i in 1..=cluster.count() {
            let value = 10 + i as i64;
            cluster.acknowledges(i, "x", value).await;
            cluster.converges_to("x", value).await;
            assert_eq!(cluster.read(i, "x").await, Ok(value), "{}", mode.name);
        }
    }
}

#[tokio::test]
async fn cas_succeeds_on_the_expected_value_only() {
    for mode in MODES {
        let cluster = start(mode.name).await;
        let i = cluster.count();
        cluster.acknowledges(i, "x", 1).await;
        if ["quorum", "gossip-lww"].contains(&mode.name) {
            assert_eq!(cluster.cas(i, "x", 1, 2).await, 501);
            continue;
        }
        assert_eq!(cluster.cas(i, "x", 9, 2).await, 409, "{}", mode.name);
        assert_eq!(cluster.cas(i, "nothing", 9, 2).await, 409, "{}", mode.name);
        assert_eq!(cluster.cas(i, "x", 1, 2).await, 200, "{}", mode.name);
        cluster.converges_to("x", 2).await;
    }
}

#[tokio::test]
async fn what_was_written_survives_a_restart_of_every_node() {
    for mode in MODES {
        let cluster = start(mode.name).await;
        cluster.acknowledges(1, "x", 1).await;
        cluster.converges_to("x", 1).await;
        for i in 1..=cluster.count() {
            cluster.restart(i).await;
        }
        for i in 1..=cluster.count() {
            eventually(async || cluster.read(i, "x").await == Ok(1)).await;
            eventually(async || cluster.write(i, "x", i as i64).await == 200).await;
            eventually(async || cluster.read(i, "x").await == Ok(i as i64)).await;
            cluster.acknowledges(i, "x", 1).await;
        }
        cluster.converges_to("x", 1).await;
    }
}

#[tokio::test]
async fn primary_sync_commits_nothing_during_a_cut_and_all_of_it_afterwards() {
    let cluster = start("primary-sync").await;
    cluster.acknowledges(2, "x", 1).await;
    cluster.isolate(3);
    let pending =
        tokio::join!(cluster.write(1, "x", 2), cluster.write(2, "y", 3), cluster.write(3, "z", 4));
    assert_eq!(pending, (504, 504, 504), "they may take effect, and the first two will");
    assert_eq!(cluster.read(2, "x").await, Ok(1), "only what is committed is read");
    assert_eq!(cluster.read(3, "x").await, Err(503));
    eventually(async || cluster.write(1, "x", 2).await == 503).await;
    assert_eq!(cluster.write(1, "w", 5).await, 503);
    assert_eq!(cluster.copy(2, "w").await, None, "refused at once: not in the log");
    cluster.heal();
    cluster.converges_to("x", 2).await;
    cluster.converges_to("y", 3).await;
    eventually(async || cluster.read(3, "x").await == Ok(2)).await;
    eventually(async || cluster.write(3, "x", 6).await == 200).await;
    cluster.converges_to("x", 6).await;
}

#[tokio::test]
async fn primary_async_goes_on_alone_and_replicas_serve_old_values() {
    let cluster = start("primary-async").await;
    cluster.acknowledges(1, "x", 1).await;
    cluster.converges_to("x", 1).await;
    cluster.isolate(1);
    cluster.acknowledges(1, "x", 2).await;
    assert_eq!(cluster.read(2, "x").await, Ok(1));
    assert_eq!(cluster.write(2, "x", 3).await, 504);
    cluster.heal();
    cluster.converges_to("x", 2).await;
}

#[tokio::test]
async fn failover_async_splits_and_loses_what_the_deposed_primary_acknowledged() {
    let cluster = start("failover-async").await;
    assert_eq!(cluster.primaries().await, [1]);
    cluster.acknowledges(1, "x", 1).await;
    cluster.converges_to("x", 1).await;
    cluster.isolate(1);
    let new = cluster.new_primary(1).await;
    assert_eq!(cluster.primaries().await, [1, new], "the old one does not notice");
    cluster.acknowledges(new, "x", 2).await;
    cluster.acknowledges(1, "x", 3).await;
    cluster.acknowledges(1, "y", 4).await;
    cluster.heal();
    cluster.converges_to("x", 2).await;
    eventually(async || cluster.primaries().await == [new]).await;
    assert_eq!(cluster.copies("y").await, [None; 3]);
    eventually(async || cluster.write(1, "y", 5).await == 200).await;
    cluster.converges_to("y", 5).await;
}

#[tokio::test]
async fn failover_async_a_replica_that_was_cut_off_disturbs_nobody() {
    let cluster = start("failover-async").await;
    cluster.isolate(3);
    // Long enough for it to miss its primary and to stand in vain.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    cluster.acknowledges(2, "x", 1).await;
    cluster.heal();
    cluster.converges_to("x", 1).await;
    assert_eq!(cluster.primaries().await, [1]);
}

#[tokio::test]
async fn majority_elects_a_leader_among_the_majority_and_the_old_one_answers_nothing() {
    let cluster = start("majority").await;
    let old = cluster.primaries().await[0];
    cluster.acknowledges(old, "x", 1).await;
    cluster.isolate(old);
    assert_eq!(cluster.write(old, "x", 2).await, 504);
    assert_eq!(cluster.read(old, "x").await, Err(503));
    let new = cluster.new_primary(old).await;
    eventually(async || cluster.read(new, "x").await == Ok(1)).await;
    cluster.acknowledges(new, "x", 3).await;
    cluster.heal();
    cluster.converges_to("x", 3).await;
    eventually(async || cluster.read(old, "x").await == Ok(3)).await;
}

#[tokio::test]
async fn majority_local_reads_answers_old_values_on_the_minority_side() {
    let cluster = start("majority-local-reads").await;
    let old = cluster.primaries().await[0];
    cluster.acknowledges(old, "x", 1).await;
    cluster.converges_to("x", 1).await;
    cluster.isolate(old);
    let new = cluster.new_primary(old).await;
    eventually(async || cluster.write(new, "x", 2).await == 200).await;
    assert_eq!(cluster.read(old, "x").await, Ok(1));
    cluster.heal();
    cluster.converges_to("x", 2).await;
}

#[tokio::test]
async fn quorum_leaves_a_write_of_the_minority_on_one_replica_for_good() {
    let cluster = start("quorum").await;
    cluster.acknowledges(1, "x", 1).await;
    cluster.converges_to("x", 1).await;
    cluster.isolate(3);
    assert_eq!(cluster.write(3, "x", 2).await, 504);
    assert_eq!(cluster.read(3, "x").await, Err(503));
    assert_eq!(cluster.read(1, "x").await, Ok(1));
    cluster.acknowledges(2, "y", 3).await;
    cluster.heal();
    assert_eq!(cluster.copies("x").await, [Some(1), Some(1), Some(2)]);
    // Which value a read finds depends on the replicas that it happens to ask.
    let mut seen = std::collections::BTreeSet::new();
    eventually(async || {
        seen.extend(cluster.read(1, "x").await);
        seen.len() == 2
    })
    .await;
    assert_eq!(cluster.copies("y").await, [Some(3), Some(3), None]);
}

#[tokio::test]
async fn gossip_lww_answers_everywhere_and_the_busier_side_wins() {
    let cluster = start("gossip-lww").await;
    cluster.isolate(3);
    cluster.acknowledges(1, "y", 1).await;
    cluster.acknowledges(1, "x", 2).await;
    cluster.isolate(3);
    cluster.acknowledges(3, "x", 3).await;
    assert_eq!(cluster.read(3, "x").await, Ok(3));
    cluster.heal();
    cluster.converges_to("x", 2).await;
    cluster.converges_to("y", 1).await;
}

#[tokio::test]
async fn five_nodes_elect_one_new_primary() {
    for mode in ["failover-async", "majority"] {
        let cluster = Cluster::of(5, mode, Bug::None).await;
        let old = cluster.primaries().await[0];
        cluster.isolate(old);
        let new = cluster.new_primary(old).await;
        eventually(async || cluster.write(new, "x", 1).await == 200).await;
        cluster.heal();
        cluster.converges_to("x", 1).await;
        eventually(async || cluster.primaries().await.len() == 1).await;
    }
}
