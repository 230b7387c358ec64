//! Identities of workloads: the certificate of a connection, or a document in place of a token.
//!
//! One that names a run opens that run's task. One that names an agent opens its standing task, which is coarser: it tells agents
//! apart and not what they work on. One of another trust domain is whom a person bound it to; what nobody knows arrives in quarantine.

use remit_domain::{
    Actor, Agent, AgentId, AgentStatus, Attribution, Binding, Command, CredentialKind, Digest, KeyStep, Level, Refusal,
    RunId, State, Task, TaskId, Timestamp, VIA_JWT_SVID, VIA_X509_SVID,
};
use remit_engine::Sighting;
use remit_identity::SpiffeId;
use remit_identity::x509::PeerSvid;

use super::{Asked, Caller, Challenge, Shown, Unknown, admit, may_hold, trust_domain};
use crate::Gateway;
use crate::tokens::Document;

/// Who shows the certificate of `peer` and nothing else.
pub(super) async fn of_certificate(gateway: &Gateway, peer: &PeerSvid, now: Timestamp) -> Result<Caller, Unknown> {
    let shown = |level| Shown { level, attribution: Attribution::Proven };
    if gateway.engine.read(|state| peer.id.trust_domain() == trust_domain(state)) {
        return match gateway.engine.read(|state| named(state, &peer.id))? {
            Named::Run(agent, run) => {
                of_run(gateway, agent, run, shown(Level::Task), now).map(|caller| caller.issued(peer.issued_at))
            }
            Named::Agent(agent) => {
                must_not_be_withdrawn(gateway, agent, peer.issued_at)?;
                let caller = stand_in(gateway, agent, VIA_X509_SVID, shown(Level::Environment), now).await?;
                Ok(caller.issued(peer.issued_at))
            }
        };
    }
    let agent = of_workload(gateway, peer).await?;
    let caller = stand_in(gateway, agent, VIA_X509_SVID, shown(Level::Environment), now).await?;
    Ok(caller.issued(peer.issued_at))
}

