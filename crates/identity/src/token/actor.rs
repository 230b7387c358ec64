//! Who acts: the chain of actors in a token (`act`, RFC 8693 section 4.1, profiled by
//! draft-mcguinness-oauth-actor-profile-00).
//!
//! The outermost node is the current actor and the only one that access may depend on. The inner ones say through whose
//! hands the task came; they are as true as the issuer of the token.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{JsonError, Members};
use crate::limits;

/// Members by which a party is proved. They stand at the top of a token, never inside an actor.
const PROOF_MEMBERS: [&str; 4] = ["cnf", "jwk", "x5c", "x5t#S256"];

/// What kind of party a subject or an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A person.
    User,
    /// A program that does as it is written.
    Service,
    /// A program that decides what it does.
    AiAgent,
}

impl Profile {
    /// Reads a `sub_profile`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "service" => Some(Self::Service),
            "ai_agent" => Some(Self::AiAgent),
            _ => None,
        }
    }
}

/// Why a chain of actors was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActorError {
    #[error("the chain of actors is longer than {}", limits::ACTOR_DEPTH_MAX)]
    TooDeep,
    #[error("an actor carries a proof of possession, which belongs at the top of a token only")]
    Proof,
    #[error("an actor has a profile other than `user`, `service` and `ai_agent`")]
    Profile,
    #[error("an actor cannot be read: {0}")]
    Malformed(#[from] JsonError),
}

/// One actor, and the one that acted before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorNode {
    /// Who.
    pub sub: String,
    /// In whose name space `sub` is. This need not be the issuer of the token.
    pub iss: String,
    pub sub_profile: Profile,
    /// The actor before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<ActorNode>>,
}

impl ActorNode {
    /// A chain with one actor more: `self` acts now, `before` came before it and stays as it is.
    pub fn after(self, before: Option<Self>) -> Result<Self, ActorError> {
        let chain = Self { act: before.map(Box::new), ..self };
        if chain.depth() > limits::ACTOR_DEPTH_MAX { Err(ActorError::TooDeep) } else { Ok(chain) }
    }

    /// How many actors there are.
    pub fn depth(&self) -> usize {
        self.nodes().count()
    }

    /// The actors, the current one first.
    pub fn nodes(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |node| node.act.as_deref())
    }

    /// Reads a chain. Each node has exactly the members of the profile.
    pub fn parse(value: &Value) -> Result<Self, ActorError> {
        Self::read(&Members::of(value)?, 1)
    }

    fn read(members: &Members, depth: usize) -> Result<Self, ActorError> {
        if depth > limits::ACTOR_DEPTH_MAX {
            return Err(ActorError::TooDeep);
        }
        if PROOF_MEMBERS.iter().any(|name| members.value(name).is_some()) {
            return Err(ActorError::Proof);
        }
        members.only(&["sub", "iss", "sub_profile", "act"])?;
        let inner = members.optional_object("act")?;
        Ok(Self {
            sub: members.text("sub")?.to_owned(),
            iss: members.text("iss")?.to_owned(),
            sub_profile: Profile::parse(members.text("sub_profile")?).ok_or(ActorError::Profile)?,
            act: inner.map(|inner| Self::read(&inner, depth + 1).map(Box::new)).transpose()?,
        })
    }
}
