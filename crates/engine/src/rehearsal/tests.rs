use std::sync::atomic::Ordering;
use std::sync::mpsc;

use remit_domain::{AddPerson, Edit, PolicyEdit, SignInMethod};
use tokio::task::JoinHandle;

use crate::engine::Receipt;
use crate::{Options, Setup};

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

fn as_person(person: PersonId) -> Actor {
    Actor::Person { person, method: SignInMethod::LocalSocket }
}

fn root(engine: &Engine) -> Actor {
    as_person(engine.read(|state| state.person_named("root").unwrap().id))
}

/// Somebody whom nobody knows: they are refused, but not before their turn.
fn somebody(engine: &Engine, nth: usize) -> Actor {
    as_person(Moment::new(engine.now(), nth as u128).fresh_id())
}

fn edits(name: &str) -> Vec<Edit> {
    let text = format!("@id(\"{name}\") permit (principal, action, resource);");
    vec![Edit::Policy(PolicyEdit { name: name.to_owned(), text: Some(text) })]
}

fn propose() -> Command {
    Command::ProposeChange { edits: edits("all"), reason: "begin".to_owned(), revert_of: None }
}

fn emergency() -> Command {
    Command::EmergencyChange { edits: edits("now"), reason: "it burns".to_owned() }
}

type Submitted = JoinHandle<Result<Receipt, SubmitError>>;

/// Submits `command` and does not wait for the answer.
fn begin(engine: &Engine, actor: &Actor, command: Command) -> Submitted {
    let (engine, actor) = (engine.clone(), actor.clone());
    tokio::spawn(async move { engine.submit(actor, command).await })
}

/// Until `holds`, for half a minute at most.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let looking = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), looking).await.is_ok(), "never: {what}");
}

fn code(answer: Result<Receipt, SubmitError>) -> String {
    answer.unwrap_err().refusal().code.clone()
}

/// The answer to `command`, which does not wait for any turn.
async fn at_once(engine: &Engine, actor: &Actor, command: Command) -> Result<Receipt, SubmitError> {
    let answer = tokio::time::timeout(30 * EMERGENCY_WAIT, engine.submit(actor.clone(), command)).await;
    answer.expect("it waited for a turn")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_waits_for_its_rehearsal_and_nobody_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    let root = root(&engine);
    let turn = engine.rehearse(&root, &propose()).await.unwrap();
    assert!(turn.is_some());
    assert!(engine.state().policies.sources.is_empty(), "nothing has happened by that");
    let mut proposed = begin(&engine, &root, propose());
    let add = Command::AddPerson(AddPerson { name: "ana".to_owned(), groups: Vec::new() });
    assert!(engine.rehearse(&root, &add).await.unwrap().is_none());
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

#[test]
fn who_hangs_up_gives_no_turn_to_others_before_the_work_is_done() {
    // One thread for what blocks, so that the test says when the rehearsal goes on.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::open(options(directory.path())).await.unwrap();
        let free = || engine.inner.rehearsals.turns.available_permits();
        let (go_on, held) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || held.recv());
        let submitting = begin(&engine, &root(&engine), propose());
        until("it has its turn", || free() == 0).await;
        submitting.abort();
        assert!(submitting.await.unwrap_err().is_cancelled());
        assert_eq!(free(), 0, "nobody listens any more, and the work is still to be done");
        go_on.send(()).unwrap();
        busy.await.unwrap().unwrap();
        until("the turn ends with the work", || free() == REHEARSALS_MAX).await;
        engine.close().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_waits_a_second_at_most() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    let root = root(&engine);
    let turn = engine.rehearse(&root, &propose()).await.unwrap();
    let mut waiting = begin(&engine, &root, propose());
    until("the proposal waits", || engine.inner.rehearsals.waiting().len() == 1).await;
    at_once(&engine, &root, emergency()).await.unwrap();
    assert!(engine.state().policies.sources.contains_key("now"), "the writer has compiled it");
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut waiting).await.is_err(), "the proposal still waits");
    drop(turn);
    waiting.await.unwrap().unwrap();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_wait_for_a_turn_and_each_person_once() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    let (root, waiting) = (root(&engine), || engine.inner.rehearsals.waiting().len());
    let turn = engine.rehearse(&root, &propose()).await.unwrap();
    let own = begin(&engine, &root, propose());
    until("it waits", || waiting() == 1).await;
    assert_eq!(code(at_once(&engine, &root, propose()).await), "overloaded", "one person waits once");

    let mut others: Vec<Submitted> =
        (1..WAITING_MAX).map(|nth| begin(&engine, &somebody(&engine, nth), propose())).collect();
    until("all places are taken", || waiting() == WAITING_MAX).await;
    let late = somebody(&engine, WAITING_MAX);
    assert_eq!(code(at_once(&engine, &late, propose()).await), "overloaded");
    at_once(&engine, &root, emergency()).await.expect("an emergency needs none of these places");

    others.pop().unwrap().abort();
    until("who hangs up gives the place back", || waiting() == WAITING_MAX - 1).await;
    others.push(begin(&engine, &late, propose()));
    until("somebody else takes it", || waiting() == WAITING_MAX).await;

    drop(turn);
    own.await.unwrap().unwrap();
    for other in others {
        assert_eq!(code(other.await.unwrap()), "not_found", "each had its turn");
    }
    assert_eq!(waiting(), 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_held_before_the_wait_is_looked_at_again_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    let (root, rehearsals) = (root(&engine), &engine.inner.rehearsals);
    let turn = engine.rehearse(&root, &propose()).await.unwrap();
    let waiting = begin(&engine, &root, propose());
    until("it waits", || rehearsals.waiting().len() == 1).await;
    engine.inner.published.reserve_low.store(true, Ordering::Release);
    drop(turn);
    assert_eq!(code(waiting.await.unwrap()), "disk_full");
    engine.inner.published.reserve_low.store(false, Ordering::Release);

    let _turn = engine.rehearse(&root, &propose()).await.unwrap();
    let waiting = begin(&engine, &root, propose());
    until("it waits", || rehearsals.waiting().len() == 1).await;
    engine.close().await;
    assert_eq!(code(waiting.await.unwrap()), "stopping", "nobody waits for what will never come");
    assert!(engine.state().policies.sources.is_empty());
}
