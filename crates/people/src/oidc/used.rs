//! Which sign-ins were used.

use std::collections::{HashSet, VecDeque};

use remit_identity::digest;

use super::limits;

/// The states of the last sign-ins that came to an exchange. The oldest is forgotten first; who brings one back then finds that
/// the provider takes no code twice.
#[derive(Debug, Default)]
pub(super) struct Used {
    states: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Used {
    /// Whether `state` comes for the first time.
    pub(super) fn insert(&mut self, state: &str) -> bool {
        let state = digest::sha256(state.as_bytes());
        if !self.states.insert(state) {
            return false;
        }
        self.order.push_back(state);
        if self.order.len() > limits::USED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.states.remove(&oldest);
        }
        true
    }
}
