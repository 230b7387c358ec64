//! Keeps the time for the realm's keys.

use std::time::Duration;

use remit_engine::Engine;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a key is due.
const LOOK_SECONDS: u64 = 300;

/// Rotates every key that has signed for `days`, until `stopping`.
pub async fn keep(engine: Engine, days: u64, stopping: CancellationToken) {
    let rotate_seconds = i64::try_from(days.saturating_mul(86_400)).unwrap_or(i64::MAX);
    loop {
        if let Err(error) = engine.rotate_due_keys(rotate_seconds).await {
            tracing::error!(%error, "a key is due and was not rotated; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
            () = stopping.cancelled() => return,
        }
    }
}
