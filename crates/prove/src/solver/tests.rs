use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;
use crate::world::{invariant, prover, starter_estate};
use crate::{Prover, Verdict};

#[test]
fn one_that_is_missing_is_said_to_be_missing() {
    let missing = Prover::find(Some("/nowhere/cvc5".into()), limits::TIME_LIMIT_DEFAULT).expect_err("there is none");
    assert!(missing.to_string().starts_with("proofs need the solver `/nowhere/cvc5`"), "{missing}");
    assert!(missing.help().contains("apt-get install cvc5"));
    let other = Prover::find(Some("true".into()), limits::TIME_LIMIT_DEFAULT).expect_err("that is no solver");
    assert!(other.to_string().contains("does not say its version"), "{other}");
}

#[test]
fn one_that_is_there_says_its_version() {
    let Some(prover) = prover() else { return };
    assert!(prover.solver().version().starts_with(|first: char| first.is_ascii_digit()));
}

/// It reads nothing, says nothing, and is gone when its time is over.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a process of its own ends when the system gets to it, and no runtime thread waits here"
)]
fn one_that_never_answers_is_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let (program, pid) = (directory.path().join("cvc5"), directory.path().join("pid"));
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 'This is cvc5 version 9.9'; exit; }}\necho $$ > {}\nexec sleep 600\n",
        pid.display()
    );
    fs::write(&program, script).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be run");
    let prover = Prover::find(Some(program.into()), Duration::from_secs(2)).expect("it says its version");
    assert_eq!(prover.solver().version(), "9.9");
    let verdict = prover.prove(&starter_estate(), &invariant(r#"{ class = "read", verb = "write" }"#));
    let Verdict::NotProved { why } = verdict else { panic!("{verdict:?}") };
    assert!(why.contains("within 2 s"), "{why}");
    let pid = fs::read_to_string(pid).expect("it ran");
    let gone = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    };
    for _ in 0..100 {
        if gone() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the solver still runs");
}
