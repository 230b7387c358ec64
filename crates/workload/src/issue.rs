//! Makes SVIDs: each is on record before anybody has it, and who asks again soon gets the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use remit_domain::{
    Actor, AgentId, Command, Digest, Event, IssueSvid, State, SvidKind, TaskId, Timestamp, WorkloadIdentity,
};
use remit_engine::{Engine, SubmitError};
use remit_identity::x509::{self, SvidRequest, X509Svid};
use remit_identity::{KeyState, SpiffeId, jwt_svid};

use crate::attest::Attested;
use crate::entitled::{self, Identity};
use crate::limits;
use crate::process::ProcessId;

#[cfg(test)]
mod tests;

/// Why an SVID was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// It may not be: the identity has been withdrawn, or there is no time left for it.
    #[error("{0}")]
    Refused(String),
    #[error("too many SVIDs of this identity were asked for")]
    TooMany,
    /// It cannot be now.
    #[error("{0}")]
    Unavailable(String),
}

/// For what an SVID was made, and for which process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    process: ProcessId,
    id: String,
    /// Nothing for certificates.
    audience: Option<String>,
}

impl Asked {
    const fn kind(&self) -> SvidKind {
        if self.audience.is_some() { SvidKind::Jwt } else { SvidKind::X509 }
    }
}

/// An SVID that was handed out.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub document: Document,
    pub agent: AgentId,
    pub task: Option<TaskId>,
    pub expires_at: Timestamp,
    /// When another is made in its place: at half of its life, a little earlier or later.
    pub renew_at: Timestamp,
    /// The realm key that signed it.
    key: String,
}

/// An SVID whose identity is gone and whose time is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Withdrawn {
    pub id: String,
    pub kind: SvidKind,
    pub expires_at: Timestamp,
}

/// Until when SVIDs verify at most that nobody remembers, if there may be any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Forgotten {
    /// Those that were handed out before this process started.
    pub before_start: Option<Timestamp>,
    /// Those for which there was no room.
    pub dropped: Option<Timestamp>,
}

/// The SVIDs that were handed out, as far as they are remembered.
#[derive(Debug, Default)]
struct Made {
    known: HashMap<Asked, Issued>,
    /// When the last ends of those that were dropped.
    dropped_until: Option<Timestamp>,
}

