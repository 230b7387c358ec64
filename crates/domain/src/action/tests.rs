use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::tests::world::{World, attempt, by, operation, pattern, tool, work};
use crate::{AgentProfile, Command, OperationChoice, StartTask, Verb};

fn outcome(action: ActionId) -> Command {
    let outcome = Outcome::Succeeded;
    Command::RecordOutcome(Box::new(RecordOutcome { action, outcome, result: None, latency_ms: 12 }))
}

fn try_it(task: TaskId, name: &str) -> Command {
    Command::AttemptAction(Box::new(attempt(task, operation(name), json!({"id": 7}), None)))
}

#[test]
fn an_allowed_call_names_who_what_and_why() {
    let mut world = World::with_support();
    let (agent, bob) = (world.support(), world.named("bob"));
    let task = world.start(&by(world.named("ana")), StartTask { acting_for: Some(bob), ..work(agent) });
    let allowed = world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    assert_eq!((allowed.facts.agent, allowed.facts.task, allowed.facts.acting_for), (agent, task, Some(bob)));
    assert_eq!(allowed.facts.definition, Some(world.state.operations["helpdesk/read"].digest));
    assert_eq!(
        (allowed.determining.as_slice(), allowed.attendance),
        (["a-live-grant-permits".to_owned()].as_slice(), Attendance::Attended)
    );
    assert_eq!(allowed.digest, allowed.facts.digest());
    assert!(!serde_json::to_string(&allowed).unwrap().contains("amount"), "an event holds no content");
    let alone = world.task(agent);
    assert_eq!(world.call(alone, "helpdesk/read", json!({"id": 7})).allowed().attendance, Attendance::Unattended);
}

#[test]
fn the_digest_is_of_the_canonical_document() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let mut facts = world.call(task, "helpdesk/read", json!({"id": 7})).allowed().facts;
    facts.operation = OperationName::new("helpdesk", "r\u{e9}f\u{1f600}\"\u{1}\\/\n");
    let mut document = json!({
        "v": 1, "agent": facts.agent, "run": facts.run, "task": facts.task, "acting_for": facts.acting_for,
        "operation": facts.operation, "definition": facts.definition, "arguments": facts.arguments.commitment,
    });
    assert_eq!(facts.digest(), Digest::of_document(&document));
    facts.beside = Some(facts.arguments.clone());
    document["beside"] = json!(facts.arguments.commitment);
    assert_eq!(facts.digest(), Digest::of_document(&document));
}

#[test]
fn only_the_tasks_own_agent_acts_under_it() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let other = world.agent("other", ana);
    let (task, second) = (world.task(agent), world.task(agent));
    let strangers = [
        by(ana),
        Actor::Remit,
        Actor::Agent { agent, task: None },
        Actor::Agent { agent, task: Some(second) },
        Actor::Agent { agent: other, task: Some(task) },
    ];
    for stranger in strangers {
        assert_eq!(world.refused(&stranger, try_it(task, "helpdesk/read")), "not_permitted");
    }
}

#[test]
fn scope_comes_before_any_policy() {
    let mut world = World::with_support();
    let agent = world.support();
    let scope = vec![pattern("helpdesk/read")];
    let task = world.start(&Actor::Agent { agent, task: None }, StartTask { scope, ..work(agent) });
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    assert_eq!(world.call(task, "helpdesk/refund", json!({"id": 7})).code(), "out_of_scope");
}

#[test]
fn what_is_not_there_is_denied_and_recorded() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    for name in ["helpdesk/gone", "elsewhere/read", "helpdesk/", "/"] {
        assert_eq!(world.call(task, name, json!({})).code(), "operation_unknown", "{name}");
    }
}

#[test]
fn arguments_must_fit_their_definition() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    for arguments in
        [json!({"id": "seven"}), json!({"id": 7, "extra": true}), json!([]), json!(null), json!({"id": 7.5})]
    {
        assert_eq!(world.call(task, "helpdesk/read", arguments.clone()).code(), "bad_arguments", "{arguments}");
    }
}

