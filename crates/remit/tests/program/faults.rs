//! A ledger that cannot be written allows nothing, says so, and is whole when it is back.

mod disk;

use std::fs;
use std::path::Path;

use crate::support::{Echo, Estate, Load, Place, Reply, Running, Witness, turn, until};

/// Calls that are made once the ledger cannot be written.
const CALLS: u64 = 200;
const CALLERS: usize = 8;
/// Exit status of a fault.
const FAULT: Option<i32> = Some(3);

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_lets_nothing_through() {
    injected("posix/io/sync/fdatasync", EIO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_space_lets_nothing_through() {
    injected("posix/io/rw/pwrite", ENOSPC).await;
}

/// From some moment on, `point` of the C library fails in the server.
async fn injected(point: &str, errno: i32) {
    let _turn = turn().await;
    let fiu = tokio::process::Command::new("fiu-run").arg("-h").output().await;
    assert!(fiu.is_ok(), "`fiu-run` is missing: install Debian's package `fiu-utils`");
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up_breakable().await;
    let estate = Estate::build(&place, &echo).await;
    let acknowledged = some_calls(&estate, &echo).await;

    server.breaks(point, errno).await;
    nothing_passes(&place, &estate, &echo).await;
    assert_eq!(server.ended().await.code(), FAULT, "the server did not end by itself: {}", place.shown_log());

    whole_again(&place, &estate, &echo, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_segment_lets_nothing_through_and_is_missed_at_the_next_start() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    some_calls(&estate, &echo).await;
    everything_published(&place).await;

    fs::remove_file(place.current_segment()).expect("the segment cannot be removed");
    nothing_passes(&place, &estate, &echo).await;
    assert_eq!(server.ended().await.code(), FAULT);

    // What was removed was acknowledged; a directory without it is not the ledger any more.
    let refused = place.up_refused().await;
    assert_eq!(refused.code(), FAULT, "{}", refused.stderr);
    assert!(refused.stderr.contains("anchors"), "the anchor is not named: {}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_segment_lets_nothing_through() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let acknowledged = some_calls(&estate, &echo).await;

    // The same bytes under the same name, and yet another file: the server writes into one that nobody will read.
    let (segment, copy) = (place.current_segment(), place.root().join("copy"));
    fs::copy(&segment, &copy).expect("the segment cannot be copied");
    fs::rename(&copy, &segment).expect("the segment cannot be replaced");
    nothing_passes(&place, &estate, &echo).await;
    assert_eq!(server.ended().await.code(), FAULT);

    whole_again(&place, &estate, &echo, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yesterdays_copy_is_refused_and_the_anchor_named() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    server.stop().await;
    let yesterday = place.root().join("yesterday");
    copy_directory(place.data(), &yesterday);

    let server = place.up().await;
    some_calls(&estate, &echo).await;
    server.stop().await;
    fs::remove_dir_all(place.data()).expect("the data directory cannot be removed");
    copy_directory(&yesterday, place.data());

    let refused = place.up_refused().await;
    assert_eq!(refused.code(), FAULT, "{}", refused.stderr);
    assert!(refused.stderr.contains("old copy"), "it does not say what is wrong: {}", refused.stderr);
    let anchors = place.anchors().display().to_string();
    assert!(refused.stderr.contains(&anchors), "the anchor is not named: {}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_directory_is_refused_with_the_pid_of_the_first() {
    let _turn = turn().await;
    let place = Place::new("");
    let server = place.up().await;

    let refused = place.beside().up_refused().await;
    assert_eq!(refused.code(), FAULT, "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("pid {}", server.pid())), "the process is not named: {}", refused.stderr);

    // The first one has not noticed anything.
    assert_eq!(place.control().get("/readyz").await.expect("the first server is gone").status, 200);
    server.stop().await;
}

/// Calls that go through. Their decisions, all of which were acknowledged.
async fn some_calls(estate: &Estate, echo: &Echo) -> Vec<String> {
    let replies = Load::start(estate, CALLERS, 100).finish().await;
    let refused = replies.iter().find(|reply| !reply.is_result());
    assert!(refused.is_none(), "a call was refused: {refused:?}");
    assert_eq!(echo.take_calls().len(), replies.len());
    replies.into_iter().map(|reply| reply.decision.expect("an answer names no decision")).collect()
}

/// Every call is refused in a way that a client can show, and none reaches the upstream.
async fn nothing_passes(place: &Place, estate: &Estate, echo: &Echo) {
    let replies = Load::start(estate, CALLERS, CALLS).finish().await;
    assert_eq!(echo.take_calls(), Vec::<String>::new(), "the upstream was called");
    assert_eq!(replies.len() as u64, CALLS, "calls were left without an answer");
    for reply in &replies {
        assert_eq!(reply.status, 503, "{reply:?}");
        let code = reply.refusal().unwrap_or_default();
        assert!(["ledger_unavailable", "disk_full"].contains(&code), "{reply:?}");
        assert!(has_help(reply), "no help: {reply:?}");
    }
    let ready = place.control().get("/readyz").await.expect("the server does not answer");
    assert_eq!(ready.status, 503, "it calls itself ready: {}", ready.body);
    let reason = ready.body.get("reason").and_then(serde_json::Value::as_str).unwrap_or_default();
    assert!(!reason.is_empty(), "it does not say why: {}", ready.body);
    eprintln!("not ready: {reason}");
}

fn has_help(reply: &Reply) -> bool {
    reply.body.pointer("/error/data/help").is_some_and(serde_json::Value::is_string)
}

/// The server starts again, has all that was acknowledged, works, and its ledger verifies.
async fn whole_again(place: &Place, estate: &Estate, echo: &Echo, acknowledged: &[String]) {
    let server: Running<'_> = place.up().await;
    some_calls(estate, echo).await;
    server.stop().await;
    let ledger = Witness::of_all(place);
    for decision in acknowledged {
        assert!(ledger.allowed.contains(decision), "`{decision}` was acknowledged and is gone");
        assert_eq!(
            ledger.outcomes.get(decision).map(String::as_str),
            Some("succeeded"),
            "the outcome of `{decision}` is gone"
        );
    }
    verified(place);
}

/// The ledger at rest has no fault.
pub fn verified(place: &Place) {
    let report =
        remit_engine::verify_directory(place.data(), Some(&place.anchors()), None).expect("there is no ledger");
    assert_eq!(report.faults, Vec::<String>::new());
}

/// Waits until tiles and anchor have caught up with the log.
async fn everything_published(place: &Place) {
    until("everything is published", async || {
        let health = place.control().read("/readyz").await;
        (health.get("published") == health.get("head")).then_some(())
    })
    .await;
}

/// Copies the regular files below `from`; sockets are of a process that is gone.
fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("no directory for a copy");
    for file in fs::read_dir(from).expect("nothing to copy") {
        let file = file.expect("nothing to copy");
        let kind = file.file_type().expect("a file without a type");
        let target = to.join(file.file_name());
        if kind.is_dir() {
            copy_directory(&file.path(), &target);
        } else if kind.is_file() {
            fs::copy(file.path(), target).expect("a file cannot be copied");
        }
    }
}
