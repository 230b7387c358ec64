//! Callers that make calls and measure how long each takes, all on one thread of their own.
//!
//! *Closed loop*: each caller makes its next call when it has the answer to the last, so as many are under way as there are
//! callers. *Open loop*: calls fall due at a fixed rate whether or not earlier ones are answered, and each is measured from
//! when it was due, so that a server that stalls is charged for all who waited (no coordinated omission).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::processor;
use super::requests::{Call, FIRST_NUMBER, Target, is_result};
use super::wire::Wire;

#[cfg(test)]
mod tests;

/// Connections on which the calls of an open loop are made.
const OPEN_CONNECTIONS: usize = 256;

/// How much of the time is spent before anything is counted: one part in so many.
const WARM_UP_PART: u32 = 5;

/// How long one call may take before it has failed.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How long calls of an open loop that are late may still be answered after the end.
const GRACE: Duration = Duration::from_secs(1);

/// What one run gave.
#[derive(Debug, Default)]
pub struct Measured {
    /// How long each call took, in nanoseconds, in order.
    pub nanoseconds: Vec<u64>,
    /// Calls that were answered within the time.
    pub answered: u64,
    /// Calls whose answer was not the result that was asked for, or that had none.
    pub failed: u64,
    /// Calls of an open loop that were due and had no answer at the end.
    pub unanswered: u64,
    /// What the first failed call was answered.
    pub failure: Option<String>,
    pub time: Duration,
    /// Processor time of the target, of what is behind it, and of the callers.
    pub own: Duration,
    pub behind: Duration,
    pub callers: Duration,
}

/// The time that counts.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: Instant,
    begin: Instant,
    end: Instant,
}

impl Window {
    fn of(time: Duration) -> Self {
        let start = Instant::now();
        let begin = start + time / WARM_UP_PART;
        Self { start, begin, end: begin + time }
    }

    fn has(&self, moment: Instant) -> bool {
        self.begin <= moment && moment < self.end
    }
}

/// `callers` call `target` for `time`, each waiting for its answers.
///
/// # Errors
/// If nobody listens.
pub async fn closed(target: &Target, callers: usize, time: Duration) -> anyhow::Result<Measured> {
    let target = target.clone();
    on_own_thread(move || async move {
        let mut connected = Vec::with_capacity(callers);
        for place in 0..callers {
            connected.push(Caller::new(&target, place).await?);
        }
        let window = Window::of(time);
        let mut calling = JoinSet::new();
        for caller in connected {
            calling.spawn(caller.keep_calling(window));
        }
        let mut measured = watch(&target, window).await;
        while let Some(tally) = calling.join_next().await {
            measured.add(tally?);
        }
        Ok(measured.sorted())
    })
    .await
}

/// `per_second` calls of `target` fall due for `time`.
///
/// # Errors
/// As [`closed`].
pub async fn open(target: &Target, per_second: f64, time: Duration) -> anyhow::Result<Measured> {
    let target = target.clone();
    on_own_thread(move || async move {
        let due = Arc::new(Due::default());
        let mut connected = Vec::with_capacity(OPEN_CONNECTIONS);
        for place in 0..OPEN_CONNECTIONS {
            connected.push(Caller::new(&target, place).await?);
        }
        let window = Window::of(time);
        let pacing = Arc::clone(&due);
        // The runtime's own timers are a millisecond apart, which is longer than a call.
        let pacer = std::thread::Builder::new().name("pacer".to_owned());
        let pacer = pacer.spawn(move || pacing.pace(window, per_second)).context("cannot start the pacer")?;
        let mut calling = JoinSet::new();
        for caller in connected {
            calling.spawn(caller.call_when_due(Arc::clone(&due), window));
        }
        let mut measured = watch(&target, window).await;
        tokio::time::sleep(GRACE).await;
        due.ready.close();
        let scheduled = pacer.join().map_err(|_| anyhow::anyhow!("the pacer failed"))?;
        while let Some(tally) = calling.join_next().await {
            measured.add(tally?);
        }
        let settled = measured.nanoseconds.len() as u64 + measured.failed;
        measured.unanswered = scheduled.saturating_sub(settled);
        Ok(measured.sorted())
    })
    .await
}

/// Runs `work` on a thread of its own, so that callers do not hand over to one another.
pub async fn on_own_thread<T, W>(work: impl FnOnce() -> W + Send + 'static) -> anyhow::Result<T>
where
    T: Send + 'static,
    W: Future<Output = anyhow::Result<T>>,
{
    let running = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work())
    });
    running.await?
}

