//! How links between nodes that run already are told apart, and so cut: one file each.
//!
//! - `local`: processes that share addresses, by their control groups
//! - `addresses`: nodes with a network namespace or a host of their own, by their addresses

use std::collections::BTreeSet;

use async_trait::async_trait;
use splitbrain_checkers::partition::Link;

use super::keeper::{Attempt, Keeper, KeeperError, Rules};
use crate::nemesis::rules::CHAIN;

/// Makes the rules for every keeper.
#[async_trait]
pub trait Filter: Send + Sync {
    /// The rules that lead to our chain, for each keeper; given once.
    fn way_in(&self) -> Vec<Rules>;

    /// The whole content of our chain that cuts `links` and nothing else, for each keeper.
    fn rules(&self, links: &BTreeSet<Link>) -> Vec<Rules>;

    /// A connection to try for every link, for each keeper.
    fn attempts(&self) -> Vec<Vec<Attempt>>;

    /// Looks at what may have changed since the last cut.
    ///
    /// # Errors
    /// If it cannot be seen.
    async fn refresh(&mut self, keepers: &[Keeper]) -> Result<(), KeeperError>;
}

/// A text for `iptables-restore --noflush` that replaces our chain.
pub fn chain(rules: &[String]) -> String {
    let mut text = format!("*filter\n:{CHAIN} - [0:0]\n");
    for rule in rules {
        text += &format!("-A {CHAIN} {rule}\n");
    }
    text + "COMMIT\n"
}

/// A text that makes our chain, empty, and leads to it from the top of a built-in one.
pub fn way_to_chain(from: &str) -> String {
    format!("*filter\n:{CHAIN} - [0:0]\n-I {from} 1 -j {CHAIN}\nCOMMIT\n")
}

/// The end of a rule that drops what crosses a link.
pub fn drop(link: &Link) -> String {
    format!("-m comment --comment \"{link}\" -j DROP")
}
