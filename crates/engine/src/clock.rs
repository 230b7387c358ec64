//! The only place that reads the time and draws randomness.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use remit_domain::{Moment, Timestamp};

use crate::error::OpenError;

/// Where the time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, as this clock has it. It may jump; recorded time never goes back.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock of the house")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    pub fn advance_seconds(&self, seconds: u64) {
        self.0.fetch_add(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Makes the moments at which commands are decided: time that never goes back, and fresh randomness for each.
#[derive(Debug)]
pub(crate) struct Moments {
    random: SystemRandom,
    last: Timestamp,
}

impl Moments {
    pub(crate) fn after(last: Timestamp) -> Self {
        Self { random: SystemRandom::new(), last }
    }

    /// The latest time that was given out.
    pub(crate) const fn last(&self) -> Timestamp {
        self.last
    }

    /// The moment for one command. Without randomness nothing can be named, so nothing is decided.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Moment> {
        let mut seed = [0; 16];
        self.random.fill(&mut seed).ok()?;
        self.last = self.last.max(now);
        Some(Moment::new(self.last, u128::from_be_bytes(seed)))
    }
}

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], OpenError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| OpenError::Randomness)?;
    Ok(bytes)
}
