//! Who caused a command: always somebody, never a default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AgentId, PersonId, Refusal, State, TaskId};

/// How strongly a person was authenticated when they acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// By the data directory's socket: the operating system vouches for the user.
    LocalSocket,
    /// By a session that began with a one-time link.
    OneTimeLink,
    /// By a session that began with a passkey.
    Passkey,
    /// By a passkey that was shown within the last minutes: see [`limits::FRESH_SECONDS`](crate::limits::FRESH_SECONDS).
    FreshPasskey,
    /// By a session that began with the word of an issuer elsewhere.
    OpenIdConnect,
}

impl SignInMethod {
    /// Whether the person themself has just been seen to be there, as far as Remit can tell.
    pub(crate) const fn is_fresh(self) -> bool {
        matches!(self, Self::FreshPasskey | Self::LocalSocket)
    }
}

/// Who acts. A person, an agent under a task, or Remit itself (timers, recovery).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    Person { person: PersonId, method: SignInMethod },
    Agent { agent: AgentId, task: Option<TaskId> },
    Remit,
}

impl Actor {
    /// The person acting, or the refusal that says a person is needed.
    pub fn person(&self) -> Result<PersonId, Refusal> {
        match self {
            Self::Person { person, .. } => Ok(*person),
            Self::Agent { .. } => {
                Err(Refusal::new("person_needed", "an agent cannot do this; a person has to")
                    .help("ask the agent's owner"))
            }
            Self::Remit => Err(Refusal::new("person_needed", "this needs a person who answers for it")),
        }
    }

    /// The refusal of anybody but Remit itself, saying what only Remit does.
    pub(crate) fn remit(&self, does: &str) -> Result<(), Refusal> {
        match self {
            Self::Remit => Ok(()),
            _ => Err(Refusal::new("not_permitted", format!("only Remit itself {does}"))),
        }
    }

    /// The acting person if they are an administrator of the realm.
    pub(crate) fn administrator(&self, state: &State) -> Result<PersonId, Refusal> {
        let person = self.person()?;
        if state.person(person)?.is_administrator() {
            return Ok(person);
        }
        Err(Refusal::new("not_permitted", "only an administrator may do this")
            .help("`remit person list` shows who is in the group `administrators`"))
    }

    /// The acting person if they own the agent or administer the realm.
    pub(crate) fn owner_of(&self, state: &State, agent: AgentId) -> Result<PersonId, Refusal> {
        let person = self.person()?;
        if state.agent(agent)?.profile.owner == Some(person) {
            return Ok(person);
        }
        self.administrator(state).map_err(|_| {
            Refusal::new("not_permitted", "only the agent's owner or an administrator may do this")
                .help("`remit agent card` names the owner")
        })
    }
}
