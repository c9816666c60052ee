//! Every seeded bug does what its description says, and does it in the mode that has it.

use super::cluster::{Cluster, eventually};
use crate::reference::bug::Bug;

#[tokio::test]
async fn acknowledge_before_commit_loses_writes_of_the_old_leader() {
    let cluster = Cluster::start("majority", Bug::AcknowledgeBeforeCommit).await;
    let old = cluster.primaries().await[0];
    cluster.acknowledges(old, "x", 1).await;
    cluster.converges_to("x", 1).await;
    cluster.isolate(old);
    cluster.acknowledges(old, "x", 2).await;
    let new = cluster.new_primary(old).await;
    eventually(async || cluster.read(new, "x").await == Ok(1)).await;
    cluster.acknowledges(new, "y", 3).await;
    cluster.heal();
    cluster.converges_to("y", 3).await;
    assert_eq!(cluster.copies("x").await, [Some(1); 3]);
}

#[tokio::test]
async fn acknowledge_before_commit_hides_acknowledged_writes_of_primary_sync() {
    let cluster = Cluster::start("primary-sync", Bug::AcknowledgeBeforeCommit).await;
    cluster.isolate(3);
    cluster.acknowledges(1, "x", 1).await;
    assert_eq!(cluster.read(1, "x").await, Err(404));
}

#[tokio::test]
async fn cas_ignores_expected() {
    for mode in ["single", "primary-sync", "majority"] {
        let cluster = Cluster::start(mode, Bug::CasIgnoresExpected).await;
        cluster.acknowledges(1, "x", 1).await;
        assert_eq!(cluster.cas(1, "x", 8, 9).await, 200, "{mode}");
        assert_eq!(cluster.read(1, "x").await, Ok(9));
    }
}

#[tokio::test]
async fn dirty_read_shows_what_is_not_committed() {
    let cluster = Cluster::start("primary-sync", Bug::DirtyRead).await;
    cluster.acknowledges(1, "x", 1).await;
    cluster.isolate(3);
    assert_eq!(cluster.write(1, "x", 2).await, 504);
    eventually(async || cluster.read(2, "x").await == Ok(2)).await;
    assert_eq!(cluster.read(1, "x").await, Ok(1), "an older value after a newer one");
}

#[tokio::test]
async fn drop_hint_never_delivers_what_was_written_during_a_cut() {
    let cluster = Cluster::start("gossip-lww", Bug::DropHint).await;
    cluster.isolate(3);
    cluster.acknowledges(1, "x", 1).await;
    eventually(async || cluster.copy(2, "x").await == Some(1)).await;
    cluster.isolate(3);
    // The push to n3 has to be given up before the heal.
    tokio::time::sleep(crate::reference::peers::MESSAGE_LIMIT * 2).await;
    cluster.heal();
    cluster.acknowledges(1, "y", 2).await;
    cluster.converges_to("y", 2).await;
    assert_eq!(cluster.copy(3, "x").await, None);
}

#[tokio::test]
async fn failed_write_applies_after_the_heal() {
    let cluster = Cluster::start("primary-sync", Bug::FailedWriteApplies).await;
    cluster.isolate(3);
    assert_eq!(cluster.write(1, "x", 1).await, 503);
    cluster.heal();
    cluster.converges_to("x", 1).await;
}

#[tokio::test]
async fn forget_on_restart_empties_the_primary() {
    for mode in ["primary-sync", "primary-async"] {
        let cluster = Cluster::start(mode, Bug::ForgetOnRestart).await;
        cluster.acknowledges(1, "x", 1).await;
        cluster.converges_to("x", 1).await;
        cluster.isolate(1);
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        cluster.heal();
        eventually(async || cluster.read(1, "x").await == Err(404)).await;
        assert_eq!(cluster.copy(2, "x").await, Some(1), "{mode}");
    }
}

#[tokio::test]
async fn lose_write_on_failover_undoes_committed_entries() {
    let cluster = Cluster::start("majority", Bug::LoseWriteOnFailover).await;
    let old = cluster.primaries().await[0];
    cluster.acknowledges(old, "x", 1).await;
    cluster.converges_to("x", 1).await;
    cluster.isolate(old);
    let new = cluster.new_primary(old).await;
    eventually(async || cluster.read(new, "x").await == Err(404)).await;
}

#[tokio::test]
async fn never_steps_down_keeps_the_split() {
    let cluster = Cluster::start("failover-async", Bug::NeverStepsDown).await;
    cluster.isolate(1);
    let new = cluster.new_primary(1).await;
    cluster.heal();
    cluster.acknowledges(new, "x", 2).await;
    cluster.acknowledges(1, "x", 3).await;
    let other = 5 - new;
    eventually(async || cluster.copy(other, "x").await == Some(2)).await;
    assert_eq!(cluster.copy(1, "x").await, Some(3));
    assert_eq!(cluster.primaries().await, [1, new]);
}

#[tokio::test]
async fn read_from_deposed_leader_is_stale() {
    let cluster = Cluster::start("majority", Bug::ReadFromDeposedLeader).await;
    let old = cluster.primaries().await[0];
    cluster.acknowledges(old, "x", 1).await;
    cluster.isolate(old);
    let new = cluster.new_primary(old).await;
    eventually(async || cluster.write(new, "x", 2).await == 200).await;
    assert_eq!(cluster.read(old, "x").await, Ok(1));
}

#[tokio::test]
async fn skip_replication_to_last_leaves_it_without_some_keys() {
    let cluster = Cluster::start("gossip-lww", Bug::SkipReplicationToLast).await;
    for key in ["a", "b", "c"] {
        cluster.acknowledges(1, key, 1).await;
    }
    for (i, key) in [(3, "a"), (3, "b"), (2, "c")] {
        eventually(async || cluster.copy(i, key).await == Some(1)).await;
    }
    assert_eq!(cluster.copy(3, "c").await, None);
}

#[tokio::test]
async fn stale_cache_answers_what_was() {
    for mode in ["single", "primary-sync", "majority"] {
        let cluster = Cluster::start(mode, Bug::StaleCache).await;
        cluster.acknowledges(1, "x", 1).await;
        assert_eq!(cluster.read(1, "x").await, Ok(1));
        cluster.acknowledges(1, "x", 2).await;
        assert_eq!(cluster.read(1, "x").await, Ok(1), "{mode}");
        eventually(async || cluster.read(1, "x").await == Ok(2)).await;
    }
}
