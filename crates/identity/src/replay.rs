//! What has been shown once must not be shown again: a bounded memory of `jti` values.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{digest, limits};

#[cfg(test)]
mod tests;

/// Remembers who has shown which `jti`, for as long as it could be shown again. In memory only.
///
/// INVARIANT: whatever it cannot judge it refuses: it is full, its holder's part is full (so that one cannot shut out all), or
/// the proof is older than its memory.
#[derive(Debug)]
pub struct ReplayCache {
    seen: HashSet<[u8; 32]>,
    /// By when it is forgotten: whose it is.
    by_expiry: BTreeMap<(i64, [u8; 32]), [u8; 32]>,
    /// How many each holder has.
    by_holder: HashMap<[u8; 32], usize>,
    started_at: i64,
    entries_max: usize,
}

impl ReplayCache {
    /// An empty memory that starts at `now`. Proofs issued before that are refused, since a process that ran before this
    /// one may have seen them; a client that asks again makes a new one.
    pub fn new(now: i64) -> Self {
        Self::with_entries_max(now, limits::REPLAY_ENTRIES_MAX)
    }

    /// As [`ReplayCache::new`], with another bound than [`limits::REPLAY_ENTRIES_MAX`].
    pub fn with_entries_max(now: i64, entries_max: usize) -> Self {
        Self {
            seen: HashSet::new(),
            by_expiry: BTreeMap::new(),
            by_holder: HashMap::new(),
            started_at: now,
            entries_max,
        }
    }

    /// Whether `holder` (the thumbprint of a key, or a client's name) shows `jti`, issued at `iat`, for the first time.
    /// `false` means: refuse.
    pub fn insert(&mut self, holder: &str, jti: &str, iat: i64, now: i64) -> bool {
        self.insert_until(holder, jti, iat, iat.saturating_add(limits::REPLAY_SECONDS), now)
    }

    /// As [`ReplayCache::insert`], for what could be shown until `expires_at`.
    pub fn insert_until(&mut self, holder: &str, jti: &str, iat: i64, expires_at: i64, now: i64) -> bool {
        self.forget(now);
        let owner = digest::sha256(holder.as_bytes());
        let own = self.by_holder.get(&owner).copied().unwrap_or(0);
        let is_full = self.seen.len() >= self.entries_max || own >= limits::REPLAY_HOLDER_ENTRIES_MAX;
        if iat < self.started_at || expires_at < now || is_full {
            return false;
        }
        let entry = entry(holder, jti);
        if !self.seen.insert(entry) {
            return false;
        }
        self.by_expiry.insert((expires_at, entry), owner);
        self.by_holder.insert(owner, own + 1);
        true
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    fn forget(&mut self, now: i64) {
        while self.by_expiry.first_key_value().is_some_and(|((expires_at, _), _)| *expires_at < now) {
            let Some(((_, entry), owner)) = self.by_expiry.pop_first() else { return };
            self.seen.remove(&entry);
            if let Some(own) = self.by_holder.get_mut(&owner) {
                *own = own.saturating_sub(1);
                if *own == 0 {
                    self.by_holder.remove(&owner);
                }
            }
        }
    }
}

/// A `jti` is unique for its holder only (RFC 9449 section 11.1), so one agent cannot use up another's. The length in
/// front keeps two different pairs from running together.
fn entry(holder: &str, jti: &str) -> [u8; 32] {
    digest::sha256(format!("{}:{holder}{jti}", holder.len()).as_bytes())
}