#[test]
fn whatever_an_agent_sends_its_record_fits_an_entry() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let name = "\u{1b}\"".repeat(100_000);
    let denied = world.call(task, "helpdesk/read", json!({ name: 1 })).denied();
    let bytes = serde_json::to_vec(&Event::ActionDenied(Box::new(denied))).unwrap().len();
    assert!(bytes < 32 * 1024, "{bytes} bytes");
    let long = format!("helpdesk/{}", "x".repeat(limits::OPERATION_BYTES_MAX));
    let under = world.under(task);
    assert_eq!(world.refused(&under, try_it(task, &long)), "bad_operation");
    let longest = long.get(..limits::OPERATION_BYTES_MAX).unwrap();
    assert_eq!(world.call(task, longest, json!({})).code(), "operation_unknown");
}

#[test]
fn the_digest_changes_with_everything_that_an_approval_is_bound_to() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let facts = world.call(task, "helpdesk/read", json!({"id": 7})).allowed().facts;
    let moment = crate::Moment::new(world.now, 7);
    let other = |change: &dyn Fn(&mut ActionFacts)| {
        let mut facts = facts.clone();
        change(&mut facts);
        facts.digest()
    };
    let others = [
        other(&|facts| facts.agent = moment.fresh_id()),
        other(&|facts| facts.run = moment.fresh_id()),
        other(&|facts| facts.task = moment.fresh_id()),
        other(&|facts| facts.acting_for = Some(moment.fresh_id())),
        other(&|facts| facts.operation = operation("helpdesk/update")),
        other(&|facts| facts.definition = None),
        other(&|facts| facts.arguments.commitment = Digest::of_bytes(b"other")),
    ];
    assert!(others.iter().all(|digest| *digest != facts.digest()));
    assert_eq!(other(&|facts| facts.policies = Digest::of_bytes(b"other")), facts.digest());
}

#[test]
fn an_outcome_is_recorded_once_and_by_the_door() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let task = world.task(agent);
    let action = world.call(task, "helpdesk/read", json!({"id": 7})).allowed().action;
    let other = world.agent("other", ana);
    for stranger in [by(ana), by(world.root), Actor::Agent { agent: other, task: None }] {
        assert_eq!(world.refused(&stranger, outcome(action)), "not_permitted");
    }
    world.must(&world.under(task), outcome(action));
    assert_eq!(world.refused(&Actor::Remit, outcome(action)), "outcome_known");
}

#[test]
fn after_a_restart_what_was_under_way_is_unknown() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let reported = world.call(task, "helpdesk/read", json!({"id": 1})).allowed().action;
    world.must(&Actor::Remit, outcome(reported));
    let lost = world.call(task, "helpdesk/read", json!({"id": 2})).allowed().action;
    assert_eq!(world.refused(&by(world.root), Command::Recover), "not_permitted");
    let events = world.must(&Actor::Remit, Command::Recover);
    let [Event::OutcomeRecorded(unknown), Event::Recovered { actions_unknown: 1 }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(unknown.action, lost);
    assert!(matches!(unknown.outcome, Outcome::Unknown { .. }));
    assert!(world.must(&Actor::Remit, Command::Recover).is_empty());
    assert_eq!(world.refused(&Actor::Remit, outcome(lost)), "outcome_known", "a late report changes nothing");
}

#[test]
fn an_outcome_that_never_comes_is_unknown() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    assert!(world.advance(limits::OUTCOME_SECONDS_MAX - 1).is_empty());
    let events = world.advance(1);
    let [Event::OutcomeRecorded(recorded)] = events.as_slice() else { panic!("{events:?}") };
    assert!(matches!(recorded.outcome, Outcome::Unknown { .. }));
    assert_eq!(recorded.latency_ms, limits::OUTCOME_SECONDS_MAX * 1000);
}

/// An office in which a clerk may search the web, look at customers' confidential data, and write mail.
fn office() -> (World, AgentId) {
    let mut world = World::with_support();
    let (root, ana) = (by(world.root), world.named("ana"));
    let id = json!({"id": {"type": "integer"}});
    let search = OperationChoice { external: true, ..tool("search", Verb::Read, 0, &id) };
    let customers = OperationChoice { data: DataClass::D2, ..tool("customers", Verb::Read, 0, &id) };
    world.connector("office", vec![search, customers, tool("mail", Verb::Send, 1, &id)]);
    let data_classes = vec![DataClass::D0, DataClass::D1, DataClass::D2];
    let agent = world.draft("clerk", AgentProfile { data_classes, ..world.profile(ana) });
    world.must(&root, Command::ActivateAgent { agent });
    world.grant(agent, &["office/search", "office/customers", "office/mail"]);
    (world, agent)
}

