//! Who is calling. A person by the data directory's socket or by a session; an agent by its own key. Never anybody by default.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use remit_domain::{
    Actor, Agent, AgentId, Digest, PersonId, Refusal, Right, SessionId, SignInMethod, WorkloadIdentity, may,
};
use remit_identity::assertion::{AssertionError, Expect, UnverifiedAssertion};
use remit_identity::x509::PeerSvid;
use remit_identity::{PublicJwk, SpiffeId};

use crate::{Api, Problem};

#[cfg(test)]
mod tests;

/// The cookie in which the console keeps a session.
pub const SESSION_COOKIE: &str = "remit_session";
/// Must be there on changes that are authenticated by a cookie: a form on another site cannot set it.
const CSRF_HEADER: &str = "remit-csrf";
const BEARER: &str = "bearer ";

/// What the connection itself says about its other end. Set by whoever accepts connections, never by a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process on this machine, on the data directory's socket, of the operating system's user `uid`.
    Socket {
        /// As the operating system says.
        uid: u32,
        /// The process that connected, where the operating system says that too: it may have ended since.
        pid: Option<i32>,
    },
}

/// A person who is signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedIn {
    pub person: PersonId,
    pub method: SignInMethod,
    pub session: Option<SessionId>,
}

impl SignedIn {
    pub fn actor(&self) -> Actor {
        Actor::Person { person: self.person, method: self.method }
    }

    /// Refuses whoever does not have `right`.
    pub fn must(&self, state: &remit_domain::State, right: Right) -> Result<(), Refusal> {
        may(state, self.person, right)
    }

    /// Whether they have `right`.
    pub fn has(&self, state: &remit_domain::State, right: Right) -> bool {
        self.must(state, right).is_ok()
    }

    /// Whether the session that this began with still holds: for answers that take long.
    pub fn still_holds(&self, api: &Api) -> bool {
        let now = api.engine.now();
        api.engine.read(|state| {
            let person_known = state.people.contains_key(&self.person);
            let session =
                self.session.map(|id| state.sessions.get(&id).is_some_and(|session| now < session.expires_at));
            person_known && session.unwrap_or(true)
        })
    }
}

/// An agent that proved possession of one of its enrolled keys, or of its certificate's key, for this very request.
#[derive(Debug, Clone)]
pub(crate) struct EnrolledAgent {
    pub agent: AgentId,
    /// Thumbprint of the key; where a certificate of this realm was shown instead, the SPIFFE ID in it.
    pub key: String,
    /// That certificate, as `x5t#S256` (RFC 8705).
    pub certificate: Option<String>,
}

/// What came as a credential, unchecked.
#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    Bearer(&'a str),
    Cookie(&'a str),
    Nothing,
}

impl<'a> Credential<'a> {
    fn of(headers: &'a HeaderMap) -> Result<Self, Problem> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let value = value.to_str().map_err(|_| Problem::credential_refused())?;
            let scheme = value.get(..BEARER.len()).filter(|scheme| scheme.eq_ignore_ascii_case(BEARER));
            let token = scheme.and_then(|scheme| value.get(scheme.len()..));
            return token.map(|token| Self::Bearer(token.trim())).ok_or_else(Problem::credential_refused);
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut own = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == SESSION_COOKIE);
        match (own.next(), own.next()) {
            (None, _) => Ok(Self::Nothing),
            (Some((_, token)), None) => Ok(Self::Cookie(token)),
            // Two cookies of one name: somebody planted one of them, and nobody knows which.
            (Some(_), Some(_)) => Err(Problem::credential_refused()),
        }
    }
}

/// The person whom the request's credential proves, or the problem that nobody is signed in.
fn person_of(api: &Api, parts: &Parts) -> Result<SignedIn, Problem> {
    let token = match Credential::of(&parts.headers)? {
        Credential::Bearer(token) => token,
        Credential::Cookie(token) => {
            refuse_forged(&parts.method, &parts.headers)?;
            token
        }
        Credential::Nothing => return person_of_peer(api, parts),
    };
    let (token, now) = (Digest::of_bytes(token.as_bytes()), api.engine.now());
    let session = api.engine.read(|state| state.session_of(&token, now).cloned());
    let session = session.ok_or_else(Problem::credential_refused)?;
    Ok(SignedIn { person: session.person, method: session.method_at(now), session: Some(session.id) })
}

fn person_of_peer(api: &Api, parts: &Parts) -> Result<SignedIn, Problem> {
    let Some(Peer::Socket { uid, .. }) = parts.extensions.get::<Peer>().copied() else {
        return Err(Problem::not_signed_in());
    };
    let person = api.engine.read(|state| state.person_of_uid(uid).map(|person| person.id));
    let person = person.ok_or_else(|| {
        let refusal = Refusal::new("not_signed_in", format!("the user {uid} of this machine is nobody in this realm"))
            .help("run the command as the user that runs Remit, or sign in with `remit login --code CODE`");
        Problem::new(StatusCode::UNAUTHORIZED, refusal)
    })?;
    Ok(SignedIn { person, method: SignInMethod::LocalSocket, session: None })
}

/// The person behind a request that others may make too. A credential that is there has to be good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Perhaps(pub Option<SignedIn>);

impl FromRequestParts<Api> for Perhaps {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let nobody = Credential::of(&parts.headers)? == Credential::Nothing && parts.extensions.get::<Peer>().is_none();
        if nobody { Ok(Self(None)) } else { person_of(api, parts).map(|person| Self(Some(person))) }
    }
}

