//! Names for ids, as links where there is a page.

use maud::{Markup, html};
use remit_domain::{Actor, AgentId, PersonId, State};

use crate::parts::id::short;
use crate::parts::text::shown;

/// Looks names up in one state.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a>(pub(crate) &'a State);

impl Names<'_> {
    pub(crate) fn person(&self, id: PersonId) -> Markup {
        match self.0.person(id) {
            Ok(person) => html! { span .person title=(id) { (shown(&person.name)) } },
            // Removed since; the record still names them.
            Err(_) => short(id),
        }
    }

    pub(crate) fn agent(&self, id: AgentId) -> Markup {
        match self.0.agent(id) {
            Ok(agent) => html! { a .agent href={ "/agents/" (agent.name) } title=(id) { (shown(&agent.name)) } },
            Err(_) => short(id),
        }
    }

    pub(crate) fn actor(&self, actor: &Actor) -> Markup {
        match actor {
            Actor::Person { person, .. } => self.person(*person),
            Actor::Agent { agent, .. } => self.agent(*agent),
            Actor::Remit => html! { span .quiet { "Remit" } },
        }
    }
}
