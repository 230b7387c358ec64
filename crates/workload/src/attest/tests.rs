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
    let attestor = Attestor::default();
    let look = attestor.look(&peer, |_| None).unwrap();
    let executable = look.executable.as_ref().unwrap();
    let attested = look.attested(attestor.digest(peer.pid, executable, NOW).unwrap());
    assert!(!look.attested(None).selectors.iter().any(|selector| selector.starts_with(DIGEST_SELECTOR)));
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

/// As if exactly the process `launched` was launched.
fn only(launched: ProcessId) -> impl Fn(ProcessId) -> Option<Launched> {
    let task = remit_domain::Moment::new(NOW, 7).fresh_id();
    move |process| (process == launched).then_some(Launched { process, task })
}

#[test]
fn what_was_launched_is_found_above() {
    let child = Waits::new();
    let stat = process::stat(child.pid()).unwrap();
    let found = |launched_one: ProcessId| launched(stat, only(launched_one)).unwrap().map(|found| found.process);
    assert_eq!(found(stat.id), Some(stat.id));
    assert_eq!(found(own().id), Some(own().id));
    // Another process that had the same number was launched, not this one.
    assert_eq!(found(ProcessId { started_at_ticks: own().id.started_at_ticks - 1, ..own().id }), None);
}

#[test]
fn the_nearest_launch_decides() {
    let child = Waits::new();
    let stat = process::stat(child.pid()).unwrap();
    let task = remit_domain::Moment::new(NOW, 7).fresh_id();
    let found = launched(stat, |process| Some(Launched { process, task })).unwrap();
    assert_eq!(found.map(|found| found.process), Some(stat.id));
}

#[test]
fn what_hides_below_many_is_nobody() {
    use std::io::{BufRead, BufReader};
    let nest = "n() { if [ $1 -gt 0 ]; then ( n $(($1 - 1)); : ); else sh -c 'echo $$; exec cat'; fi; }; n 66";
    let mut outer = Command::new("sh").args(["-c", nest]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(outer.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let innermost = process::stat(line.trim().parse().unwrap()).unwrap();
    assert!(matches!(launched(innermost, only(own().id)), Err(AttestError::TooDeep)));
    assert!(launched(innermost, only(innermost.id)).unwrap().is_some());
    drop(outer.stdin.take());
    outer.wait().unwrap();
}

#[tokio::test]
async fn a_connection_is_of_the_launch_that_it_was_made_in() {
    let (one, _other) = UnixStream::pair().unwrap();
    let mut peer = Peer::of(&one).unwrap();
    let attestor = Attestor::default();
    // Made before the launch: what the process has become since does not speak through it.
    assert!(matches!(attestor.look(&peer, only(own().id)), Err(AttestError::Changed)));
    peer.launched = nearest_launch(&peer, only(own().id)).unwrap();
    assert_eq!(peer.launched.unwrap().process, own().id);
    assert_eq!(attestor.look(&peer, only(own().id)).unwrap().launched, peer.launched);
    // Nor does it fall back when the launch is forgotten.
    assert!(matches!(attestor.look(&peer, |_| None), Err(AttestError::Changed)));
}

#[test]
fn a_process_that_ends_is_nobody() {
    let child = Waits::new();
    let stat = process::stat(child.pid()).unwrap();
    drop(child);
    assert!(process::stat(stat.id.pid).is_err());
    // What claims to be its child is not believed.
    let orphan = Stat { parent: stat.id.pid, ..own() };
    assert!(launched(orphan, |_| None).is_err());
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
    assert!(Attestor::default().look(&peer, |_| None).is_err());
    child.wait().unwrap();
}

#[tokio::test]
async fn who_became_another_user_is_nobody() {
    let (one, _other) = UnixStream::pair().unwrap();
    let mut peer = Peer::of(&one).unwrap();
    peer.uid = 12_345;
    assert!(matches!(Attestor::default().look(&peer, |_| None), Err(AttestError::Changed)));
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
    let group = |text: &str| {
        let group = Some(text.to_owned());
        let look = Look { process: own().id, uid: 1, gid: 2, group, launched: None, executable: None };
        look.attested(None).selectors
    };
    assert_eq!(group("/a"), ["unix:uid:1", "unix:gid:2", "unix:cgroup:/a"]);
    assert_eq!(group("/a\u{202e}b"), ["unix:uid:1", "unix:gid:2"]);
    assert_eq!(group(&"/a".repeat(600)), ["unix:uid:1", "unix:gid:2"]);
}

#[test]
fn reading_a_program_ends_in_time() {
    let child = Waits::new();
    let executable = Executable::of(child.pid()).unwrap();
    let late = Executables::default().digest(child.pid(), &executable, NOW, Duration::ZERO).unwrap_err();
    assert!(matches!(AttestError::from(late), AttestError::TooSlow));
}
