//! Step one, who: from the credential of a request to a caller that the state knows.

use std::sync::PoisonError;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use remit_domain::{Actor, AgentId, Attribution, Id, Kind, PersonId, Refusal, RunId, State, Task, TaskId, Timestamp};
use remit_identity::TaskClaims;
use remit_identity::dpop::{self, Expect};
use remit_identity::token::Expected;

use crate::Gateway;

/// Who makes a request, as far as it has been proven.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub agent: AgentId,
    pub run: RunId,
    pub task: TaskId,
    pub acting_for: Option<PersonId>,
    pub attribution: Attribution,
    /// Why this caller may do nothing any more, if it is so: its task has ended, or its agent is not active. Attempts of
    /// such a caller are still decided, so that they are on record.
    pub ended: Option<Refusal>,
}

impl Caller {
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
    /// Another token; this one is not accepted.
    OtherToken,
    /// A proof of possession for this request.
    Proof,
}

/// A request of which nobody knows who makes it.
#[derive(Debug, Clone)]
pub(crate) struct Unknown {
    pub challenge: Challenge,
    pub refusal: Refusal,
}

impl Unknown {
    fn new(challenge: Challenge, code: &str, sentence: impl Into<String>, help: &str) -> Self {
        Self { challenge, refusal: Refusal::new(code, sentence).help(help) }
    }
}

/// One request as its proof of possession describes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub method: &'a str,
    /// The path, without the listener's own address.
    pub path: &'a str,
}

enum Scheme {
    Bearer,
    Dpop,
}

/// Who makes the request with these headers. There is no default: whoever cannot be named is refused.
pub(crate) fn identify(gateway: &Gateway, headers: &HeaderMap, asked: Asked<'_>) -> Result<Caller, Unknown> {
    let (scheme, token) = credential(headers)?;
    let now = gateway.engine.now();
    let (realm, keys) = (gateway.engine.realm(), gateway.engine.keys());
    let expected = Expected { issuer: &realm.issuer, audience: &gateway.settings.audience, environment: None };
    let claims = gateway
        .tokens
        .verify(token, &keys, &expected, now.as_seconds())
        .map_err(|error| Unknown::new(Challenge::OtherToken, error.code(), error.to_string(), error.help()))?;
    // A token that is bound to a key is worth nothing without it, and one that is not must not look as if it were.
    let attribution = match (&claims.cnf, scheme) {
        (None, Scheme::Bearer) => Attribution::Asserted,
        (Some(bound), Scheme::Dpop) => {
            prove(gateway, headers, asked, token, &bound.jkt, now)?;
            Attribution::Proven
        }
        (Some(_), Scheme::Bearer) => {
            let help = "send it as `Authorization: DPoP` with a `DPoP` proof made for this request";
            return Err(Unknown::new(
                Challenge::Proof,
                "proof_needed",
                "this task token is bound to a key and came without a proof of it",
                help,
            ));
        }
        (None, Scheme::Dpop) => {
            let help = "send it as `Authorization: Bearer`";
            return Err(Unknown::new(
                Challenge::OtherToken,
                "token_not_bound",
                "this task token is not bound to any key",
                help,
            ));
        }
    };
    gateway.engine.read(|state| known(state, &claims, attribution, now))
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
        Ok(Caller {
            agent: task.agent,
            run: task.run,
            task: task.id,
            acting_for: None,
            attribution: Attribution::Asserted,
            ended: ended(state, task, now),
        })
    })
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

/// The one credential of the request. Two are as bad as none: readers would disagree about which one counts.
fn credential(headers: &HeaderMap) -> Result<(Scheme, &str), Unknown> {
    let help = "send `Authorization: Bearer TASK_TOKEN`; `remit task start` or `remit run` gives one";
    let none = || Unknown::new(Challenge::Token, "token_needed", "this request carries no task token", help);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(none)?;
    if values.next().is_some() {
        return Err(Unknown::new(
            Challenge::OtherToken,
            "token_malformed",
            "this request carries more than one credential",
            help,
        ));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(none)?;
    let scheme = match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        scheme if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(none()),
    };
    Ok((scheme, token.trim()))
}

/// Checks the proof that came with the token: made by the right key, for this very request, and never shown before.
fn prove(
    gateway: &Gateway,
    headers: &HeaderMap,
    asked: Asked<'_>,
    token: &str,
    key: &str,
    now: Timestamp,
) -> Result<(), Unknown> {
    let refused = |code: &str, sentence: String| {
        Unknown::new(
            Challenge::Proof,
            code,
            sentence,
            "make a new proof for this very request with the key of the token",
        )
    };
    let mut values = headers.get_all("dpop").iter();
    let proof = match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(proof), None) => proof,
        (None, None) => {
            return Err(refused(
                "proof_needed",
                "this task token is bound to a key and came without a proof of it".to_owned(),
            ));
        }
        _ => {
            return Err(refused(
                "proof_malformed",
                "this request does not carry exactly one readable proof".to_owned(),
            ));
        }
    };
    let address = format!("{}{}", gateway.settings.public_url, asked.path);
    let expect =
        Expect { htm: asked.method, htu: &address, access_token: Some(token), jkt: Some(key), now: now.as_seconds() };
    let proof = dpop::verify_proof(proof, &expect).map_err(|error| refused("proof_refused", error.to_string()))?;
    let mut shown = gateway.proofs.lock().unwrap_or_else(PoisonError::into_inner);
    if shown.insert(&proof.jkt, &proof.jti, proof.iat, now.as_seconds()) {
        return Ok(());
    }
    Err(refused("proof_replayed", "this proof was shown before, or is too old to tell".to_owned()))
}

/// Holds the token against the state: a signature says what was once true, the state says what is.
fn known(state: &State, claims: &TaskClaims, attribution: Attribution, now: Timestamp) -> Result<Caller, Unknown> {
    let help = "ask for a new task token";
    let stale = || {
        Unknown::new(Challenge::OtherToken, "token_stale", "this task token does not fit any task that is known", help)
    };
    let task = state.task(id(&claims.task).ok_or_else(stale)?).map_err(|_| stale())?;
    let acting_for = task.acting_for.map(|person| person.to_string());
    let fits = id(&claims.agent) == Some(task.agent)
        && id(&claims.run) == Some(task.run)
        && claims.acting_for == acting_for
        // INVARIANT: records of a key-bound task are attributed as proven, so no unproven caller may pass for one.
        && claims.cnf.as_ref().map(|bound| bound.jkt.as_str()) == task.key.as_deref();
    if !fits {
        return Err(stale());
    }
    state.agent(task.agent).map_err(|_| stale())?;
    let ended = ended(state, task, now);
    Ok(Caller { agent: task.agent, run: task.run, task: task.id, acting_for: task.acting_for, attribution, ended })
}

fn id<K: Kind>(text: &str) -> Option<Id<K>> {
    text.parse().ok()
}
