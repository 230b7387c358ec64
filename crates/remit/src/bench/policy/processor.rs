//! Processor time of this thread, and what many measurements of it come to.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Measurements of one figure at most.
const SAMPLES_MAX: usize = 200_000;

/// The processor time that this thread has used so far.
pub fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What `work` takes, and what it gives.
pub fn of<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = used();
    let made = work();
    (used().saturating_sub(before), made)
}

/// The middle one and the one that 99 of 100 do not exceed, in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Micros {
    pub p50: f64,
    pub p99: f64,
    pub samples: usize,
}

/// Does `work` with 0, 1, 2, … for `time`, at least `least` times, each measured alone. A tenth goes before and is not counted.
pub fn each<T>(time: Duration, least: usize, mut work: impl FnMut(usize) -> T) -> Micros {
    let (mut samples, mut total) = (Vec::new(), Duration::ZERO);
    let mut number = 0;
    let warm = used();
    while used().saturating_sub(warm) < time / 10 && number < least {
        black_box(work(number));
        number += 1;
    }
    while (total < time || samples.len() < least) && samples.len() < SAMPLES_MAX {
        let (took, made) = of(|| work(number));
        black_box(made);
        samples.push(took);
        (total, number) = (total + took, number + 1);
    }
    samples.sort_unstable();
    let at = |percent: usize| {
        let rank = (samples.len() * percent).div_ceil(100);
        samples.get(rank.saturating_sub(1)).map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
    };
    Micros { p50: at(50), p99: at(99), samples: samples.len() }
}
