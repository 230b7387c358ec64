//! The resources of one connector whose changes somebody wants to hear of, over all connections to it (2026-07-28).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::fault::UpstreamFault;
use crate::limits;

#[cfg(test)]
mod tests;

/// Addresses of resources, with how many follow each.
#[derive(Debug)]
pub(super) struct Resources {
    followed: Mutex<BTreeMap<String, usize>>,
    /// Counts the changes of the set.
    version: watch::Sender<u64>,
}

impl Default for Resources {
    fn default() -> Self {
        Self { followed: Mutex::default(), version: watch::Sender::new(0) }
    }
}

impl Resources {
    /// One more follows `uri`. Returns the version of the set that has it.
    pub fn add(&self, uri: &str) -> Result<u64, UpstreamFault> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(followers) = followed.get_mut(uri) {
            *followers = followers.saturating_add(1);
            return Ok(*self.version.borrow());
        }
        if followed.len() >= limits::RESOURCES_FOLLOWED_MAX {
            let most = limits::RESOURCES_FOLLOWED_MAX;
            return Err(UpstreamFault::not_sent(format!("{most} resources of this connector are followed already")));
        }
        followed.insert(uri.to_owned(), 1);
        Ok(self.changed())
    }

    /// One fewer follows `uri`.
    pub fn remove(&self, uri: &str) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(followers) = followed.get_mut(uri) else { return };
        *followers = followers.saturating_sub(1);
        if *followers == 0 {
            followed.remove(uri);
            self.changed();
        }
    }

    /// All addresses, and the version that they are.
    pub fn all(&self) -> (Vec<String>, u64) {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        (followed.keys().cloned().collect(), *self.version.borrow())
    }

    /// Tells of changes of the set.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn changed(&self) -> u64 {
        self.version.send_modify(|version| *version += 1);
        *self.version.borrow()
    }
}