/// Calls `name` and reports `outcome`; the labels that this brought.
fn run(world: &mut World, task: TaskId, name: &str, outcome: Outcome, answered: bool) -> Vec<String> {
    let action = world.call(task, name, json!({"id": 7})).allowed().action;
    let result = answered.then(|| ContentRef { commitment: Digest::of_bytes(b"answer"), bytes: 6 });
    let report = RecordOutcome { action, outcome, result, latency_ms: 12 };
    match world.must(&Actor::Remit, Command::RecordOutcome(Box::new(report))).as_slice() {
        [Event::OutcomeRecorded(recorded)] => recorded.labels.clone(),
        other => panic!("{other:?}"),
    }
}

fn labels(world: &World, task: TaskId) -> BTreeSet<String> {
    world.state.task(task).unwrap().labels.clone()
}

#[test]
fn what_has_read_untrusted_and_sensitive_content_asks_before_it_sends() {
    let (mut world, agent) = office();
    let task = world.task(agent);
    assert_eq!(run(&mut world, task, "office/search", Outcome::Succeeded, true), [UNTRUSTED]);
    let asked = world.call(task, "office/mail", json!({"id": 6})).asked();
    assert_eq!(asked.ask.policies, ["act-consequential-asks"], "only untrusted so far");
    assert_eq!(run(&mut world, task, "office/customers", Outcome::ToolError, true), [SENSITIVE]);
    let asked = world.call(task, "office/mail", json!({"id": 7})).asked();
    assert_eq!(asked.ask.policies, ["act-consequential-asks", "untrusted-then-send"]);
    world.approve(world.named("ana"), &asked);
    world.call(task, "office/mail", json!({"id": 7})).allowed();
    let kept: State = serde_json::from_value(serde_json::to_value(&world.state).unwrap()).unwrap();
    assert_eq!(kept.task(task).unwrap().labels, labels(&world, task));
}

#[test]
fn what_never_answered_brought_nothing() {
    let (mut world, agent) = office();
    let task = world.task(agent);
    let reason = || "the line broke".to_owned();
    let silent = [Outcome::NotSent { reason: reason() }, Outcome::Failed { reason: reason() }];
    for outcome in silent {
        assert!(run(&mut world, task, "office/search", outcome, false).is_empty());
    }
    assert!(labels(&world, task).is_empty());
    let failed = Outcome::Failed { reason: reason() };
    assert_eq!(run(&mut world, task, "office/search", failed, true), [UNTRUSTED], "an error has words too");
    let unknown = Outcome::Unknown { reason: reason() };
    assert_eq!(
        run(&mut world, task, "office/search", unknown, false),
        [UNTRUSTED],
        "the agent may have seen the answer"
    );
}

#[test]
fn whatever_answers_from_outside_is_untrusted() {
    let (mut world, agent) = office();
    let id = json!({"id": {"type": "integer"}});
    let changes = [Verb::Write, Verb::Send, Verb::Execute];
    let outside = changes.map(|verb| OperationChoice { external: true, ..tool(verb.as_str(), verb, 1, &id) });
    let inside = tool("note", Verb::Write, 1, &id);
    world.connector("partner", outside.into_iter().chain([inside]).collect());
    world.grant(agent, &["partner/write", "partner/send", "partner/execute", "partner/note"]);
    for verb in changes {
        let (task, name) = (world.task(agent), format!("partner/{verb}"));
        let asked = world.call(task, &name, json!({"id": 7})).asked();
        world.approve(world.named("ana"), &asked);
        assert_eq!(run(&mut world, task, &name, Outcome::Succeeded, true), [UNTRUSTED], "{verb}");
        assert_eq!(labels(&world, task), BTreeSet::from([UNTRUSTED.to_owned()]), "{verb}");
    }
    let task = world.task(agent);
    assert!(run(&mut world, task, "partner/note", Outcome::Succeeded, true).is_empty(), "what is inside is ours");
}

