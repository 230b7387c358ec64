//! Proofs, asked of the built program: what is proved, and a hole that is planted, found and really there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Control, Echo, Place, text};

/// Set by `tests/run`: then a missing solver is a failure and not a reason to skip.
const REQUIRED: &str = "REMIT_SOLVER_REQUIRED";
const SENTENCE: &str = "no agent of class read ever reaches an operation with effect write";
/// What the class rule says without teeth, and somebody's permit beside it.
const WEAKENED: &str = r#"
@id("class-read-only-reads")
@reason("this agent is registered as a read-only assistant")
forbid (principal in Class::"read", action in [Action::"send", Action::"execute"], resource);

@id("hole")
permit (principal in Class::"read", action in Action::"write", resource);
"#;
const DAY_SECONDS: u64 = 24 * 3600;

/// Whether the solver is there; says so if a developer's machine has none.
pub(crate) fn solver_is_there() -> bool {
    let found =
        std::process::Command::new("cvc5").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os(REQUIRED).is_none(), "`cvc5` is missing: install Debian's package `cvc5`");
    if !found {
        eprintln!("skipped: there is no solver `cvc5` on this machine");
    }
    found
}

fn starter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_starter_policies_guarantee_is_proved() {
    if !solver_is_there() {
        return;
    }
    let place = Place::new("");
    let policies = starter().display().to_string();
    let proved = place.ask(["policy", "prove", "--policies", &policies, "--offline"]).await;
    assert_eq!(proved.code(), Some(0), "{}\n{}", proved.stdout, proved.stderr);
    assert!(proved.stdout.contains("proved: read-never-changes: no agent of class read"), "{}", proved.stdout);
    let one = place.ask(["policy", "prove", SENTENCE, "--policies", &policies, "--offline", "--json"]).await.json();
    assert_eq!((&one["proved"], &one["items"][0]["verdict"]), (&json!(true), &json!("proved")), "{one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_solver_it_says_what_is_missing_and_how_to_get_it() {
    let place = Place::new("");
    let policies = starter().display().to_string();
    let asked = ["policy", "prove", "--policies", &policies, "--offline", "--solver", "/nowhere/cvc5"];
    let refused = place.ask(asked).await;
    assert_eq!(refused.code(), Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("proofs need the solver `/nowhere/cvc5`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("apt-get install cvc5"), "{}", refused.stderr);
    let unclear = place.ask(["policy", "prove", "all is well", "--policies", &policies, "--offline"]).await;
    assert_eq!(unclear.code(), Some(2), "{}", unclear.stderr);
    assert!(unclear.stderr.contains("these forms are understood"), "{}", unclear.stderr);
}

/// The hole is found in the active policies; an agent and an operation like those that are printed are made, and the call that
/// is printed is simulated: it is allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_planted_hole_is_found_and_its_request_is_really_allowed() {
    if !solver_is_there() {
        return;
    }
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let operator = place.control();
    let whole = place.ask(["policy", "prove", SENTENCE]).await;
    assert_eq!(whole.code(), Some(0), "{}\n{}", whole.stdout, whole.stderr);

    plant(&place).await;
    let broken = place.ask(["policy", "prove", SENTENCE, "--json"]).await;
    assert_eq!(broken.code(), Some(1), "{}\n{}", broken.stdout, broken.stderr);
    let found: Value = serde_json::from_str(&broken.stdout).expect("a document");
    let example = found.pointer("/items/0/example").unwrap_or_else(|| panic!("no example: {found}"));
    assert_eq!(
        (&example["agent"]["class"], &example["operation"]["verb"]),
        (&json!("read"), &json!("write")),
        "{found}"
    );
    let case = found.pointer("/items/0/case").and_then(Value::as_str).expect("a case");
    assert!(case.starts_with("[[case]]") && case.contains("expect = \"deny\""), "{case}");

    let task = make(&operator, &echo, example).await;
    let request = json!({"task": task, "operation": "echo/echo", "arguments": {"text": "into the hole"}});
    let simulated = operator.post("/v1/simulate", request).await;
    assert_eq!(simulated["decision"], "allow", "{simulated}\n{example}");
    assert!(simulated.to_string().contains("hole"), "{simulated}");

    let words = place.ask(["policy", "prove", SENTENCE]).await;
    assert!(words.stdout.contains("remit policy simulate example/any_write --task TASK"), "{}", words.stdout);
    server.stop().await;
}

/// Whoever is to approve a hole reads on the proposal that it is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_says_what_it_breaks() {
    if !solver_is_there() {
        return;
    }
    let place = Place::new("");
    let server = place.up().await;
    let operator = place.control();
    operator.post("/v1/people", json!({"name": "mia", "groups": ["administrators"]})).await;
    let edits = json!([{"artefact": "policy", "name": "class-verbs", "text": WEAKENED}]);
    let proposed = operator.post("/v1/changes", json!({"edits": edits, "reason": "a hole for a test"})).await;
    let seen = proved(&operator, &text(&proposed, "id")).await;
    let check = &seen["checks"][0];
    assert_eq!((&check["check"], &check["passed"]), (&json!("prove"), &json!(false)), "{seen}");
    let summary = text(check, "summary");
    assert!(summary.contains("broken: ") && summary.contains("read-never-changes"), "{summary}");
    server.stop().await;
}

/// What an operation does is part of what is proved, so a proposal that edits nothing else is proved too; and what it says of itself
/// can be proved again by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_of_operations_alone_is_proved() {
    if !solver_is_there() {
        return;
    }
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let operator = place.control();
    operator.post("/v1/connectors", json!({"name": "echo", "spec": {"kind": "http", "url": echo.url()}})).await;
    operator.post("/v1/people", json!({"name": "mia", "groups": ["administrators"]})).await;
    let offered = operator.read("/v1/connectors/echo/tools").await;
    let choice = json!({
        "tool": "echo", "verb": "send", "risk": 1, "data": "D1", "external": false, "irreversible": false,
        "digest": offered.pointer("/items/0/digest"),
    });
    operator.post("/v1/connectors/echo/approve-tools", json!({"choices": [choice]})).await;
    let waiting = operator.read("/v1/changes").await;
    let change = text(&waiting["items"][0], "id");
    let seen = proved(&operator, &change).await;
    let check = &seen["checks"][0];
    assert_eq!((&check["check"], &check["passed"]), (&json!("prove"), &json!(true)), "{seen}");
    assert!(text(check, "summary").contains("invariants proved"), "{seen}");

    let sentence = "no agent of autonomy 1 ever reaches the operation echo/echo";
    let unknown = place.ask(["policy", "prove", sentence]).await;
    assert!(unknown.stdout.contains("there is no operation `echo/echo`"), "{}\n{}", unknown.stdout, unknown.stderr);
    let by_hand = place.ask(["policy", "prove", sentence, "--change", &change]).await;
    assert_eq!(by_hand.code(), Some(0), "{}\n{}", by_hand.stdout, by_hand.stderr);
    server.stop().await;
}

