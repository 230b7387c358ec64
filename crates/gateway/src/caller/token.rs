//! Task tokens, held against the state: a signature says what was once true, the state says what is.

use http::HeaderMap;
use remit_domain::{Attribution, Binding, CredentialKind, Id, KeyStep, Kind, Level, State, Task, Timestamp, lineage};
use remit_identity::TaskClaims;
use remit_identity::token::{Level as TokenLevel, Profile};
use remit_identity::x509::PeerSvid;

use super::credential::Credential;
use super::{Asked, Caller, Challenge, Shown, Unknown, admit, proof, svid, trust_domain};
use crate::sharing::Sighting;
use crate::tokens::Said;
use crate::{Gateway, metadata};

/// Who shows a token in its `Authorization`.
pub(super) async fn identify(
    gateway: &Gateway,
    headers: &HeaderMap,
    credential: Credential<'_>,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Caller, Unknown> {
    let [whole, own] = metadata::audiences(gateway, asked.door);
    let audiences: Vec<&str> = whole.as_deref().into_iter().chain(own.as_deref()).collect();
    let (realm, keys) = (gateway.engine.realm(), gateway.engine.keys());
    let checked = gateway
        .tokens
        .verify(credential.secret, &keys, &realm.issuer, &audiences, now.as_seconds())
        .map_err(|error| Unknown::new(Challenge::OtherToken, error.code(), error.to_string(), error.help()))?;
    let claims = match &*checked.said {
        Said::Task(claims) => claims,
        Said::Svid(document) => return svid::of_document(gateway, document, checked.digest, asked, now).await,
    };
    let attribution = proof::check(gateway, headers, asked, &credential, claims.cnf.as_ref(), now)?;
    let known = |state: &State| {
        let task = known(state, claims)?;
        must_fit_connection(state, task, asked.peer)?;
        let level = claims.level.map_or(Level::Task, level);
        admit(&gateway.settings, state, task, Shown { level, attribution }, now)
    };
    let caller = gateway.engine.read(known)?.issued(claims.iat);
    if attribution == Attribution::Proven {
        return Ok(caller);
    }
    // Whoever holds a bearer token may use it, so that several do is only ever seen, not prevented.
    let sighting = Sighting {
        credential: checked.digest,
        kind: CredentialKind::Token,
        agent: caller.agent,
        task: Some(caller.task),
        until: claims.exp,
        origin: asked.origin(),
    };
    if gateway.sharing.is_shared(&gateway.engine, sighting, now).await {
        return Ok(Caller { attribution: Attribution::Shared, ..caller });
    }
    Ok(caller)
}

fn level(level: TokenLevel) -> Level {
    match level {
        TokenLevel::Agent => Level::Agent,
        TokenLevel::Environment => Level::Environment,
        TokenLevel::Task => Level::Task,
    }
}

fn stale() -> Unknown {
    let sentence = "this task token does not fit any task that is known";
    Unknown::new(Challenge::OtherToken, "token_stale", sentence, "ask for a new task token")
}

/// The task of a token that says nothing else than the state does.
fn known<'a>(state: &'a State, claims: &TaskClaims) -> Result<&'a Task, Unknown> {
    // INVARIANT: what a revoked key signed is refused from the commit on, not from when the ring of keys has been exchanged.
    let revoked = |kid: &String| state.realm_keys.get(kid).is_some_and(|key| key.step == KeyStep::Revoked);
    if claims.kid.as_ref().is_some_and(revoked) {
        return Err(Unknown::new(
            Challenge::OtherToken,
            "token_key_revoked",
            "this task token is signed with a key that was revoked",
            "ask for a new task token",
        ));
    }
    let task = state.task(id(&claims.task).ok_or_else(stale)?).map_err(|_| stale())?;
    if task.is_revoked(&claims.jti) {
        let help = "ask for a new task token, if the task is still yours";
        return Err(Unknown::new(Challenge::OtherToken, "token_revoked", "this task token was revoked", help));
    }
    let agent = state.agent(task.agent).map_err(|_| stale())?;
    let own = agent.spiffe_id(trust_domain(state));
    let acting_for = task.acting_for.map(|person| person.to_string());
    let environment = agent.profile.environment.map_or("sandbox", remit_domain::Environment::as_str);
    let fits = id(&claims.agent) == Some(task.agent)
        && id(&claims.run) == Some(task.run)
        && claims.acting_for == acting_for
        && claims.environment == environment
        // Only the outermost actor counts (RFC 8693 section 4.1), and it is whose task this is.
        && claims.current_actor() == own
        && subject_fits(state, task, claims, &own)
        && (claims.client_id == own || task.client.as_ref() == Some(&claims.client_id))
        // INVARIANT: records of a bound task are attributed as proven, so no unproven caller may pass for one.
        && binding_fits(task, claims);
    if !fits {
        return Err(stale());
    }
    Ok(task)
}

/// Whose the task is: the person that it acts for, or the agent with which it began.
fn subject_fits(state: &State, task: &Task, claims: &TaskClaims, own: &str) -> bool {
    let root = || lineage(state, task).last().and_then(|root| state.agent(root.agent).ok());
    match claims.sub_profile {
        Some(Profile::User) => task.acting_for.is_some_and(|person| claims.sub == person.to_string()),
        Some(Profile::AiAgent) => root().is_some_and(|root| claims.sub == root.spiffe_id(trust_domain(state))),
        // Written before there was a profile: the subject is the agent itself.
        None => claims.sub == own,
        Some(Profile::Service) => false,
    }
}

fn binding_fits(task: &Task, claims: &TaskClaims) -> bool {
    let bound = claims.cnf.as_ref();
    match task.binding() {
        Binding::Bearer => bound.is_none(),
        Binding::Key(thumbprint) => bound.and_then(|bound| bound.key()) == Some(thumbprint),
        // Which certificate it is changes each time that it is renewed; the token names the one it was issued for.
        Binding::Svid(_) => bound.is_some_and(|bound| bound.certificate().is_some()),
    }
}

/// A connection belongs to one agent, or to one run of it: the token of another one on it is in hands that it was not given to.
fn must_fit_connection(state: &State, task: &Task, peer: Option<&PeerSvid>) -> Result<(), Unknown> {
    let Some(peer) = peer else { return Ok(()) };
    if svid::may_hold(state, task, &peer.id) {
        return Ok(());
    }
    Err(Unknown::new(
        Challenge::OtherToken,
        "credential_shared_run",
        format!("this task token is not of `{}`, whose connection this is", peer.id),
        "use each run's token on that run's own connections",
    ))
}

fn id<K: Kind>(text: &str) -> Option<Id<K>> {
    text.parse().ok()
}
