//! A task among those above and below it, as a tree: what one ends, ends below it too.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use maud::{Markup, html};
use remit_domain::{PersonId, State, Task, TaskId, Timestamp, lineage, may_read_task};

use super::{budget, labels, status};
use crate::limits;
use crate::names::Names;
use crate::parts::chart::tree::{self, Branch};
use crate::parts::text::shown;

pub(super) struct Tree<'a> {
    state: &'a State,
    /// Whoever looks: a task of somebody else's agent is counted and not told.
    person: PersonId,
    below: HashMap<TaskId, Vec<&'a Arc<Task>>>,
    now: Timestamp,
    room: Cell<usize>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(state: &'a State, person: PersonId, now: Timestamp) -> Self {
        let mut below: HashMap<TaskId, Vec<&Arc<Task>>> = HashMap::new();
        for task in state.tasks.values() {
            if let Some(parent) = task.parent {
                below.entry(parent).or_default().push(task);
            }
        }
        below.values_mut().for_each(|tasks| tasks.sort_by_key(|task| task.id));
        Self { state, person, below, now, room: Cell::new(limits::LIST_ROWS_MAX) }
    }

    /// The task and all below it.
    pub(super) fn members(&self, task: TaskId) -> HashSet<TaskId> {
        let mut members = HashSet::new();
        let mut next = vec![task];
        while let Some(task) = next.pop() {
            if members.insert(task) {
                next.extend(self.below.get(&task).into_iter().flatten().map(|task| task.id));
            }
        }
        members
    }

    /// The whole tree around `task`; nothing if it stands alone.
    pub(super) fn around(&self, task: &'a Task) -> Option<Markup> {
        let root = lineage(self.state, task).last().unwrap_or(task);
        if root.id == task.id && !self.below.contains_key(&task.id) {
            return None;
        }
        let drawn = tree::tree("Tasks above and below this one", &self.branch(root, task.id));
        let left_out = self.room.get() == 0;
        Some(html! {
            (drawn)
            @if left_out { p .quiet { "A page shows " (limits::LIST_ROWS_MAX) " tasks of a tree; there may be more." } }
        })
    }

    /// Trees are as deep as [`remit_domain::limits::TASK_DEPTH_MAX`] at most.
    fn branch(&self, task: &Task, here: TaskId) -> Branch {
        self.room.set(self.room.get().saturating_sub(1));
        let mut below = Vec::new();
        for task in self.below.get(&task.id).into_iter().flatten() {
            if self.room.get() == 0 {
                break;
            }
            below.push(self.branch(task, here));
        }
        Branch { words: self.words(task, here), is_live: task.is_live(), is_here: task.id == here, below }
    }

    fn words(&self, task: &Task, here: TaskId) -> Markup {
        html! {
            @if may_read_task(self.state, self.person, task).is_err() {
                span .quiet { "a task of " (Names(self.state).agent(task.agent)) }
            } @else {
                @if task.id == here { strong aria-current="page" { (shown(&task.purpose)) } }
                @else { a href={ "/tasks/" (task.id) } { (shown(&task.purpose)) } }
                " " (status(task, self.now)) " "
                span .quiet { (Names(self.state).agent(task.agent)) ", " (budget(task)) " calls" } " " (labels(task))
            }
        }
    }
}
