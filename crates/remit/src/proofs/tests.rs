use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A program in place of this one.
fn aside(folder: &Path, script: &str, time_limit: Duration) -> Aside {
    let program = folder.join("prover");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be run");
    Aside { program, time_limit }
}

const NAME: &str = "read-never-changes";

fn given() -> Vec<u8> {
    Given::of(&remit_domain::State::default(), STARTER_INVARIANTS).written().expect("a document")
}

fn is_gone(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}

/// Neither what cannot be interrupted nor the solver that it started is left.
#[tokio::test]
async fn a_proof_that_takes_too_long_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let (own, solver) = (folder.path().join("own"), folder.path().join("solver"));
    let script =
        format!("echo $$ > {}\nsleep 600 &\necho $! > {}\nwhile :; do :; done", own.display(), solver.display());
    let aside = aside(folder.path(), &script, Duration::from_secs(2));
    assert_eq!(aside.prove(&given(), NAME).await, Found::Nothing);
    are_gone([&own, &solver]).await;
}

/// One that still holds its pipes, and one that holds nothing of it.
#[tokio::test]
async fn a_process_that_answers_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (holds, apart) = (folder.path().join("holds"), folder.path().join("apart"));
    let script = format!(
        "cat > /dev/null\nsleep 600 &\necho $! > {}\nsleep 600 < /dev/null > /dev/null 2>&1 &\necho $! > {}\n\
         echo '{{\"items\": [{{\"verdict\": \"proved\"}}]}}'",
        holds.display(),
        apart.display()
    );
    let aside = aside(folder.path(), &script, Duration::from_secs(60));
    assert_eq!(aside.prove(&given(), NAME).await, Found::Proved, "it has ended, so nothing is waited for");
    are_gone([&holds, &apart]).await;
}

/// One that says more than is kept is not left waiting for somebody to listen.
#[tokio::test]
async fn a_long_answer_is_cut_and_still_read_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let aside =
        aside(folder.path(), "head -c 40000000 /dev/zero\nhead -c 40000000 /dev/zero >&2", Duration::from_secs(60));
    let answer = aside.answer(&given(), NAME).await;
    let complaint = answer.expect_err("that is no answer");
    assert!(complaint.starts_with("it ended with exit status: 0") && complaint.len() < 20_000, "{}", complaint.len());
}

#[tokio::test]
async fn the_process_is_told_when_to_end_and_with_whom() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("cat > /dev/null\necho \"$@\" > {}", folder.path().join("arguments").display());
    assert_eq!(aside(folder.path(), &script, Duration::from_secs(30)).prove(&given(), NAME).await, Found::Nothing);
    let arguments = fs::read_to_string(folder.path().join("arguments")).expect("it ran");
    let bound = format!("--given={NAME} --time-limit=60s --parent={} --within=30s", std::process::id());
    assert!(arguments.contains(&bound), "{arguments}");
}

/// The processes whose numbers are in these files end, or have ended.
async fn are_gone(files: [&Path; 2]) {
    for file in files {
        let pid = fs::read_to_string(file).expect("it ran");
        for _ in 0..100 {
            if is_gone(&pid) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(is_gone(&pid), "{} still runs", file.display());
    }
}

#[tokio::test]
async fn what_the_process_says_is_what_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let says =
        |verdict: &str| format!("cat > /dev/null; echo '{{\"items\": [{{\"verdict\": \"{verdict}\"}}]}}'; exit 1");
    for (verdict, found) in [
        ("proved", Found::Proved),
        ("broken", Found::Broken),
        ("vacuous", Found::Vacuous),
        ("not_proved", Found::Nothing),
        ("unconfirmed", Found::Nothing),
    ] {
        let aside = aside(folder.path(), &says(verdict), Duration::from_secs(30));
        assert_eq!(aside.prove(&given(), NAME).await, found, "{verdict}");
    }
    // It ends without a word, and before it has read anything.
    assert_eq!(aside(folder.path(), "exit 3", Duration::from_secs(30)).prove(&given(), NAME).await, Found::Nothing);
    let missing = Aside { program: "/nowhere/remit".into(), time_limit: Duration::from_secs(30) };
    assert_eq!(missing.prove(&given(), NAME).await, Found::Nothing);
}

#[test]
fn what_is_given_arrives() {
    let text = given();
    let read = || Given::read(&text[..]).expect("it arrives");
    let (invariant, sources, operations) = read().parts(NAME).expect("it is all there");
    assert_eq!((invariant.name.as_str(), sources.len(), operations.len()), (NAME, 0, 0));
    assert!(Given::read(&text[..text.len() / 2]).is_err());
    assert!(read().parts("none").expect_err("there is none").contains("no invariant `none`"));
}

#[test]
fn changes_of_policies_operations_and_connectors_are_proved() {
    let edit = |edit: serde_json::Value| -> Edit { serde_json::from_value(edit).expect("an edit") };
    let definition = serde_json::json!({"document": {"name": "send"}});
    let choice = serde_json::json!({"tool": "send", "verb": "send", "risk": 0, "data": "D1", "definition": definition});
    let (connector, person) = ("con_01jd0000000000000000000000", "prs_01jd0000000000000000000000");
    assert!(alters_what_is_proved(&edit(serde_json::json!({"artefact": "policy", "name": "a", "text": ""}))));
    let operation = serde_json::json!({"artefact": "operation", "connector": connector, "choice": choice});
    assert!(alters_what_is_proved(&edit(operation)));
    assert!(!alters_what_is_proved(&edit(serde_json::json!({"artefact": "groups", "person": person, "groups": []}))));
}

#[test]
fn a_proposal_passes_only_if_everything_is_proved() {
    let change: ChangeId = "chg_01jd0000000000000000000000".parse().expect("an id");
    let mut tally = Tally::default();
    tally.count("a", Found::Proved);
    assert!(tally.is_whole());
    assert_eq!(tally.summary(1, change), "1 of 1 invariants proved");
    tally.count("b", Found::Vacuous);
    assert!(!tally.is_whole(), "a proof of nothing is no proof");
    tally.count("c", Found::Broken);
    tally.count("d", Found::Nothing);
    tally.untried.push("e");
    assert_eq!(
        tally.summary(5, change),
        format!(
            "1 of 5 invariants proved; broken: c (`remit policy prove --change {change}` prints a call); \
             vacuous: b (no call can be one that they speak of); not proved: d; not tried in time: e"
        )
    );
}
