//! Calls that are open at an upstream while a client of 2026-07-28 answers what the upstream asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remit_domain::TaskId;
use remit_identity::code::OneTimeCode;
use tokio::sync::mpsc;

use crate::client::{Question, Step};
use crate::limits;

/// One such call: what it asked, and what will happen to it next.
#[derive(Debug)]
pub(crate) struct Parked {
    pub task: TaskId,
    pub question: Question,
    pub steps: mpsc::Receiver<Step>,
}

/// All of them. A handle: clones share everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct ParkingLot {
    parked: Arc<Mutex<HashMap<String, Parked>>>,
}

impl ParkingLot {
    /// Keeps a call for at most [`limits::PARKED_SECONDS_MAX`] and returns its name. Nothing if no more can be kept: then it
    /// is given up, which its upstream is told.
    pub fn park(&self, call: Parked) -> Option<String> {
        let name = OneTimeCode::generate("").ok()?.expose().to_owned();
        {
            let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
            let own = parked.values().filter(|other| other.task == call.task).count();
            if parked.len() >= limits::PARKED_MAX || own >= limits::PARKED_PER_TASK_MAX {
                return None;
            }
            parked.insert(name.clone(), call);
        }
        let (lot, mine) = (self.clone(), name.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(limits::PARKED_SECONDS_MAX)).await;
            // Dropping it says to the call that its client has gone.
            drop(lot.take(&mine));
        });
        Some(name)
    }

    /// Gives up the calls of a task that has ended.
    pub fn end(&self, task: TaskId) {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, parked| parked.task != task);
    }

    /// Takes the call named `name` out, if it is still there. Its state was checked and used up before.
    pub fn take(&self, name: &str) -> Option<Parked> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }
}
