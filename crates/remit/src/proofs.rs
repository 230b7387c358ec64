//! Puts the invariants of the realm to each proposed change of policies, where the solver is at hand.
//!
//! A proof takes seconds and decides nothing: what came of it stands on the proposal for whoever approves it.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use remit_domain::{Actor, Change, ChangeId, ChangeStatus, Command, Event, Moment, State, Timestamp};
use remit_engine::{Committed, Effect, Engine, SubmitError};
use remit_policy::OperationShape;
use remit_prove::{Estate, Invariant, Prover, STARTER_INVARIANTS, Verdict};

/// Under which name a proposal says what came of it.
const CHECK: &str = "prove";
/// How long one question may take.
const QUESTION_TIME_LIMIT: Duration = Duration::from_secs(60);

/// Proves the invariants for every proposal that edits policies.
#[derive(Debug)]
pub struct Proofs {
    engine: Engine,
    prover: Prover,
    invariants: Arc<Vec<Invariant>>,
}

impl Proofs {
    /// Nothing if there is no solver on the path: then proposals say nothing of proofs, and all else goes on.
    ///
    /// # Errors
    /// If `file` is named and holds no invariants that can be read.
    pub fn new(file: Option<&Path>, engine: Engine) -> anyhow::Result<Option<Self>> {
        let text = file.map(std::fs::read_to_string).transpose()?;
        let invariants = Invariant::parse_all(text.as_deref().unwrap_or(STARTER_INVARIANTS))?;
        match Prover::find(None, QUESTION_TIME_LIMIT) {
            Ok(prover) => Ok(Some(Self { engine, prover, invariants: Arc::new(invariants) })),
            Err(missing) => {
                tracing::info!(%missing, "proposals of policies are not proved");
                Ok(None)
            }
        }
    }

    async fn prove(&self, id: ChangeId) -> Result<(), String> {
        let state = self.engine.state();
        // Answered meanwhile, or proved before a restart.
        let Some(change) = state.changes.get(&id).filter(|change| is_open(change)).map(Arc::clone) else {
            return Ok(());
        };
        let (prover, invariants, now) = (self.prover.clone(), Arc::clone(&self.invariants), self.engine.now());
        let proving = tokio::task::spawn_blocking(move || summary(&prover, &invariants, &state, &change, now));
        let (passed, summary) = proving.await.map_err(|error| format!("the proof was interrupted: {error}"))?;
        let command = Command::RecordCheck { change: id, check: CHECK.to_owned(), passed, summary };
        match self.engine.submit(Actor::Remit, command).await {
            // Somebody was quicker than the proof.
            Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
            Err(error @ SubmitError::Unavailable(_)) => Err(error.to_string()),
        }
    }
}

fn is_open(change: &Change) -> bool {
    change.status == ChangeStatus::Pending
        && !change.policy_edits().is_empty()
        && !change.checks.iter().any(|check| check.check == CHECK)
}

/// What came of all invariants under what `change` proposes.
fn summary(
    prover: &Prover,
    invariants: &[Invariant],
    state: &State,
    change: &Change,
    now: Timestamp,
) -> (bool, String) {
    let after = match state.after(change, &Moment::new(now, 0)) {
        Ok(after) => after,
        Err(refusal) => return (false, format!("it cannot be activated as it is: {refusal}")),
    };
    let compiled = after.compiled();
    let Some(set) = &compiled.set else { return (false, "the policies do not hold any more".to_owned()) };
    let operation = |(name, shape): (&remit_domain::OperationName, &remit_policy::Shape)| {
        let verb = after.operations.get(name)?.verb;
        let (id, connector) = (name.as_str().to_owned(), name.connector().to_owned());
        Some(OperationShape { id, connector, verb, arguments: shape.clone() })
    };
    let operations = compiled.shapes.iter().filter_map(operation).collect();
    let estate = match Estate::new(set.sources().to_vec(), operations) {
        Ok(estate) => Arc::new(estate),
        Err(error) => return (false, format!("nothing could be proved: {error}")),
    };
    let (mut broken, mut open) = (Vec::new(), Vec::new());
    for invariant in invariants {
        match prover.prove(&estate, invariant) {
            Verdict::Proved { .. } => {}
            Verdict::Broken(_) => broken.push(invariant.name.as_str()),
            Verdict::Unconfirmed { .. } | Verdict::NotProved { .. } => open.push(invariant.name.as_str()),
        }
    }
    let proved = invariants.len() - broken.len() - open.len();
    let mut words = vec![format!("{proved} of {} invariants proved", invariants.len())];
    if !broken.is_empty() {
        words.push(format!(
            "broken: {} (`remit policy prove --change {}` prints a call)",
            broken.join(", "),
            change.id
        ));
    }
    if !open.is_empty() {
        words.push(format!("not proved: {}", open.join(", ")));
    }
    (broken.is_empty() && open.is_empty(), words.join("; "))
}

impl Effect for Proofs {
    fn name(&self) -> &'static str {
        "proofs"
    }

    fn concerns(&self, event: &Event) -> bool {
        matches!(event, Event::ChangeProposed(_))
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let Event::ChangeProposed(proposed) = &record.record.event else { return Ok(()) };
            self.prove(proposed.change).await
        })
    }
}
