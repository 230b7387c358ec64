use remit_domain::{ConnectorSpec, DataClass, Verb};
use remit_testkit::{World, operation};
use serde_json::json;

use super::*;

/// Everything on record of one refund that its agent's owner said yes to, and that then ran.
pub(crate) async fn refund() -> Vec<Event> {
    let world = World::new().await;
    world.person("ana", &[]).await;
    world.agent("support", "ana", |_| {}).await;
    let choice = operation("refund", Verb::Write, 3, DataClass::D1, &json!({"order": {"type": "string"}}));
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() };
    world.connector("desk", spec, vec![choice]).await;
    world.grant("support", &["desk/*"], 86_400).await;
    let task = world.task("support").await;
    let approval = world.call(task, "desk/refund", json!({"order": "1"})).await.asked();
    world.approve("ana", approval).await;
    world.call(task, "desk/refund", json!({"order": "1"})).await.allowed();
    world.records().await.into_iter().map(|committed| committed.record.event).collect()
}

fn read<'a>(answers: &mut Answers, events: impl IntoIterator<Item = &'a Event>) -> Vec<String> {
    events.into_iter().filter_map(|event| answers.read(event).err()).collect()
}

fn is_vote(event: &Event) -> bool {
    matches!(event, Event::ApprovalVoted { .. })
}

fn is_about_it(event: &Event) -> bool {
    matches!(
        event,
        Event::ApprovalRequested(_)
            | Event::ApprovalVoted { .. }
            | Event::ApprovalGranted { .. }
            | Event::ActionAllowed(_)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_right_and_nothing_of_it_happens_twice() {
    let events = refund().await;
    let mut answers = Answers::new(true);
    assert_eq!(read(&mut answers, &events), Vec::<String>::new());
    assert_eq!((answers.questions().len(), answers.used(), answers.signed(), answers.unsigned()), (1, 1, 0, 1));
    for event in events.iter().filter(|event| is_about_it(event)) {
        let mut answers = Answers::new(true);
        assert_eq!(read(&mut answers, &events), Vec::<String>::new());
        let again = answers.read(event);
        let expected = match event {
            Event::ApprovalRequested(_) => Some("was asked before"),
            Event::ApprovalVoted { .. } => Some("answered"),
            Event::ActionAllowed(_) => Some("was used before"),
            _ => None,
        };
        assert_eq!(again.is_err(), expected.is_some(), "{again:?}");
        assert!(expected.is_none_or(|expected| again.unwrap_err().contains(expected)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_where_everything_has_to_be_there() {
    let events = refund().await;
    let asked = |event: &&Event| !matches!(event, Event::ApprovalRequested(_));
    let faults = read(&mut Answers::new(true), events.iter().filter(asked));
    assert_eq!(faults.len(), 3, "the answer, the approval and its use: {faults:?}");
    assert!(faults.iter().all(|fault| fault.ends_with("was never asked")), "{faults:?}");
    assert_eq!(read(&mut Answers::new(false), events.iter().filter(asked)), Vec::<String>::new());
    for is_whole in [true, false] {
        let faults = read(&mut Answers::new(is_whole), events.iter().filter(|event| !is_vote(event)));
        assert!(matches!(&faults[..], [fault] if fault.contains("with 0 answers, and 1 were needed")), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_denied_or_has_expired_is_used_for_nothing() {
    let events = refund().await;
    let Some(Event::ApprovalVoted { agent, approval, vote }) = events.iter().find(|event| is_vote(event)) else {
        panic!("nobody answered")
    };
    let (agent, approval) = (*agent, *approval);
    for end in [
        Event::ApprovalDenied { agent, approval, by: vote.person, note: String::new() },
        Event::ApprovalExpired { agent, approval },
    ] {
        let mut answers = Answers::new(true);
        let (before, use_of_it) = events.split_at(events.iter().rposition(is_about_it).unwrap());
        assert_eq!(read(&mut answers, before.iter().chain([&end])), Vec::<String>::new());
        assert_eq!(
            read(&mut answers, use_of_it),
            [format!("the approval `{approval}` was not given before it was used")]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_passkey_any_more_need_not_sign() {
    let events = refund().await;
    let (before, from_vote) = events.split_at(events.iter().position(is_vote).unwrap());
    let Some(Event::ApprovalVoted { vote, .. }) = from_vote.first() else { panic!("nobody answered") };
    let enrolled = Event::PasskeyEnrolled(Box::new(PasskeyEnrolled {
        person: vote.person,
        credential: "c".to_owned(),
        key: json!({}),
        label: "a key".to_owned(),
        sign_count: 0,
        backed_up: false,
        method: vote.method,
        rp_id: String::new(),
        recovery: false,
    }));
    let removed = Event::PasskeyRemoved {
        person: vote.person,
        credential: "c".to_owned(),
        by: vote.person,
        reason: "lost".to_owned(),
    };
    let left = Event::PersonRemoved { person: vote.person };
    let faults = |between: &[&Event]| {
        let mut answers = Answers::new(true);
        read(&mut answers, before.iter().chain(between.iter().copied()).chain(from_vote))
    };
    assert!(matches!(&faults(&[&enrolled])[..], [fault] if fault.contains("is not signed")));
    assert_eq!(faults(&[&enrolled, &removed]), Vec::<String>::new());
    assert_eq!(faults(&[&enrolled, &left]), Vec::<String>::new());
}
