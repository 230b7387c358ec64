//! How many calls are under way: a bound over all callers, and a share of it that no one agent exceeds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::AgentId;

use crate::limits;

#[cfg(test)]
mod tests;

/// Counts calls that are under way or held.
#[derive(Debug, Default)]
pub(crate) struct Room {
    calls: Arc<Mutex<Calls>>,
}

#[derive(Debug, Default)]
struct Calls {
    all: usize,
    of_agent: HashMap<AgentId, usize>,
}

/// A place for one call, given back when it is dropped. It can go with work that goes on after the call was given up.
#[derive(Debug)]
pub(crate) struct Place {
    calls: Arc<Mutex<Calls>>,
    agent: AgentId,
}

impl Room {
    /// A place for a call of `agent`, if there is one.
    pub fn enter(&self, agent: AgentId) -> Option<Place> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let own = calls.of_agent.get(&agent).copied().unwrap_or_default();
        if calls.all >= limits::CALLS_MAX || own >= limits::CALLS_PER_AGENT_MAX {
            return None;
        }
        calls.all += 1;
        calls.of_agent.insert(agent, own + 1);
        Some(Place { calls: Arc::clone(&self.calls), agent })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.all = calls.all.saturating_sub(1);
        match calls.of_agent.get_mut(&self.agent) {
            Some(own) if *own > 1 => *own -= 1,
            // Forgotten with its last call, so that the map is as large as what is under way.
            _ => drop(calls.of_agent.remove(&self.agent)),
        }
    }
}
