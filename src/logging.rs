//! Logs: to a file in the run's folder, and to standard error with `-v`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// What our own code says, and the warnings of libraries: an HTTP client alone has several lines
/// to say of every request.
fn of_the_harness(level: LevelFilter) -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target("splitbrain", level)
}

/// Starts logging; an error if the file cannot be opened or logging was started before.
pub fn start(file: &Path, verbose: u8) -> io::Result<()> {
    let file = File::options().create(true).append(true).open(file)?;
    let to_file = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(file)
        .with_filter(of_the_harness(LevelFilter::DEBUG));
    let to_terminal = match verbose {
        0 => Targets::new(),
        1 => of_the_harness(LevelFilter::INFO),
        _ => Targets::new().with_default(LevelFilter::DEBUG),
    };
    let to_terminal = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .with_filter(to_terminal);
    tracing_subscriber::registry()
        .with(to_file)
        .with(to_terminal)
        .try_init()
        .map_err(|error: TryInitError| io::Error::other(error))
}
