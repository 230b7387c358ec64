//! What takes long to decide is tried beside the one writer first, so that the writer finds the long part done.

use remit_domain::{Actor, Command, Moment, compiles_policies, decide};
use tokio::sync::SemaphorePermit;

use crate::engine::Engine;

#[cfg(test)]
mod tests;

/// Commands that are rehearsed and then decided at the same time; others wait for their turn, and the writer for none of them.
pub(crate) const REHEARSALS_MAX: usize = 1;

impl Engine {
    /// Compiles what `command` would have compiled, by deciding it for nothing. What comes of it counts for nothing either: the writer
    /// decides, and compiles again what has changed meanwhile. Until the turn is dropped nobody else's takes the place of what was
    /// compiled.
    pub(crate) async fn rehearse(&self, actor: &Actor, command: &Command) -> Option<SemaphorePermit<'_>> {
        if !self.read(|state| compiles_policies(state, command)) {
            return None;
        }
        let turn = self.inner.rehearsals.acquire().await.ok()?;
        let (state, now, actor, command) = (self.state(), self.now(), actor.clone(), command.clone());
        let rehearsed = tokio::task::spawn_blocking(move || {
            drop(decide(&state, &actor, &command, &Moment::new(now, 0)));
        });
        // One that did not come to its end has spared the writer nothing, and done no harm.
        drop(rehearsed.await);
        Some(turn)
    }
}
