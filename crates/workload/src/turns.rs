//! Turns at what is slow: each user of this machine has a few at a time, and so nobody waits for another user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(crate) struct Turns {
    each: usize,
    /// Those who have a turn or wait for one.
    users: Mutex<HashMap<u32, Weak<Semaphore>>>,
}

/// A turn; over when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Nothing never happens: turns are not closed.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// `each` at a time for every user.
    pub fn new(each: usize) -> Self {
        Self { each, users: Mutex::default() }
    }

    /// Waits for a turn of the user `uid`.
    pub async fn take(&self, uid: u32) -> Turn {
        Turn { _permit: self.of(uid).acquire_owned().await.ok() }
    }

    fn of(&self, uid: u32) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = users.get(&uid).and_then(Weak::upgrade) {
            return known;
        }
        users.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(self.each));
        users.insert(uid, Arc::downgrade(&turns));
        turns
    }
}
