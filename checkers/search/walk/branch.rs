//! What may take effect next in a configuration: rules 2 to 5 of the [walk](super).

use super::{Configuration, Walk};
use crate::model::{After, Model, depends};
use crate::search::slots::Slots;
use crate::search::states::StateId;
use crate::search::timeline::Candidate;

impl<M: Model, S: Slots> Walk<'_, '_, M, S> {
    /// Pushes every configuration that one more effect leads to, the most promising one last.
    pub(super) fn branch(&mut self, configuration: Configuration<S>) {
        let timeline = self.timeline;
        let due = &timeline.candidates[timeline.moments[self.level].candidate as usize];
        self.find_related(&configuration, due);
        let has_choice = self.related.len() > 1;
        if has_choice && !self.seen.insert(configuration.clone()) {
            return;
        }
        let is_due_refused = has_choice && self.after(configuration.state, due).is_none();
        let mut next: Vec<(u8, u32, Configuration<S>)> = Vec::new();
        let mut last_action = None;
        for place in 0..self.related.len() {
            let candidate = &timeline.candidates[self.related[place] as usize];
            // Those of the same action stand together, the first to complete in front.
            if candidate.is_pure || last_action.replace(candidate.action) == Some(candidate.action)
            {
                continue;
            }
            if !candidate.is_sure() && !self.is_enabled(&configuration, candidate) {
                continue;
            }
            let Some(after) = self.effect(&configuration, candidate, due) else { continue };
            if !candidate.is_sure() && after.state == configuration.state {
                continue;
            }
            let rank = match candidate.slot == due.slot {
                true => 0,
                false if is_due_refused && self.allows(&after, due) => 1,
                false if candidate.is_sure() => 2,
                false => 3,
            };
            next.push((rank, candidate.completes, after));
        }
        next.sort_by_key(|(rank, completes, _)| std::cmp::Reverse((*rank, *completes)));
        self.stack.extend(next.into_iter().map(|(.., configuration)| configuration));
    }

    /// Collects the set D of the module's comment, sorted by action and completion.
    fn find_related(&mut self, configuration: &Configuration<S>, due: &Candidate) {
        let (model, timeline) = (self.model, self.timeline);
        let (mut pending, mut related) =
            (std::mem::take(&mut self.pending), std::mem::take(&mut self.related));
        pending.clear();
        related.clear();
        self.in_flight.each_without(&configuration.effective, |slot| {
            if slot != due.slot {
                pending.push(self.open[slot as usize]);
            }
        });
        related.push(self.open[due.slot as usize]);
        let candidate = |id: u32| &timeline.candidates[id as usize];
        let mut looked_at = 0;
        while looked_at < related.len() && !pending.is_empty() {
            let member = timeline.action(candidate(related[looked_at]));
            looked_at += 1;
            pending.retain(|id| {
                let is_related = depends(model, member, timeline.action(candidate(*id)));
                if is_related {
                    related.push(*id);
                }
                !is_related
            });
        }
        related.sort_unstable_by_key(|id| {
            let candidate = candidate(*id);
            (candidate.action, candidate.completes, candidate.slot)
        });
        (self.pending, self.related) = (pending, related);
    }

    /// Whether a related operation makes this one, which has no answer, matter now.
    fn is_enabled(&self, configuration: &Configuration<S>, unanswered: &Candidate) -> bool {
        let state = self.states.state(configuration.state);
        let action = self.timeline.action(unanswered);
        self.related.iter().any(|id| {
            let other = &self.timeline.candidates[*id as usize];
            other.slot != unanswered.slot
                && self.model.enables(state, action, self.timeline.action(other))
        })
    }

    /// The state after the operation, if it is allowed.
    fn after(&mut self, state: StateId, candidate: &Candidate) -> Option<StateId> {
        let (model, action) = (self.model, self.timeline.action(candidate));
        self.states.transition(state, candidate.action, |state| match model.apply(state, action) {
            After::Refused => None,
            After::Same => Some(None),
            After::Next(next) => Some(Some(next)),
        })
    }

    /// Whether the due operation can take effect, or has done so.
    fn allows(&mut self, configuration: &Configuration<S>, due: &Candidate) -> bool {
        configuration.effective.contains(due.slot) || self.after(configuration.state, due).is_some()
    }

    /// The configuration after the operation, and after all pure ones that are then allowed;
    /// `None` if it is refused, or if what follows is seen to be a dead end.
    fn effect(
        &mut self,
        configuration: &Configuration<S>,
        candidate: &Candidate,
        due: &Candidate,
    ) -> Option<Configuration<S>> {
        let (model, timeline) = (self.model, self.timeline);
        let mut after = configuration.clone();
        after.state = self.after(configuration.state, candidate)?;
        after.effective.insert(candidate.slot);
        let state = self.states.state(after.state);
        if model.is_hopeless(state, timeline.action(candidate), due.finish) {
            return None;
        }
        let mut is_dead_end = false;
        self.pure.each_without(&configuration.effective, |slot| {
            let candidate = &timeline.candidates[self.open[slot as usize] as usize];
            let action = timeline.action(candidate);
            if model.apply(state, action) == After::Same {
                after.effective.insert(slot);
            } else if !model.may_follow(state, action, (due.finish, candidate.finish)) {
                is_dead_end = true;
            }
        });
        (!is_dead_end).then_some(after)
    }
}
