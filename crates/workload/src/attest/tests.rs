use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::UnixStream;

use super::*;

/// Later than the programs of this machine, so that they count as settled.
const NOW: Timestamp = Timestamp::from_millis(4_000_000_000_000);

fn own() -> Stat {
    process::stat(i32::try_from(std::process::id()).unwrap()).unwrap()
}

/// A process that waits, and ends with the test.
struct Waits(Child);

impl Waits {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn this_process_is_seen_as_it_is() {
    let (one, _other) = UnixStream::pair().unwrap();
    let peer = Peer::of(&one).unwrap();
    assert_eq!(peer.pid, own().id.pid);
    let attested = Attestor::default().attest(&peer, NOW, |_| false).unwrap();
    assert_eq!(attested.process, own().id);
    assert_eq!(attested.launched, None);
    let path = std::env::current_exe().unwrap();
    let digest = remit_domain::Digest::of_bytes(&std::fs::read(&path).unwrap());
    for selector in [
        format!("unix:uid:{}", rustix::process::geteuid().as_raw()),
        format!("unix:gid:{}", rustix::process::getegid().as_raw()),
        format!("unix:path:{}", path.display()),
        format!("unix:sha256:{digest}"),
    ] {
        assert!(attested.selectors.contains(&selector), "{selector} in {:?}", attested.selectors);
    }
}

#[test]
fn what_was_launched_is_found_above() {
    let child = Waits::new();
    let stat = process::stat(child.pid()).unwrap();
    assert_eq!(launched(stat, |process| process == stat.id).unwrap(), Some(stat.id));
    assert_eq!(launched(stat, |process| process == own().id).unwrap(), Some(own().id));
    assert_eq!(launched(stat, |_| false).unwrap(), None);
    // Another process that had the same number was launched, not this one.
    let former = ProcessId { started_at_ticks: own().id.started_at_ticks - 1, ..own().id };
    assert_eq!(launched(stat, |process| process == former).unwrap(), None);
}

#[test]
fn a_process_that_ends_is_nobody() {
    let child = Waits::new();
    let stat = process::stat(child.pid()).unwrap();
    drop(child);
    assert!(process::stat(stat.id.pid).is_err());
    // What claims to be its child is not believed.
    let orphan = Stat { parent: stat.id.pid, ..own() };
    assert!(launched(orphan, |_| false).is_err());
}

#[tokio::test]
async fn the_end_of_a_process_is_noticed() {
    let mut child = Command::new("sh").args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let handle = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    let peer = Peer::at(pid.as_raw_pid(), handle);
    assert!(peer.is_alive().unwrap());
    let waited = tokio::time::timeout(Duration::from_millis(50), peer.ended()).await;
    assert!(waited.is_err(), "it is alive");
    drop(child.stdin.take());
    tokio::time::timeout(Duration::from_secs(20), peer.ended()).await.unwrap();
    assert!(!peer.is_alive().unwrap());
    // Not yet waited for, so its number is still there: and all the same it is nobody.
    assert!(Attestor::default().attest(&peer, NOW, |_| false).is_err());
    child.wait().unwrap();
}

#[tokio::test]
async fn who_became_another_user_is_nobody() {
    let (one, _other) = UnixStream::pair().unwrap();
    let mut peer = Peer::of(&one).unwrap();
    peer.uid = 12_345;
    assert!(matches!(Attestor::default().attest(&peer, NOW, |_| false), Err(AttestError::Changed)));
}

#[test]
fn a_process_is_observed_for_its_launch() {
    let child = Waits::new();
    let process = Attestor::default().observe(child.pid(), NOW).unwrap();
    let stat = process::stat(child.pid()).unwrap();
    assert_eq!((process.pid, process.started_at_ticks), (stat.id.pid, stat.id.started_at_ticks));
    assert!(Attestor::default().observe(i32::MAX, NOW).is_err());
}

#[test]
fn what_nobody_could_bind_is_left_out() {
    let group = |text: &str| selectors(1, 2, None, Some(text.to_owned()));
    assert_eq!(group("/a"), ["unix:uid:1", "unix:gid:2", "unix:cgroup:/a"]);
    assert_eq!(group("/a\u{202e}b"), ["unix:uid:1", "unix:gid:2"]);
    assert_eq!(group(&"/a".repeat(600)), ["unix:uid:1", "unix:gid:2"]);
}
