//! One step of the way: the next record is looked at with everything before it folded, and then folded too.

use remit_domain::{ActionFacts, Again, PolicyEdit, Proposal, Recorded, State};
use serde_json::Value;

use super::{Difference, Link, Tally};
use crate::as_of::Standing;
use crate::record::Committed;
use crate::vault::Reading;

/// A state of its own that follows the ledger, and a proposal that is asked about each attempt on the way.
#[derive(Debug)]
pub(crate) struct Walk {
    state: State,
    next: u64,
    proposal: Proposal,
    reading: Reading,
    tally: Tally,
}

impl Walk {
    /// A walk that goes on after `standing`.
    pub(crate) fn from(standing: Standing, proposal: Proposal, reading: Reading) -> Self {
        let state = State::clone(&standing.state);
        Self { state, next: standing.size, proposal, reading, tally: Tally::default() }
    }

    /// The record that comes next.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The state just before it.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Goes on with what `edits` make of the policies that are active by now.
    pub(crate) fn propose(&mut self, edits: &[PolicyEdit]) {
        self.proposal = Proposal::of_edits(&self.state, edits);
    }

    /// Takes the next record: decides it again if it is an attempt, and folds it. The difference, if it would be answered otherwise.
    pub(crate) fn take(&mut self, committed: &Committed) -> Option<Difference> {
        let difference = Recorded::of(&committed.record.event).and_then(|recorded| self.decide(committed, &recorded));
        self.state.apply(&committed.record.event, committed.at);
        self.next = committed.seq + 1;
        self.tally.passed(committed);
        difference
    }

    fn decide(&mut self, committed: &Committed, recorded: &Recorded<'_>) -> Option<Difference> {
        let Self { state, proposal, reading, tally, .. } = self;
        match proposal.again(state, recorded, committed.at, &mut |facts| read(reading, facts)) {
            Again::Kept => {
                tally.kept(recorded.code.unwrap_or_default());
                None
            }
            Again::Unsaid(unsaid) => {
                let link = Link { seq: committed.seq, action: recorded.action, at: committed.at };
                tally.unsaid(unsaid, link);
                None
            }
            Again::Decided(now) => match recorded.decided() {
                Some(was) if was != now => {
                    let difference = Difference::of(committed, recorded, state, was, now);
                    tally.differs(&difference);
                    Some(difference)
                }
                _ => {
                    tally.same();
                    None
                }
            },
        }
    }
}

fn read(reading: &mut Reading, facts: &ActionFacts) -> Option<Value> {
    let plain = reading.open(facts.task, &facts.arguments)?;
    serde_json::from_slice(&plain).ok()
}
