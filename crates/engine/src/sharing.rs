//! Credentials that whoever holds them may use: where each was seen. One that comes from two places is told to people, once.
//!
//! What cannot be told apart is not told: behind one proxy all have one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use remit_domain::{Actor, AgentId, Command, CredentialKind, Digest, ReportSharing, TaskId, Timestamp};

use crate::Engine;

#[cfg(test)]
mod tests;

/// Credentials that whoever holds them may use, with where each was seen.
const SIGHTINGS_KEPT_MAX: usize = 65_536;

/// From where a request came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    address: Option<IpAddr>,
    svid: Option<String>,
}

impl Origin {
    /// As the socket and the certificate of the connection say. All addresses by which a machine reaches itself are one.
    pub fn new(address: Option<IpAddr>, svid: Option<&str>) -> Self {
        let address = address.map(|address| match address.to_canonical() {
            own if own.is_loopback() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            other => other,
        });
        Self { address, svid: svid.map(str::to_owned) }
    }

    /// The same in two ways, where they can only be two parties: what one of them does not say tells nothing.
    fn parties(&self, other: &Self) -> Option<Vec<String>> {
        let differ = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) if one != other => Some(vec![one.clone(), other.clone()]),
            _ => None,
        };
        let address = |origin: &Self| origin.address.map(|address| format!("address {address}"));
        differ(&self.svid, &other.svid).or_else(|| differ(&address(self), &address(other)))
    }

    /// What is known of the two together, where they can be one party.
    fn with(self, other: &Self) -> Self {
        Self { address: self.address.or(other.address), svid: self.svid.or_else(|| other.svid.clone()) }
    }
}

/// A credential, where it was seen now.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// Digest of the credential as it was shown.
    pub credential: Digest,
    pub kind: CredentialKind,
    /// Whose it is.
    pub agent: AgentId,
    pub task: Option<TaskId>,
    /// When the credential ends, in seconds since 1970; until then it is remembered.
    pub until: i64,
    /// Where it was shown.
    pub origin: Origin,
}

/// Where credentials were seen before.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    seen: Mutex<HashMap<Digest, Seen>>,
}

#[derive(Debug)]
struct Seen {
    origin: Origin,
    until: i64,
    used_at: Timestamp,
    /// Whether people have been told.
    told: bool,
}

impl Engine {
    /// Whether the credential is known to be held by several, at whichever door it was shown. The first time that it shows, it is told,
    /// and so recorded, before anything is done with it.
    pub async fn is_shared(&self, sighting: Sighting) -> bool {
        let sharing = &self.inner.sharing;
        let Some(parties) = sharing.note(&sighting, self.now()) else { return false };
        let report = ReportSharing {
            credential: sighting.credential,
            kind: sighting.kind,
            agent: sighting.agent,
            task: sighting.task,
            parties,
        };
        if let Err(error) = self.submit(Actor::Remit, Command::ReportSharing(Box::new(report))).await {
            tracing::warn!(agent = %sighting.agent, task = ?sighting.task, %error, "a shared credential could not be reported");
            sharing.with(|seen| seen.get_mut(&sighting.credential).map(|seen| seen.told = false));
        }
        true
    }
}

impl Sharing {
    /// Notes where a credential was seen; the parties, if it is the first time that there are two.
    fn note(&self, sighting: &Sighting, now: Timestamp) -> Option<Vec<String>> {
        self.with(|all| {
            if let Some(seen) = all.get_mut(&sighting.credential) {
                seen.used_at = now;
                let parties = seen.origin.parties(&sighting.origin);
                match parties {
                    None => seen.origin = std::mem::take(&mut seen.origin).with(&sighting.origin),
                    Some(_) if seen.told => return None,
                    Some(_) => seen.told = true,
                }
                return parties;
            }
            if all.len() >= SIGHTINGS_KEPT_MAX {
                make_room(all, now);
            }
            let origin = sighting.origin.clone();
            all.insert(sighting.credential, Seen { origin, until: sighting.until, used_at: now, told: false });
            None
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Digest, Seen>) -> T) -> T {
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Forgets what has ended; where that is not enough, the quarter that was not used for longest.
fn make_room(all: &mut HashMap<Digest, Seen>, now: Timestamp) {
    all.retain(|_, seen| now.as_seconds() < seen.until);
    if all.len() < SIGHTINGS_KEPT_MAX {
        return;
    }
    let mut used: Vec<Timestamp> = all.values().map(|seen| seen.used_at).collect();
    used.sort_unstable();
    let oldest = used.get(used.len() / 4).copied().unwrap_or(now);
    all.retain(|_, seen| seen.used_at > oldest);
}
