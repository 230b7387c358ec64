//! Shadow mode: a proposed policy runs beside the active one on live calls, and what it would have answered otherwise is counted.
//!
//! A shadow is a replay that goes on with the ledger: it follows what is committed with a state of its own and decides each attempt
//! again, after it has been answered. The gate waits for none of it; a shadow that falls behind reads the ledger from disk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use remit_domain::{ChangeId, ChangeStatus, Digest, PolicyEdit, Proposal, Refusal, State, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

use crate::as_of::{AsOfError, Standing};
use crate::engine::Engine;
use crate::record::Committed;
use crate::replay::{Difference, ReplayError, ReplayReport, Walk, in_words};

/// Shadows that run at the same time: each follows the ledger with a state of its own.
pub const SHADOWS_MAX: usize = 4;
/// Shadows that have ended and are still told of.
const ENDED_MAX: usize = 16;
/// Differences that a shadow names, the last ones.
const LAST_MAX: usize = 50;
/// Records that are taken at a time.
const CHUNK_RECORDS: usize = 1_024;

/// What a shadow has seen so far.
#[derive(Debug, Clone, Serialize)]
pub struct ShadowReport {
    pub change: ChangeId,
    /// When it began.
    #[serde(serialize_with = "in_words")]
    pub since: Timestamp,
    /// When it ended; when this was asked for as long as it runs.
    #[serde(serialize_with = "in_words")]
    pub until: Timestamp,
    pub running: bool,
    /// Why it ended, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Edits of the change that are no policies, and so are not tried.
    pub other_edits: usize,
    #[serde(flatten)]
    pub report: ReplayReport,
    /// The last differences, newest first.
    pub last: Vec<Difference>,
}

/// The shadows of this process. They do not outlive it: what they count is about calls as they come.
#[derive(Debug, Default)]
pub(crate) struct Shadows(Mutex<HashMap<ChangeId, Arc<Shadow>>>);

impl Shadows {
    fn lock(&self) -> MutexGuard<'_, HashMap<ChangeId, Arc<Shadow>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, change: ChangeId) -> Option<Arc<Shadow>> {
        self.lock().get(&change).cloned()
    }

    /// Takes in a new one, if there is room, and forgets what ended longest ago.
    fn add(&self, shadow: Arc<Shadow>) -> Result<(), Refusal> {
        let mut all = self.lock();
        if all.get(&shadow.change).is_some_and(|known| known.is_running()) {
            let sentence = format!("the change `{}` already runs in the shadow", shadow.change);
            return Err(Refusal::new("shadow_running", sentence).help("`remit policy shadow CHANGE --off` ends it"));
        }
        if all.values().filter(|known| known.is_running()).count() >= SHADOWS_MAX {
            return Err(Refusal::new("too_many_shadows", format!("{SHADOWS_MAX} changes already run in the shadow"))
                .help("end one with `remit policy shadow CHANGE --off`"));
        }
        let mut ended: Vec<_> = all.values().filter(|known| !known.is_running()).cloned().collect();
        ended.sort_by_key(|known| known.since);
        for old in ended.iter().rev().skip(ENDED_MAX) {
            all.remove(&old.change);
        }
        all.insert(shadow.change, shadow);
        Ok(())
    }
}

#[derive(Debug)]
struct Shadow {
    change: ChangeId,
    edits: Vec<PolicyEdit>,
    other_edits: usize,
    since: Timestamp,
    tail: Mutex<Tail>,
    /// Nothing while it runs.
    ended: watch::Sender<Option<Ended>>,
}

/// Why and when a shadow ended.
#[derive(Debug, Clone)]
struct Ended {
    why: String,
    at: Timestamp,
}

/// Where a shadow is, and what it saw.
#[derive(Debug)]
struct Tail {
    /// Nothing once it has ended: it holds a whole state.
    walk: Option<Box<Walk>>,
    /// The policies that its proposal is an edit of.
    version: Digest,
    last: VecDeque<Difference>,
    report: ReplayReport,
}

impl Shadow {
    fn is_running(&self) -> bool {
        self.ended.borrow().is_none()
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, once.
    fn end(&self, why: &str, at: Timestamp) {
        let now = Ended { why: why.to_owned(), at };
        self.ended.send_if_modified(|ended| ended.is_none() && ended.replace(now).is_none());
        let mut tail = self.tail();
        if let Some(walk) = tail.walk.take() {
            tail.report = walk.tally().report();
        }
    }

    fn report(&self, now: Timestamp) -> ShadowReport {
        let tail = self.tail();
        let report = tail.walk.as_ref().map_or_else(|| tail.report.clone(), |walk| walk.tally().report());
        let ended = self.ended.borrow().clone();
        ShadowReport {
            change: self.change,
            since: self.since,
            until: ended.as_ref().map_or(now, |ended| ended.at),
            running: ended.is_none(),
            ended: ended.map(|ended| ended.why),
            other_edits: self.other_edits,
            report,
            last: tail.last.iter().cloned().collect(),
        }
    }

    /// Takes committed records; says why it ends, if it does.
    fn take(&self, records: &[Arc<Committed>]) -> Option<&'static str> {
        let mut tail = self.tail();
        let Tail { walk, version, last, .. } = &mut *tail;
        let walk = walk.as_mut()?;
        for committed in records {
            if let Some(difference) = walk.take(committed) {
                last.truncate(LAST_MAX - 1);
                last.push_front(difference);
            }
            if !is_pending(walk.state(), self.change) {
                return Some("the change was answered");
            }
            let active = walk.state().policies.digest();
            if active != *version {
                // Other policies became active: what is proposed is an edit of those now.
                *version = active;
                walk.propose(&self.edits);
            }
        }
        None
    }
}

