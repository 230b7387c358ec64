//! Attestation: what is seen of the process that asks, and which launched process it comes from.
//!
//! A selector of path or digest names a program, not who uses it: whoever may trace a process, or preload code into it, has what it
//! has, and an interpreter is every program that it runs. A launch ticket names one process and what it starts.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use remit_domain::{Digest, Process, TaskId, Timestamp};

use crate::executable::{Executable, Executables};
use crate::limits;
use crate::peer::Peer;
use crate::process::{self, ProcessId, Stat};

#[cfg(test)]
mod tests;

/// How selectors begin that name the digest of a program: the only ones for which it is read.
pub(crate) const DIGEST_SELECTOR: &str = "unix:sha256:";

/// Why a process is nobody.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestError {
    #[error("the process has ended")]
    Ended,
    #[error(
        "the process became another program, another user or another launch while it was looked at, or since it connected"
    )]
    Changed,
    #[error("the process has more than {} ancestors", limits::ANCESTORS_MAX)]
    TooDeep,
    #[error("looking at the process takes too long")]
    TooSlow,
    #[error("the process cannot be looked at: {0}")]
    Unreadable(io::Error),
}

impl From<io::Error> for AttestError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::TooSlow } else { Self::Unreadable(error) }
    }
}

/// A process that was launched by Remit, and for which task, whether or not that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Launched {
    pub process: ProcessId,
    pub task: TaskId,
}

/// A process as it was seen, all of it at one time, without reading its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    process: ProcessId,
    uid: u32,
    gid: u32,
    group: Option<String>,
    launched: Option<Launched>,
    /// Nothing if we may not look at it.
    pub executable: Option<Executable>,
}

impl Look {
    /// What is said of the process, with the digest of its program if that was taken.
    pub fn attested(&self, digest: Option<Digest>) -> Attested {
        Attested { process: self.process, selectors: self.selectors(digest), launched: self.launched }
    }

    /// Selectors as they are bound and recorded. What nobody could bind, because it is too long or cannot be shown, is left out.
    fn selectors(&self, digest: Option<Digest>) -> Vec<String> {
        let mut selectors = vec![format!("unix:uid:{}", self.uid), format!("unix:gid:{}", self.gid)];
        let path = self.executable.as_ref().and_then(|executable| executable.path.as_ref());
        selectors.extend(path.map(|path| format!("unix:path:{path}")));
        selectors.extend(digest.map(|digest| format!("{DIGEST_SELECTOR}{digest}")));
        selectors.extend(self.group.as_ref().map(|group| format!("unix:cgroup:{group}")));
        selectors.retain(|selector| {
            selector.len() <= remit_domain::limits::FACT_BYTES_MAX && !selector.contains(is_unsafe_to_show)
        });
        selectors
    }
}

/// What is said of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attested {
    pub process: ProcessId,
    /// In the words of SPIRE's attestor for Unix processes.
    pub selectors: Vec<String>,
    /// The nearest process, itself or an ancestor, that was launched by Remit. It alone says who the process is, even if its task
    /// has ended: then that is nobody.
    pub launched: Option<Launched>,
}

/// Looks at processes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attestor {
    executables: Arc<Executables>,
}

impl Attestor {
    /// What is seen of `peer` now. `launch_of` says what Remit launched a process for. Reads small files, so it blocks.
    pub fn look(&self, peer: &Peer, launch_of: impl Fn(ProcessId) -> Option<Launched>) -> Result<Look, AttestError> {
        let (before, executable) = (process::stat(peer.pid)?, Executable::of(peer.pid).ok());
        let (uid, gid) = process::user_and_group(peer.pid)?;
        let group = process::control_group(peer.pid)?;
        let launched = launched(before, launch_of)?;
        let (after, executable_after) = (process::stat(peer.pid)?, Executable::of(peer.pid).ok());
        // While the process that connected lives, its number is its own: so all of this was about it.
        if !peer.is_alive()? {
            return Err(AttestError::Ended);
        }
        let is_same = before.id == after.id && executable == executable_after;
        if !is_same || (uid, gid) != (peer.uid, peer.gid) || launched != peer.launched {
            return Err(AttestError::Changed);
        }
        Ok(Look { process: before.id, uid, gid, group, launched, executable })
    }

    /// The digest of `executable`, which the process `pid` runs. Reads all of it, so it blocks.
    pub fn digest(&self, pid: i32, executable: &Executable, now: Timestamp) -> Result<Option<Digest>, AttestError> {
        Ok(self.executables.digest(pid, executable, now, Duration::from_secs(limits::LOOK_SECONDS_MAX))?)
    }

    /// The process `pid` as it is recorded when it was launched.
    pub fn observe(&self, pid: i32, now: Timestamp) -> Result<Process, AttestError> {
        let before = process::stat(pid)?;
        let executable = Executable::of(pid)?;
        let patience = Duration::from_secs(limits::OBSERVATION_SECONDS_MAX);
        let digest = self.executables.digest(pid, &executable, now, patience)?;
        let cgroup = process::control_group(pid)?.unwrap_or_default();
        if process::stat(pid)?.id != before.id {
            return Err(AttestError::Ended);
        }
        let exe_sha256 = digest.ok_or_else(|| io::Error::other("its program is too large"))?;
        Ok(Process { pid, started_at_ticks: before.id.started_at_ticks, exe_sha256, cgroup })
    }
}

/// The launch that decides about `peer` now, to be compared with that of every later look.
pub(crate) fn nearest_launch(
    peer: &Peer,
    launch_of: impl Fn(ProcessId) -> Option<Launched>,
) -> Result<Option<Launched>, AttestError> {
    let launched = launched(process::stat(peer.pid)?, launch_of)?;
    if peer.is_alive()? { Ok(launched) } else { Err(AttestError::Ended) }
}

/// Control characters, and those that turn the direction of writing (Unicode Standard Annex 9).
fn is_unsafe_to_show(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The nearest process that was launched, from `process` upwards. Whether its task is still alive does not matter: what is above
/// a process whose work is over has nothing to say about it.
fn launched(process: Stat, launch_of: impl Fn(ProcessId) -> Option<Launched>) -> Result<Option<Launched>, AttestError> {
    let mut current = process;
    for _ in 0..limits::ANCESTORS_MAX {
        if let Some(launched) = launch_of(current.id) {
            return Ok(Some(launched));
        }
        // The first process of a system, or of what we see of it, has none above it.
        if current.parent <= 1 {
            return Ok(None);
        }
        let Ok(parent) = process::stat(current.parent) else { return Err(AttestError::Changed) };
        // Still its parent after the parent was looked at: so it was the parent that was looked at, and not a later process with
        // its number.
        if process::stat(current.id.pid)? != current {
            return Err(AttestError::Changed);
        }
        current = parent;
    }
    // A launch may be above, and nobody gets away from it by starting one process in another.
    Err(AttestError::TooDeep)
}