/// Reads the processor time that is used within `window`.
async fn watch(target: &Target, window: Window) -> Measured {
    let read = || {
        let callers = processor::used(&[std::process::id()]);
        (Instant::now(), processor::used(&target.own), processor::used(&target.behind), callers)
    };
    tokio::time::sleep_until(window.begin.into()).await;
    let before = read();
    tokio::time::sleep_until(window.end.into()).await;
    let after = read();
    Measured {
        time: after.0 - before.0,
        own: after.1.saturating_sub(before.1),
        behind: after.2.saturating_sub(before.2),
        callers: after.3.saturating_sub(before.3),
        ..Measured::default()
    }
}

/// One connection of a caller.
struct Caller {
    target: Target,
    wire: Option<Wire>,
    call: Call,
    next: u64,
    tally: Tally,
}

/// What one caller has seen.
#[derive(Debug, Default)]
struct Tally {
    nanoseconds: Vec<u64>,
    answered: u64,
    failed: u64,
    failure: Option<String>,
}

impl Caller {
    async fn new(target: &Target, place: usize) -> anyhow::Result<Self> {
        // So far apart that no two callers ever have the same number.
        let next = FIRST_NUMBER + place as u64 * 10_000_000;
        let wire = Some(target.connect().await?);
        Ok(Self { wire, call: target.call(), next, tally: Tally::default(), target: target.clone() })
    }

    async fn keep_calling(mut self, window: Window) -> Tally {
        loop {
            let began = Instant::now();
            if began >= window.end {
                return self.tally;
            }
            let outcome = self.exchange().await;
            let done = Instant::now();
            if window.has(done) {
                self.tally.note(outcome, done - began, true);
            }
        }
    }

    async fn call_when_due(mut self, due: Arc<Due>, window: Window) -> Tally {
        while let Some(moment) = due.next().await {
            let outcome = self.exchange().await;
            let done = Instant::now();
            if window.has(moment) {
                self.tally.note(outcome, done - moment, window.has(done));
            }
        }
        self.tally
    }

    /// Makes one call; what was said instead, if it failed. A connection that broke is opened again for the next one.
    async fn exchange(&mut self) -> Result<(), String> {
        let digits = self.call.number(self.next);
        self.next += 1;
        let wire = match &mut self.wire {
            Some(wire) => wire,
            closed => closed.insert(self.target.connect().await.map_err(|error| format!("{error:#}"))?),
        };
        let said = match tokio::time::timeout(ANSWER_WITHIN, wire.ask(self.call.bytes())).await {
            Ok(Ok(answer)) if is_result(&answer, &digits) => return Ok(()),
            Ok(Ok(answer)) => return Err(answer.shown()),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("there was no answer within {ANSWER_WITHIN:?}"),
        };
        self.wire = None;
        Err(said)
    }
}

impl Tally {
    fn note(&mut self, outcome: Result<(), String>, took: Duration, in_time: bool) {
        match outcome {
            Ok(()) => {
                self.nanoseconds.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                self.answered += u64::from(in_time);
            }
            Err(said) => {
                self.failed += 1;
                self.failure.get_or_insert(said);
            }
        }
    }
}

impl Measured {
    fn add(&mut self, tally: Tally) {
        self.nanoseconds.extend(tally.nanoseconds);
        self.answered += tally.answered;
        self.failed += tally.failed;
        self.failure = self.failure.take().or(tally.failure);
    }

    fn sorted(mut self) -> Self {
        self.nanoseconds.sort_unstable();
        self
    }
}

/// Calls that have fallen due and that nobody makes yet.
#[derive(Debug)]
struct Due {
    moments: Mutex<VecDeque<Instant>>,
    ready: Semaphore,
}

impl Default for Due {
    fn default() -> Self {
        Self { moments: Mutex::default(), ready: Semaphore::new(0) }
    }
}

impl Due {
    /// Lets calls fall due at even distances from the window's start to its end. How many of them count.
    fn pace(&self, window: Window, per_second: f64) -> u64 {
        let (mut number, mut counted) = (0_u64, 0);
        loop {
            let due = window.start + Duration::from_secs_f64(number as f64 / per_second);
            if due >= window.end {
                return counted;
            }
            let wait = due.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                std::thread::park_timeout(wait);
                continue;
            }
            self.moments.lock().unwrap_or_else(PoisonError::into_inner).push_back(due);
            self.ready.add_permits(1);
            number += 1;
            counted += u64::from(window.has(due));
        }
    }

    /// Waits for the next call to be made; nothing once it is over.
    async fn next(&self) -> Option<Instant> {
        self.ready.acquire().await.ok()?.forget();
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
