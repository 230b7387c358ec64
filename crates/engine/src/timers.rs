//! Time as a command: when something is due, `Expire` is submitted like any other command.

use std::time::Duration;

use remit_domain::{Actor, Command, Timestamp};

use crate::engine::Engine;

/// The longest sleep: a clock that was moved, or a deadline that came meanwhile, is noticed after this at the latest.
const SLEEP_MAX: Duration = Duration::from_millis(500);
/// How long to wait after `Expire` could not be recorded.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Runs until the engine stops.
pub(crate) async fn run(engine: Engine) {
    loop {
        let sleep = match engine.read(remit_domain::State::next_deadline) {
            Some(due) if due <= engine.now() => {
                match engine.submit(Actor::Remit, Command::Expire).await {
                    Ok(receipt) if !receipt.events.is_empty() => continue,
                    // Due by this clock and not by recorded time, which never runs ahead: look again shortly.
                    Ok(_) => Duration::from_millis(20),
                    Err(error) => {
                        tracing::warn!(%error, "what is due could not be ended; decisions look at the time themselves");
                        RETRY_INTERVAL
                    }
                }
            }
            Some(due) => until(due, engine.now()).min(SLEEP_MAX),
            None => SLEEP_MAX,
        };
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = engine.stopped() => return,
        }
    }
}

fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(due.millis_since(now))
}
