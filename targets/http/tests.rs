//! The whole driver against a scripted server on loopback.

use std::net::Ipv4Addr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A section in which everything is used; the port is filled in.
fn config(port: u16) -> Json {
    let url = format!("http://{{ip}}:{port}/kv/{{key}}");
    json!({
        "variables": { "local": { "from": "read", "map": { "fast": true, "safe": false } } },
        "read": {
            "method": "POST", "url": url, "body": { "local": "{local}" },
            "value": { "pointer": "/value", "decode": "base64" },
            "missing": { "absent": "/value" },
            "fail": { "contains": "never mind" }
        },
        "write": { "method": "PUT", "url": url, "body": "{value}", "fail": [409, "500-501"] },
        "cas": {
            "method": "POST", "url": url, "headers": { "If-Match": "{expected}" },
            "body": [ "{new}" ], "mismatch": 412, "info": 202
        }
    })
}

fn settings() -> BTreeMap<String, String> {
    [("read".to_string(), "fast".to_string())].into()
}

fn cluster() -> Cluster {
    let node = Node { name: "n1".into(), index: 1, ip: Ipv4Addr::LOCALHOST, port: None };
    Cluster::new(vec![node], settings())
}

/// Answers one request with `answer` and returns what was sent.
async fn answer_once(listener: TcpListener, answer: &'static str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut buffer = vec![0; 4096];
    let length = stream.read(&mut buffer).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// One operation against a server that answers `answer`: the reply, and what was sent.
async fn run(f: Function, value: Value, answer: &'static str) -> (Reply, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let driver = HttpDriver::new(&config(port), &settings()).unwrap();
    let cluster = cluster();
    let mut client = driver.connect(&cluster, &cluster.nodes[0]).await.unwrap();
    let request = Request { f, key: "x".into(), value };
    let (reply, sent) = tokio::join!(client.request(&request), answer_once(listener, answer));
    (reply, sent)
}

fn pair() -> Value {
    Value::pair(Value::Int(1), Value::Int(2))
}

const EMPTY_200: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const UNAVAILABLE: &str = "HTTP/1.1 503 Gone\r\ncontent-length: 9\r\n\r\nno leader";

#[tokio::test]
async fn a_read_and_what_it_sends() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"value\":\"MTI=\"}";
    let (reply, sent) = run(Function::Read, Value::Nil, answer).await;
    assert_eq!(reply, Reply::Ok(Value::Int(12)));
    assert!(sent.starts_with("POST /kv/x HTTP/1.1"), "{sent}");
    assert!(sent.contains("application/json"), "{sent}");
    assert!(sent.ends_with(r#"{"local":true}"#), "{sent}");
}

#[tokio::test]
async fn a_missing_key_is_nil_but_an_error_is_not() {
    let missing = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(run(Function::Read, Value::Nil, missing).await.0, Reply::Ok(Value::Nil));
    for answer in [EMPTY_200, UNAVAILABLE, "HTTP/1.1 500 E\r\ncontent-length: 2\r\n\r\n{}"] {
        let (reply, _) = run(Function::Read, Value::Nil, answer).await;
        assert!(matches!(reply, Reply::Fail(_)), "{answer}: {reply:?}");
    }
}

#[tokio::test]
async fn writes_without_a_definite_answer_are_indefinite() {
    assert_eq!(run(Function::Write, Value::Int(7), EMPTY_200).await.0, Reply::Ok(Value::Nil));
    for (answer, definite) in [
        (UNAVAILABLE, false),
        ("", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal", false),
        ("HTTP/1.1 302 F\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 409 C\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 501 N\r\ncontent-length: 0\r\n\r\n", true),
    ] {
        let (reply, _) = run(Function::Write, Value::Int(7), answer).await;
        assert_eq!(matches!(reply, Reply::Fail(_)), definite, "{answer}: {reply:?}");
        assert_eq!(matches!(reply, Reply::Info(_)), !definite, "{answer}: {reply:?}");
    }
}

#[tokio::test]
async fn compare_and_set() {
    let (reply, sent) = run(Function::Cas, pair(), EMPTY_200).await;
    assert_eq!(reply, Reply::Ok(Value::Nil));
    assert!(sent.contains("if-match: 1\r\n") && sent.ends_with("[2]"), "{sent}");
    let mismatch = "HTTP/1.1 412 P\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(run(Function::Cas, pair(), mismatch).await.0, Reply::Mismatch);
    let accepted = "HTTP/1.1 202 A\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(run(Function::Cas, pair(), accepted).await.0, Reply::Info(_)));
}

/// A write to a port where nobody listens, and requests that cannot be sent.
#[tokio::test]
async fn what_was_never_sent_has_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let driver = HttpDriver::new(&config(port), &settings()).unwrap();
    let cluster = cluster();
    let mut client = driver.connect(&cluster, &cluster.nodes[0]).await.unwrap();
    for (f, value) in [
        (Function::Write, Value::Int(1)),
        (Function::Write, Value::Nil),
        (Function::Cas, Value::pair(Value::Nil, Value::Int(1))),
        (Function::ReplicaRead, Value::Nil),
    ] {
        let request = Request { f, key: "x".into(), value };
        let reply = client.request(&request).await;
        assert!(matches!(reply, Reply::Fail(_)), "{request:?}: {reply:?}");
    }
}

/// A section that writes and looks for the leader at `{address}`; null: without a `port`.
fn config_at_address(port: Json) -> Json {
    let mut config = json!({
        "write": { "method": "PUT", "url": "http://{address}/{key}", "body": "{value}" },
        "primary": { "method": "GET", "url": "http://{address}/", "contains": "it is me" }
    });
    if !port.is_null() {
        config["port"] = port;
    }
    config
}

/// Nobody listens on port 1.
#[tokio::test]
async fn an_address_has_the_port_of_its_node_or_else_the_usual_one() {
    for says_port in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (own, usual) = if says_port { (Some(port), 1) } else { (None, port) };
        let driver = HttpDriver::new(&config_at_address(json!(usual)), &settings()).unwrap();
        let mut cluster = cluster();
        cluster.nodes[0].port = own;
        let mut client = driver.connect(&cluster, &cluster.nodes[0]).await.unwrap();
        let request = Request { f: Function::Write, key: "x".into(), value: Value::Int(7) };
        let (reply, sent) =
            tokio::join!(client.request(&request), answer_once(listener, EMPTY_200));
        assert_eq!(reply, Reply::Ok(Value::Nil));
        assert!(sent.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{sent}");
    }
}

#[tokio::test]
async fn nodes_on_one_ip_are_told_apart_by_their_ports() {
    let driver = HttpDriver::new(&config_at_address(json!(1)), &settings()).unwrap();
    let mut cluster = cluster();
    cluster.nodes.push(Node { name: "n2".into(), index: 2, ..cluster.nodes[0].clone() });
    let follower = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let leader = TcpListener::bind("127.0.0.1:0").await.unwrap();
    cluster.nodes[0].port = Some(follower.local_addr().unwrap().port());
    cluster.nodes[1].port = Some(leader.local_addr().unwrap().port());
    let says_so = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nit is me";
    let (primary, _, _) = tokio::join!(
        driver.primary(&cluster),
        answer_once(follower, EMPTY_200),
        answer_once(leader, says_so)
    );
    assert_eq!(primary, Ok(Some("n2".into())));
}

#[test]
fn an_address_needs_a_port_that_there_is() {
    let mistakes = |port| {
        let mistakes = HttpDriver::new(&config_at_address(port), &settings()).err().unwrap();
        mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>()
    };
    let missing = mistakes(Json::Null);
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(missing[0].contains("`port` is missing"), "{missing:?}");
    assert!(missing[0].contains("accepted: port: 2379"), "{missing:?}");
    for wrong in [json!(0), json!(70000), json!("x"), json!(-1), json!(23.5)] {
        let message =
            format!("port: `{wrong}` does not fit `port`; accepted: a number from 1 to 65535");
        assert_eq!(mistakes(wrong), [message]);
    }
}

#[test]
fn all_mistakes_are_found_at_once() {
    let wrong = json!({
        "variables": {
            "local": { "from": "reed", "map": {} },
            "key": { "from": "read", "map": { "fast": "x" } },
            "other": { "from": "read", "map": { "safe": 1 } }
        },
        "read": { "method": "FETCH", "url": "http://{ip}/{kye}", "missing": 404, "vlaue": {} },
        "write": { "method": "PUT", "url": "http://{ip}/{key}", "fail": "never" },
        "cas": { "method": "PUT", "url": "http://{ip}/{key}", "body": ["{expected}", "{new}"] },
        "delete": {},
        "primary": { "method": "GET", "url": "http://{ip}/", "equal": ["/a"], "contains": "x" }
    });
    let mistakes = HttpDriver::new(&wrong, &settings()).err().unwrap();
    let places: Vec<String> = mistakes.iter().map(|mistake| mistake.path.join(".")).collect();
    for place in [
        "variables.local.from",
        "variables.key",
        "variables.other.map",
        "read.method",
        "read.url",
        "read.vlaue",
        "write.fail",
        "write",
        "cas",
        "delete",
        "primary.equal",
    ] {
        assert!(places.iter().any(|found| found == place), "{place} not in {places:?}");
    }
    assert!(mistakes.iter().all(|mistake| !mistake.accepted.is_empty()));
}

#[test]
fn it_says_what_it_can_do() {
    let driver = HttpDriver::new(&config(1), &settings()).unwrap();
    assert_eq!(driver.operations(), [Function::Read, Function::Write, Function::Cas]);
}