#[test]
fn who_holds_sensitive_data_and_untrusted_content_asks_before_it_reads_outside() {
    let (mut world, agent) = office();
    let task = world.task(agent);
    run(&mut world, task, "office/search", Outcome::Succeeded, true);
    run(&mut world, task, "office/search", Outcome::Succeeded, true);
    run(&mut world, task, "office/customers", Outcome::Succeeded, true);
    let asked = world.call(task, "office/search", json!({"id": 7})).asked();
    assert_eq!(asked.ask.policies, ["untrusted-then-send"]);
    world.call(task, "office/customers", json!({"id": 7})).allowed();
    world.approve(world.named("ana"), &asked);
    world.call(task, "office/search", json!({"id": 7})).allowed();
    world.call(task, "office/search", json!({"id": 8})).asked();
}

#[test]
fn what_a_sub_task_reads_reaches_the_tasks_above_and_beside_it() {
    let (mut world, agent) = office();
    let task = world.task(agent);
    let under = world.under(task);
    let child = |world: &mut World| world.start(&under, StartTask { parent: Some(task), ..work(agent) });
    let (reader, writer) = (child(&mut world), child(&mut world));
    run(&mut world, reader, "office/search", Outcome::Succeeded, true);
    world.must(&under, Command::EndTask { task: reader, note: String::new() });
    run(&mut world, writer, "office/customers", Outcome::Succeeded, true);
    assert_eq!(labels(&world, writer), BTreeSet::from([SENSITIVE.to_owned()]));
    assert_eq!(labels(&world, task), BTreeSet::from([SENSITIVE.to_owned(), UNTRUSTED.to_owned()]));
    let asks = |world: &mut World, task| world.call(task, "office/mail", json!({"id": 7})).asked().ask.policies;
    for one in [task, writer] {
        assert_eq!(asks(&mut world, one), ["act-consequential-asks", "untrusted-then-send"]);
    }
    let apart = world.task(agent);
    assert_eq!(asks(&mut world, apart), ["act-consequential-asks"]);
}

/// The agent `front`, which asks for others and enforces what it is answered, and its task.
fn enforcer(world: &mut World) -> (AgentId, TaskId) {
    let ana = world.named("ana");
    let data_classes = vec![DataClass::D0, DataClass::D1, DataClass::D2];
    let front = world.draft("front", AgentProfile { data_classes, enforcer: true, ..world.profile(ana) });
    world.must(&by(world.root), Command::ActivateAgent { agent: front });
    world.grant(front, &["office/search", "office/customers", "office/mail", "helpdesk/refund"]);
    let task = world.task(front);
    (front, task)
}

fn asked_by(world: &World, task: TaskId, name: &str, enforcer: AgentId) -> AttemptAction {
    let attempt = attempt(task, operation(name), json!({"id": 7}), None);
    AttemptAction { enforcer: Some(enforcer), credential_issued_at: Some(world.now), ..attempt }
}

fn reply(world: &mut World, attempt: AttemptAction) -> Event {
    let actor = world.under(attempt.task);
    world.must(&actor, Command::AttemptAction(Box::new(attempt))).remove(0)
}

#[test]
fn what_an_agent_reads_through_another_gateway_counts_for_its_task() {
    let (mut world, agent) = office();
    let (front, _) = enforcer(&mut world);
    let task = world.task(agent);
    for name in ["office/search", "office/customers"] {
        let attempt = asked_by(&world, task, name, front);
        let Event::ActionAllowed(allowed) = reply(&mut world, attempt) else { panic!("{name} was not allowed") };
        assert_eq!(allowed.labels.as_ref().map(Vec::len), Some(1), "{name}");
    }
    assert_eq!(labels(&world, task), BTreeSet::from([SENSITIVE.to_owned(), UNTRUSTED.to_owned()]));
    assert_eq!(world.state.task(task).unwrap().data, Some(DataClass::D2));
    assert!(world.state.actions.is_empty(), "nothing is awaited of what somebody else enforces");
    let asked = world.call(task, "office/mail", json!({"id": 7})).asked();
    assert!(asked.ask.policies.contains(&"untrusted-then-send".to_owned()), "{:?}", asked.ask);
}

