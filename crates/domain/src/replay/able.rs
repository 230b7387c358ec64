//! Whether enough people could have answered a question, asked once for each kind of question and not for each attempt.

use std::collections::HashMap;
use std::sync::Arc;

use imbl::HashMap as Map;

use crate::{ActionFacts, Agent, AgentId, Ask, Person, PersonId, State, Task, approval, limits, task};

/// All that the answer depends on, besides people and agents themselves.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    lineage: Vec<AgentId>,
    named: Option<AgentId>,
    acting_for: Option<PersonId>,
    started_by: Option<PersonId>,
    approvers: Vec<Vec<String>>,
    quorums: Vec<u32>,
    quorum: u32,
}

/// What is known of who can answer, for the people and agents of one moment.
#[derive(Debug, Default)]
pub(super) struct Able {
    people: Map<PersonId, Arc<Person>>,
    agents: Map<AgentId, Arc<Agent>>,
    known: HashMap<Question, bool>,
}

impl Able {
    /// Whether somebody could have answered `ask` about an attempt under `task`.
    pub(super) fn answering(&mut self, state: &State, task: &Task, facts: &ActionFacts, ask: &Ask) -> bool {
        // Held here, so that a map which is changed is another one: the same place says the same people.
        if !self.people.ptr_eq(&state.people) || !self.agents.ptr_eq(&state.agents) {
            *self = Self { people: state.people.clone(), agents: state.agents.clone(), known: HashMap::new() };
        }
        let question = Question {
            lineage: task::lineage(state, task).map(|above| above.agent).collect(),
            named: facts.named,
            acting_for: facts.acting_for,
            started_by: task.started_by,
            approvers: ask.approvers.clone(),
            quorums: ask.quorums.clone(),
            quorum: ask.quorum,
        };
        if let Some(known) = self.known.get(&question) {
            return *known;
        }
        let able = approval::somebody_can_answer(state, task, facts, ask).is_ok();
        if self.known.len() >= limits::REPLAY_ANSWERS_MAX {
            self.known.clear();
        }
        self.known.insert(question, able);
        able
    }
}
