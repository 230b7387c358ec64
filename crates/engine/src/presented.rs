//! What a door checks of a task token whose signature holds: a signature says what was once true, the state says what is.
//!
//! It reads what this crate writes when it issues tokens. How a token was shown, and what is proved with it, is for the door.

use remit_domain::{Agent, Binding, Environment, Id, KeyStep, Kind, Level, Refusal, State, Task, lineage};
use remit_identity::token::{Level as TokenLevel, Profile};
use remit_identity::{SpiffeId, TaskClaims};

/// The task of a token that says nothing else than the state does. It may have ended, and its agent may be suspended.
///
/// # Errors
/// `token_key_revoked`, `token_revoked`, or `token_stale` where the token contradicts the state.
pub fn task_of<'a>(state: &'a State, claims: &TaskClaims) -> Result<&'a Task, Refusal> {
    // INVARIANT: what a revoked key signed is refused from the commit on, not from when the ring of keys has been exchanged.
    let revoked = |kid: &String| state.realm_keys.get(kid).is_some_and(|key| key.step == KeyStep::Revoked);
    if claims.kid.as_ref().is_some_and(revoked) {
        let sentence = "this task token is signed with a key that was revoked";
        return Err(Refusal::new("token_key_revoked", sentence).help("ask for a new task token"));
    }
    let task = state.task(id(&claims.task).ok_or_else(stale)?).map_err(|_| stale())?;
    if task.is_revoked(&claims.jti) {
        let help = "ask for a new task token, if the task is still yours";
        return Err(Refusal::new("token_revoked", "this task token was revoked").help(help));
    }
    let agent = state.agent(task.agent).map_err(|_| stale())?;
    if fits(state, task, agent, claims) { Ok(task) } else { Err(stale()) }
}

fn fits(state: &State, task: &Task, agent: &Agent, claims: &TaskClaims) -> bool {
    let own = agent.spiffe_id(trust_domain(state));
    let acting_for = task.acting_for.map(|person| person.to_string());
    let environment = agent.profile.environment.map_or("sandbox", Environment::as_str);
    id(&claims.agent) == Some(task.agent)
        && id(&claims.run) == Some(task.run)
        && claims.acting_for == acting_for
        && claims.environment == environment
        // Only the outermost actor counts (RFC 8693 section 4.1), and it is whose task this is.
        && claims.current_actor() == own
        && subject_fits(state, task, claims, &own)
        && (claims.client_id == own || task.client.as_ref() == Some(&claims.client_id))
        // INVARIANT: records of a bound task are attributed as proven, so no unproven caller may pass for one.
        && binding_fits(task, claims)
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
///
/// # Errors
/// `credential_shared_run` if `peer`, whose certificate the connection shows, may not carry what belongs to `task`.
pub fn must_fit_connection(state: &State, task: &Task, peer: Option<&SpiffeId>) -> Result<(), Refusal> {
    match peer {
        Some(peer) if !may_hold(state, task, peer) => {
            let sentence = format!("this task token is not of `{peer}`, whose connection this is");
            let help = "use each run's token on that run's own connections";
            Err(Refusal::new("credential_shared_run", sentence).help(help))
        }
        _ => Ok(()),
    }
}

/// Whether a connection of `peer` may carry what belongs to `task`: it is the connection of its run, of its agent, or of somebody
/// who is no agent here.
pub fn may_hold(state: &State, task: &Task, peer: &SpiffeId) -> bool {
    let domain = trust_domain(state);
    if peer.trust_domain() != domain {
        let issuer = format!("spiffe://{}", peer.trust_domain());
        return state.workload_of(&issuer, peer.as_str()).is_none_or(|agent| agent.id == task.agent);
    }
    let Ok(agent) = state.agent(task.agent) else { return false };
    // With its environment an agent changes its name: what was issued before is nobody's.
    let rest = peer.as_str().strip_prefix(&agent.spiffe_id(domain));
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix("/run/").and_then(id) == Some(task.run))
}

/// Whether `agent`, who showed an identity of the level `shown`, may act at all on an installation that is for production or is not.
///
/// # Errors
/// `token_environment` or `identity_too_coarse`.
pub fn must_be_let_in(agent: &Agent, shown: Level, production: bool) -> Result<(), Refusal> {
    if production && agent.profile.environment != Some(Environment::Production) {
        let environment = agent.profile.environment.map_or("no", Environment::as_str);
        let sentence = format!("`{}` is an agent of {environment} environment, and this is production", agent.name);
        return Err(Refusal::new("token_environment", sentence).help("use an agent of the environment `production`"));
    }
    let needed = agent.profile.level_needed();
    if shown < needed {
        let sentence = format!(
            "the agent `{}` needs an identity of the level `{}`, and this one is of the level `{}`",
            agent.name,
            needed.as_str(),
            shown.as_str()
        );
        let help = "start a task and use its token: `remit run`";
        return Err(Refusal::new("identity_too_coarse", sentence).help(help));
    }
    Ok(())
}

/// How finely a token tells callers apart. One that does not say names its task.
pub fn level(claims: &TaskClaims) -> Level {
    match claims.level {
        Some(TokenLevel::Agent) => Level::Agent,
        Some(TokenLevel::Environment) => Level::Environment,
        Some(TokenLevel::Task) | None => Level::Task,
    }
}

fn stale() -> Refusal {
    Refusal::new("token_stale", "this task token does not fit any task that is known").help("ask for a new task token")
}

fn id<K: Kind>(text: &str) -> Option<Id<K>> {
    text.parse().ok()
}

fn trust_domain(state: &State) -> &str {
    state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default()
}
