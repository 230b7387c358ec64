//! Places for connections: so many in all, for each user of this machine, and for each process.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;

#[cfg(test)]
mod tests;

/// How many connections each user and each process has.
#[derive(Debug, Default)]
pub(crate) struct Places {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    by_user: HashMap<u32, usize>,
    by_process: HashMap<i32, usize>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    uid: u32,
    pid: i32,
}

impl Places {
    /// A place for one more connection of the process `pid` of the user `uid`, if there is one.
    pub fn enter(self: &Arc<Self>, uid: u32, pid: i32) -> Option<Place> {
        let mut taken = self.taken();
        let all: usize = taken.by_user.values().sum();
        let of_user = taken.by_user.get(&uid).copied().unwrap_or_default();
        let of_process = taken.by_process.get(&pid).copied().unwrap_or_default();
        if all >= limits::CONNECTIONS_MAX
            || uid != 0 && of_user >= limits::CONNECTIONS_PER_USER_MAX
            || of_process >= limits::CONNECTIONS_PER_PROCESS_MAX
        {
            return None;
        }
        taken.by_user.insert(uid, of_user + 1);
        taken.by_process.insert(pid, of_process + 1);
        Some(Place { places: Arc::clone(self), uid, pid })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        give_back(&mut taken.by_user, self.uid);
        give_back(&mut taken.by_process, self.pid);
    }
}

fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}
