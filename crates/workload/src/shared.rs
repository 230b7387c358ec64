//! What all requests share.

use std::sync::Arc;

use remit_engine::Engine;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::attest::{AttestError, Attested, Attestor};
use crate::changes::Change;
use crate::entitled::{self, Identity};
use crate::issue::{IssueError, Issuer};
use crate::limits;
use crate::peer::Peer;
use crate::streams::Streams;

#[derive(Debug)]
pub(crate) struct Shared {
    pub engine: Engine,
    pub issuer: Issuer,
    pub streams: Arc<Streams>,
    pub changes: broadcast::Sender<Change>,
    pub stopping: CancellationToken,
    attestor: Attestor,
    attestations: Arc<Semaphore>,
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
            attestations: Arc::new(Semaphore::new(limits::ATTESTATIONS_MAX)),
        }
    }

    /// Looks at `peer` and says who it is, or that it is nobody.
    pub async fn see(&self, peer: &Peer) -> Result<Seen, Status> {
        let unavailable = || Status::unavailable("this process cannot be looked at now");
        let permit = Arc::clone(&self.attestations).acquire_owned().await.map_err(|_| unavailable())?;
        let (attestor, state, looked_at) = (self.attestor.clone(), self.engine.state(), peer.clone());
        let now = self.engine.now();
        let attested = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            attestor.attest(&looked_at, now, |process| entitled::is_launched(&state, process))
        });
        let attested = attested.await.map_err(|_| unavailable())?.map_err(|error| refused(peer, &error))?;
        // The state of this moment: what ended while files were read is over.
        let identities = self.engine.read(|state| entitled::identities(state, &attested, now));
        if identities.is_empty() {
            tracing::debug!(pid = peer.pid, selectors = ?attested.selectors, launched = ?attested.launched, "nobody");
            return Err(nobody());
        }
        Ok(Seen { attested, identities })
    }
}

fn refused(peer: &Peer, error: &AttestError) -> Status {
    tracing::debug!(pid = peer.pid, uid = peer.uid, %error, "a process was refused");
    nobody()
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
