//! What a process that makes a proof for a server binds itself to before it reads anything: it ends in time, ends with the server, and
//! takes no more than a part of the memory.
//!
//! The server ends it as well. That alone is not enough: a server that is killed ends nothing any more.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, getpgrp, getpid, getppid, getrlimit, kill_current_process_group,
    pidfd_open, setpgid, setrlimit,
};

/// Bytes of data that the process may have, and each solver that it starts, which inherits the limit. Linux counts what can be written,
/// used or not: the stack of 512 MiB on which terms are walked is part of it, so a limit below that would leave no proof at all. Not a
/// limit of addresses, of which an allocator reserves more than it ever asks for.
const DATA_BYTES_MAX: u64 = 3 * 1024 * 1024 * 1024;
/// How readily the system ends it when there is no memory left: before everything else (proc(5), `oom_score_adj`).
const ENDED_FIRST: &str = "1000";

/// From here on this process and all that it starts end after `time_limit`, and when `server` ends, which started it.
///
/// # Errors
/// If it cannot be bound so, or if `server` has ended already: then nothing is to be proved.
pub fn bind(server: Pid, time_limit: Duration) -> Result<(), String> {
    let failed = |doing: &str, error: Errno| format!("the process of a proof cannot {doing}: {error}");
    // Whoever ends this group ends what this process has started and nobody else.
    if getpgrp() != getpid() {
        setpgid(None, None).map_err(|error| failed("have a group of its own", error))?;
    }
    let handle = pidfd_open(server, PidfdFlags::empty()).map_err(|error| failed("watch the server", error))?;
    // INVARIANT: asked after the handle is open. A parent that is still the parent has not ended, so its number was nobody else's.
    if getppid() != Some(server) {
        return Err("the server that asked for a proof has ended".to_owned());
    }
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || watch(&handle, time_limit))
        .map_err(|error| format!("the process of a proof cannot watch the server: {error}"))?;
    limit(Resource::Data, DATA_BYTES_MAX).map_err(|error| failed("limit its memory", error))?;
    // One that meets the limit aborts, and policies do not belong into a file beside it.
    limit(Resource::Core, 0).map_err(|error| failed("go without a core file", error))?;
    // It cannot be written where /proc is missing or read-only; the limit above holds all the same.
    drop(std::fs::write("/proc/self/oom_score_adj", ENDED_FIRST));
    Ok(())
}

fn limit(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(most, |already| already.min(most));
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
}

/// Waits until the server ends or the time is over, and ends the group with this process in it.
///
/// Not the signal that the system sends when a parent dies: that reaches this process and not the solver, and comes already when the
/// parent's *thread* ends that started it.
fn watch(server: &OwnedFd, time_limit: Duration) {
    let begun = Instant::now();
    loop {
        let left = Timespec::try_from(time_limit.saturating_sub(begun.elapsed()));
        let Ok(left) = left else { break };
        // A handle of a process becomes readable when that ends (pidfd_open(2)).
        match poll(&mut [PollFd::new(server, PollFlags::IN)], Some(&left)) {
            Err(Errno::INTR) => {}
            // It ended, the time is over, or neither can be known.
            Ok(_) | Err(_) => break,
        }
    }
    let _ = kill_current_process_group(Signal::KILL);
    // Not reached where the group could be ended.
    std::process::abort();
}
