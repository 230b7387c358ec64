//! Reverse questions: who can call an operation, who can see a class of data, what an agent reaches, and what a person reaches only
//! through agents.
//!
//! Every answer is the decision's own: the facts are those of [`facts`](crate::facts), the policies are partially evaluated, and what
//! cannot be known before the call is said as a condition. Nothing is precomputed for pairs of agents and operations. Agents that no policy
//! tells apart share one evaluation ([`inquiry`]), and who holds a grant for an operation is looked up, not searched for.

mod callers;
mod change;
mod foresee;
mod held;
mod inquiry;
mod kinds;
mod people;
mod reaches;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{Ask, GrantId, OperationName, Reachable};

pub use callers::{Caller, Callers, Entitled, who_can_call, who_can_see};
pub use change::{Alone, Artefact, CanChange, Part, who_can_change};
pub use foresee::{Foreseen, Foresight, foresee};
pub(crate) use inquiry::Insight;
pub use people::{Through, Tie, people_through};
pub use reaches::{Beyond, BeyondReaches, Reaches, what_agent_reaches, what_person_reaches};

/// What an answer is about, where facts are not known yet. Said with every answer.
pub const ASSUMPTION: &str = "a new task of the agent, started by itself with all that it may use, that acts for nobody and has touched \
     nothing, with the configuration that is approved and the strongest proof of identity that the agent can show";

/// Who counts as reaching something through an agent. Said with every answer.
pub const RULE: &str = "through an agent: whoever owns it or is one of its approvers, and whoever a live task of it was started by or acts \
     for; administrators can start a task of every agent and are named once";

/// What the policies say before a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    pub reachable: Reachable,
    /// What has to be so for the call to be allowed, as far as it is not known yet; nothing where it always is.
    pub condition: Option<String>,
    /// Whom the policies that may stand in the way would ask.
    pub asks: Vec<Ask>,
    /// The policies that permit it.
    pub policies: Vec<String>,
}

/// An answer that is found one step after the other, so that whoever asked may stop, and go on later from where it was.
pub trait Walk {
    /// What a step may find.
    type Found;

    /// Asks the next one: what was found, or nothing where it is none; nothing at all at the end.
    fn step(&mut self) -> Option<Option<Self::Found>>;

    /// The name of the one that was asked last, if any was.
    fn place(&self) -> Option<&str>;

    /// How many there are to be asked, from where it began.
    fn total(&self) -> usize;
}

/// An operation that somebody reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub operation: OperationName,
    /// The grant that covers it, if one does.
    pub grant: Option<GrantId>,
    /// Whether what Remit decides about it is enforced by somebody else, and holds only as far as they ask and obey.
    pub enforced_elsewhere: bool,
    pub prospect: Arc<Prospect>,
}
