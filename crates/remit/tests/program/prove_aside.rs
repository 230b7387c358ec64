//! Proofs that the server has made in a process of its own: what that process binds itself to, seen from outside.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::prove::{proved, solver_is_there};
use crate::support::{Place, text, until};

const POLICY: &str = "@id(\"all\")\n@reason(\"everything, for a test\")\npermit (principal, action, resource);\n";
const INVARIANTS: &str = "[[invariant]]\nname = \"ours\"\nsentence = \"no agent of class read ever reaches an operation with effect write\"\n";
/// Bytes of data that the process and its solver may have.
const DATA_BYTES_MAX: &str = "3221225472";

/// What is to be proved, and a solver in place of cvc5 that thinks for ever.
fn prepare(place: &Place) {
    let given = json!({"policies": {"all": POLICY}, "operations": [], "invariants": INVARIANTS});
    fs::write(place.root().join("given.json"), given.to_string()).expect("a document");
    let solver = place.root().join("solver");
    let pid = place.root().join("solver.pid").display().to_string();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 'This is cvc5 version 9.9'; exit; }}\n\
         echo $$ > {pid}.new && mv {pid}.new {pid}\nexec sleep 600\n"
    );
    fs::write(&solver, script).expect("a script");
    fs::set_permissions(&solver, fs::Permissions::from_mode(0o755)).expect("it can be run");
}

async fn kept(place: &Place, file: &str) -> i32 {
    let file = place.root().join(file);
    until("a process starts", async || fs::read_to_string(&file).ok()?.trim().parse().ok()).await
}

fn of_process(pid: i32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

async fn is_gone(pid: i32) {
    until("the process ends", async || {
        let state = of_process(pid, "stat");
        (state.is_empty() || state.contains(") Z ")).then_some(())
    })
    .await;
}

fn is_limited(pid: i32) {
    let limits = of_process(pid, "limits");
    let data = limits.lines().find(|line| line.starts_with("Max data size")).unwrap_or_default();
    assert_eq!(data.matches(DATA_BYTES_MAX).count(), 2, "{limits}");
    assert_eq!(of_process(pid, "oom_score_adj").trim(), "1000");
}

/// A shell stands for the server, since it starts one process and is killed: what it has started is gone with it, and so is the solver.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_ends_with_the_server_that_is_killed() {
    let place = Place::new("");
    prepare(&place);
    let root = place.root().display().to_string();
    let script = format!(
        "\"$0\" policy prove --given=ours --parent=$$ --within=10m --solver {root}/solver < {root}/given.json &\n\
         echo $! > {root}/own.pid.new && mv {root}/own.pid.new {root}/own.pid\nwait"
    );
    let mut server = tokio::process::Command::new("sh");
    server.args(["-c", &script, env!("CARGO_BIN_EXE_remit")]).kill_on_drop(true);
    let mut server = server.stdout(Stdio::null()).spawn().expect("a shell");
    let (own, solver) = (kept(&place, "own.pid").await, kept(&place, "solver.pid").await);
    is_limited(own);
    is_limited(solver);
    let number = server.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("it runs");
    kill_process(number, Signal::KILL).expect("it can be killed");
    server.wait().await.expect("it ends");
    is_gone(own).await;
    is_gone(solver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_ends_when_its_time_is_over() {
    let place = Place::new("");
    prepare(&place);
    let (parent, solver) =
        (format!("--parent={}", std::process::id()), place.root().join("solver").display().to_string());
    let asked = ["policy", "prove", "--given=ours", &parent, "--within=5s", "--solver", &solver];
    let given = File::open(place.root().join("given.json")).expect("a document");
    let ended = place.remit(asked).stdin(given).output().await.expect("it runs");
    assert_eq!(ended.status.signal(), Some(Signal::KILL.as_raw()), "{ended:?}");
    is_gone(kept(&place, "solver.pid").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_proved_for_a_server_that_is_gone() {
    let place = Place::new("");
    // It is there, and has not started what asks.
    let refused = place.ask(["policy", "prove", "--given=ours", "--parent=1", "--within=5s"]).await;
    assert_eq!(refused.code(), Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("has ended"), "{}", refused.stderr);
    let unbound = place.ask(["policy", "prove", "--given=ours"]).await;
    assert_eq!(unbound.code(), Some(2), "{}", unbound.stderr);
}

/// Another version in the same place is not asked: what it says would be about other rules.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_proves_with_its_own_version_after_an_upgrade_in_place() {
    if !solver_is_there() {
        return;
    }
    let place = Place::new("");
    let (program, invariants) = (place.root().join("remit"), place.root().join("ours.invariant.toml"));
    fs::copy(env!("CARGO_BIN_EXE_remit"), &program).expect("a copy");
    fs::write(&invariants, INVARIANTS).expect("a file");
    place.configure(&format!("[policies]\ninvariants = {invariants:?}\n"));
    let server = place.up_from(&program).await;
    replace(&program);
    let operator = place.control();
    operator.post("/v1/people", json!({"name": "mia", "groups": ["administrators"]})).await;
    let edits = json!([{"artefact": "policy", "name": "more", "text": "@id(\"more\")\n@reason(\"for a test\")\nforbid (principal in Class::\"read\", action in Action::\"send\", resource);\n"}]);
    let proposed = operator.post("/v1/changes", json!({"edits": edits, "reason": "an upgrade for a test"})).await;
    let seen: Value = proved(&operator, &text(&proposed, "id")).await;
    assert_eq!(seen["checks"][0]["summary"], "1 of 1 invariants proved", "{seen}");
    server.stop().await;
}

/// Puts another program in the place of `program`, as an upgrade does.
fn replace(program: &Path) {
    fs::remove_file(program).expect("it can be removed");
    fs::write(program, "#!/bin/sh\necho '{\"items\": [{\"verdict\": \"broken\"}]}'\n").expect("a script");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("it can be run");
}