impl Made {
    fn keep(&mut self, asked: Asked, issued: Issued, now: Timestamp) {
        if self.known.len() >= limits::SVIDS_KEPT_MAX {
            self.known.retain(|_, issued| now < issued.expires_at);
        }
        if self.known.len() >= limits::SVIDS_KEPT_MAX {
            let mut dropped_until = self.dropped_until;
            self.known.retain(|_, issued| {
                let is_fresh = now < issued.renew_at;
                if !is_fresh {
                    dropped_until = dropped_until.max(Some(issued.expires_at));
                }
                is_fresh
            });
            self.dropped_until = dropped_until;
        }
        if self.known.len() < limits::SVIDS_KEPT_MAX {
            self.known.insert(asked, issued);
        } else {
            self.dropped_until = self.dropped_until.max(Some(issued.expires_at));
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Document {
    X509(Arc<X509Svid>),
    Jwt(Arc<str>),
}

/// How many were made for an identity in the minute that began at some time.
#[derive(Debug, Clone, Copy)]
struct Count {
    since: Timestamp,
    made: u32,
}

/// Makes SVIDs and remembers them while they are good.
#[derive(Debug)]
pub(crate) struct Issuer {
    engine: Engine,
    svid_seconds: u64,
    /// What was handed out before is not known here.
    started_at: Timestamp,
    made: Mutex<Made>,
    counts: Mutex<HashMap<String, Count>>,
}

impl Issuer {
    pub fn new(engine: Engine, svid_seconds: u64) -> Self {
        let svid_seconds = svid_seconds.clamp(limits::SVID_SECONDS_MIN, limits::SVID_SECONDS_MAX);
        let started_at = engine.now();
        Self { engine, svid_seconds, started_at, made: Mutex::default(), counts: Mutex::default() }
    }

    /// A certificate for `identity`, whose process is `attested`.
    pub async fn x509(&self, attested: &Attested, identity: &Identity) -> Result<Issued, IssueError> {
        let asked = Asked { process: attested.process, id: identity.id.clone(), audience: None };
        if let Some(known) = self.known(&asked) {
            return Ok(known);
        }
        let (now, ttl_seconds) = self.lifetime(identity, self.svid_seconds)?;
        let svid = x509::issue(&self.engine.keys(), &SvidRequest::new(spiffe_id(identity)?, ttl_seconds), now)
            .map_err(|error| IssueError::Unavailable(error.to_string()))?;
        let (key, not_after) = (svid.authority.clone(), svid.not_after);
        self.record(attested, identity, &asked, svid.serial.clone(), not_after).await?;
        Ok(self.keep(asked, identity, Document::X509(Arc::new(svid)), not_after, key))
    }

    /// A token for `identity` and `audience`.
    pub async fn jwt(&self, attested: &Attested, identity: &Identity, audience: &str) -> Result<Issued, IssueError> {
        let asked = Asked { process: attested.process, id: identity.id.clone(), audience: Some(audience.to_owned()) };
        if let Some(known) = self.known(&asked) {
            return Ok(known);
        }
        let (now, ttl_seconds) = self.lifetime(identity, self.svid_seconds.min(limits::JWT_SECONDS_MAX))?;
        let unavailable = |error: &dyn std::fmt::Display| IssueError::Unavailable(error.to_string());
        let keys = self.engine.keys();
        let key = keys.signing().map_err(|error| unavailable(&error))?.kid().to_owned();
        let svid = jwt_svid::mint(&keys, &spiffe_id(identity)?, audience, ttl_seconds, now)
            .map_err(|error| unavailable(&error))?;
        // It has no number of its own, and is known by its digest.
        let serial = Digest::of_bytes(svid.token.as_bytes()).to_string();
        self.record(attested, identity, &asked, serial, svid.expires_at).await?;
        Ok(self.keep(asked, identity, Document::Jwt(svid.token.as_str().into()), svid.expires_at, key))
    }

    /// Now and how long an SVID may live, in seconds: never longer than what it stands on.
    fn lifetime(&self, identity: &Identity, seconds: u64) -> Result<(i64, i64), IssueError> {
        self.count(identity)?;
        let now = self.engine.now().as_seconds();
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let left = identity.ends_at.map_or(seconds, |ends_at| seconds.min(ends_at.as_seconds().saturating_sub(now)));
        if left > 0 { Ok((now, left)) } else { Err(IssueError::Refused("the run is about to end".to_owned())) }
    }

    /// Puts the SVID on record. Nobody gets it before, and nobody gets it if this fails.
    async fn record(
        &self,
        attested: &Attested,
        identity: &Identity,
        asked: &Asked,
        serial: String,
        expires_at: i64,
    ) -> Result<(), IssueError> {
        let mut observed = attested.selectors.clone();
        observed.push(format!("unix:pid:{}", attested.process.pid));
        let issue = IssueSvid {
            agent: identity.agent,
            task: identity.task(),
            kind: asked.kind(),
            serial,
            audience: asked.audience.iter().cloned().collect(),
            expires_at: Timestamp::from_millis(expires_at.saturating_mul(1_000)),
            attested: observed,
        };
        match self.engine.submit(Actor::Remit, Command::IssueSvid(Box::new(issue))).await {
            Ok(_) => Ok(()),
            Err(SubmitError::Refused(refusal)) => Err(IssueError::Refused(refusal.sentence)),
            Err(SubmitError::Unavailable(refusal)) => Err(IssueError::Unavailable(refusal.sentence)),
        }
    }

    /// What was made for the same, if it is still in the first half of its life and its key is still good.
    fn known(&self, asked: &Asked) -> Option<Issued> {
        let known = self.made().known.get(asked).cloned()?;
        let fresh = self.engine.now() < known.renew_at && self.is_good(&known.key);
        fresh.then_some(known)
    }

    /// Whether what the realm key `key` signed still verifies.
    fn is_good(&self, key: &str) -> bool {
        self.engine.keys().key(key).is_some_and(|own| own.state() != KeyState::Revoked)
    }

    fn keep(&self, asked: Asked, identity: &Identity, document: Document, expires_at: i64, key: String) -> Issued {
        let now = self.engine.now();
        let expires_at = Timestamp::from_millis(expires_at.saturating_mul(1_000));
        let issued = Issued {
            document,
            agent: identity.agent,
            task: identity.task(),
            expires_at,
            renew_at: renew_at(now, expires_at, random()),
            key,
        };
        self.made().keep(asked, issued.clone(), now);
        issued
    }

    /// Counts one SVID of `identity`, if it may still have one in this minute.
    fn count(&self, identity: &Identity) -> Result<(), IssueError> {
        let now = self.engine.now();
        let is_over = |count: &Count| now >= count.since.plus_seconds(60);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= limits::SVIDS_KEPT_MAX {
            counts.retain(|_, count| !is_over(count));
        }
        let fresh = Count { since: now, made: 0 };
        let count = counts.entry(identity.id.clone()).or_insert(fresh);
        if is_over(count) {
            *count = fresh;
        }
        if count.made >= limits::SVIDS_PER_MINUTE_MAX {
            return Err(IssueError::TooMany);
        }
        count.made += 1;
        Ok(())
    }

    /// Forgets the SVIDs whose identity no longer stands, and says which of them still verify where nobody asks us.
    pub fn withdraw(&self, state: &State, now: Timestamp) -> Vec<Withdrawn> {
        let mut withdrawn = Vec::new();
        self.made().known.retain(|asked, issued| {
            let stands = entitled::stands(state, issued.agent, issued.task, now);
            if !stands && now < issued.expires_at {
                withdrawn.push(Withdrawn { id: asked.id.clone(), kind: asked.kind(), expires_at: issued.expires_at });
            }
            stands
        });
        withdrawn
    }

    /// Until when SVIDs verify at most that were handed out to what `cause` has ended, and that are not remembered.
    pub fn forgotten(&self, state: &State, cause: &Event, now: Timestamp) -> Forgotten {
        let before_start = self.started_at.plus_seconds(self.svid_seconds);
        let still = |until: &Timestamp| now < *until;
        Forgotten {
            before_start: Some(before_start).filter(still).filter(|_| had_svids(state, cause, self.started_at, now)),
            dropped: self.made().dropped_until.filter(still).filter(|_| had_svids(state, cause, now, now)),
        }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what `cause` has ended may have had SVIDs before `before`.
fn had_svids(state: &State, cause: &Event, before: Timestamp, now: Timestamp) -> bool {
    match cause {
        Event::AgentSuspended { agent, .. }
        | Event::AgentDecommissioned { agent, .. }
        | Event::WorkloadUnbound { agent, workload: WorkloadIdentity::Local { .. } } => {
            state.agent(*agent).is_ok_and(|agent| agent.registered_at < before)
        }
        // A task has them only if something was launched for it.
        _ => state.launches.values().any(|launch| {
            let is_ended = match cause {
                Event::TaskEnded { task, .. } => launch.task == *task,
                Event::RunRevoked { run, .. } => launch.run == *run,
                _ => cause.agent().is_none_or(|agent| agent == launch.agent),
            };
            is_ended
                && !entitled::stands(state, launch.agent, Some(launch.task), now)
                && state.task(launch.task).is_ok_and(|task| task.started_at < before)
        }),
    }
}

/// The name as certificates and tokens take it.
fn spiffe_id(identity: &Identity) -> Result<SpiffeId, IssueError> {
    SpiffeId::parse(&identity.id).map_err(|error| IssueError::Refused(format!("`{}`: {error}", identity.id)))
}

/// Half of the life that is left, moved by up to [`limits::JITTER_PERCENT`] as `random` says.
fn renew_at(now: Timestamp, expires_at: Timestamp, random: u64) -> Timestamp {
    let life = expires_at.millis_since(now);
    let spread = life.saturating_mul(limits::JITTER_PERCENT) / 100;
    let earliest = (life / 2).saturating_sub(spread);
    let moved = earliest.saturating_add(random % (2 * spread + 1));
    let moved = i64::try_from(moved).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_add(moved))
}

/// Any number. Without randomness there is no jitter, and the renewals are as good.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 0,
    }
}
