//! The outbox: effects of committed events, each carried out until it is acknowledged, in order, across restarts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use remit_domain::{Event, TaskId};

use crate::engine::Engine;
use crate::record::Committed;
use crate::store::StoreError;

/// The first wait after a failure; it doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Records that do not concern an effect move its cursor only now and then.
const CURSOR_RECORDS: u64 = 4_096;

/// Something that has to happen outside because of what was committed.
///
/// It is called with every record from its cursor on, in order, once the whole commit can be read, and again after a crash or a
/// failure: what it does must be idempotent by the record's `seq`.
pub trait Effect: Send + Sync + 'static {
    /// Names its cursor; never changes.
    fn name(&self) -> &'static str;

    /// The points of enforcement that it serves, as a receipt names them: see [`crate::RevocationReceipt`].
    fn points(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether there is anything to do for `event`.
    fn concerns(&self, event: &Event) -> bool;

    /// Carries out what `record` calls for. An error is tried again later; records after it wait.
    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

/// Where `effect` goes on. A new effect begins at the present head: it is not owed the past. Its place is kept at once, so
/// that a crash before its first record does not make it new again.
pub(crate) fn place(engine: &Engine, effect: &dyn Effect) -> Result<u64, StoreError> {
    if let Some(done) = engine.effect_cursor(effect.name())? {
        return Ok(done + 1);
    }
    let head = engine.head();
    if let Some(done) = head.checked_sub(1) {
        engine.set_effect_cursor(effect.name(), done)?;
    }
    Ok(head)
}

/// Runs one effect from the record `from` on until the engine stops.
pub(crate) async fn run(engine: Engine, effect: Arc<dyn Effect>, from: u64) {
    let mut records = engine.watch(from);
    loop {
        let record = tokio::select! {
            record = records.next() => record,
            () = engine.stopped() => None,
        };
        let Some(record) = record else { return };
        let concerned = effect.concerns(&record.record.event);
        if !concerned && record.seq % CURSOR_RECORDS != 0 {
            continue;
        }
        if concerned {
            engine.passed(record.seq).await;
        }
        if concerned && !carried_out(&engine, &*effect, &record).await {
            return;
        }
        if let Err(error) = engine.set_effect_cursor(effect.name(), record.seq) {
            // It will be carried out again after a restart, which it has to bear anyway.
            tracing::warn!(effect = effect.name(), %error, "an effect's place was not kept");
        }
    }
}

/// Tries until it works. False if the engine stopped first.
async fn carried_out(engine: &Engine, effect: &dyn Effect, record: &Committed) -> bool {
    let mut wait = RETRY_MIN;
    while let Err(error) = effect.carry_out(record).await {
        tracing::warn!(effect = effect.name(), seq = record.seq, %error, "an effect failed and is tried again");
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(RETRY_MAX),
            () = engine.stopped() => return false,
        }
    }
    true
}

/// Destroys content whose erasure was recorded.
#[derive(Debug)]
pub(crate) struct EraseContent {
    pub engine: Engine,
}

impl Effect for EraseContent {
    fn name(&self) -> &'static str {
        "erase-content"
    }

    fn concerns(&self, event: &Event) -> bool {
        matches!(event, Event::ContentErased { .. })
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            match &record.record.event {
                Event::ContentErased { task, .. } => self.erase(*task).await,
                _ => Ok(()),
            }
        })
    }
}

impl EraseContent {
    async fn erase(&self, task: TaskId) -> Result<(), String> {
        let engine = self.engine.clone();
        let erased = tokio::task::spawn_blocking(move || engine.vault().erase(task)).await;
        erased.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}