fn is_pending(state: &State, change: ChangeId) -> bool {
    state.changes.get(&change).is_some_and(|change| change.status == ChangeStatus::Pending)
}

impl Engine {
    /// Lets the proposed `change` run beside the active policies from now on.
    ///
    /// # Errors
    ///
    /// If there is no such proposal, if it changes no policy, or if enough run already.
    pub async fn begin_shadow(&self, change: ChangeId) -> Result<ShadowReport, ReplayError> {
        let standing = self.standing();
        let shadow = Arc::new(self.shadow_of(&standing, change).map_err(ReplayError::Refused)?);
        self.inner.shadows.add(Arc::clone(&shadow)).map_err(ReplayError::Refused)?;
        tokio::spawn(follow(self.clone(), Arc::clone(&shadow), standing.size));
        Ok(shadow.report(shadow.since))
    }

    /// Ends the shadow of `change`; what it saw can still be asked for.
    ///
    /// # Errors
    ///
    /// If it has none.
    pub async fn end_shadow(&self, change: ChangeId) -> Result<ShadowReport, ReplayError> {
        let shadow = self.inner.shadows.of(change).ok_or_else(|| ReplayError::Refused(no_shadow(change)))?;
        let now = self.now();
        asked(shadow, move |shadow| {
            shadow.end("it was ended", now);
            shadow.report(now)
        })
        .await
    }

    /// What the shadow of `change` has seen so far.
    ///
    /// # Errors
    ///
    /// If it has none.
    pub async fn shadow(&self, change: ChangeId) -> Result<ShadowReport, ReplayError> {
        let shadow = self.inner.shadows.of(change).ok_or_else(|| ReplayError::Refused(no_shadow(change)))?;
        let now = self.now();
        asked(shadow, move |shadow| shadow.report(now)).await
    }

    fn shadow_of(&self, standing: &Standing, id: ChangeId) -> Result<Shadow, Refusal> {
        let state = &standing.state;
        let change = state.changes.get(&id).ok_or_else(|| Refusal::unknown("change", id))?;
        if change.status != ChangeStatus::Pending {
            return Err(Refusal::new("change_active", format!("the change `{id}` is active already"))
                .help("`remit ledger query` shows what it does"));
        }
        let edits = change.policy_edits();
        if edits.is_empty() {
            return Err(Refusal::new("no_policies", format!("the change `{id}` edits no policy"))
                .help("only policies can run in the shadow"));
        }
        let reading = self.inner.vault.reading();
        let reading = reading.map_err(|error| {
            Refusal::new("storage_unavailable", format!("cannot read content: {error}"))
                .help("the operator has to look at `remit doctor`")
        })?;
        let walk = Walk::from(standing.clone(), Proposal::of_edits(state, &edits), reading);
        let version = state.policies.digest();
        let report = ReplayReport::default();
        let tail = Tail { walk: Some(Box::new(walk)), version, last: VecDeque::new(), report };
        let other_edits = change.edits.len() - edits.len();
        let (tail, ended) = (Mutex::new(tail), watch::Sender::new(None));
        Ok(Shadow { change: id, edits, other_edits, since: self.now(), tail, ended })
    }
}

fn no_shadow(change: ChangeId) -> Refusal {
    Refusal::new("no_shadow", format!("the change `{change}` does not run in the shadow"))
        .help("`remit policy shadow CHANGE` begins it")
}

/// Asks `shadow` off the threads that serve requests: it may be deciding.
async fn asked(
    shadow: Arc<Shadow>,
    ask: impl FnOnce(&Shadow) -> ShadowReport + Send + 'static,
) -> Result<ShadowReport, ReplayError> {
    let answer = tokio::task::spawn_blocking(move || ask(&shadow)).await;
    answer.map_err(|error| ReplayError::AsOf(AsOfError::interrupted(&error)))
}

/// Follows the ledger from the record `from` on, until the shadow ends or the engine closes.
async fn follow(engine: Engine, shadow: Arc<Shadow>, from: u64) {
    let mut chunks = engine.watch(from).ready_chunks(CHUNK_RECORDS);
    let mut ended = shadow.ended.subscribe();
    loop {
        let chunk = tokio::select! {
            biased;
            () = engine.stopped() => None,
            _ = ended.wait_for(Option::is_some) => return,
            chunk = chunks.next() => chunk,
        };
        let Some(chunk) = chunk else { return shadow.end("Remit stopped", engine.now()) };
        let (taking, now) = (Arc::clone(&shadow), engine.now());
        let taken = tokio::task::spawn_blocking(move || {
            if let Some(why) = taking.take(&chunk) {
                taking.end(why, now);
            }
        });
        if let Err(error) = taken.await {
            tracing::error!(%error, change = %shadow.change, "a shadow was interrupted");
            return shadow.end("it was interrupted", engine.now());
        }
    }
}
