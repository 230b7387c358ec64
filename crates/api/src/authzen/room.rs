//! How many evaluations are under way: a share that no one enforcer exceeds, so that none can shut the others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::{AgentId, Refusal};
use remit_engine::SubmitError;

use crate::{Problem, limits};

#[cfg(test)]
mod tests;

/// Counts evaluations that are under way.
#[derive(Debug, Default)]
pub(super) struct Room {
    of_agent: Mutex<HashMap<AgentId, usize>>,
}

/// A place for some evaluations of one enforcer, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    agent: AgentId,
    evaluations: usize,
}

impl Room {
    /// A place for so many evaluations of `agent` at a time.
    ///
    /// # Errors
    /// If it has too many under way already: saying so at once is better than answering all of them late.
    pub fn enter(self: &Arc<Self>, agent: AgentId, evaluations: usize) -> Result<Place, Problem> {
        let mut of_agent = self.of_agent.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = of_agent.get(&agent).copied().unwrap_or_default().saturating_add(evaluations);
        if under_way > limits::EVALUATIONS_PER_ENFORCER_MAX {
            let refusal = Refusal::new("overloaded", "too many evaluations of this agent are under way");
            return Err(SubmitError::Unavailable(refusal.help("try again in a moment")).into());
        }
        of_agent.insert(agent, under_way);
        Ok(Place { room: Arc::clone(self), agent, evaluations })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_agent = self.room.of_agent.lock().unwrap_or_else(PoisonError::into_inner);
        let left = of_agent.get(&self.agent).copied().unwrap_or_default().saturating_sub(self.evaluations);
        // Forgotten with its last evaluation, so that the map is as large as what is under way.
        if left == 0 {
            of_agent.remove(&self.agent);
        } else {
            of_agent.insert(self.agent, left);
        }
    }
}