#[test]
fn only_an_agent_described_as_enforcer_asks_about_what_others_do() {
    let (mut world, agent) = office();
    let (front, task) = enforcer(&mut world);
    let (own, other) = (world.task(agent), world.named("ana"));
    let attempts = [
        asked_by(&world, own, "office/search", agent),
        AttemptAction { named: Some(front), ..asked_by(&world, own, "office/search", agent) },
        AttemptAction { acting_for: Some(other), ..asked_by(&world, own, "office/search", agent) },
    ];
    for attempt in attempts {
        let Event::ActionDenied(denied) = reply(&mut world, attempt) else { panic!("anybody may ask") };
        assert_eq!(denied.refusal.code, "not_an_enforcer");
    }
    // Its owner may take the mark away, and only an administrator gives it.
    let plain = AgentProfile { enforcer: false, ..world.state.agent(front).unwrap().profile.clone() };
    let marked = AgentProfile { enforcer: true, ..plain.clone() };
    let ana = by(other);
    world.must(&ana, Command::DescribeAgent { agent: front, profile: Box::new(plain) });
    let attempt = asked_by(&world, task, "office/search", front);
    assert!(matches!(reply(&mut world, attempt), Event::ActionDenied(_)));
    let refusal = world.refused(&ana, Command::DescribeAgent { agent: front, profile: Box::new(marked.clone()) });
    assert_eq!(refusal, "widens_agent");
    world.must(&by(world.root), Command::DescribeAgent { agent: front, profile: Box::new(marked) });
    let attempt = asked_by(&world, task, "office/search", front);
    assert!(matches!(reply(&mut world, attempt), Event::ActionAllowed(_)));
    // Nor does anybody else get it by way of a draft of their own.
    let draft = world.draft("other-front", AgentProfile { enforcer: true, ..world.profile(other) });
    assert_eq!(world.refused(&ana, Command::ActivateAgent { agent: draft }), "widens_agent");
    world.must(&by(world.root), Command::ActivateAgent { agent: draft });
}

#[test]
fn what_is_approved_for_one_subject_is_not_approved_for_another() {
    let (mut world, agent) = office();
    let (front, task) = enforcer(&mut world);
    let named = |world: &World| AttemptAction { named: Some(agent), ..asked_by(world, task, "office/mail", front) };
    let attempt = named(&world);
    let Event::ApprovalRequested(asked) = reply(&mut world, attempt) else { panic!("nobody was asked") };
    assert_eq!(asked.facts.named, Some(agent));
    world.approve(world.named("ana"), &asked);
    let attempt = named(&world);
    assert!(matches!(reply(&mut world, attempt), Event::ActionAllowed(_)));
    assert_eq!(world.state.task(task).unwrap().approved_data, None);
    // The named agent must be allowed by its own record.
    let refund = AttemptAction { named: Some(agent), ..asked_by(&world, task, "helpdesk/refund", front) };
    let Event::ActionDenied(denied) = reply(&mut world, refund) else { panic!("it has no grant of its own") };
    assert!(denied.refusal.sentence.starts_with("`clerk`, which is said to act"), "{}", denied.refusal.sentence);
}

#[test]
fn a_task_for_one_person_is_not_for_another() {
    let (mut world, agent) = office();
    let (front, _) = enforcer(&mut world);
    let (ana, bob, cleo) = (by(world.named("ana")), world.named("bob"), world.named("cleo"));
    let task = world.start(&ana, StartTask { acting_for: Some(bob), ..work(agent) });
    let other = AttemptAction { acting_for: Some(cleo), ..asked_by(&world, task, "office/search", front) };
    let Event::ActionDenied(denied) = reply(&mut world, other) else { panic!("it acted for somebody else") };
    assert_eq!(denied.refusal.code, "acting_for_other");
    let same = AttemptAction { acting_for: Some(bob), ..asked_by(&world, task, "office/search", front) };
    assert!(matches!(reply(&mut world, same), Event::ActionAllowed(_)));
}
