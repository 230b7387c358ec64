//! What a task token says.

use serde::{Deserialize, Serialize, Serializer};

use super::actor::{ActorError, ActorNode, Profile};
use crate::SpiffeId;
use crate::json::{JsonError, Members};
use crate::mission::{self, Entry, MissionError};

/// The claims of a task token. What is not set is not written, so a caller names what it knows and takes
/// `..TaskClaims::default()` for the rest; a token without the required ones is refused when it is minted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskClaims {
    /// The key that signed the token: set by [`super::UnverifiedTaskToken::verify`], and no claim itself.
    #[serde(skip)]
    pub kid: Option<String>,
    /// The issuer identifier of the realm.
    pub iss: String,
    /// Whose the task is: the person that the agent acts for, else the agent with which the task began.
    pub sub: String,
    /// What kind of party `sub` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_profile: Option<Profile>,
    /// The one audience that the token is for.
    pub aud: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// The token's own name.
    pub jti: String,
    /// Who asked for the token (RFC 9068 section 2.2): the current actor, or the OAuth client that a person let in.
    pub client_id: String,
    /// Who acts, if that is not `sub`. The outermost is the current actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<ActorNode>,
    /// The only party that may exchange the token, if there is only one (RFC 8693 section 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<MayAct>,
    /// The task.
    pub task: String,
    /// The run of the agent.
    pub run: String,
    /// The agent's id.
    pub agent: String,
    /// The person that the agent acts for, if anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
    /// The environment, as in the current actor's name.
    pub environment: String,
    /// How finely the token tells who calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// How much may be done with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Patterns of operations with spaces between them; absent when everything that the agent was granted is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The narrowed authority (RFC 9396), if it is narrowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Vec<Entry>>,
    /// The task as a mission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mission: Option<MissionClaim>,
    /// Where outsiders read whether the token still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What the holder must prove, if the token is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The one thing to which a token is bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Confirmation {
    /// The thumbprint of a key, proved with DPoP (RFC 9449 section 6.1).
    #[serde(rename = "jkt")]
    Key(String),
    /// The SHA-256 of a certificate in base64url, proved with mutual TLS (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl Confirmation {
    /// The thumbprint of the key, if it is one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(thumbprint) => Some(thumbprint),
            Self::Certificate(_) => None,
        }
    }

    /// The digest of the certificate, if it is one.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::Key(_) => None,
            Self::Certificate(digest) => Some(digest),
        }
    }

    /// The thumbprint or the digest, whichever it is. The two never have the same value.
    pub fn value(&self) -> &str {
        match self {
            Self::Key(value) | Self::Certificate(value) => value,
        }
    }

    fn read(members: &Members) -> Result<Self, JsonError> {
        members.only(&["jkt", "x5t#S256"])?;
        match (members.optional_text("jkt")?, members.optional_text("x5t#S256")?) {
            (Some(thumbprint), None) => Ok(Self::Key(thumbprint.to_owned())),
            (None, Some(digest)) => Ok(Self::Certificate(digest.to_owned())),
            (None, None) => Err(JsonError::Missing("jkt")),
            // Two bindings at once would leave open which of them has to hold.
            (Some(_), Some(_)) => Err(JsonError::Unknown("x5t#S256".to_owned())),
        }
    }
}

/// Who may act with the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MayAct {
    pub sub: String,
}

/// How finely a credential tells who calls: the agent at large, the agent in one environment, or one task of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Agent,
    Environment,
    Task,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "agent" => Some(Self::Agent),
            "environment" => Some(Self::Environment),
            "task" => Some(Self::Task),
            _ => None,
        }
    }
}

/// How much a task may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Budget {
    pub calls_max: u64,
}

/// The mission that a task belongs to (Mission-Bound Authorization, revision [`mission::REVISION`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissionClaim {
    /// The task with which it began.
    pub id: String,
    /// Who approved it.
    pub issuer: String,
    /// The anchor over everything that was approved.
    pub authority_hash: String,
    /// When it ends, in seconds since 1970; written as RFC 3339. No token of it lives longer.
    #[serde(serialize_with = "rfc_3339", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

fn rfc_3339<S: Serializer>(seconds: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()).map(|time| time.to_string());
    text.serialize(serializer)
}

/// A place in a Token Status List (draft-ietf-oauth-status-list section 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub status_list: StatusPlace,
}

/// Which bit of which list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusPlace {
    pub idx: u64,
    pub uri: String,
}

/// Why claims cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ClaimsError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Actor(#[from] ActorError),
    #[error(transparent)]
    Mission(#[from] MissionError),
}

impl TaskClaims {
    /// Who uses the token now: the outermost actor, or the subject where nobody acts for it.
    pub fn current_actor(&self) -> &str {
        self.act.as_ref().map_or(&self.sub, |actor| &actor.sub)
    }

