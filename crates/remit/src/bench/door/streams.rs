//! Idle streams to clients: what it takes to keep many of them open while nothing happens.

use std::time::Duration;

use serde::Serialize;

use super::lists::Crowd;
use super::wire::Wire;
use super::{Plan, load, processor};
use crate::command::bench::Generation;

/// Sessions, and with them streams, that one task may have in the generation with a handshake.
const STREAMS_PER_CALLER_MAX: usize = 16;

/// What is waited before memory is read, so that what was only needed to open the streams is given back.
const SETTLE: Duration = Duration::from_millis(500);

/// Streams that were kept open.
#[derive(Debug, Serialize)]
pub struct Streams {
    pub generation: Generation,
    /// How many were wanted, and how many there were.
    pub wanted: usize,
    pub open: usize,
    /// Remit's memory before, and what each stream added to it.
    pub before_mib: f64,
    pub kib_each: f64,
    /// Streams opened each second.
    pub opened_per_second: f64,
    /// Remit's processor time for all idle streams together, as a share of one processor.
    pub idle_processor_share: f64,
    /// What was said to the first that was not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_served: Option<String>,
}

/// Opens streams for the callers of `crowd`, in turns, and keeps them open for the plan's time.
///
/// # Errors
/// If a connection breaks.
pub async fn measure(plan: &Plan, crowd: &Crowd, generation: Generation) -> anyhow::Result<Streams> {
    let wanted = plan.streams.min(crowd.callers.len() * STREAMS_PER_CALLER_MAX);
    plan.progress(&format!("{wanted} idle streams of {}", generation.revision()));
    let target = crowd.target(generation).await?;
    let own = target.own.clone();
    let tokens: Vec<String> = crowd.callers.iter().map(|caller| caller.token.clone()).collect();
    let (pid, time) = (crowd.remit.pid, plan.time);
    load::on_own_thread(move || async move {
        let (before_mib, begun) = (processor::resident_mib(pid), std::time::Instant::now());
        let (mut streams, mut not_served): (Vec<Wire>, _) = (Vec::with_capacity(wanted), None);
        for token in tokens.iter().cycle().take(wanted) {
            let mut target = target.with_token(token);
            target.greet().await?;
            let mut wire = target.connect().await?;
            let answer = wire.begin(&target.listen()).await?;
            let kind = answer.header("content-type").unwrap_or_default();
            if answer.status != 200 || !kind.starts_with("text/event-stream") {
                not_served = Some(answer.shown());
                break;
            }
            streams.push(wire);
        }
        let opening = begun.elapsed();
        tokio::time::sleep(SETTLE).await;
        let used = processor::used(&own);
        tokio::time::sleep(time).await;
        let used = processor::used(&own).saturating_sub(used);
        let open = streams.len();
        let added_mib = processor::resident_mib(pid) - before_mib;
        Ok(Streams {
            generation,
            wanted,
            open,
            before_mib,
            kib_each: added_mib * 1024.0 / open as f64,
            opened_per_second: open as f64 / opening.as_secs_f64(),
            idle_processor_share: used.as_secs_f64() / time.as_secs_f64(),
            not_served,
        })
    })
    .await
}