/// The address that a request came from, if it came from one: nothing on the data directory's socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CameFrom(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for CameFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(address.map(|ConnectInfo(address)| address.ip())))
    }
}

/// Browsers send cookies with requests that other sites made.
fn refuse_forged(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() || headers.contains_key(CSRF_HEADER) {
        return Ok(());
    }
    let refusal = Refusal::new("csrf", "a change by a browser's session needs the header `remit-csrf`")
        .help("use the console's pages, or a bearer token");
    Err(Problem::new(StatusCode::FORBIDDEN, refusal))
}

/// Lets a request through only with a person behind it.
pub(crate) async fn require_person(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let person = person_of(&api, &parts)?;
    parts.extensions.insert(person);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Lets a request through only with a fresh assertion of an enrolled agent (RFC 7523), or with its certificate.
pub(crate) async fn require_agent(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let agent = match Credential::of(&parts.headers)? {
        Credential::Bearer(assertion) => agent_of(&api, assertion).map_err(|error| assertion_refused(&error))?,
        Credential::Cookie(_) | Credential::Nothing => {
            agent_of_certificate(&api, &parts)?.ok_or_else(assertion_needed)?
        }
    };
    parts.extensions.insert(agent);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The agent whose own certificate was shown on the connection, which the listener has verified. That of a run is no more than
/// its task, and that of another realm is nobody here.
fn agent_of_certificate(api: &Api, parts: &Parts) -> Result<Option<EnrolledAgent>, Problem> {
    let Some(svid) = parts.extensions.get::<PeerSvid>() else { return Ok(None) };
    let Some(name) = svid.id.agent_name().filter(|name| name.run.is_none()) else { return Ok(None) };
    let found = api.engine.read(|state| {
        let realm = state.realm.as_ref()?;
        let agent = state.agent_named(name.name).ok()?;
        let own = agent.spiffe_id(&realm.trust_domain) == svid.id.as_str();
        own.then(|| (agent.id, must_hold(state, agent, svid.issued_at)))
    });
    let Some((agent, holds)) = found else { return Ok(None) };
    holds.map_err(|refusal| Problem::new(StatusCode::UNAUTHORIZED, refusal))?;
    let certificate = Some(svid.certificate_sha256.clone());
    Ok(Some(EnrolledAgent { agent, key: svid.id.as_str().to_owned(), certificate }))
}

/// Refuses an agent's own identity document, handed out at `issued_at`, that outlived what it was for: no program is bound to the
/// agent, or the document has been withdrawn since.
pub(crate) fn must_hold(state: &remit_domain::State, agent: &Agent, issued_at: i64) -> Result<(), Refusal> {
    let is_local = |workload: &WorkloadIdentity| matches!(workload, WorkloadIdentity::Local { .. });
    if !state.workloads_of(agent.id).iter().any(is_local) {
        let sentence = "no program of this machine is bound to this agent, so its own SVID is worth nothing";
        return Err(Refusal::new("workload_unbound", sentence).help("bind the program to the agent"));
    }
    if agent.has_withdrawn(issued_at) {
        let sentence =
            "this identity was withdrawn: its agent was suspended, or lost a workload, after it was handed out";
        return Err(Refusal::new("svid_withdrawn", sentence).help("fetch a new one from the Workload API"));
    }
    Ok(())
}

fn assertion_needed() -> Problem {
    let refusal = Refusal::new("not_signed_in", "no agent has proved itself")
        .help("send `Authorization: Bearer` with an assertion signed by the agent's enrolled key");
    Problem::new(StatusCode::UNAUTHORIZED, refusal)
}

fn assertion_refused(error: &AssertionError) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Refusal::new(error.code(), error.to_string()).help(error.help()))
}

/// The agent that `assertion` proves, which is used up by that.
pub(crate) fn agent_of(api: &Api, assertion: &str) -> Result<EnrolledAgent, AssertionError> {
    let unverified = UnverifiedAssertion::parse(assertion)?;
    let client = unverified.claimed_client()?.to_owned();
    let name = SpiffeId::parse(&client).ok();
    let name = name.as_ref().and_then(SpiffeId::agent_name).ok_or(AssertionError::Client)?;
    let found = api.engine.read(|state| {
        let realm = state.realm.clone()?;
        let agent = state.agent_named(name.name).ok()?.clone();
        (agent.spiffe_id(&realm.trust_domain) == client).then_some((realm.issuer, agent))
    });
    // An unknown agent and a wrong signature get one answer.
    let (issuer, agent) = found.ok_or(AssertionError::Signature)?;
    let now = api.engine.now().as_seconds();
    let expect = Expect { client: &client, issuer: &issuer, now };
    let mut outcome = Err(AssertionError::Signature);
    for key in &agent.keys {
        let Ok(public) = PublicJwk::parse(&key.jwk) else { continue };
        match unverified.clone().verify(&public, &expect) {
            Err(AssertionError::Signature) => {}
            other => {
                outcome = other.map(|claims| (claims, key.thumbprint.clone()));
                break;
            }
        }
    }
    let (claims, key) = outcome?;
    // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
    let fresh = api.assertions.lock().is_ok_and(|mut seen| seen.insert(&client, &claims.jti, claims.iat, now));
    if !fresh {
        return Err(AssertionError::Replay);
    }
    Ok(EnrolledAgent { agent: agent.id, key, certificate: None })
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    /// The person that the router's own check let through; nobody else gets here.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(Problem::not_signed_in)
    }
}

impl<S: Sync> FromRequestParts<S> for EnrolledAgent {
    type Rejection = Problem;

    /// The agent that the router's own check let through.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(assertion_needed)
    }
}
