//! An oracle for isolation models and a generator of small histories of transactions.
#![allow(dead_code)] // Each test binary and the benchmark use their own part.

pub mod generate;
pub mod oracle;
pub mod transaction;
