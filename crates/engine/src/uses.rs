//! What of a grant is used: for people who ask whether it is still needed.

use std::sync::PoisonError;

use remit_domain::{GrantId, Timestamp};

use crate::engine::Engine;
use crate::error::SubmitError;

#[cfg(test)]
mod tests;

/// How often one operation was called under a grant, and when last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantUse {
    /// As records name it.
    pub operation: String,
    /// Calls that were allowed under the grant.
    pub calls: u64,
    /// The record of the latest.
    pub last_seq: u64,
    pub last_at: Timestamp,
}

impl Engine {
    /// What was called under each of `grants`, in their order, the operation that was called last first. What was not called is not there.
    ///
    /// # Errors
    /// If the search index cannot be read.
    pub async fn grant_uses(&self, grants: &[GrantId]) -> Result<Vec<Vec<GrantUse>>, SubmitError> {
        self.wait_for_index().await;
        let (engine, grants) = (self.clone(), grants.to_vec());
        self.blocking(move || {
            let index = engine.inner.index.lock().unwrap_or_else(PoisonError::into_inner);
            let of = |grant: &GrantId| {
                let found = index.uses(&grant.to_string());
                let found = found.map_err(|error| SubmitError::storage("read what was used", &error))?;
                Ok(found.into_iter().map(GrantUse::from).collect())
            };
            grants.iter().map(of).collect()
        })
        .await
    }
}

impl From<crate::store::index::UseRow> for GrantUse {
    fn from(row: crate::store::index::UseRow) -> Self {
        let last_at = Timestamp::from_millis(row.last_at);
        Self { operation: row.operation, calls: row.calls, last_seq: row.last_seq, last_at }
    }
}
