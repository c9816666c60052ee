//! An oracle for isolation models and a generator of small histories of transactions.

pub mod generate;
pub mod oracle;
