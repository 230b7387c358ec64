//! A disk that is really full.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{FAULT, some_calls, verified, whole_again};
use crate::support::{Echo, Estate, Load, Place, Reply, Witness, turn, until};

/// Says that this process already has a file system namespace of its own.
const INSIDE: &str = "REMIT_TEST_OWN_NAMESPACE";
const DISK: &str = "size=24m";
/// Small, so that the next one is soon needed and cannot be had.
const SEGMENT: &str = "ledger.segment_bytes = 1048576\n";
/// Calls that fit nowhere.
const CALLS: u64 = 4_000;
const CALLERS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_calls_and_freed_space_lets_them_through_again() {
    let _turn = turn().await;
    let place = Place::new(SEGMENT);
    let mount = place.root().join("disk");
    fs::create_dir_all(&mount).expect("no directory to mount on");
    let Some(disk) = Disk::mount(&mount) else { return in_own_namespace() };
    let place = place.with_data(disk.0.join("data"));
    let echo = Echo::start();
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let mut acknowledged = some_calls(&estate, &echo).await;

    let ballast = disk.fill();
    // Some calls may still pass, in space that was set aside before; each of them has a durable decision like any other.
    let load = Load::start(&estate, CALLERS, CALLS);
    until("calls are refused", async || (place.control().get("/readyz").await.ok()?.status == 503).then_some(())).await;
    let replies = load.stop().await;
    for reply in &replies {
        let refused =
            reply.status == 503 && ["disk_full", "ledger_unavailable"].contains(&reply.refusal().unwrap_or_default());
        let withheld = reply.refusal() == Some("outcome_not_recorded");
        assert!(reply.is_result() || refused || withheld, "{reply:?}");
    }
    acknowledged.extend(replies.iter().filter(|reply| reply.is_result()).filter_map(|reply| reply.decision.clone()));
    let passed = replies.iter().filter(|reply| reply.is_result()).count();
    let codes: BTreeSet<_> = replies.iter().filter_map(Reply::refusal).collect();
    eprintln!("on a full disk {passed} calls still passed, then: {codes:?}");
    let before = echo.take_calls();
    let refused = Load::start(&estate, CALLERS, 200).finish().await;
    assert!(refused.iter().all(|reply| reply.status == 503), "a call passed on a full disk");
    assert_eq!(echo.take_calls(), Vec::<String>::new(), "the upstream was called on a full disk");

    fs::remove_file(ballast).expect("the ballast cannot be removed");
    // Either it goes on by itself, or the log had failed and the server ends to be started again.
    let mut server = Some(server);
    let ready = async || {
        place.control().get("/readyz").await.map_or(Some(false), |ready| (ready.status == 200).then_some(true))
    };
    if until("the server is ready or gone", ready).await {
        some_calls(&estate, &echo).await;
        server.take().expect("it runs").stop().await;
    } else {
        assert_eq!(server.take().expect("it ran").ended().await.code(), FAULT, "{}", place.shown_log());
    }
    whole_again(&place, &estate, &echo, &acknowledged).await;
    let ledger = Witness::of_all(&place);
    let unknown = before.iter().find(|decision| !ledger.allowed.contains(*decision));
    assert_eq!(unknown, None, "the upstream was called without a durable decision");
    verified(&place);
}

/// A small volume in memory, unmounted at the end.
struct Disk(PathBuf);

impl Disk {
    /// Nothing if this process may not mount.
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(at)
            .output()
            .expect("`mount` is missing");
        mounted.status.success().then(|| Self(at.to_owned()))
    }

    /// Fills it to the last block with a file that can be removed.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut file = File::create(&path).expect("no file to fill the disk with");
        for length in [1 << 16, 1 << 12, 1 << 8, 1] {
            let zeros = vec![0; length];
            loop {
                match file.write_all(&zeros) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the disk cannot be filled: {error}"),
                }
            }
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

/// Runs this test again where it may mount: as root of a user namespace of its own.
fn in_own_namespace() {
    assert!(
        std::env::var_os(INSIDE).is_none(),
        "a volume cannot be mounted even in a namespace of its own: run the tests as root"
    );
    let again = std::env::current_exe().expect("the name of this program");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--"]).arg(again).env(INSIDE, "1");
    command.args([
        "--exact",
        "faults::disk::a_full_disk_refuses_calls_and_freed_space_lets_them_through_again",
        "--nocapture",
    ]);
    let status = command.status().expect("`unshare` is missing: run the tests as root");
    assert!(status.success(), "the test failed in a namespace of its own, or there are none: run the tests as root");
}
