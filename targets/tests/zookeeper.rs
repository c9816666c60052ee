//! The zookeeper driver against a real ensemble of three servers on loopback.

mod support;

use std::time::{Duration, Instant};

use splitbrain_checkers::history::Value;
use splitbrain_targets::driver::Reply;
use support::*;

#[tokio::test]
async fn a_register() {
    let running = start("zookeeper", &[("read", "sync")]).await;
    check_register(&running).await;
    check_concurrent_cas(&running).await;
    let replies = settle(&running, "x", |replies| {
        replies.iter().all(|reply| *reply == Reply::Ok(Value::Int(5)))
    })
    .await;
    assert_eq!(replies, vec![Reply::Ok(Value::Int(5)); 3]);
}

/// The leader dies: its clients' requests fail, the others elect another one, and the sessions
/// of their clients are opened anew without anybody's help.
#[tokio::test]
async fn the_leader_dies() {
    let mut running = start("zookeeper", &[]).await;
    let leader = running.primary().await;
    let other = (leader + 1) % 3;
    let mut client = running.client(other).await;
    assert_eq!(client.request(&write("x", 1)).await, Reply::Ok(Value::Nil));
    running.stop(leader);
    let mut gone = running.client(leader).await;
    for request in [write("x", 2), cas("x", 1, 2), read("x"), replica_read("x")] {
        let reply = gone.request(&request).await;
        assert!(matches!(reply, Reply::Fail(_)), "{request:?}: {reply:?}");
    }
    let begin = Instant::now();
    let mut value = 2;
    loop {
        let mut client = running.client(other).await;
        match within(Duration::from_secs(1), client.as_mut(), &write("x", value)).await {
            Some(Reply::Ok(_)) => break,
            Some(Reply::Fail(_) | Reply::Info(_)) | None => value += 1,
            reply => panic!("{reply:?}"),
        }
        assert!(begin.elapsed() < Duration::from_secs(15), "writes still fail");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(running.primary().await, leader);
    let mut client = running.client(other).await;
    assert_eq!(client.request(&read("x")).await, Reply::Ok(Value::Int(value)));
    assert_eq!(client.request(&cas("x", value, 0)).await, Reply::Ok(Value::Nil));
}

/// Without a majority no write is definite; the server serves no reads for long either.
#[tokio::test]
async fn without_a_majority() {
    let mut running = start("zookeeper", &[]).await;
    let leader = running.primary().await;
    let (last, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let mut client = running.client(last).await;
    assert_eq!(client.request(&write("x", 1)).await, Reply::Ok(Value::Nil));
    running.stop(other);
    running.stop(leader);
    let limit = Duration::from_millis(500);
    for request in [write("x", 3), cas("x", 1, 4), cas("x", 9, 4), cas("none", 9, 4)] {
        let mut client = running.client(last).await;
        let reply = within(limit, client.as_mut(), &request).await;
        let definite = matches!(reply, Some(Reply::Ok(_) | Reply::Mismatch));
        assert!(!definite, "{request:?}: {reply:?}");
    }
}
