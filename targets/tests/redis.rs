//! The redis driver against a real Redis Cluster of six nodes on loopback.

mod support;

use std::time::Duration;

use splitbrain_checkers::history::{NOT_HELD, Value};
use splitbrain_targets::driver::Reply;
use support::*;

fn not_held() -> Reply {
    Reply::Fail(NOT_HELD.to_string())
}

#[tokio::test]
async fn a_register() {
    let running = start("redis", &[]).await;
    check_register(&running).await;
    check_concurrent_cas(&running).await;
    // A primary and a replica hold the key, the other four say that they do not.
    let replies = settle(&running, "x", |replies| {
        replies.iter().filter(|reply| **reply == Reply::Ok(Value::Int(5))).count() == 2
    })
    .await;
    assert_eq!(replies.iter().filter(|reply| **reply == not_held()).count(), 4, "{replies:?}");
}

/// Settings that only differ in what is asked for.
#[tokio::test]
async fn replicas_read_and_confirm() {
    let changes = [("read", "replica"), ("wait", "1"), ("min-replicas", "1")];
    let running = start("redis", &changes).await;
    write_confirmed(&running, "x", 7).await;
    // Confirmed by its replica: whoever is asked, the answer is the new value.
    for index in 0..6 {
        let reply = running.client(index).await.request(&read("x")).await;
        assert_eq!(reply, Reply::Ok(Value::Int(7)), "n{}", index + 1);
    }
}

/// Writes until a replica has confirmed it. A primary that has not heard from its replica for two
/// seconds refuses, which a machine that is short of processor time can make true at any moment.
async fn write_confirmed(running: &Running, key: &str, value: i64) {
    let mut client = running.client(0).await;
    let begin = std::time::Instant::now();
    loop {
        match client.request(&write(key, value)).await {
            Reply::Ok(_) => return,
            Reply::Fail(why) if why.contains("NOREPLICAS") => {}
            Reply::Info(why) if why.starts_with("WAIT") => {}
            reply => panic!("{key}: {reply:?}"),
        }
        assert!(begin.elapsed() < Duration::from_secs(15), "{key} is still not confirmed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A primary that dies: its clients' requests fail, its slots are refused everywhere until the
/// replica takes over, and then everything works again.
#[tokio::test]
async fn a_primary_dies() {
    let mut running = start("redis", &[]).await;
    let primary = running.primary().await;
    let other = (primary + 1) % 6;
    let mut client = running.client(other).await;
    let mut keys = Vec::new();
    for number in 0..30 {
        let key = format!("k{number}");
        assert_eq!(client.request(&write(&key, 1)).await, Reply::Ok(Value::Nil));
        keys.push(key);
    }
    running.stop(primary);
    let mut gone = running.client(primary).await;
    for request in [write("x", 2), cas("x", 1, 2), read("x"), replica_read("x")] {
        let reply = gone.request(&request).await;
        assert!(matches!(reply, Reply::Fail(_)), "{request:?}: {reply:?}");
    }
    let begin = std::time::Instant::now();
    let mut refused = 0;
    for key in &keys {
        loop {
            let mut client = running.client(other).await;
            match client.request(&write(key, 2)).await {
                Reply::Ok(_) => break,
                Reply::Fail(_) => refused += 1,
                reply => panic!("{key}: {reply:?}"),
            }
            assert!(begin.elapsed() < Duration::from_secs(15), "{key} is still refused");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(refused > 0, "no request met the dead primary");
    assert_ne!(running.primary().await, primary);
    let mut client = running.client(other).await;
    for key in &keys {
        assert_eq!(client.request(&read(key)).await, Reply::Ok(Value::Int(2)), "{key}");
    }
}
