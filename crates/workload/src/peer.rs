//! Who is at the other end of the socket, as the operating system says.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;

use crate::attest::Launched;

/// The process that made a connection. Its number stays its own for as long as it is alive.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub pid: i32,
    /// Effective ids when it connected.
    pub uid: u32,
    pub gid: u32,
    /// The nearest launch when it connected. A process that becomes another program keeps its number and may keep its connections;
    /// what was launched since has to connect by itself.
    pub launched: Option<Launched>,
    handle: Arc<AsyncFd<OwnedFd>>,
}

impl Peer {
    /// The process behind `stream`, as one that was not launched. Needs a runtime.
    ///
    /// # Errors
    ///
    /// If it is gone, or not of this system's process table as seen from here (another namespace).
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "the process is not one of this machine's");
        let pid = credentials.pid().filter(|pid| *pid > 0).ok_or_else(unknown)?;
        let handle = readable(handle(stream, Pid::from_raw(pid).ok_or_else(unknown)?)?)?;
        let (uid, gid, handle) = (credentials.uid(), credentials.gid(), Arc::new(handle));
        let peer = Self { pid, uid, gid, launched: None, handle };
        if peer.is_alive()? { Ok(peer) } else { Err(unknown()) }
    }

    /// The process `pid`, as if it had connected as the user of this one.
    #[cfg(test)]
    pub fn at(pid: i32, handle: OwnedFd) -> Self {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { pid, uid, gid, launched: None, handle: Arc::new(readable(handle).unwrap()) }
    }

    /// Waits until the process has ended.
    pub async fn ended(&self) {
        // An error is of a runtime that stops, and then everything does.
        drop(self.handle.readable().await);
    }

    /// Whether the process has not ended. While it has not, nobody else has its number.
    pub fn is_alive(&self) -> io::Result<bool> {
        is_alive(self.handle.get_ref())
    }
}

/// A handle of the very process that connected.
fn handle(stream: &UnixStream, pid: Pid) -> io::Result<OwnedFd> {
    match getsockopt(stream, sockopt::PeerPidfd) {
        Ok(handle) => Ok(handle),
        // Linux before 6.5. Between connecting and this the number may have passed to another process; that of another user is
        // refused later, since its ids differ from those that the socket has.
        Err(nix::errno::Errno::ENOPROTOOPT) => Ok(pidfd_open(pid, PidfdFlags::empty())?),
        Err(error) => Err(error.into()),
    }
}

/// Whether the process behind `handle` has not ended: its handle becomes readable when it does (pidfd_open(2)).
pub(crate) fn is_alive(handle: impl AsFd) -> io::Result<bool> {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&at_once))?;
    Ok(ended == 0)
}

#[expect(
    deprecated,
    reason = "what it is deprecated for needs a type that changes its descriptor, and this one owns it"
)]
fn readable(handle: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(handle, Interest::READABLE)
}
