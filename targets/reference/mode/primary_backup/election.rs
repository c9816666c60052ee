//! Who becomes primary when the old one is not heard any more: majority votes, one per term.
//!
//! A node takes up a term only when it has won it or hears its primary, so that a replica which
//! was cut off and stood for election in vain does not disturb anybody when it comes back.

use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{Message, PrimaryBackup};

/// A primary that was not heard for so long counts as failed.
pub const FAILURE_LIMIT: Duration = Duration::from_millis(500);
/// How long a candidate waits for votes.
const VOTE_LIMIT: Duration = Duration::from_millis(250);
/// Candidates wait a random time up to this, so that they seldom stand at once.
const JITTER: Duration = Duration::from_millis(200);

/// A candidate's request for a vote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ballot {
    pub term: u64,
    /// The term and the length of the candidate's log.
    pub last_term: u64,
    pub length: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vote {
    pub granted: bool,
    /// The highest term in which the voter has voted.
    pub voted: u64,
}

/// Stands for election whenever the primary is missed.
pub(super) async fn watch_primary(replica: Arc<PrimaryBackup>) {
    let mut random = ChaCha8Rng::seed_from_u64(replica.node.seed);
    loop {
        tokio::time::sleep(random.random_range(Duration::from_millis(20)..JITTER)).await;
        if replica.state().misses_primary() {
            replica.stand().await;
        }
    }
}

impl PrimaryBackup {
    async fn stand(&self) {
        let ballot = {
            let mut state = self.state();
            let ballot = Ballot {
                term: state.voted.max(state.term) + 1,
                last_term: state.term,
                length: state.log.end(),
            };
            state.give_vote(ballot.term);
            ballot
        };
        let mut votes = JoinSet::new();
        for peer in self.node.peers.others() {
            let (peers, peer) = (self.node.peers.clone(), peer.clone());
            let ballot = ballot.clone();
            votes.spawn(async move {
                peers.call::<_, Vote>(&peer, &Message::Vote(ballot), VOTE_LIMIT).await
            });
        }
        let (mut granted, mut highest) = (1, ballot.term);
        while granted < self.node.peers.majority() {
            match votes.join_next().await {
                Some(Ok(Ok(vote))) => {
                    granted += usize::from(vote.granted);
                    highest = highest.max(vote.voted);
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut state = self.state();
        if granted < self.node.peers.majority() {
            // The next ballot has to be above every vote that was given.
            state.voted = state.voted.max(highest);
        } else if state.voted == ballot.term && state.misses_primary() {
            // Else another primary was heard, or voted for, meanwhile.
            state.become_primary(ballot.term);
            self.wake.send_replace(());
        }
    }
}
