use std::time::Duration;

use remit_domain::{AddPerson, Edit, PolicyEdit, SignInMethod};

use crate::{Engine, Options, Setup};

use super::*;

fn options(data: &std::path::Path) -> Options {
    let setup = Setup {
        trust_domain: "remit.test".to_owned(),
        issuer: "http://127.0.0.1:7470".to_owned(),
        administrator: "root".to_owned(),
        administrator_uid: Some(0),
        policies: Vec::new(),
    };
    Options { segment_bytes: 1 << 16, ..Options::new(data, setup) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_waits_for_its_rehearsal_and_nobody_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    let person = engine.read(|state| state.person_named("root").unwrap().id);
    let root = Actor::Person { person, method: SignInMethod::LocalSocket };
    let text = "@id(\"all\") permit (principal, action, resource);".to_owned();
    let edits = vec![Edit::Policy(PolicyEdit { name: "all".to_owned(), text: Some(text) })];
    let propose = Command::ProposeChange { edits, reason: "begin".to_owned(), revert_of: None };
    let turn = engine.rehearse(&root, &propose).await;
    assert!(turn.is_some());
    assert!(engine.state().policies.sources.is_empty(), "nothing has happened by that");
    let (proposing, actor) = (engine.clone(), root.clone());
    let mut proposed = tokio::spawn(async move { proposing.submit(actor, propose).await });
    let add = Command::AddPerson(AddPerson { name: "ana".to_owned(), groups: Vec::new() });
    assert!(engine.rehearse(&root, &add).await.is_none());
    engine.submit(root, add).await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut proposed).await.is_err(),
        "it has its turn to wait for"
    );
    drop(turn);
    proposed.await.unwrap().unwrap();
    assert!(engine.state().policies.sources.contains_key("all"));
    engine.close().await;
}
