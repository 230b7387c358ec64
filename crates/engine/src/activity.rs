//! What the search index counts and lists: calls over time, and what is under change control.

use std::sync::PoisonError;

use remit_domain::{AgentId, Timestamp};

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::store::StoreError;
use crate::store::index::{Calls, IndexReader};

impl Engine {
    /// What the calls of `agent`, or of everybody, came to between `since` and `until`, in steps of five minutes: each with the moment at
    /// which it begins, those without a call left out. At most a week is told, the latest.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn activity(
        &self,
        agent: Option<AgentId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, Calls)>, SubmitError> {
        let agent = agent.map(|agent| agent.to_string());
        let (since, until) = (since.as_millis(), until.as_millis());
        let found = self.indexed("count calls", move |index| index.activity(agent.as_deref(), since, until)).await?;
        Ok(found.into_iter().map(|(at, calls)| (Timestamp::from_millis(at), calls)).collect())
    }

    /// Whether any call of any agent was ever decided.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn has_activity(&self) -> Result<bool, SubmitError> {
        self.indexed("count calls", IndexReader::has_activity).await
    }

    /// At most `limit` artefacts of the kind `kind` (`policy`, `operation`, `connector`, `person`, `agent`) after `after`, in the order of
    /// their names as the index has them, each with the newest record about it.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn artefacts(
        &self,
        kind: &'static str,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, SubmitError> {
        self.indexed("list what is under change control", move |index| index.artefacts(kind, after.as_deref(), limit))
            .await
    }

    /// The newest record about each of `artefacts`; those about which there is none are left out.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn newest_about(&self, artefacts: Vec<String>) -> Result<Vec<(String, u64)>, SubmitError> {
        let newest = move |index: &IndexReader| {
            let found = artefacts.into_iter().map(|artefact| {
                let seq = index.newest_about(&artefact)?;
                Ok(seq.map(|seq| (artefact, seq)))
            });
            found.filter_map(Result::transpose).collect()
        };
        self.indexed("list what is under change control", newest).await
    }

    /// Asks the index about what was committed before the question, as far as it keeps up.
    async fn indexed<T: Send + 'static>(
        &self,
        doing: &'static str,
        ask: impl FnOnce(&IndexReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, SubmitError> {
        self.wait_for_index().await;
        let engine = self.clone();
        self.blocking(move || {
            let index = engine.inner.index.lock().unwrap_or_else(PoisonError::into_inner);
            ask(&index).map_err(|error| SubmitError::storage(doing, &error))
        })
        .await
    }
}
