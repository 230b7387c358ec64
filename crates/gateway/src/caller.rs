//! Step one, who: from what a request shows to a caller that the state knows.
//!
//! Something that is shown may be a task token, a document or certificate of a workload, or, as a debt, a secret that several
//! share. There is no default: whoever cannot be named is refused.

use std::net::IpAddr;

use http::HeaderMap;
use remit_domain::{Actor, AgentId, Attribution, Level, PersonId, Refusal, RunId, State, Task, TaskId, Timestamp};
use remit_engine::{Origin, SubmitError, presented};
use remit_identity::x509::PeerSvid;

use crate::door::Door;
use crate::{Gateway, Settings};

pub(crate) use remit_engine::presented::may_hold;
pub(crate) use svid::{Runs, agent_behind};

mod credential;
mod legacy;
mod proof;
mod svid;
mod token;

/// Who makes a request, as far as it has been proven.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub agent: AgentId,
    pub run: RunId,
    pub task: TaskId,
    pub acting_for: Option<PersonId>,
    pub attribution: Attribution,
    /// When what it showed was issued, where that says so.
    pub issued_at: Option<Timestamp>,
    /// Why this caller may do nothing any more, if it is so: its task has ended, or its agent is not active. Attempts of
    /// such a caller are still decided, so that they are on record.
    pub ended: Option<Refusal>,
}

impl Caller {
    /// Whose credential was issued at this moment, in seconds since 1970.
    fn issued(self, at_seconds: i64) -> Self {
        Self { issued_at: Some(Timestamp::from_millis(at_seconds.saturating_mul(1000))), ..self }
    }

    /// As what it acts on the engine.
    pub fn actor(&self) -> Actor {
        Actor::Agent { agent: self.agent, task: Some(self.task) }
    }
}

/// What the client has to bring, said in the challenge of the answer (RFC 6750 section 3, RFC 9449 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A token; none came.
    Token,
    /// Another token, or the same on another connection; this one is not accepted.
    OtherToken,
    /// A proof of possession for this request.
    Proof,
    /// Nothing: no credential of this caller's would be accepted now.
    Nothing,
    /// Nothing else, but later: whether it may be let in cannot be decided at this moment.
    Patience,
}

/// A request of which nobody knows who makes it, or of somebody who is not let in.
#[derive(Debug, Clone)]
pub(crate) struct Unknown {
    pub challenge: Challenge,
    pub refusal: Refusal,
}

impl Unknown {
    fn new(challenge: Challenge, code: &str, sentence: impl Into<String>, help: &str) -> Self {
        Self { challenge, refusal: Refusal::new(code, sentence).help(help) }
    }

    fn other_token(refusal: Refusal) -> Self {
        Self { challenge: Challenge::OtherToken, refusal }
    }

    fn shut_out(refusal: Refusal) -> Self {
        Self { challenge: Challenge::Nothing, refusal }
    }
}

impl From<SubmitError> for Unknown {
    fn from(error: SubmitError) -> Self {
        match error {
            // An identity of another level, or one that is not a debt, is another credential.
            SubmitError::Refused(refusal) if refusal.code == "identity_too_coarse" => {
                Self { challenge: Challenge::OtherToken, refusal }
            }
            SubmitError::Refused(refusal) => Self::shut_out(refusal),
            SubmitError::Unavailable(refusal) => Self { challenge: Challenge::Patience, refusal },
        }
    }
}

/// One request, as far as it matters for who makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub method: &'a str,
    /// The path, without the listener's own address.
    pub path: &'a str,
    /// The address as the client wrote it, without query, where it was sent to the listener of somebody else.
    pub address: Option<&'a str>,
    pub door: &'a Door,
    /// The legacy account and the workflow that the address names, if it is such an address.
    pub legacy: Option<(&'a str, &'a str)>,
    /// Who is at the other end of the connection, where a certificate had to be shown.
    pub peer: Option<&'a PeerSvid>,
    /// From where the connection comes, as the socket says. What a header says of that is not asked.
    pub from: Option<IpAddr>,
}

impl Asked<'_> {
    fn origin(&self) -> Origin {
        Origin::new(self.from, self.peer.map(|peer| peer.id.as_str()))
    }
}

/// How well a request shows who makes it.
#[derive(Debug, Clone, Copy)]
struct Shown {
    level: Level,
    attribution: Attribution,
}

/// Who makes the request with these headers.
pub(crate) async fn identify(gateway: &Gateway, headers: &HeaderMap, asked: Asked<'_>) -> Result<Caller, Unknown> {
    let now = gateway.engine.now();
    let credential = credential::read(headers)?;
    if asked.legacy.is_some() || credential.as_ref().is_some_and(credential::Credential::is_legacy) {
        return legacy::identify(gateway, headers, credential, asked, now).await;
    }
    match (credential, asked.peer) {
        (Some(credential), _) => token::identify(gateway, headers, credential, asked, now).await,
        (None, Some(peer)) => svid::of_certificate(gateway, peer, now).await,
        (None, None) => Err(credential::none()),
    }
}

/// The caller of a listener that asks for no token: the agent `sandbox` in its one task, while experiments are open.
pub(crate) fn sandbox(gateway: &Gateway) -> Result<Caller, Unknown> {
    let now = gateway.engine.now();
    gateway.engine.read(|state| {
        let task = state.sandbox_task().ok_or_else(|| {
            Unknown::new(
                Challenge::Token,
                "sandbox_closed",
                "experiments are not open",
                "start Remit with `remit up --dev`",
            )
        })?;
        Ok(caller(state, task, Attribution::Asserted, now))
    })
}

/// Lets in who acts under `task`, if what was shown is enough for what its agent may do, and here.
fn admit(settings: &Settings, state: &State, task: &Task, shown: Shown, now: Timestamp) -> Result<Caller, Unknown> {
    let agent = state.agent(task.agent).map_err(Unknown::shut_out)?;
    presented::must_be_let_in(agent, shown.level, settings.production).map_err(Unknown::other_token)?;
    Ok(caller(state, task, shown.attribution, now))
}

fn caller(state: &State, task: &Task, attribution: Attribution, now: Timestamp) -> Caller {
    let attribution = if task.attribution() == Attribution::Shared { Attribution::Shared } else { attribution };
    let acting_for = task.acting_for;
    Caller {
        agent: task.agent,
        run: task.run,
        task: task.id,
        acting_for,
        attribution,
        issued_at: None,
        ended: ended(state, task, now),
    }
}

/// Why the agent of `task` may do nothing under it, if it is so.
fn ended(state: &State, task: &Task, now: Timestamp) -> Option<Refusal> {
    let agent = match state.agent(task.agent) {
        Ok(agent) => agent,
        Err(refusal) => return Some(refusal),
    };
    let inactive = || {
        let sentence = format!("the agent `{}` is not active", agent.name);
        Refusal::new("agent_inactive", sentence).help("its owner can resume it")
    };
    let active = agent.status == remit_domain::AgentStatus::Active;
    task.must_be_alive(now).err().or_else(|| (!active).then(inactive))
}

/// The realm's trust domain.
fn trust_domain(state: &State) -> &str {
    state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default()
}
