//! Attestation: what is seen of the process that asks, and which launched process it comes from.
//!
//! A selector of path or digest names a program, not who uses it: whoever may trace a process, or preload code into it, has what it
//! has, and an interpreter is every program that it runs. A launch ticket names one process and what it starts.

use std::io;
use std::sync::Arc;

use remit_domain::{Process, Timestamp};

use crate::executable::{Executable, Executables};
use crate::limits;
use crate::peer::Peer;
use crate::process::{self, ProcessId, Stat};

#[cfg(test)]
mod tests;

/// Why a process is nobody.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestError {
    #[error("the process has ended")]
    Ended,
    #[error("the process became another program or another user while it was looked at, or since it connected")]
    Changed,
    #[error("the process cannot be looked at: {0}")]
    Unreadable(#[from] io::Error),
}

/// A process as it was seen, all of it at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attested {
    pub process: ProcessId,
    /// In the words of SPIRE's attestor for Unix processes.
    pub selectors: Vec<String>,
    /// The nearest process, itself or an ancestor, that was launched by Remit.
    pub launched: Option<ProcessId>,
}

/// Looks at processes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attestor {
    executables: Arc<Executables>,
}

impl Attestor {
    /// What is seen of `peer` now. `is_launched` says of a process whether Remit knows it as launched. Reads files, so it blocks.
    pub fn attest(
        &self,
        peer: &Peer,
        now: Timestamp,
        is_launched: impl Fn(ProcessId) -> bool,
    ) -> Result<Attested, AttestError> {
        let (before, executable) = (process::stat(peer.pid)?, self.executables.of(peer.pid, now));
        let (uid, gid) = process::user_and_group(peer.pid)?;
        let group = process::control_group(peer.pid)?;
        let launched = launched(before, is_launched)?;
        let (after, executable_after) = (process::stat(peer.pid)?, self.executables.of(peer.pid, now));
        // While the process that connected lives, its number is its own: so all of this was about it.
        if !peer.is_alive()? {
            return Err(AttestError::Ended);
        }
        let executable = executable.ok();
        if before.id != after.id || executable != executable_after.ok() || (uid, gid) != (peer.uid, peer.gid) {
            return Err(AttestError::Changed);
        }
        Ok(Attested { process: before.id, selectors: selectors(uid, gid, executable, group), launched })
    }

    /// The process `pid` as it is recorded when it was launched.
    pub fn observe(&self, pid: i32, now: Timestamp) -> Result<Process, AttestError> {
        let before = process::stat(pid)?;
        let executable = self.executables.of(pid, now)?;
        let cgroup = process::control_group(pid)?.unwrap_or_default();
        if process::stat(pid)?.id != before.id {
            return Err(AttestError::Ended);
        }
        let exe_sha256 = executable.sha256.ok_or_else(|| io::Error::other("its program is too large"))?;
        Ok(Process { pid, started_at_ticks: before.id.started_at_ticks, exe_sha256, cgroup })
    }
}

/// Selectors as they are bound and recorded. What nobody could bind, because it is too long or cannot be shown, is left out.
fn selectors(uid: u32, gid: u32, executable: Option<Executable>, group: Option<String>) -> Vec<String> {
    let mut selectors = vec![format!("unix:uid:{uid}"), format!("unix:gid:{gid}")];
    if let Some(executable) = executable {
        selectors.extend(executable.path.map(|path| format!("unix:path:{path}")));
        selectors.extend(executable.sha256.map(|digest| format!("unix:sha256:{digest}")));
    }
    selectors.extend(group.map(|group| format!("unix:cgroup:{group}")));
    selectors.retain(|selector| {
        selector.len() <= remit_domain::limits::FACT_BYTES_MAX && !selector.contains(is_unsafe_to_show)
    });
    selectors
}

/// Control characters, and those that turn the direction of writing (Unicode Standard Annex 9).
fn is_unsafe_to_show(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The nearest process that was launched, from `process` upwards.
fn launched(process: Stat, is_launched: impl Fn(ProcessId) -> bool) -> Result<Option<ProcessId>, AttestError> {
    let mut current = process;
    for _ in 0..limits::ANCESTORS_MAX {
        if is_launched(current.id) {
            return Ok(Some(current.id));
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
    Ok(None)
}
