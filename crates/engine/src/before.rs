//! The state just before one record: what an artefact was before a change made something else of it.

use std::sync::Arc;

use remit_domain::State;

use crate::as_of::AsOfError;
use crate::engine::Engine;

impl Engine {
    /// The state as it was when the record at `seq` had not been written yet.
    ///
    /// # Errors
    ///
    /// See [`AsOfError`].
    pub async fn state_before(&self, seq: u64) -> Result<Arc<State>, AsOfError> {
        let turn = self.turn().await?;
        let engine = self.clone();
        let size = seq.min(self.head());
        let folded = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            engine.fold_to(size, |_| {})
        });
        let folded = folded.await.map_err(|error| AsOfError::interrupted(&error))??;
        Ok(folded.state)
    }
}
