//! Who asks: an agent that will enforce the answer, by the token of its task.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use remit_domain::{Actor, AgentId, CredentialKind, Refusal, State, TaskId, Timestamp};
use remit_engine::{Origin, Sighting, presented};
use remit_identity::TaskClaims;
use remit_identity::dpop::{self, Expect};
use remit_identity::token::Confirmation;
use remit_identity::x509::PeerSvid;

use super::tokens::Checked;
use crate::oauth::presented::Alive;
use crate::{Api, Problem};

/// An agent that asks for decisions and enforces them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enforcer {
    pub agent: AgentId,
    /// The task of its token: what it asks about is decided and recorded under it.
    pub task: TaskId,
    /// Whether it proved with this very request that the token is its own.
    pub proven: bool,
    /// When its token was issued.
    pub issued_at: Timestamp,
}

impl Enforcer {
    /// As what it acts on the engine.
    pub fn actor(&self) -> Actor {
        Actor::Agent { agent: self.agent, task: Some(self.task) }
    }
}

impl<S: Sync> FromRequestParts<S> for Enforcer {
    type Rejection = Problem;

    /// The agent that the router's own check let through.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(token_needed)
    }
}

/// How the token was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

fn refused(code: &str, sentence: impl Into<String>, help: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Refusal::new(code, sentence).help(help))
}

fn token_needed() -> Problem {
    refused(
        "token_needed",
        "this request carries no task token",
        "send `Authorization: Bearer TASK_TOKEN` of the agent that asks; `remit task start` gives one",
    )
}

fn stale() -> Problem {
    refused("token_stale", "this task token holds no longer", "ask for a new task token")
}

/// An agent at work under the task whose token it showed, whatever it enforces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worker {
    agent: AgentId,
    pub task: TaskId,
}

impl Worker {
    /// As what it acts on the engine.
    pub fn actor(&self) -> Actor {
        Actor::Agent { agent: self.agent, task: Some(self.task) }
    }
}

impl<S: Sync> FromRequestParts<S> for Worker {
    type Rejection = Problem;

    /// The agent that the router's own check let through.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(token_needed)
    }
}

/// The agent whose token the request carries, if it holds and was used as it has to be.
pub(super) async fn worker(api: &Api, parts: &Parts) -> Result<Worker, Problem> {
    let known = holder(api, parts, false).await?;
    Ok(Worker { agent: known.agent, task: known.task })
}

/// The same, of one that enforces elsewhere.
///
/// INVARIANT: a token is held against the state as at the gateway, by the same checks. Who is no enforcer learns nothing else.
pub(super) async fn identify(api: &Api, parts: &Parts) -> Result<Enforcer, Problem> {
    holder(api, parts, true).await
}

async fn holder(api: &Api, parts: &Parts, must_enforce: bool) -> Result<Enforcer, Problem> {
    let (scheme, token) = credential(&parts.headers)?;
    let checked = api
        .enforcers
        .tokens
        .verify(api, token)
        .map_err(|error| refused(error.code(), error.to_string(), error.help()))?;
    if checked.claims.aud != api.engine.audience() {
        return Err(refused(
            "token_narrow",
            "this task token is for one connector, and questions may be about any",
            "ask for a token for the whole gateway",
        ));
    }
    let proven = check_binding(api, parts, scheme, token, &checked.claims)?;
    let enforcer = api.engine.read(|state| admit(api, state, parts, &checked.claims, proven, must_enforce))?;
    if !proven {
        note(api, parts, &checked, &enforcer).await;
    }
    Ok(enforcer)
}

/// Lets in who shows `claims`, if the state says the same and, where it must enforce, the agent is one that does.
fn admit(
    api: &Api,
    state: &State,
    parts: &Parts,
    claims: &TaskClaims,
    proven: bool,
    must_enforce: bool,
) -> Result<Enforcer, Problem> {
    let refused = |refusal| Problem::new(StatusCode::UNAUTHORIZED, refusal);
    let task = presented::task_of(state, claims).map_err(refused)?;
    let peer = parts.extensions.get::<PeerSvid>().map(|peer| &peer.id);
    presented::must_fit_connection(state, task, peer).map_err(refused)?;
    let Alive { task, agent } = Alive::of(api, state, claims).ok_or_else(stale)?;
    presented::must_be_let_in(agent, presented::level(claims), api.settings.production).map_err(refused)?;
    if must_enforce {
        agent.must_be_enforcer().map_err(|refusal| Problem::new(StatusCode::FORBIDDEN, refusal))?;
    }
    let issued_at = Timestamp::from_millis(claims.iat.saturating_mul(1_000));
    Ok(Enforcer { agent: agent.id, task: task.id, proven, issued_at })
}