    pub(super) fn read(claims: &Members) -> Result<Self, ClaimsError> {
        let text = |name| claims.text(name).map(str::to_owned);
        let optional = |name| claims.optional_text(name).map(|text| text.map(str::to_owned));
        let cnf = claims.optional_object("cnf")?;
        let level = claims.optional_text("level")?.map(|text| Level::parse(text).ok_or(JsonError::NotText("level")));
        let profile = claims.optional_text("sub_profile")?.map(|text| Profile::parse(text).ok_or(ActorError::Profile));
        Ok(Self {
            kid: None,
            iss: text("iss")?,
            sub: text("sub")?,
            sub_profile: profile.transpose()?,
            aud: text("aud")?,
            exp: claims.seconds("exp")?,
            iat: claims.seconds("iat")?,
            jti: claims.jti()?.to_owned(),
            client_id: text("client_id")?,
            act: claims.value("act").map(ActorNode::parse).transpose()?,
            may_act: claims.optional_object("may_act")?.map(|members| read_may_act(&members)).transpose()?,
            task: text("task")?,
            run: text("run")?,
            agent: text("agent")?,
            acting_for: optional("acting_for")?,
            environment: text("environment")?,
            level: level.transpose()?,
            budget: claims.optional_object("budget")?.map(|members| read_budget(&members)).transpose()?,
            scope: optional("scope")?,
            authorization_details: claims.value("authorization_details").map(mission::entries_of).transpose()?,
            mission: claims.optional_object("mission")?.map(|members| read_mission(&members)).transpose()?,
            status: claims.optional_object("status")?.map(|members| read_status(&members)).transpose()?,
            cnf: cnf.map(|cnf| Confirmation::read(&cnf)).transpose()?,
        })
    }

    /// Whether the members that say the same thing agree.
    pub(super) fn agrees(&self) -> bool {
        let current = SpiffeId::parse(self.current_actor()).ok();
        let environment = current.as_ref().and_then(SpiffeId::agent_name).map(|agent| agent.environment);
        // An agent uses the token, and in its own environment.
        environment == Some(self.environment.as_str()) && self.parties_agree() && self.mission_agrees()
    }

    fn parties_agree(&self) -> bool {
        let person = self.sub_profile == Some(Profile::User);
        let subject = match self.sub_profile {
            // Written before there was a profile: the subject is the agent.
            None => true,
            Some(Profile::User) => self.acting_for.as_deref() == Some(&self.sub) && !is_agent(&self.sub),
            Some(Profile::AiAgent) => self.acting_for.is_none() && is_agent(&self.sub),
            Some(Profile::Service) => false,
        };
        let differs = |actor: &ActorNode| actor.sub != self.sub && actor.sub_profile == Profile::AiAgent;
        let actor = self.act.as_ref().is_none_or(differs);
        // Who asked is who acts. The only other party that can have asked is an OAuth client that a person let in: so
        // there is a person, and the client is not itself named as a workload, which would be another agent's token.
        let consented = person && self.act.is_some() && !self.client_id.starts_with("spiffe://");
        subject && actor && (self.client_id == self.current_actor() || consented)
    }

    /// No token lives longer than its mission.
    fn mission_agrees(&self) -> bool {
        let end = self.mission.as_ref().and_then(|mission| mission.expires_at);
        end.is_none_or(|end| self.exp <= end)
    }
}

fn is_agent(name: &str) -> bool {
    SpiffeId::parse(name).is_ok_and(|id| id.agent_name().is_some())
}

fn read_may_act(members: &Members) -> Result<MayAct, JsonError> {
    // A condition that we do not know would be one that we do not keep.
    members.only(&["sub"])?;
    Ok(MayAct { sub: members.text("sub")?.to_owned() })
}

fn read_budget(members: &Members) -> Result<Budget, JsonError> {
    members.only(&["calls_max"])?;
    Ok(Budget { calls_max: members.optional_whole("calls_max")?.ok_or(JsonError::Missing("calls_max"))? })
}

fn read_mission(members: &Members) -> Result<MissionClaim, ClaimsError> {
    let authority_hash = members.text("authority_hash")?.to_owned();
    mission::parse_anchor(&authority_hash)?;
    let end = members.optional_text("expires_at")?;
    let end = end.map(|text| text.parse::<jiff::Timestamp>().map_err(|_| JsonError::NotSeconds("expires_at")));
    Ok(MissionClaim {
        id: members.text("id")?.to_owned(),
        issuer: members.text("issuer")?.to_owned(),
        authority_hash,
        expires_at: end.transpose()?.map(jiff::Timestamp::as_second),
    })
}

fn read_status(members: &Members) -> Result<Status, JsonError> {
    let place = members.object("status_list")?;
    let idx = place.optional_whole("idx")?.ok_or(JsonError::Missing("idx"))?;
    Ok(Status { status_list: StatusPlace { idx, uri: place.text("uri")?.to_owned() } })
}