/// Who shows a JWT-SVID for this gateway in place of a token. It proves nothing of whoever holds it.
pub(super) async fn of_document(
    gateway: &Gateway,
    document: &Document,
    digest: Digest,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Caller, Unknown> {
    let shown = |level| Shown { level, attribution: Attribution::Asserted };
    let named = gateway.engine.read(|state| {
        let revoked = state.realm_keys.get(&document.kid).is_some_and(|key| key.step == KeyStep::Revoked);
        if revoked {
            let sentence = "this JWT-SVID is signed with a key that was revoked";
            return Err(Unknown::new(Challenge::OtherToken, "token_key_revoked", sentence, "fetch a new one"));
        }
        named(state, &document.id)
    })?;
    let caller = match named {
        Named::Run(agent, run) => of_run(gateway, agent, run, shown(Level::Task), now)?,
        Named::Agent(agent) => {
            must_not_be_withdrawn(gateway, agent, document.issued_at)?;
            stand_in(gateway, agent, VIA_JWT_SVID, shown(Level::Environment), now).await?
        }
    }
    .issued(document.issued_at);
    gateway.engine.read(|state| {
        let Some(peer) = asked.peer else { return Ok(()) };
        let fits = state.task(caller.task).is_ok_and(|task| may_hold(state, task, &peer.id));
        let sentence = || format!("this JWT-SVID is not of `{}`, whose connection this is", peer.id);
        let refused = || {
            let help = "use each run's identity on that run's own connections";
            Unknown::new(Challenge::OtherToken, "credential_shared_run", sentence(), help)
        };
        if fits { Ok(()) } else { Err(refused()) }
    })?;
    let sighting = Sighting {
        credential: digest,
        kind: CredentialKind::Svid,
        agent: caller.agent,
        task: Some(caller.task),
        until: document.expires_at,
        origin: asked.origin(),
    };
    if gateway.engine.is_shared(sighting).await {
        return Ok(Caller { attribution: Attribution::Shared, ..caller });
    }
    Ok(caller)
}

/// A document stays readable until it ends; what it was handed out for may have ended before, and begun again since.
fn must_not_be_withdrawn(gateway: &Gateway, agent: AgentId, issued_at: i64) -> Result<(), Unknown> {
    let withdrawn = gateway.engine.read(|state| state.agent(agent).is_ok_and(|agent| agent.has_withdrawn(issued_at)));
    if !withdrawn {
        return Ok(());
    }
    let sentence = "this identity was withdrawn: its agent was suspended, or lost a workload, after it was handed out";
    Err(Unknown::new(Challenge::OtherToken, "svid_withdrawn", sentence, "fetch a new one from the Workload API"))
}

/// The SPIFFE ID whose certificate `task` is bound to, if it is bound to one.
fn bound_to(task: &Task) -> Option<&str> {
    match task.binding() {
        Binding::Svid(id) => Some(id),
        Binding::Bearer | Binding::Key(_) => None,
    }
}

/// The agent whose workload has the identity `id`, of this realm or of another trust domain.
///
/// # Errors
/// If no agent here has it.
pub(crate) fn agent_behind(state: &State, id: &SpiffeId) -> Result<AgentId, Refusal> {
    if id.trust_domain() == trust_domain(state) {
        return match named(state, id) {
            Ok(Named::Run(agent, _) | Named::Agent(agent)) => Ok(agent),
            Err(unknown) => Err(unknown.refusal),
        };
    }
    let bound = state.workload_of(&issuer_of(id), id.as_str()).map(|agent| agent.id);
    bound.ok_or_else(|| Refusal::unknown("workload", id.as_str()))
}

/// What a SPIFFE ID of this realm names.
enum Named {
    Run(AgentId, RunId),
    Agent(AgentId),
}

fn named(state: &State, id: &SpiffeId) -> Result<Named, Unknown> {
    let refused = || {
        let sentence = format!("`{id}` is not the identity of any agent here");
        let help = "`remit agent list` shows the agents and their environments";
        Unknown { challenge: Challenge::OtherToken, refusal: Refusal::new("svid_unknown", sentence).help(help) }
    };
    let name = id.agent_name().ok_or_else(refused)?;
    let agent = state.agent_named(name.name).map_err(|_| refused())?;
    let domain = trust_domain(state);
    // With its environment an agent changes its name: what was issued before is nobody's.
    match name.run {
        None if agent.spiffe_id(domain) == id.as_str() => Ok(Named::Agent(agent.id)),
        Some(run) if is_below(id, &agent.spiffe_id(domain)) => {
            run.parse().map(|run| Named::Run(agent.id, run)).map_err(|_| refused())
        }
        _ => Err(refused()),
    }
}

fn is_below(id: &SpiffeId, agent: &str) -> bool {
    id.as_str().strip_prefix(agent).is_some_and(|rest| rest.starts_with("/run/"))
}

/// Acts under the first task of `run`, which lives as long as any of that run.
fn of_run(gateway: &Gateway, agent: AgentId, run: RunId, shown: Shown, now: Timestamp) -> Result<Caller, Unknown> {
    let over = || {
        let refusal = Refusal::new("run_ended", format!("the run `{run}` has no task any more"));
        Unknown { challenge: Challenge::OtherToken, refusal: refusal.help("start a new task") }
    };
    let task = gateway.runs.first_task(&gateway.engine, agent, run).ok_or_else(over)?;
    gateway.engine.read(|state| {
        let task = state.task(task).map_err(|_| over())?;
        must_be_provable(task, shown)?;
        admit(&gateway.settings, state, task, shown, now)
    })
}

/// INVARIANT: records of a bound task are attributed as proven, so no document that is only held may open one.
fn must_be_provable(task: &Task, shown: Shown) -> Result<(), Unknown> {
    if shown.attribution == Attribution::Proven || task.key.is_none() {
        return Ok(());
    }
    Err(Unknown::new(
        Challenge::Proof,
        "proof_needed",
        "this task is bound to a key, and what came proves none",
        "use the task token with a `DPoP` proof, or the certificate",
    ))
}

/// Acts under the standing task of `agent`, which is started if there is none.
pub(super) async fn stand_in(
    gateway: &Gateway,
    agent: AgentId,
    via: &str,
    shown: Shown,
    now: Timestamp,
) -> Result<Caller, Unknown> {
    let standing = |state: &State| {
        let task = state.standing_task(agent, via, now)?;
        // What it is bound to changes with the agent's environment; then a new one is needed.
        let domain = trust_domain(state);
        let fits = bound_to(task).is_none_or(|id| state.agent(agent).is_ok_and(|agent| agent.spiffe_id(domain) == id));
        fits.then(|| admit(&gateway.settings, state, task, shown, now))
    };
    if let Some(caller) = gateway.engine.read(standing) {
        return caller;
    }
    let command = Command::StandIn { agent, via: via.to_owned() };
    gateway.engine.submit(Actor::Remit, command).await?;
    gateway.engine.read(standing).unwrap_or_else(|| {
        // It ended at this very moment.
        let refusal = Refusal::new("task_ended", "the standing task of this agent has ended");
        Err(Unknown { challenge: Challenge::Patience, refusal: refusal.help("try again") })
    })
}

/// Whom a person bound this workload of another trust domain to. Who is not known arrives, and is kept out until somebody has looked.
async fn of_workload(gateway: &Gateway, peer: &PeerSvid) -> Result<AgentId, Unknown> {
    let (issuer, subject) = (issuer_of(&peer.id), peer.id.as_str().to_owned());
    let known = |state: &State| {
        let agent = state.workload_of(&issuer, &subject)?;
        Some(if agent.status == AgentStatus::Quarantined { Err(quarantined(agent)) } else { Ok(agent.id) })
    };
    if let Some(known) = gateway.engine.read(known) {
        return known;
    }
    let evidence = format!("an X.509-SVID with the serial number {}, shown at the gateway", peer.serial);
    let arrive = Command::ArriveWorkload { issuer: issuer.clone(), subject: subject.clone(), evidence };
    gateway.engine.submit(Actor::Remit, arrive).await?;
    gateway.engine.read(known).unwrap_or_else(|| Err(Unknown::shut_out(Refusal::unknown("workload", &subject))))
}

fn quarantined(agent: &Agent) -> Unknown {
    let refusal = Refusal::new("agent_quarantined", format!("nobody answers yet for the agent `{}`", agent.name));
    Unknown::shut_out(refusal.help("an administrator has to give it an owner and a purpose: `remit agent change`"))
}

fn issuer_of(id: &SpiffeId) -> String {
    format!("spiffe://{}", id.trust_domain())
}

/// Which task each run began with, as far as that was asked before. A run's first task ends last, so what was once found stays right
/// until that task ends.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    first: std::sync::Mutex<std::collections::HashMap<RunId, TaskId>>,
}

impl Runs {
    fn first_task(&self, engine: &remit_engine::Engine, agent: AgentId, run: RunId) -> Option<TaskId> {
        let with = || self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = with().get(&run).copied();
        let is_live = |task: TaskId| engine.read(|state| state.task(task).is_ok_and(|task| task.is_live()));
        if let Some(task) = known.filter(|task| is_live(*task)) {
            return Some(task);
        }
        let found = engine.read(|state| {
            let own = state.live_tasks_of(agent).filter(|task| task.run == run);
            own.min_by_key(|task| (task.depth, task.id)).map(|task| task.id)
        });
        let mut first = with();
        match found {
            Some(task) => {
                if first.len() >= crate::limits::RUNS_KEPT_MAX {
                    first.retain(|_, task| is_live(*task));
                }
                if first.len() < crate::limits::RUNS_KEPT_MAX {
                    first.insert(run, task);
                }
            }
            None => drop(first.remove(&run)),
        }
        found
    }
}
