//! Requests that wait for an answer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::envelope::{Id, Request};
use super::limits;
use super::problem::Problem;

/// A request that waits for an answer.
#[derive(Debug)]
pub struct Waiting {
    /// Whether it was sent as a message of 2026-07-28: the request says how it is cancelled, not what came after it.
    pub is_modern: bool,
    /// Ends its connection.
    pub abandoned: CancellationToken,
    is_endless: bool,
}

/// The requests that wait, by their ids. Whoever takes one out is the only one to answer it.
#[derive(Debug, Default)]
pub struct InFlight {
    waiting: Mutex<HashMap<Id, Waiting>>,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Waiting>> {
        // Every change is one insertion or one removal, so that a panic leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `request` waits.
    ///
    /// # Errors
    /// If its id is in use, or too many wait.
    pub fn begin(&self, request: &Request, abandoned: CancellationToken) -> Result<(), Problem> {
        let mut waiting = self.lock();
        if waiting.contains_key(&request.id) {
            return Err(Problem::IdInUse);
        }
        if waiting.len() >= limits::REQUESTS_MAX {
            return Err(Problem::TooMany);
        }
        let is_endless = request.method == "subscriptions/listen";
        waiting.insert(request.id.clone(), Waiting { is_modern: request.version.is_some(), abandoned, is_endless });
        Ok(())
    }

    /// Takes request `id` out, if it still waits.
    pub fn finish(&self, id: &Id) -> Option<Waiting> {
        self.lock().remove(id)
    }

    /// Gives up what would never end by itself.
    pub fn abandon_endless(&self) {
        self.lock().values().filter(|waiting| waiting.is_endless).for_each(|waiting| waiting.abandoned.cancel());
    }
}
