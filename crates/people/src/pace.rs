//! How often somebody may fail. Nothing here can be guessed (keys and codes are random); this slows down whoever tries all the same, and
//! shows in answers that something is wrong.
//!
//! INVARIANT: nobody is locked out by somebody else's failures: what proves who somebody is counts at once, whoever failed before at
//! the same address or in the same name. So it is looked at first, which costs little: what was not begun here, or is of no passkey
//! that is known, is refused before any signature is verified, and no more are at once than there are threads.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use remit_domain::{PersonId, Timestamp};

use crate::{PeopleError, limits};

#[cfg(test)]
mod tests;

/// Whose attempts are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    Address(IpAddr),
    /// Somebody who is signed in.
    Person(PersonId),
}

impl Origin {
    /// The origin of what came from `address`; none for this machine itself. Who has one address of version 6 has all of its network.
    pub(crate) fn of(address: Option<IpAddr>) -> Option<Self> {
        let address = address.map(|address| address.to_canonical()).filter(|address| !address.is_loopback())?;
        Some(Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        }))
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn wait_seconds(self) -> u64 {
        match self.count.checked_sub(limits::FAILURES_FREE) {
            None => 0,
            Some(beyond) => 2_u64.saturating_pow(beyond).min(limits::WAIT_SECONDS_MAX),
        }
    }

    /// How long it has to wait yet.
    fn left_seconds(self, now: Timestamp) -> u64 {
        (self.wait_seconds() * 1_000).saturating_sub(now.millis_since(self.last)).div_ceil(1_000)
    }
}

/// Failures, by origin. In memory only.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<Origin, Failures>>);

impl Pace {
    /// Counts what came of an attempt. Whoever fails while they have to wait learns that, and no more of what was wrong. Refusals of the
    /// domain are no failures to prove something.
    pub(crate) fn count<T>(
        &self,
        origin: Option<Origin>,
        outcome: Result<T, PeopleError>,
        now: Timestamp,
    ) -> Result<T, PeopleError> {
        let Some(origin) = origin else { return outcome };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &outcome {
            Ok(_) => {
                known.remove(&origin);
            }
            Err(PeopleError::Passkey(_) | PeopleError::Ceremony | PeopleError::Credential(_)) => {
                match known.get(&origin).map_or(0, |failures| failures.left_seconds(now)) {
                    0 => fail(&mut known, origin, now),
                    seconds => return Err(PeopleError::Wait { seconds }),
                }
            }
            Err(_) => {}
        }
        drop(known);
        outcome
    }
}

fn fail(known: &mut HashMap<Origin, Failures>, origin: Origin, now: Timestamp) {
    let is_kept = |failures: &Failures| now.millis_since(failures.last) < limits::FAILURES_SECONDS_KEPT * 1_000;
    if let Some(failures) = known.get_mut(&origin).filter(|failures| is_kept(failures)) {
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
        return;
    }
    if known.len() >= limits::FAILURES_KEPT_MAX {
        known.retain(|_, failures| is_kept(failures));
    }
    if known.len() >= limits::FAILURES_KEPT_MAX
        && let Some(oldest) = known.iter().min_by_key(|(_, failures)| failures.last).map(|(origin, _)| *origin)
    {
        known.remove(&oldest);
    }
    known.insert(origin, Failures { count: 1, last: now });
}
