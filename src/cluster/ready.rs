//! Waits until a node says that the cluster works.

use std::process::Stdio;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::node::RunningNode;
use crate::fault::HarnessFault;
use crate::plan::{Ready, ReadyProbe};

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(50);
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks until the answer is the wanted one or the time is up. A node that dies meanwhile is a
/// fault of its own, which the caller hears of.
pub async fn wait(ready: &Ready, node: &RunningNode) -> Result<(), HarnessFault> {
    let deadline = Instant::now() + ready.within;
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .map_err(|error| HarnessFault::Sandbox(format!("no http client: {error}")))?;
    loop {
        let reason = match ask(&ready.probe, &client).await {
            Ok(answer) if answer.contains(&ready.contains) => return Ok(()),
            Ok(answer) => format!(
                "the ready check answered without {:?}: {}",
                ready.contains,
                shortened(&answer)
            ),
            Err(reason) => reason,
        };
        if Instant::now() >= deadline {
            return Err(HarnessFault::NeverReady {
                within: ready.within,
                reason,
                last_words: node.last_words(),
            });
        }
        sleep(PAUSE).await;
    }
}

async fn ask(probe: &ReadyProbe, client: &reqwest::Client) -> Result<String, String> {
    match probe {
        ReadyProbe::Http(url) => {
            let failed = |error| format!("{url}: {}", cause(&error));
            let answer = client.get(url).send().await.map_err(failed)?;
            let status = answer.status();
            let text = answer.text().await.map_err(failed)?;
            if status == reqwest::StatusCode::OK {
                Ok(text)
            } else {
                Err(format!("{url}: {status} {}", shortened(&text)))
            }
        }
        ReadyProbe::Command(command) => {
            let run = tokio::process::Command::new("sh")
                .arg("-c")
                .arg(command)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output();
            let output = timeout(PATIENCE, run)
                .await
                .map_err(|_| format!("no answer in {PATIENCE:?}: {command}"))?
                .map_err(|error| format!("sh cannot be run: {error}"))?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() {
                Ok(text)
            } else {
                let error = String::from_utf8_lossy(&output.stderr);
                Err(format!("{}: {command}: {}", output.status, shortened(&error)))
            }
        }
    }
}

/// What is behind an error, which by itself says only that the request failed.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// Enough of an answer to see what it is.
fn shortened(text: &str) -> String {
    text.trim().chars().take(200).collect()
}