/// The proposal, once it says what came of the proofs.
pub(crate) async fn proved(operator: &Control, change: &str) -> Value {
    let address = format!("/v1/changes/{change}");
    let mut seen = Value::Null;
    for _ in 0..600 {
        seen = operator.read(&address).await;
        if seen["checks"].as_array().is_some_and(|checks| !checks.is_empty()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    seen
}

/// An invariant that holds because no call is one that it speaks of is a finding and no proof.
#[tokio::test(flavor = "multi_thread")]
async fn an_invariant_about_no_call_is_said_to_be_vacuous() {
    if !solver_is_there() {
        return;
    }
    let place = Place::new("");
    let file = place.root().join("ours.invariant.toml");
    let never = "never = { class = \"read\", data_at_most = 1, condition = \"resource.data >= 2\" }";
    fs::write(&file, format!("[[invariant]]\nname = \"nothing\"\nsentence = \"a proof of nothing\"\n{never}\n"))
        .expect("a file");
    let (policies, file) = (starter().display().to_string(), file.display().to_string());
    let asked = ["policy", "prove", "--policies", &policies, "--offline", "--invariant", &file];
    let vacuous = place.ask(asked).await;
    assert_eq!(vacuous.code(), Some(1), "{}\n{}", vacuous.stdout, vacuous.stderr);
    assert!(vacuous.stdout.contains("vacuous: nothing: a proof of nothing"), "{}", vacuous.stdout);
    assert!(vacuous.stderr.contains("are about no call"), "{}", vacuous.stderr);
}

/// Replaces the class rules by weaker ones: with one administrator only, that is active at once.
async fn plant(place: &Place) {
    let folder = place.root().join("weakened");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("class-verbs.cedar");
    fs::write(&file, WEAKENED).expect("a file");
    let file = file.display().to_string();
    let proposed = place.ask(["policy", "propose", &file, "--reason", "a hole for a test"]).await;
    assert_eq!(proposed.code(), Some(0), "{}", proposed.stderr);
}

/// An agent, an operation, a grant and a task as `example` describes them.
async fn make(operator: &Control, echo: &Echo, example: &Value) -> String {
    operator.post("/v1/people", json!({"name": "ana"})).await;
    let code = operator.post("/v1/people/ana/sign-in", json!({})).await;
    let ana = operator.signed_in(&text(&code, "code")).await;
    let (agent, operation) = (&example["agent"], &example["operation"]);
    let ceiling = agent["data"].as_u64().expect("a class");
    let data_classes: Vec<String> = (0..=ceiling).map(|class| format!("D{class}")).collect();
    let profile = json!({
        "owner": "ana", "approvers": ["ana"], "purpose": "falls into a hole", "class": agent["class"],
        "autonomy": agent["autonomy"], "data_classes": data_classes,
        "environment": agent["environment"], "review_in_seconds": 30 * DAY_SECONDS,
    });
    operator.post("/v1/agents", json!({"name": "like-the-example", "profile": profile})).await;
    operator.post("/v1/agents/like-the-example/activate", json!({})).await;
    operator.post("/v1/connectors", json!({"name": "echo", "spec": {"kind": "http", "url": echo.url()}})).await;
    let offered = operator.read("/v1/connectors/echo/tools").await;
    let choice = json!({
        "tool": "echo", "verb": operation["verb"], "risk": operation["risk"], "data": format!("D{}", operation["data"]),
        "external": operation["external"], "irreversible": operation["irreversible"],
        "digest": offered.pointer("/items/0/digest"),
    });
    operator.post("/v1/connectors/echo/approve-tools", json!({"choices": [choice]})).await;
    if !example["grant"].is_null() {
        let asked = json!({
            "agent": "like-the-example", "operations": ["echo/echo"], "reason": "as in the example", "ttl_seconds": 3600,
        });
        let grant = text(&operator.post("/v1/grants", asked).await, "id");
        ana.post(&format!("/v1/grants/{grant}/approve"), json!({})).await;
    }
    let task =
        json!({"agent": "like-the-example", "purpose": "try the hole", "ttl_seconds": 3600, "token_ttl_seconds": 600});
    let started = operator.post("/v1/tasks", task).await;
    started
        .get("task")
        .or_else(|| started.get("id"))
        .map(|task| match task {
            Value::String(id) => id.clone(),
            other => text(other, "id"),
        })
        .unwrap_or_else(|| panic!("no task: {started}"))
}