/// Notes where a bearer token was shown. Whoever holds one may use it, so that several do is only ever seen, not prevented; once it is
/// seen, it is on record before anything is decided, and records of its task say so.
async fn note(api: &Api, parts: &Parts, checked: &Checked, enforcer: &Enforcer) {
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let svid = parts.extensions.get::<PeerSvid>().map(|peer| peer.id.as_str());
    let sighting = Sighting {
        credential: checked.digest,
        kind: CredentialKind::Token,
        agent: enforcer.agent,
        task: Some(enforcer.task),
        until: checked.claims.exp,
        origin: Origin::new(address, svid),
    };
    api.engine.is_shared(sighting).await;
}

/// The one credential that the request carries. Two are as bad as none: readers would disagree about which one counts.
fn credential(headers: &HeaderMap) -> Result<(Scheme, &str), Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(token_needed)?;
    if values.next().is_some() {
        return Err(refused("token_malformed", "this request carries more than one credential", "send one"));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(token_needed)?;
    match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Ok((Scheme::Bearer, token.trim())),
        _ if scheme.eq_ignore_ascii_case("dpop") => Ok((Scheme::Dpop, token.trim())),
        _ => Err(token_needed()),
    }
}

/// Whether the request proves that a bound token is its holder's. What is bound does not pass for what is not, nor the other way
/// round.
fn check_binding(api: &Api, parts: &Parts, scheme: Scheme, token: &str, claims: &TaskClaims) -> Result<bool, Problem> {
    match (&claims.cnf, scheme) {
        (None, Scheme::Bearer) => Ok(false),
        (Some(Confirmation::Key(key)), Scheme::Dpop) => prove(api, parts, token, key).map(|()| true),
        (Some(Confirmation::Certificate(digest)), Scheme::Bearer) => {
            let shown = parts.extensions.get::<PeerSvid>();
            if shown.is_some_and(|shown| shown.certificate_sha256 == *digest) {
                return Ok(true);
            }
            let sentence = "this task token is bound to a certificate that this connection does not show";
            Err(refused("certificate_needed", sentence, "ask on the address for connections with certificates"))
        }
        (Some(Confirmation::Key(_)), Scheme::Bearer) => Err(proof_refused("came without a proof of its key")),
        (None | Some(Confirmation::Certificate(_)), Scheme::Dpop) => Err(refused(
            "token_not_bound",
            "this task token is not bound to any key",
            "send it as `Authorization: Bearer`",
        )),
    }
}

fn proof_refused(why: &str) -> Problem {
    refused(
        "proof_needed",
        format!("this task token is bound to a key, and {why}"),
        "send it as `Authorization: DPoP` with a `DPoP` proof made for this very request",
    )
}

/// Checks the proof that came with the token: made by the right key, for this very request, and never shown before (RFC 9449
/// section 7).
fn prove(api: &Api, parts: &Parts, token: &str, key: &str) -> Result<(), Problem> {
    let mut proofs = parts.headers.get_all("dpop").iter();
    let proof = match (proofs.next(), proofs.next()) {
        (Some(proof), None) => proof.to_str().unwrap_or_default(),
        _ => return Err(proof_refused("the request does not carry exactly one proof")),
    };
    let now = api.engine.now().as_seconds();
    let mtls = api.settings.oauth.mtls_url.as_deref();
    let base = mtls.filter(|_| parts.extensions.get::<PeerSvid>().is_some()).unwrap_or(&api.settings.console_url);
    let address = format!("{base}{}", parts.uri.path());
    let expect = Expect { htm: parts.method.as_str(), htu: &address, access_token: Some(token), jkt: Some(key), now };
    let proof = dpop::verify_proof(proof, &expect).map_err(|error| proof_refused(&error.to_string()))?;
    // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
    let seen = &api.memory.proofs;
    let fresh = seen.lock().is_ok_and(|mut seen| seen.insert(&proof.jkt, &proof.jti, proof.iat, now));
    if fresh { Ok(()) } else { Err(proof_refused("this proof was shown before")) }
}
