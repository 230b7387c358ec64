//! What all requests share.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use remit_domain::Timestamp;
use remit_engine::Engine;
use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::attest::{self, AttestError, Attested, Attestor, Look};
use crate::changes::Change;
use crate::entitled::{self, Identity};
use crate::issue::{IssueError, Issuer};
use crate::limits;
use crate::peer::Peer;
use crate::streams::Streams;
use crate::turns::Turns;

#[derive(Debug)]
pub(crate) struct Shared {
    pub engine: Engine,
    pub issuer: Issuer,
    pub streams: Arc<Streams>,
    pub changes: broadcast::Sender<Change>,
    pub stopping: CancellationToken,
    attestor: Attestor,
    looks: Turns,
    digests: Turns,
}

/// A caller as it is now, and who that is.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub attested: Attested,
    /// Never empty.
    pub identities: Vec<Identity>,
}

impl Shared {
    pub fn new(engine: Engine, svid_seconds: u64) -> Self {
        Self {
            issuer: Issuer::new(engine.clone(), svid_seconds),
            engine,
            streams: Arc::default(),
            changes: broadcast::Sender::new(limits::CHANGES_KEPT),
            stopping: CancellationToken::new(),
            attestor: Attestor::default(),
            looks: Turns::new(limits::LOOKS_PER_USER_MAX),
            digests: Turns::new(limits::DIGESTS_PER_USER_MAX),
        }
    }

    /// Looks at `peer` and says who it is, or that it is nobody.
    pub async fn see(&self, peer: &Peer) -> Result<Seen, Status> {
        let now = self.engine.now();
        let attested = self.attest(peer, now).await.map_err(|error| refused(peer, &error))?;
        // The state of this moment: what ended while files were read is over.
        let identities = self.engine.read(|state| entitled::identities(state, &attested, now));
        if identities.is_empty() {
            tracing::debug!(pid = peer.pid, selectors = ?attested.selectors, launched = ?attested.launched, "nobody");
            return Err(nobody());
        }
        Ok(Seen { attested, identities })
    }

    /// What is said of `peer`. Its program is read only if that decides about something.
    async fn attest(&self, peer: &Peer, now: Timestamp) -> Result<Attested, AttestError> {
        let look = self.look(peer).await?;
        let attested = look.attested(None);
        let Some(executable) = look.executable.clone() else { return Ok(attested) };
        if !self.engine.read(|state| entitled::needs_digest(state, &attested)) {
            return Ok(attested);
        }
        let (attestor, pid) = (self.attestor.clone(), peer.pid);
        let digest = in_turn(&self.digests, peer.uid, move || attestor.digest(pid, &executable, now)).await?;
        // What was read belongs to what was seen only if that is still the same.
        if self.look(peer).await? == look { Ok(look.attested(digest)) } else { Err(AttestError::Changed) }
    }

    async fn look(&self, peer: &Peer) -> Result<Look, AttestError> {
        let (attestor, state, peer) = (self.attestor.clone(), self.engine.state(), peer.clone());
        let launch_of = move |process| entitled::launch(&state, process);
        in_turn(&self.looks, peer.uid, move || attestor.look(&peer, launch_of)).await
    }

    /// `peer` with the launch that decides about it now, as it connects.
    pub async fn admit(&self, mut peer: Peer) -> Result<Peer, AttestError> {
        let state = self.engine.state();
        in_turn(&self.looks, peer.uid, move || {
            peer.launched = attest::nearest_launch(&peer, |process| entitled::launch(&state, process))?;
            Ok(peer)
        })
        .await
    }
}

/// Does what blocks for the user `uid`, when it is their turn. They keep it for as long as the work takes, even if that is too long.
async fn in_turn<T: Send + 'static>(
    turns: &Turns,
    uid: u32,
    work: impl FnOnce() -> Result<T, AttestError> + Send + 'static,
) -> Result<T, AttestError> {
    let longest = Duration::from_secs(limits::LOOK_SECONDS_MAX);
    let turn = timeout(longest, turns.take(uid)).await.map_err(|_| AttestError::TooSlow)?;
    let working = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    timeout(longest, working).await.map_err(|_| AttestError::TooSlow)?.map_err(io::Error::other)?
}

fn refused(peer: &Peer, error: &AttestError) -> Status {
    tracing::debug!(pid = peer.pid, uid = peer.uid, %error, "a process was refused");
    match error {
        AttestError::TooSlow => Status::unavailable("this process cannot be looked at now"),
        _ => nobody(),
    }
}

/// What every process hears that has no identity, or has one no longer. It does not say why: that is in the log.
pub(crate) fn nobody() -> Status {
    Status::permission_denied("no identity is issued to this process")
}

impl From<IssueError> for Status {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Refused(reason) => {
                tracing::debug!(%reason, "an SVID was refused");
                nobody()
            }
            IssueError::TooMany => Self::resource_exhausted(error.to_string()),
            IssueError::Unavailable(_) => Self::unavailable(error.to_string()),
        }
    }
}
