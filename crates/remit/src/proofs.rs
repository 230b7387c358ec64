//! Puts the invariants of the realm to each proposed change of policies or operations, where the solver is at hand.
//!
//! A proof takes seconds and decides nothing: what came of it stands on the proposal for whoever approves it. Each is made by a
//! process of its own, one after the other, and that process is ended when its time is over: nothing of a proof is left in the server,
//! whatever somebody proposed.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use remit_domain::{Actor, Change, ChangeId, ChangeStatus, Command, Edit, Event, Moment};
use remit_engine::{Committed, Effect, Engine, SubmitError};
use remit_prove::{Invariant, Prover, STARTER_INVARIANTS};
use tokio::time::Instant;

mod aside;
mod bounds;
mod given;
#[cfg(test)]
mod tests;

use aside::{Aside, Found};
pub use bounds::bind;
pub use given::{Given, GivenOperation};

/// Under which name a proposal says what came of it.
const CHECK: &str = "prove";
/// How long the solver may think about one question.
const QUESTION_TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long the proof of one invariant may take, with all its questions.
const INVARIANT_TIME_LIMIT: Duration = Duration::from_mins(3);
/// How long all invariants together may take for one proposal; those that are left then are not tried.
const PROPOSAL_TIME_LIMIT: Duration = Duration::from_mins(15);

/// Proves the invariants for every proposal that edits policies or operations.
#[derive(Debug)]
pub struct Proofs {
    engine: Engine,
    aside: Aside,
    /// The invariants, as somebody wrote them down.
    text: Arc<str>,
    names: Vec<String>,
}

impl Proofs {
    /// Nothing if there is no solver on the path: then proposals say nothing of proofs, and all else goes on.
    ///
    /// # Errors
    /// If `file` is named and holds no invariants that can be read.
    pub fn new(file: Option<&Path>, engine: Engine) -> anyhow::Result<Option<Self>> {
        let text = file.map(std::fs::read_to_string).transpose()?.unwrap_or_else(|| STARTER_INVARIANTS.to_owned());
        let names = Invariant::parse_all(&text)?.into_iter().map(|invariant| invariant.name).collect();
        if let Err(missing) = Prover::find(None, QUESTION_TIME_LIMIT) {
            tracing::info!(%missing, "proposals are not proved");
            return Ok(None);
        }
        let aside = Aside::of_this_program(INVARIANT_TIME_LIMIT);
        Ok(Some(Self { engine, aside, text: text.into(), names }))
    }

    async fn prove(&self, id: ChangeId) -> Result<(), String> {
        let (passed, summary) = match self.given(id).await? {
            // Answered meanwhile, or proved before a restart.
            None => return Ok(()),
            Some(Err(why)) => (false, why),
            Some(Ok(given)) => {
                let Some(tally) = self.tally(id, &given).await else { return Ok(()) };
                (tally.is_whole(), tally.summary(self.names.len(), id))
            }
        };
        let command = Command::RecordCheck { change: id, check: CHECK.to_owned(), passed, summary };
        match self.engine.submit(Actor::Remit, command).await {
            // Somebody was quicker than the proof.
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
            Err(error @ SubmitError::Unavailable(_)) => Err(error.to_string()),
        }
    }

    /// What the invariants are proved of, written down once for all of them, or why nothing can be. Nothing if nobody asks any more.
    ///
    /// # Errors
    /// If the server stops.
    async fn given(&self, id: ChangeId) -> Result<Option<Result<Vec<u8>, String>>, String> {
        let (state, text, at) = (self.engine.state(), Arc::clone(&self.text), Moment::new(self.engine.now(), 0));
        // It compiles policies and writes every definition of the realm: too long for a thread on which calls wait.
        let made = tokio::task::spawn_blocking(move || {
            let change = state.changes.get(&id).filter(|change| is_open(change))?;
            let after = state.after(change, &at);
            let after = after.map_err(|refusal| format!("it cannot be activated as it is: {refusal}"));
            Some(after.and_then(|after| Given::of(&after, &text).written()))
        });
        match made.await {
            Ok(made) => Ok(made),
            // Another time it would fail in the same way, and proposals after it would wait.
            Err(error) if error.is_panic() => Ok(Some(Err("what it comes to could not be written down".to_owned()))),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What comes of each invariant. Nothing if the proposal is answered before the last.
    async fn tally(&self, id: ChangeId, given: &[u8]) -> Option<Tally<'_>> {
        let mut tally = Tally::default();
        let deadline = Instant::now() + PROPOSAL_TIME_LIMIT;
        for name in &self.names {
            // Nobody needs what is known of a proposal that is answered.
            if !self.engine.read(|state| state.changes.get(&id).is_some_and(|change| is_open(change))) {
                return None;
            }
            if Instant::now() >= deadline {
                tally.untried.push(name);
            } else {
                tally.count(name, self.aside.prove(given, name).await);
            }
        }
        Some(tally)
    }
}

fn is_open(change: &Change) -> bool {
    change.status == ChangeStatus::Pending
        && change.edits.iter().any(|one| alters_what_is_proved(&one.edit))
        && !change.checks.iter().any(|check| check.check == CHECK)
}

/// Whether `edit` can alter policies or operations, of which invariants are proved.
fn alters_what_is_proved(edit: &Edit) -> bool {
    match edit {
        Edit::Policy(_) | Edit::Operation(_) | Edit::Connector(_) => true,
        // People, agents and what these are approved with are free in every proof.
        Edit::Groups { .. }
        | Edit::Approvers { .. }
        | Edit::Entitlements { .. }
        | Edit::Absence { .. }
        | Edit::Configuration { .. } => false,
    }
}

/// Which invariants came out how.
#[derive(Debug, Default)]
struct Tally<'a> {
    broken: Vec<&'a str>,
    vacuous: Vec<&'a str>,
    open: Vec<&'a str>,
    untried: Vec<&'a str>,
}

impl<'a> Tally<'a> {
    fn count(&mut self, name: &'a str, found: Found) {
        match found {
            Found::Proved => {}
            Found::Broken => self.broken.push(name),
            Found::Vacuous => self.vacuous.push(name),
            Found::Nothing => self.open.push(name),
        }
    }

    fn left(&self) -> usize {
        [&self.broken, &self.vacuous, &self.open, &self.untried].into_iter().map(Vec::len).sum()
    }

    fn is_whole(&self) -> bool {
        self.left() == 0
    }

    /// What came of all `count` invariants under what `change` proposes, in a sentence.
    fn summary(&self, count: usize, change: ChangeId) -> String {
        let mut words = vec![format!("{} of {count} invariants proved", count - self.left())];
        if !self.broken.is_empty() {
            let names = self.broken.join(", ");
            words.push(format!("broken: {names} (`remit policy prove --change {change}` prints a call)"));
        }
        if !self.vacuous.is_empty() {
            words.push(format!("vacuous: {} (no call can be one that they speak of)", self.vacuous.join(", ")));
        }
        if !self.open.is_empty() {
            words.push(format!("not proved: {}", self.open.join(", ")));
        }
        if !self.untried.is_empty() {
            words.push(format!("not tried in time: {}", self.untried.join(", ")));
        }
        words.join("; ")
    }
}

impl Effect for Proofs {
    fn name(&self) -> &'static str {
        "proofs"
    }

    fn concerns(&self, event: &Event) -> bool {
        matches!(event, Event::ChangeProposed(_))
    }

    // One record after the other, so one proof at a time.
    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let Event::ChangeProposed(proposed) = &record.record.event else { return Ok(()) };
            self.prove(proposed.change).await
        })
    }
}
