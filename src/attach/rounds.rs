//! Who can connect to whom: rounds in which every node tries to connect to every other.
//!
//! Where probers cannot run, this is what alone shows that a link was cut and came back. A connection
//! takes packets in both directions, so a round tells which *pairs* are cut; which direction, the
//! counters of the rules say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use splitbrain_checkers::history::Time;
use splitbrain_checkers::partition::Link;

use super::keeper::{Attempt, Keeper, KeeperError};
use crate::clock::Clock;
use crate::link_log::LinkLog;
use crate::sandbox::{LinkEvent, LinkState};

/// Pause between two rounds while links are cut.
const PAUSE: Duration = Duration::from_millis(500);

/// One round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub began: Time,
    pub ended: Time,
    /// Whether each attempt was answered.
    pub reached: BTreeMap<Link, bool>,
}

impl Round {
    /// Whether every attempt was answered.
    pub fn is_whole(&self) -> bool {
        self.reached.values().all(|reached| *reached)
    }
}

/// Makes rounds and keeps them.
pub struct Rounds {
    clock: Clock,
    keepers: Arc<Vec<Keeper>>,
    attempts: Vec<Vec<Attempt>>,
    kept: Mutex<Kept>,
}

struct Kept {
    rounds: Vec<Round>,
    /// Where changes of links go, unless probers see them sooner.
    links: Option<LinkLog>,
}

impl Rounds {
    /// `attempts` are those of each keeper.
    pub fn new(
        clock: Clock,
        keepers: Arc<Vec<Keeper>>,
        attempts: Vec<Vec<Attempt>>,
        links: Option<LinkLog>,
    ) -> Rounds {
        let kept = Mutex::new(Kept { rounds: Vec::new(), links });
        Rounds { clock, keepers, attempts, kept }
    }

    /// Makes one round: some tens of milliseconds, a second if a link is cut.
    ///
    /// # Errors
    /// If a machine cannot try.
    pub async fn make(&self) -> Result<Round, KeeperError> {
        let began = self.clock.now();
        let tries = self.keepers.iter().zip(&self.attempts);
        let tried = try_join_all(tries.map(|(keeper, attempts)| keeper.connect(attempts))).await?;
        let round = Round {
            began,
            ended: self.clock.now(),
            reached: tried.into_iter().flatten().collect(),
        };
        self.keep(round.clone());
        Ok(round)
    }

    /// Makes rounds until it is dropped; returns only if a machine cannot try.
    pub async fn go_on(&self) -> KeeperError {
        loop {
            if let Err(error) = self.make().await {
                return error;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Every round that began at `since` or later.
    pub fn since(&self, since: Time) -> Vec<Round> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.rounds.iter().filter(|round| round.began >= since).cloned().collect()
    }

    fn keep(&self, round: Round) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = changes(kept.rounds.last(), &round);
        if let Some(links) = &mut kept.links {
            changes.iter().for_each(|event| links.write(event));
        }
        kept.rounds.push(round);
    }
}

/// The links that went down or came up since the round before. A link goes down when it was first
/// tried in vain, and up when it was answered.
fn changes(before: Option<&Round>, round: &Round) -> Vec<LinkEvent> {
    let was = |link: &Link| before.and_then(|before| before.reached.get(link)).copied();
    let changed = round.reached.iter().filter(|(link, now)| was(link) != Some(**now));
    let event = |(link, now): (&Link, &bool)| LinkEvent {
        time: if *now { round.ended } else { round.began },
        from: link.from.clone(),
        to: link.to.clone(),
        link: if *now { LinkState::Up } else { LinkState::Down },
    };
    // Nothing is told of a link that was never up.
    changed.filter(|(link, now)| **now || was(link).is_some()).map(event).collect()
}
