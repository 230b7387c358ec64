//! Who, what, where and context: the facts of one decision.
//!
//! Every fact is established by Remit and never by the call itself; the arguments are the only thing in a [`Request`] that
//! the agent chose.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Shape, Verb};

/// How surely the caller is the agent that it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attribution {
    /// Proven by a key or an attestation.
    Proven,
    /// Only said, by somebody trusted to say it.
    Asserted,
    /// Said by a holder of something that several are known to hold.
    Shared,
    /// Nothing tells.
    Unknown,
}

impl Attribution {
    /// The grade's word, as policies compare it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Asserted => "asserted",
            Self::Shared => "shared",
            Self::Unknown => "unknown",
        }
    }
}

/// The agent that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFacts {
    /// Its name, unique in the realm.
    pub name: String,
    /// Its function class: `read`, `transform`, `act` or `code`.
    pub class: String,
    /// Where it runs, as in `production`.
    pub environment: String,
    /// Its autonomy level, 1 (assist) to 4 (self-starting).
    pub autonomy: u8,
    /// The highest data class that it may touch, 0 (public) to 3 (restricted).
    pub data: u8,
    /// How surely this is the agent.
    pub attribution: Attribution,
}

/// A person and the groups that they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFacts {
    /// Their id.
    pub id: String,
    /// The groups that they are a member of, directly or through others.
    pub groups: Vec<String>,
}

/// The task that the call belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFacts {
    /// Its id.
    pub id: String,
    /// What it is for, in its own words.
    pub purpose: String,
    /// What it has come in touch with so far, as in `untrusted` and `sensitive`.
    pub labels: BTreeSet<String>,
    /// Calls that it has made before this one.
    pub calls: u64,
    /// The highest data class that a person has approved an action on in this task, 0 to 3; -1 where nobody approved anything.
    pub approved_data: i8,
    /// The highest data class that it has had an answer from, 0 to 3; -1 where it has had none.
    pub data: i8,
    /// The names of the agents above, the one that a person started first; empty where this agent was started itself.
    pub chain: Vec<String>,
    /// Whether its own scope or authority names exactly this operation.
    pub names: bool,
}

/// A live grant that covers exactly this operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// Its id.
    pub id: String,
    /// Why it was given.
    pub reason: String,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// Whether it names exactly this operation, and not all of its connector's.
    pub exact: bool,
}

/// The operation that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationFacts {
    /// Its id, `connector/tool`.
    pub id: String,
    /// The connector that has it.
    pub connector: String,
    /// What it does to the world.
    pub verb: Verb,
    /// Its risk, 0 (none) to 3 (high).
    pub risk: u8,
    /// The highest data class that it touches, 0 to 3.
    pub data: u8,
    /// Whether it reaches somebody outside the organisation.
    pub external: bool,
    /// Whether its connector is marked as one for experiments.
    pub sandbox: bool,
    /// Whether what it does cannot be undone.
    pub irreversible: bool,
}

/// What people have approved, for exactly this action: Remit has compared the digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFacts {
    /// The roles in which people approved.
    pub roles: BTreeSet<String>,
    /// The ids of the people who approved.
    pub approvers: BTreeSet<String>,
    /// How many people approved.
    pub count: u32,
    /// When the last of them did, in milliseconds since 1970.
    pub approved_at_ms: i64,
}

/// All that is known before the arguments are: enough for [`reach`](crate::reach()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The agent that acts.
    pub agent: AgentFacts,
    /// The person who answers for the agent.
    pub owner: PersonFacts,
    /// The task that the call belongs to.
    pub task: TaskFacts,
    /// The person that the agent acts for, if anybody.
    pub acting_for: Option<PersonFacts>,
    /// Whether that person may use this operation themselves; nothing where no entitlements of theirs are on record.
    pub acting_for_entitled: Option<bool>,
    /// The live grant that covers this operation, if there is one.
    pub grant: Option<GrantFacts>,
    /// The operation that is called.
    pub operation: OperationFacts,
}

/// One call to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What Remit knows.
    pub facts: &'a Facts,
    /// What the operation's arguments look like.
    pub shape: &'a Shape,
    /// What the agent wants to call it with.
    pub arguments: &'a Value,
    /// What people have approved so far.
    pub approval: Option<&'a ApprovalFacts>,
    /// The moment of the decision, in milliseconds since 1970.
    pub now_ms: i64,
    /// How long ago the credential of this call was issued, in seconds.
    pub credential_age_s: i64,
}
