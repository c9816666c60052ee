//! The ladder and the staleness of a run, in words and rows.

use splitbrain_checkers::ladder::{Ladder, Standing, Step};
use splitbrain_checkers::staleness::{Fresh, Staleness};

use super::data::RunData;
use super::labels::State;
use super::text;
use crate::check::Promises;

/// A step of the ladder.
pub struct StepView {
    pub model: &'static str,
    /// Only its mark and its colour: nothing that was checked so is more than not refuted.
    pub state: State,
    pub standing: &'static str,
    /// What the check said, or from which other answer this one follows.
    pub why: String,
}

/// How fresh reads were so long after a write was done.
pub struct FreshRow {
    pub after: String,
    pub percent: String,
    pub interval: String,
    pub of: String,
}

/// How a standing is marked.
fn state(standing: Standing) -> State {
    match standing {
        Standing::Refuted => State::Refuted,
        Standing::NotRefuted => State::Valid,
        Standing::Unknown => State::Unknown,
        Standing::NotExercised => State::NotExercised,
    }
}

/// Every step, strongest first; none if the ladder was not asked for.
pub fn steps(data: &RunData) -> Vec<StepView> {
    let ladder = data.promises.as_ref().map(|promises| &promises.ladder);
    ladder.into_iter().flat_map(|ladder| &ladder.steps).map(step).collect()
}

fn step(step: &Step) -> StepView {
    let standing = step.standing.as_str();
    let why = match (&step.follows_from, &step.finding) {
        (Some(other), _) => format!("follows from {}, {standing}", other.name()),
        (None, Some(finding)) => finding.summary.clone(),
        (None, None) => String::new(),
    };
    StepView { model: step.model.name(), state: state(step.standing), standing, why }
}

/// The ladder in one line, each standing apart: `✗ linearizable`, `✓ sequential and 7 more`. Of
/// what was refuted the weakest is named, of all else the strongest.
pub fn groups(ladder: &Ladder) -> Vec<(State, String)> {
    let group = |standing| {
        let models: Vec<&str> = ladder.standing(standing).map(|model| model.name()).collect();
        let named = if standing == Standing::Refuted { models.last() } else { models.first() };
        let state = state(standing);
        Some((
            state,
            match models.len() {
                1 => format!("{} {}", state.mark(), named?),
                more => format!("{} {} and {} more", state.mark(), named?, more - 1),
            },
        ))
    };
    Standing::ALL.into_iter().filter_map(group).collect()
}

/// `31 of 4,011 reads returned what had been overwritten up to 1.40 s before, up to 3 versions
/// behind`; nothing if none surely did.
pub fn stale(staleness: &Staleness) -> Option<String> {
    let (oldest, behind) = (staleness.oldest.as_ref()?, staleness.most_behind.as_ref()?);
    Some(format!(
        "{} of {} returned what had been overwritten up to {} before, up to {} behind",
        text::thousands(staleness.stale as u64),
        text::count(staleness.reads, "read", "reads"),
        text::duration(oldest.age),
        text::count(behind.behind, "version", "versions"),
    ))
}

/// By time after a write, for a run that had stale reads.
pub fn fresh(data: &RunData) -> Vec<FreshRow> {
    let measured = data.promises.as_ref().and_then(Promises::measured);
    let stale = measured.filter(|staleness| staleness.stale > 0);
    let rows = stale.into_iter().flat_map(|staleness| &staleness.fresh);
    rows.filter(|row| row.fresh.attempted > 0).map(fresh_row).collect()
}

fn fresh_row(row: &Fresh) -> FreshRow {
    let (low, high) = row.fresh.interval();
    FreshRow {
        after: text::duration(row.after),
        percent: row.fresh.share().map_or("–".into(), |share| text::percent(share) + " %"),
        interval: format!("{} to {}", text::percent(low), text::percent(high)),
        of: text::thousands(row.fresh.attempted as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn each_standing_is_named_once_with_its_number() {
        let data = synthetic::stale_reads();
        let ladder = &data.promises.as_ref().unwrap().ladder;
        let groups = groups(ladder);
        let steps = steps(&data);
        assert_eq!(steps.len(), 9);
        let refuted = steps.iter().filter(|step| step.state == State::Refuted).count();
        assert!(refuted > 0 && groups[0].1.starts_with("✗ "), "{}", groups[0].1);
        if refuted > 1 {
            assert!(groups[0].1.ends_with(&format!("and {} more", refuted - 1)));
        }
    }

    #[test]
    fn only_a_run_with_stale_reads_says_how_stale() {
        let measured = |data: &RunData| data.promises.clone().unwrap().staleness.unwrap();
        let data = synthetic::stale_reads();
        assert!(stale(&measured(&data)).unwrap().contains("versions behind"));
        let rows = fresh(&data);
        assert!(!rows.is_empty() && rows[0].percent != "100 %");
        let data = synthetic::consistent();
        assert_eq!(stale(&measured(&data)), None);
        assert!(fresh(&data).is_empty());
    }
}
