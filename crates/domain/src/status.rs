//! A place for each task in a Token Status List, so that others can see when its tokens are worth nothing any more
//! (draft-ietf-oauth-status-list-21).
//!
//! All tokens of a task share its place: they end together. The place follows from the task's random id, so that it says nothing
//! about how many tasks there are.

use crate::{Digest, State, Task, TaskId};

/// Places in one list: 2^20, so that nobody learns from a list which token somebody looked up.
pub const STATUS_PLACES: u32 = 1 << 20;
/// Lists that there can be.
const LISTS_MAX: u32 = 1 << 10;

/// Gives `task` a place that no other remembered task has.
pub(crate) fn take_place(state: &mut State, task: TaskId) -> u32 {
    let digest = Digest::of_bytes(task.uuid().as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    // Lists fill one after the other: the next one begins when the former is half full.
    let taken = u32::try_from(state.status_places.len()).unwrap_or(u32::MAX);
    let list = (taken / (STATUS_PLACES / 2)).min(LISTS_MAX - 1);
    let mut place = u32::from_be_bytes([a, b, c, d]) % STATUS_PLACES;
    while state.status_places.contains_key(&(list * STATUS_PLACES + place)) {
        place = (place + 1) % STATUS_PLACES;
    }
    let place = list * STATUS_PLACES + place;
    state.status_places.insert(place, task);
    place
}

/// Frees the place of a task that is forgotten.
pub(crate) fn leave_place(state: &mut State, task: &Task) {
    // A task of before there were places has none.
    if state.status_places.get(&task.status_place) == Some(&task.id) {
        state.status_places.remove(&task.status_place);
    }
}

impl State {
    /// The places in list `list` whose tokens are worth nothing: of tasks that have ended while tokens of theirs may still be
    /// within their time, and of agents that are not active.
    pub fn void_places(&self, list: u32) -> Vec<u32> {
        let first = list.saturating_mul(STATUS_PLACES);
        let own = self.status_places.iter().filter(|(place, _)| **place / STATUS_PLACES == list);
        let void = own.filter(|(_, task)| {
            self.tasks.get(*task).is_none_or(|task| {
                !task.is_live() || self.agent(task.agent).is_ok_and(|agent| agent.must_be_active().is_err())
            })
        });
        let mut places: Vec<u32> = void.map(|(place, _)| place - first).collect();
        places.sort_unstable();
        places
    }

    /// Changes whenever a list does.
    pub fn voided(&self) -> u64 {
        self.voided
    }

    /// How many lists there are.
    pub fn status_lists(&self) -> u32 {
        self.status_places.keys().max().map_or(1, |last| last / STATUS_PLACES + 1)
    }
}
