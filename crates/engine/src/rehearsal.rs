//! What takes long to decide is tried beside the one writer first, so that the writer finds the long part done.
//!
//! INVARIANT: a turn ends with the work that it was for and not before, whether or not anybody still waits for the answer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use remit_domain::{Actor, Command, Moment, PersonId, Refusal, compiles_policies, decide};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::Engine;
use crate::error::SubmitError;

#[cfg(test)]
mod tests;

/// Commands that are rehearsed and then decided at the same time; others wait for their turn, and the writer for none of them.
const REHEARSALS_MAX: usize = 1;
/// Commands that wait for a turn, one of each person; who comes later is refused. Emergencies are not among them.
const WAITING_MAX: usize = 32;
/// How long an emergency waits for a turn. Then it goes straight to the writer, and all decisions wait for what it compiles.
const EMERGENCY_WAIT: Duration = Duration::from_secs(1);

/// The turns, and who waits for one.
#[derive(Debug)]
pub(crate) struct Rehearsals {
    turns: Arc<Semaphore>,
    waiting: Mutex<HashSet<Waiter>>,
}

/// A person waits with one command of each kind at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Waiter {
    person: PersonId,
    is_emergency: bool,
}

/// A place among those that wait, given back when it is dropped: also by who hangs up.
#[derive(Debug)]
struct Place<'a> {
    rehearsals: &'a Rehearsals,
    waiter: Waiter,
}

impl Default for Rehearsals {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(REHEARSALS_MAX)), waiting: Mutex::default() }
    }
}

impl Rehearsals {
    /// Nobody gets a turn any more; who waits for one hears that Remit stops.
    pub(crate) fn close(&self) {
        self.turns.close();
    }

    /// A turn; nothing for an emergency that has waited long enough.
    async fn turn(&self, waiter: Waiter) -> Result<Option<OwnedSemaphorePermit>, SubmitError> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(Some(turn));
        }
        let _place = self.place(waiter)?;
        let turn = Arc::clone(&self.turns).acquire_owned();
        if waiter.is_emergency {
            let Ok(turn) = tokio::time::timeout(EMERGENCY_WAIT, turn).await else { return Ok(None) };
            return turn.map(Some).map_err(|_| SubmitError::stopping());
        }
        turn.await.map(Some).map_err(|_| SubmitError::stopping())
    }

    fn place(&self, waiter: Waiter) -> Result<Place<'_>, SubmitError> {
        let mut waiting = self.waiting();
        if waiting.contains(&waiter) {
            return Err(overloaded("another change of yours already waits to be tried"));
        }
        if !waiter.is_emergency && waiting.iter().filter(|other| !other.is_emergency).count() >= WAITING_MAX {
            return Err(overloaded("too many changes wait to be tried"));
        }
        waiting.insert(waiter);
        Ok(Place { rehearsals: self, waiter })
    }

    fn waiting(&self) -> MutexGuard<'_, HashSet<Waiter>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.rehearsals.waiting().remove(&self.waiter);
    }
}

fn overloaded(sentence: &str) -> SubmitError {
    SubmitError::Unavailable(Refusal::new("overloaded", sentence).help("try again in a moment"))
}

impl Engine {
    /// Compiles what `command` would have compiled, by deciding it for nothing. What comes of it counts for nothing either: the writer
    /// decides, and compiles again what has changed meanwhile. Until the turn is dropped nobody else's takes the place of what was
    /// compiled.
    ///
    /// # Errors
    ///
    /// If too many wait already, or if Remit stops meanwhile.
    pub(crate) async fn rehearse(
        &self,
        actor: &Actor,
        command: &Command,
    ) -> Result<Option<OwnedSemaphorePermit>, SubmitError> {
        // Whoever is no person is refused before anything is compiled.
        let Ok(person) = actor.person() else { return Ok(None) };
        if !self.read(|state| compiles_policies(state, command)) {
            return Ok(None);
        }
        let waiter = Waiter { person, is_emergency: matches!(command, Command::EmergencyChange { .. }) };
        let Some(turn) = self.inner.rehearsals.turn(waiter).await? else { return Ok(None) };
        let (state, now, actor, command) = (self.state(), self.now(), actor.clone(), command.clone());
        let rehearsed = tokio::task::spawn_blocking(move || {
            drop(decide(&state, &actor, &command, &Moment::new(now, 0)));
            turn
        });
        // One that did not come to its end has spared the writer nothing, and done no harm.
        Ok(rehearsed.await.ok())
    }

    /// Decides `command` for nothing, on the state as it is: what is refused so never costs the one writer anything. It is decided again
    /// where it counts.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub fn try_out(&self, actor: &Actor, command: &Command) -> Result<(), Refusal> {
        decide(&self.state(), actor, command, &Moment::new(self.now(), 0)).map(|_| ())
    }

    /// Does `work`, which compiles policies that `person` only wants to know of, when it has a turn: as many at a time as commands that
    /// compile, and none in the place of what was compiled for one.
    ///
    /// # Errors
    ///
    /// If too many wait already, if Remit stops meanwhile, or if `work` does not come to its end.
    pub async fn in_turn<T: Send + 'static>(
        &self,
        person: PersonId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SubmitError> {
        let turn = self.inner.rehearsals.turn(Waiter { person, is_emergency: false }).await?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| SubmitError::ledger("the work did not come to its end"))
    }
}
