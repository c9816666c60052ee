//! The http driver against a real etcd of three nodes on loopback.

mod support;

use std::time::Duration;

use splitbrain_checkers::history::Value;
use splitbrain_targets::driver::Reply;
use support::*;

#[tokio::test]
async fn a_register() {
    let running = start("etcd", &[]).await;
    check_register(&running).await;
    check_concurrent_cas(&running).await;
    let replies = settle(&running, "x", |replies| {
        replies.iter().all(|reply| *reply == Reply::Ok(Value::Int(5)))
    })
    .await;
    assert_eq!(replies, vec![Reply::Ok(Value::Int(5)); 3]);
}

/// Nothing is sent to a server that is gone; with the majority gone nothing is definite, and
/// only a serializable read is still answered.
#[tokio::test]
async fn without_a_majority() {
    let mut running = start("etcd", &[]).await;
    let primary = running.primary().await;
    let (last, other) = ((primary + 1) % 3, (primary + 2) % 3);
    let mut client = running.client(last).await;
    assert_eq!(client.request(&write("x", 1)).await, Reply::Ok(Value::Nil));
    running.stop(primary);
    running.stop(other);
    let mut gone = running.client(primary).await;
    for request in [write("x", 2), cas("x", 1, 2), read("x")] {
        let reply = gone.request(&request).await;
        assert!(matches!(reply, Reply::Fail(_)), "{request:?}: {reply:?}");
    }
    let limit = Duration::from_millis(1500);
    for request in [write("x", 3), cas("x", 1, 4), cas("x", 9, 4), read("x")] {
        let mut client = running.client(last).await;
        let reply = within(limit, client.as_mut(), &request).await;
        let definite = matches!(reply, Some(Reply::Ok(_) | Reply::Mismatch));
        assert!(!definite, "{request:?}: {reply:?}");
    }
    let mut client = running.client(last).await;
    assert_eq!(client.request(&replica_read("x")).await, Reply::Ok(Value::Int(1)));
}

#[tokio::test]
async fn the_setting_reaches_the_request() {
    let mut running = start("etcd", &[("read", "serializable")]).await;
    let mut client = running.client(0).await;
    assert_eq!(client.request(&write("x", 1)).await, Reply::Ok(Value::Nil));
    running.stop(1);
    running.stop(2);
    assert_eq!(client.request(&read("x")).await, Reply::Ok(Value::Int(1)));
}
