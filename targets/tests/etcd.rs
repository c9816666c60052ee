//! The http driver against a real etcd of three nodes on loopback.

mod support;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use splitbrain_checkers::history::Value;
use splitbrain_targets::driver::{Cluster, Node, Reply};
use support::*;
use tokio::net::{TcpListener, TcpStream};

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

/// A node that is reached on another port than etcd's usual one, and on another IP.
#[tokio::test]
async fn a_node_on_another_port() {
    let running = start("etcd", &[]).await;
    let port = forward_to(running.cluster.nodes[0].address(2379)).await;
    let node = Node { name: "n1".into(), index: 1, ip: Ipv4Addr::LOCALHOST, port: Some(port) };
    let settings = running.cluster.settings.clone();
    let cluster = Cluster::new(vec![node.clone()], settings);
    let mut client = running.driver.connect(&cluster, &node).await.unwrap();
    assert_eq!(client.request(&write("x", 1)).await, Reply::Ok(Value::Nil));
    assert_eq!(client.request(&read("x")).await, Reply::Ok(Value::Int(1)));
    // It is this cluster that was written to.
    let mut other = running.client(1).await;
    assert_eq!(other.request(&read("x")).await, Reply::Ok(Value::Int(1)));
}

/// Passes connections on to `server`; returns the port on 127.0.0.1 that it listens on.
async fn forward_to(server: SocketAddrV4) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(server).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}
