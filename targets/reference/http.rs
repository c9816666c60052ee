//! The HTTP front: routes, and what each answer of the store is in HTTP.
//!
//! | status | meaning |
//! | --- | --- |
//! | 200 | done, or `{"value": 5}` |
//! | 404 | `{"error": "missing"}`: no such key |
//! | 409 | `{"error": "mismatch"}`: not the expected value, nothing changed |
//! | 501 | this mode does not have the operation |
//! | 503 | it did not take effect and never will |
//! | 504 | it may have taken effect, or may yet |

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::Log;
use super::operation::{Answer, Operation};
use super::server::Slot;

/// What the handlers share.
#[derive(Clone)]
pub struct Front {
    pub node: String,
    pub log: Log,
    pub slot: Slot,
    /// Whether every other node has been reached since the start.
    pub all_reached: Arc<AtomicBool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    value: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cas {
    /// Null: the register is expected not to exist.
    expected: Option<i64>,
    new: i64,
}

pub fn router(front: Front) -> Router {
    Router::new()
        .route("/registers/{key}", get(read).put(write))
        .route("/registers/{key}/cas", post(cas))
        .route("/replica/{key}", get(replica_read))
        .route("/status", get(status))
        .route("/peer", post(peer))
        // A replica's whole state may be larger than what axum takes by default.
        .layer(DefaultBodyLimit::disable())
        .with_state(front)
}

impl Front {
    /// Says what a client asks for, before anything is done about it.
    fn received(&self, request: fmt::Arguments) {
        if self.log == Log::Requests {
            // One call, so that the line is whole even if this process is killed right after. A
            // log that cannot be written is no reason to refuse the client.
            let _ = std::io::stdout().write_all(format!("received {request}\n").as_bytes());
        }
    }
}

async fn read(State(front): State<Front>, Path(key): Path<String>) -> Answer {
    front.received(format_args!("read {key}"));
    front.slot.replica().execute(Operation::Read { key }).await
}

async fn write(
    State(front): State<Front>,
    Path(key): Path<String>,
    Json(Put { value }): Json<Put>,
) -> Answer {
    front.received(format_args!("write {key} {value}"));
    front.slot.replica().execute(Operation::Write { key, value }).await
}

async fn cas(
    State(front): State<Front>,
    Path(key): Path<String>,
    Json(Cas { expected, new }): Json<Cas>,
) -> Answer {
    let from = expected.map_or("nothing".to_string(), |expected| expected.to_string());
    front.received(format_args!("cas {key} {from} {new}"));
    front.slot.replica().execute(Operation::Cas { key, expected, new }).await
}

async fn replica_read(State(front): State<Front>, Path(key): Path<String>) -> Answer {
    front.received(format_args!("replica-read {key}"));
    Answer::Value(front.slot.replica().replica_read(&key))
}

async fn status(State(front): State<Front>) -> Response {
    let status = front.slot.replica().status();
    let body = json!({
        "node": front.node,
        "role": status.role,
        "primary": status.primary,
        "ready": status.ready && front.all_reached.load(Ordering::Relaxed),
    });
    Json(body).into_response()
}

async fn peer(State(front): State<Front>, message: Bytes) -> Response {
    match front.slot.replica().peer_message(message).await {
        Ok(answer) => answer.into_response(),
        Err(error) => failure(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Answer::Value(Some(value)) => Json(json!({ "value": value })).into_response(),
            Answer::Value(None) => failure(StatusCode::NOT_FOUND, "missing"),
            Answer::Done => Json(json!({})).into_response(),
            Answer::Mismatch => failure(StatusCode::CONFLICT, "mismatch"),
            Answer::Unavailable(why) => failure(StatusCode::SERVICE_UNAVAILABLE, &why),
            Answer::Indeterminate(why) => failure(StatusCode::GATEWAY_TIMEOUT, &why),
            Answer::Unsupported(why) => failure(StatusCode::NOT_IMPLEMENTED, &why),
        }
    }
}

fn failure(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
