//! Change control on a real engine: what two people agree on is felt by the very next call, and can be read back and undone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use remit_domain::{Actor, ChangeId, Command, Digest, Edit, Event, PolicyEdit};
use remit_engine::HowEnded;
use remit_testkit::{World, proposed};
use serde_json::json;

use crate::desk::desk;

/// Callers at a time.
const CALLERS: usize = 6;
/// Policies that become active while they call.
const ACTIVATIONS: u64 = 20;
/// Calls that have to be decided under each of them before the next comes.
const CALLS_BETWEEN: u64 = 20;

fn policy(name: &str, text: Option<&str>) -> Vec<Edit> {
    vec![Edit::Policy(PolicyEdit { name: name.to_owned(), text: text.map(str::to_owned) })]
}

fn rule(number: u64) -> String {
    format!(
        "@id(\"rule-{number}\")\n@reason(\"never\")\nforbid (principal, action, resource) when {{ resource.risk > {} }};\n",
        number + 3
    )
}

/// Root proposes `edits` and mia approves them. The first record of what became active, and the policies from then on.
async fn activate(world: &World, edits: Vec<Edit>) -> (ChangeId, u64, Digest) {
    let propose = Command::ProposeChange { edits, reason: "a test".to_owned(), revert_of: None };
    let receipt = world.submit(&world.root(), propose).await;
    let change = proposed(&receipt).expect("with two administrators it is a proposal");
    let refused = world.refused(&world.root(), Command::ApproveChange { change }).await;
    assert_eq!(refused.code, "self_approval");
    let receipt = world.submit(&world.acting("mia"), Command::ApproveChange { change }).await;
    let set = receipt.events.iter().find_map(|event| match event {
        Event::PolicyActivated { set, .. } => Some(*set),
        _ => None,
    });
    (change, receipt.seq, set.expect("policies were edited"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
/// A call that was made after the receipt of an activation is decided by what that activated, or by what came after.
async fn each_activation_is_felt_by_the_very_next_call() {
    let (world, task) = desk().await;
    world.person("mia", &["administrators"]).await;
    let mut active = BTreeMap::from([(0, world.engine.read(|state| state.policies.digest()))]);
    let world = Arc::new(world);
    let (known, made, over) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (world, known, made, over) = (world.clone(), known.clone(), made.clone(), over.clone());
            tokio::spawn(async move {
                let mut calls = Vec::new();
                while !over.load(Ordering::Acquire) {
                    let known_seq = known.load(Ordering::Acquire);
                    let action = world.call(task, "desk/lookup", json!({"id": format!("A-{caller}")})).await.allowed();
                    world.succeed(action).await;
                    calls.push((known_seq, action));
                    made.fetch_add(1, Ordering::AcqRel);
                }
                calls
            })
        })
        .collect();
    for number in 1..=ACTIVATIONS {
        // Every other one takes back what the one before brought.
        let text = rule(number);
        let edits = if number % 2 == 1 { policy("probe", Some(&text)) } else { policy("probe", None) };
        let (_, seq, set) = activate(&world, edits).await;
        active.insert(seq, set);
        known.store(seq, Ordering::Release);
        let goal = made.load(Ordering::Acquire) + CALLS_BETWEEN;
        while made.load(Ordering::Acquire) < goal {
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::Release);
    let mut calls = Vec::new();
    for caller in callers {
        calls.extend(caller.await.unwrap());
    }
    let mut decided = BTreeMap::new();
    for committed in world.records().await {
        if let Event::ActionAllowed(allowed) = &committed.record.event {
            decided.insert(allowed.action, (committed.seq, allowed.facts.policies));
        }
    }
    for (known_seq, action) in &calls {
        let (seq, policies) = decided[action];
        assert!(seq > *known_seq, "a call is decided after what was active before it was made");
        let (_, newest) = active.range(..seq).next_back().unwrap();
        assert_eq!(policies, *newest, "record {seq} was decided under policies that were not active");
    }
    assert!(calls.len() as u64 >= ACTIVATIONS * CALLS_BETWEEN);
    world.engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_change_is_read_back_and_its_beginning_is_known() {
    let (world, _) = desk().await;
    world.person("mia", &["administrators"]).await;
    let (first, _, _) = activate(&world, policy("probe", Some(&rule(1)))).await;
    let (second, _, _) = activate(&world, policy("probe", Some(&rule(2)))).await;
    assert!(world.engine.read(|state| state.changes.is_empty()));
    let known = world.engine.change(second).await.unwrap().unwrap();
    assert_eq!(known.end.as_ref().unwrap().how, HowEnded::Active);
    assert_eq!(known.end.as_ref().unwrap().by, world.person_named("mia"));
    let before = world.engine.before_change(&known).await.unwrap();
    assert_eq!(before.policies.sources["probe"], rule(1));
    assert_eq!(known.change.edits[0].edit.as_it_was(&before), policy("probe", Some(&rule(1))).pop());
    let history = world.engine.history("policy:probe", 100, None).await.unwrap();
    let kinds: Vec<&str> = history.records.iter().map(|one| kind(&one.record.event)).collect();
    let change = ["activated", "approved", "edit", "proposed"];
    assert_eq!(kinds, [change, change].concat());
    assert_eq!(world.engine.history("other:probe", 100, None).await.unwrap_err().refusal().code, "bad_artefact");
    // It is found again when the index is made anew.
    let rejected = world.submit(&world.root(), propose(policy("probe", None))).await;
    let third = proposed(&rejected).unwrap();
    let reject = Command::RejectChange { change: third, note: "not yet".to_owned() };
    world.submit(&world.acting("mia"), reject).await;
    let known = world.engine.change(third).await.unwrap().unwrap();
    assert_eq!((known.end.unwrap().how, known.active_seq), (HowEnded::Rejected, None));
    assert_ne!(first, second);
    world.engine.close().await;
}

fn propose(edits: Vec<Edit>) -> Command {
    Command::ProposeChange { edits, reason: "a test".to_owned(), revert_of: None }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::ChangeProposed(_) => "proposed",
        Event::EditProposed(_) => "edit",
        Event::ChangeApproved { .. } => "approved",
        Event::PolicyActivated { .. } => "activated",
        _ => "another",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_while_there_is_nobody_else() {
    let (world, _) = desk().await;
    let receipt = world.submit(&world.root(), propose(policy("probe", Some(&rule(1))))).await;
    assert!(matches!(&receipt.events[..], [Event::PolicyActivated { change: None, .. }]), "{receipt:?}");
    world.person("mia", &["administrators"]).await;
    let Actor::Person { person: mia, .. } = world.acting("mia") else { panic!("mia is a person") };
    // Even if the second one leaves: what took two people does not come to take one by that.
    world.submit(&world.root(), Command::SetPersonGroups { person: mia, groups: Vec::new() }).await;
    let receipt = world.submit(&world.root(), propose(policy("probe", None))).await;
    assert!(proposed(&receipt).is_some());
    world.engine.close().await;
}
