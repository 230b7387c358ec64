//! What many latencies come to.

use std::time::Duration;

use serde::Serialize;

#[cfg(test)]
mod tests;

/// The middle one, the one that 99 of 100 do not exceed, and the greatest, in milliseconds. All are NaN (`null` in JSON) if there
/// are none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Quantiles {
    /// Of `latencies`, in any order (nearest rank).
    pub fn of(latencies: impl IntoIterator<Item = Duration>) -> Self {
        let mut latencies: Vec<Duration> = latencies.into_iter().collect();
        latencies.sort_unstable();
        let at = |percent: usize| {
            let rank = (latencies.len() * percent).div_ceil(100);
            latencies.get(rank.saturating_sub(1)).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
        };
        Self { p50: at(50), p99: at(99), max: at(100) }
    }
}
