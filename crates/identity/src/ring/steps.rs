//! How a key moves from one step of its life to the next.

use super::{KeyRing, KeyState, Purpose};

impl KeyRing {
    /// Brings the ring in line with what the ledger says: the name of a key, its purpose, the step that it is in, and
    /// since when, in seconds since 1970. A key that the ring does not have is passed over, and none moves back. Returns
    /// whether anything changed, in which case the ring is to be sealed anew.
    pub fn apply_steps<'a>(&mut self, steps: impl IntoIterator<Item = (&'a str, Purpose, KeyState, i64)>) -> bool {
        let mut steps: Vec<_> = steps.into_iter().collect();
        // In the order in which they happened, so that of two keys the later one ends up active.
        steps.sort_by_key(|&(_, _, state, since)| (since, state));
        let mut changed = false;
        for (kid, purpose, state, since) in steps {
            if self.key(kid).is_some_and(|key| key.purpose() == purpose && key.state() < state) {
                self.step(kid, state, since);
                changed = true;
            }
        }
        changed
    }

    /// Moves the key named `kid` on to `state`. A key that becomes active retires the one that was.
    pub(super) fn step(&mut self, kid: &str, state: KeyState, since: i64) {
        let Some(purpose) = self.key(kid).map(super::RealmKey::purpose) else { return };
        for key in &mut self.keys {
            if key.kid == kid {
                key.state = state;
            } else if state == KeyState::Active && key.state == KeyState::Active && key.purpose() == purpose {
                key.state = KeyState::Retired;
            } else {
                continue;
            }
            key.since = since;
            key.verifies_until =
                (key.state == KeyState::Retired).then(|| since.saturating_add(purpose.retired_seconds()));
            if matches!(key.state, KeyState::Retired | KeyState::Revoked) {
                key.private = None;
            }
        }
    }
}
