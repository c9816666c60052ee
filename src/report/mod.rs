//! The outputs of a run: pure functions from data to text. Nothing here opens a file.
//!
//! - [`data`]: what the outputs are made of
//! - [`html`]: the page `report.html`, one file without network
//! - [`terminal`]: the summary, 24 lines of 80 columns
//! - [`junit`]: the file `junit.xml`
//! - [`json`]: the files `findings.json` and `verdict.json`
//! - [`demo`]: the demo's table and its page over all modes
//!
//! `report.html`, `demo.html`, `report.css`, `lanes.js` and `report.js` are real files beside these;
//! they are built into the program.

pub mod data;
pub mod demo;
mod finals;
pub mod html;
pub mod json;
pub mod junit;
mod labels;
pub(crate) mod promises;
mod sample;
#[cfg(test)]
mod synthetic;
mod tables;
pub mod terminal;
pub(crate) mod text;
mod timeline;
mod witness;
