use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::tests::world::{DAY, HOUR, World, by, operation, pattern, propose, work};
use crate::{
    AgentId, Authority, Command, Configuration, DelegateTask, Delegation, Edit, Foresight, PolicyEdit, Reachable,
    StartTask, foresee, listing, preview, who_can_call,
};
use crate::{Delegate, Walk};

/// The helpdesk, with the agent `reader`, which may read; ana owns it, root approves for it.
fn beginning() -> (World, AgentId) {
    let mut world = World::with_support();
    let ana = world.named("ana");
    let agent = world.agent("reader", ana);
    world.grant(agent, &["helpdesk/read"]);
    (world, agent)
}

/// A task of `agent` that root started.
fn begun(world: &mut World, agent: AgentId) -> TaskId {
    world.start(&by(world.root), work(agent))
}

fn asks(task: TaskId, names: &[&str]) -> RequestAccess {
    let operations = names.iter().map(|name| operation(name)).collect();
    RequestAccess { task, operations, reason: "the customer was charged twice".to_owned(), ttl_seconds: None }
}

fn ask(world: &mut World, task: TaskId, names: &[&str]) -> GrantRequest {
    let actor = world.under(task);
    match world.must(&actor, Command::RequestAccess(Box::new(asks(task, names)))).as_slice() {
        [Event::GrantRequested(request)] => (**request).clone(),
        other => panic!("{other:?}"),
    }
}

fn refused(world: &mut World, task: TaskId, names: &[&str]) -> String {
    let actor = world.under(task);
    world.refused(&actor, Command::RequestAccess(Box::new(asks(task, names))))
}

fn update(world: &mut World, task: TaskId) -> String {
    match world.call(task, "helpdesk/update", json!({"id": 7})) {
        crate::tests::world::Reply::Allowed(_) => "allowed".to_owned(),
        other => other.code(),
    }
}

#[test]
fn what_is_given_counts_for_the_calls_of_that_task_alone() {
    let (mut world, agent) = beginning();
    let ana = by(world.named("ana"));
    let (task, other) = (begun(&mut world, agent), begun(&mut world, agent));
    assert_eq!(update(&mut world, task), "denied_by_policy");
    let request = ask(&mut world, task, &["helpdesk/update"]);
    assert_eq!((request.task, request.requested_by, request.agent), (Some(task), None, agent));
    assert_eq!(update(&mut world, task), "denied_by_policy", "asking gives nothing");
    world.must(&ana, Command::ApproveGrant { grant: request.id });
    assert_eq!(world.call(task, "helpdesk/update", json!({"id": 7})).allowed().grant, Some(request.id));
    assert_eq!(update(&mut world, other), "denied_by_policy", "another task of the same agent");
    let below = StartTask { parent: Some(task), ..work(agent) };
    let below = world.start(&world.under(task), below);
    assert_eq!(update(&mut world, below), "denied_by_policy", "a sub-task");
    let later = begun(&mut world, agent);
    assert_eq!(update(&mut world, later), "denied_by_policy", "a task that begins later");
}

#[test]
fn listing_preview_and_who_can_say_the_same() {
    let (mut world, agent) = beginning();
    let (task, other) = (begun(&mut world, agent), begun(&mut world, agent));
    let request = ask(&mut world, task, &["helpdesk/update"]);
    let general = |world: &World| {
        let mut walk = who_can_call(&world.state, &operation("helpdesk/update"), None, world.now).unwrap();
        let mut names = Vec::new();
        while let Some(step) = walk.step() {
            names.extend(step.map(|caller| caller.agent.name.clone()));
        }
        let foreseen = foresee(&world.state, agent, world.now).unwrap();
        let own = foreseen.into_iter().find(|one| one.operation == operation("helpdesk/update")).unwrap();
        (names, own.foresight)
    };
    let before = general(&world);
    assert_eq!(before, (vec!["support".to_owned()], Foresight::Deny));
    world.must(&by(world.named("ana")), Command::ApproveGrant { grant: request.id });
    assert_eq!(general(&world), before, "what the agent may do in general is what it was");
    let (state, arguments) = (&world.state, json!({"id": 7}));
    let update = state.operation(&operation("helpdesk/update")).unwrap();
    let within = |task: TaskId| {
        let task = state.task(task).unwrap();
        (listing(state, task, update, world.now).reachable, preview(state, task, update, &arguments, world.now).0)
    };
    assert_eq!(within(task), (Reachable::Always, "allow"));
    assert_eq!(within(other), (Reachable::Never, "deny"));
    assert!(state.grants_of(agent).all(|grant| grant.task.is_none()));
    assert_eq!(state.grants_in(state.task(task).unwrap()).count(), 2);
}

#[test]
fn it_ends_with_the_task_in_the_same_commit() {
    let (mut world, agent) = beginning();
    let ana = by(world.named("ana"));
    let task = begun(&mut world, agent);
    let request = ask(&mut world, task, &["helpdesk/update"]);
    world.must(&ana, Command::ApproveGrant { grant: request.id });
    let waiting = ask(&mut world, task, &["helpdesk/mail"]);
    let events = world.must(&ana, Command::EndTask { task, note: String::new() });
    let [ended @ Event::TaskEnded { .. }, revoked @ Event::GrantRevoked { grant, reason, .. }] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*grant, reason.as_str()), (request.id, TASK_ENDED));
    assert!(ended.is_cause() && revoked.can_follow(ended), "the receipt counts it");
    assert!(!world.state.grants.contains_key(&request.id) && world.state.grant_requests.is_empty());
    assert_eq!(world.refused(&ana, Command::ApproveGrant { grant: waiting.id }), "not_found");
    let task = world.state.task(task).unwrap();
    assert!(task.access.iter().all(|access| access.status == AccessStatus::Ended), "{:?}", task.access);
}

/// How somebody ends a task.
type End = fn(&World, AgentId, TaskId) -> (Actor, Command);

#[test]
fn whatever_ends_a_task_ends_what_was_granted_to_it() {
    let ends: [End; 4] = [
        |world, agent, _| (by(world.root), Command::SuspendAgent { agent, reason: "enough".to_owned() }),
        |world, agent, _| (by(world.root), Command::DecommissionAgent { agent, reason: "enough".to_owned() }),
        |world, _, task| {
            let run = world.state.task(task).unwrap().run;
            (by(world.root), Command::RevokeRun { run, reason: "enough".to_owned() })
        },
        |_, _, _| (Actor::Remit, Command::Expire),
    ];
    for end in ends {
        let (mut world, agent) = beginning();
        let task = begun(&mut world, agent);
        let request = ask(&mut world, task, &["helpdesk/update"]);
        world.must(&by(world.named("ana")), Command::ApproveGrant { grant: request.id });
        let (actor, command) = end(&world, agent, task);
        if matches!(command, Command::Expire) {
            world.now = world.state.task(task).unwrap().expires_at;
        }
        let events = world.must(&actor, command);
        let gone = |event: &&Event| matches!(event, Event::GrantRevoked { grant, .. } | Event::GrantExpired { grant, .. } if *grant == request.id);
        assert_eq!(events.iter().filter(gone).count(), 1, "{events:?}");
        let cause = &events[0];
        assert!(events[1..].iter().filter(gone).all(|event| event.can_follow(cause)));
    }
}

#[test]
fn its_time_is_what_was_asked_for_and_never_more_than_the_tasks() {
    let (mut world, agent) = beginning();
    let ana = by(world.named("ana"));
    let task = begun(&mut world, agent);
    let ends_at = world.state.task(task).unwrap().expires_at;
    let given = |world: &mut World, name: &str, ttl_seconds: Option<u64>| {
        let asked = RequestAccess { ttl_seconds, ..asks(task, &[name]) };
        let actor = world.under(task);
        let events = world.must(&actor, Command::RequestAccess(Box::new(asked)));
        let [Event::GrantRequested(request)] = events.as_slice() else { panic!("{events:?}") };
        world.now = world.now.plus_seconds(600);
        world.must(&ana, Command::ApproveGrant { grant: request.id });
        world.state.grants[&request.id].expires_at
    };
    assert_eq!(given(&mut world, "helpdesk/update", None), ends_at);
    assert_eq!(given(&mut world, "helpdesk/mail", Some(60)), world.now.plus_seconds(60));
    assert_eq!(given(&mut world, "helpdesk/refund", Some(DAY)), ends_at);
    world.now = world.now.plus_seconds(60);
    assert_eq!(world.call(task, "helpdesk/mail", json!({"id": 7})).code(), "denied_by_policy", "before any timer");
    let actor = world.under(task);
    for seconds in [0, DAY + 1] {
        let asked = RequestAccess { ttl_seconds: Some(seconds), ..asks(task, &["helpdesk/mail"]) };
        assert_eq!(world.refused(&actor, Command::RequestAccess(Box::new(asked))), "grant_too_long");
    }
}

#[test]
fn no_request_widens_what_the_task_was_started_for() {
    let (mut world, agent) = beginning();
    let itself = Actor::Agent { agent, task: None };
    let scoped = world.start(&itself, StartTask { scope: vec![pattern("helpdesk/read")], ..work(agent) });
    assert_eq!(refused(&mut world, scoped, &["helpdesk/update"]), "out_of_scope");
    let part = Authority { constraints: BTreeMap::new(), ..Authority::over(vec![pattern("helpdesk/mail")]) };
    let bounded = world.start(&itself, StartTask { authority: vec![part], ..work(agent) });
    assert_eq!(refused(&mut world, bounded, &["helpdesk/mail", "helpdesk/update"]), "out_of_scope");
    ask(&mut world, bounded, &["helpdesk/mail"]);
    let ana = world.named("ana");
    let whole = world.start(&by(ana), work(agent));
    let below = StartTask { parent: Some(whole), scope: vec![pattern("helpdesk/mail")], ..work(agent) };
    let below = world.start(&world.under(whole), below);
    assert_eq!(refused(&mut world, below, &["helpdesk/update"]), "out_of_scope");
}

#[test]
fn only_single_operations_that_are_there_and_missing_are_asked_for() {
    let (mut world, agent) = beginning();
    let task = begun(&mut world, agent);
    assert_eq!(refused(&mut world, task, &[]), "grant_too_wide");
    assert_eq!(refused(&mut world, task, &["helpdesk/*"]), "grant_too_wide");
    assert_eq!(refused(&mut world, task, &["helpdesk/update"; limits::ACCESS_OPERATIONS_MAX + 1]), "grant_too_wide");
    assert_eq!(refused(&mut world, task, &["billing/read"]), "operation_unknown");
    assert_eq!(refused(&mut world, task, &["helpdesk/read"]), "already_granted");
    let (actor, other) = (world.under(task), begun(&mut world, agent));
    let nothing = RequestAccess { reason: " ".to_owned(), ..asks(task, &["helpdesk/update"]) };
    assert_eq!(world.refused(&actor, Command::RequestAccess(Box::new(nothing))), "missing_text");
    for stranger in
        [by(world.root), Actor::Agent { agent, task: None }, Actor::Agent { agent, task: Some(other) }, Actor::Remit]
    {
        let asked = Command::RequestAccess(Box::new(asks(task, &["helpdesk/update"])));
        assert_eq!(world.refused(&stranger, asked), "not_permitted");
    }
    world.now = world.now.plus_seconds(2 * HOUR);
    assert_eq!(refused(&mut world, task, &["helpdesk/update"]), "task_ended");
}

#[test]
fn a_policy_that_never_permits_it_is_not_put_before_people() {
    let (mut world, agent) = beginning();
    let text = "@id(\"no-mail\") forbid (principal, action == Action::\"helpdesk/mail\", resource);".to_owned();
    let edit = PolicyEdit { name: "no-mail".to_owned(), text: Some(text) };
    let task = begun(&mut world, agent);
    let request = ask(&mut world, task, &["helpdesk/mail"]);
    world.must(&by(world.root), propose(vec![Edit::Policy(edit)]));
    world.must(&by(world.named("ana")), Command::ApproveGrant { grant: request.id });
    assert_eq!(
        world.call(task, "helpdesk/mail", json!({"id": 7})).code(),
        "denied_by_policy",
        "a grant permits nothing alone"
    );
    let other = begun(&mut world, agent);
    assert_eq!(refused(&mut world, other, &["helpdesk/mail"]), "grant_would_not_help");
    let known = world.state.task(other).unwrap();
    assert!(!may_request_access(&world.state, known, &operation("helpdesk/mail"), world.now));
    assert!(may_request_access(&world.state, known, &operation("helpdesk/update"), world.now));
}

#[test]
fn who_started_it_and_whom_it_acts_for_cannot_give_it() {
    let (mut world, agent) = beginning();
    let (ana, root) = (world.named("ana"), world.root);
    let task = world.start(&by(ana), StartTask { acting_for: Some(ana), ..work(agent) });
    let request = ask(&mut world, task, &["helpdesk/update"]);
    assert_eq!(access_answered_by(&world.state, world.state.task(task).unwrap()), [root]);
    let approve = |world: &mut World, person| world.refused(&by(person), Command::ApproveGrant { grant: request.id });
    assert_eq!(approve(&mut world, ana), "approver_is_acted_for");
    let bob = world.named("bob");
    assert_eq!(approve(&mut world, bob), "not_an_approver");
    world.must(&by(root), Command::ApproveGrant { grant: request.id });
    assert_eq!(update(&mut world, task), "allowed");

    let task = world.start(&by(root), work(agent));
    let request = ask(&mut world, task, &["helpdesk/update"]);
    assert_eq!(world.refused(&by(root), Command::ApproveGrant { grant: request.id }), "self_approval");
    world.must(&by(root), Command::DenyGrant { grant: request.id, note: String::new() });

    let profile = crate::AgentProfile { approvers: Vec::new(), ..world.profile(ana) };
    world.must(&by(ana), Command::DescribeAgent { agent, profile: Box::new(profile) });
    let task = world.start(&by(ana), work(agent));
    assert_eq!(refused(&mut world, task, &["helpdesk/update"]), "no_approver");
}

#[test]
fn for_a_delegate_answers_who_approves_for_every_agent_above() {
    let (mut world, agent) = beginning();
    let (ana, bob) = (world.named("ana"), world.named("bob"));
    let profile = crate::AgentProfile { approvers: vec![ana], ..world.profile(bob) };
    let delegate = world.draft("clerk", profile);
    world.must(&by(bob), Command::ActivateAgent { agent: delegate });
    world.grant(agent, &["helpdesk/update"]);
    let delegation = Some(Delegation { depth_max: 1, delegates: vec![Delegate::AnyAgent] });
    let task = world.start(&by(world.root), StartTask { delegation, ..work(agent) });
    let ask_delegate = DelegateTask {
        parent: task,
        delegate,
        purpose: None,
        scope: Vec::new(),
        authority: Vec::new(),
        ttl_seconds: None,
        calls_max: None,
        key: Some(world.state.agent(delegate).unwrap().spiffe_id("example.org")),
        configuration: None,
    };
    let itself = Actor::Agent { agent: delegate, task: None };
    let events = world.must(&itself, Command::DelegateTask(Box::new(ask_delegate)));
    let [Event::TaskStarted(started)] = events.as_slice() else { panic!("{events:?}") };
    let below = started.task;
    assert_eq!(refused(&mut world, below, &["helpdesk/mail"]), "grant_would_not_help", "who passed it on may not");
    let request = ask(&mut world, below, &["helpdesk/update"]);
    assert_eq!(world.refused(&by(bob), Command::ApproveGrant { grant: request.id }), "not_an_approver");
    world.must(&by(ana), Command::ApproveGrant { grant: request.id });
    assert_eq!(update(&mut world, below), "allowed");
    // What the task above is given does not flow down.
    let above = ask(&mut world, task, &["helpdesk/mail"]);
    world.must(&by(ana), Command::ApproveGrant { grant: above.id });
    assert_eq!(refused(&mut world, below, &["helpdesk/mail"]), "grant_would_not_help");
}

#[test]
fn asked_again_it_is_the_same_request_and_a_no_stays() {
    let (mut world, agent) = beginning();
    let ana = by(world.named("ana"));
    let task = begun(&mut world, agent);
    let actor = world.under(task);
    let request = ask(&mut world, task, &["helpdesk/update", "helpdesk/mail"]);
    let again = Command::RequestAccess(Box::new(asks(task, &["helpdesk/mail"])));
    assert!(world.must(&actor, again.clone()).is_empty(), "it waits already");
    let standing = |world: &World| {
        let task = world.state.task(task).unwrap();
        task.access_standing(&[operation("helpdesk/mail")], world.now).cloned()
    };
    assert_eq!(standing(&world).unwrap().grant, request.id);
    world.must(&ana, Command::ApproveGrant { grant: request.id });
    assert!(world.must(&actor, again.clone()).is_empty(), "it was given");
    assert!(matches!(standing(&world).unwrap().status, AccessStatus::Given { .. }));
    world.must(&ana, Command::RevokeGrant { grant: request.id, reason: "enough".to_owned() });
    assert_eq!(standing(&world), None);
    let second = ask(&mut world, task, &["helpdesk/mail"]);
    world.must(&ana, Command::DenyGrant { grant: second.id, note: "write a draft".to_owned() });
    let refusal = world.refusal(&actor, again);
    assert_eq!(refusal.code, "access_denied");
    assert!(refusal.sentence.ends_with("saying: write a draft"), "{}", refusal.sentence);
    assert_eq!(refused(&mut world, task, &["helpdesk/refund", "helpdesk/mail"]), "access_denied");
    let below = world.start(&world.under(task), StartTask { parent: Some(task), ..work(agent) });
    assert_eq!(refused(&mut world, below, &["helpdesk/mail"]), "access_denied", "nor by a sub-task");
    let other = begun(&mut world, agent);
    ask(&mut world, other, &["helpdesk/mail"]);
    let known = world.state.task(task).unwrap();
    assert_eq!(known.access_asked(second.id).unwrap().status.as_str(), "denied");
}

#[test]
fn a_run_cannot_bury_its_approvers() {
    let (mut world, agent) = beginning();
    let tools: Vec<_> =
        (0..40).map(|n| crate::tests::world::tool(&format!("t{n}"), crate::Verb::Read, 0, &json!({}))).collect();
    world.connector("billing", tools);
    let task = begun(&mut world, agent);
    let below = world.start(&world.under(task), StartTask { parent: Some(task), ..work(agent) });
    let name = |number: usize| format!("billing/t{number}");
    for number in 0..limits::TASK_ACCESS_WAITING_MAX {
        ask(&mut world, if number % 2 == 0 { task } else { below }, &[&name(number)]);
    }
    for task in [task, below] {
        assert_eq!(refused(&mut world, task, &["billing/t39"]), "too_many_requests");
    }
    world.must(&by(world.root), Command::EndTask { task: below, note: String::new() });
    for number in limits::TASK_ACCESS_WAITING_MAX..limits::TASK_ACCESS_REQUESTS_MAX {
        let request = ask(&mut world, task, &[&name(number)]);
        world.must(&by(world.root), Command::DenyGrant { grant: request.id, note: String::new() });
    }
    assert_eq!(refused(&mut world, task, &["billing/t39"]), "too_many_requests", "in all");
}

#[test]
fn many_tasks_of_an_agent_cannot_bury_its_approvers_either() {
    let (mut world, agent) = beginning();
    let waiting = limits::AGENT_ACCESS_WAITING_MAX;
    for _ in 0..waiting {
        let task = begun(&mut world, agent);
        ask(&mut world, task, &["helpdesk/update"]);
    }
    let task = begun(&mut world, agent);
    assert_eq!(refused(&mut world, task, &["helpdesk/update"]), "too_many_requests");
}

#[test]
fn an_owner_alone_gives_nothing_to_what_their_agent_began_itself() {
    let (mut world, agent) = beginning();
    let key = Actor::Agent { agent, task: None };
    let task = world.start(&key, work(agent));
    assert_eq!(world.state.task(task).unwrap().started_by, None);
    let request = ask(&mut world, task, &["helpdesk/update"]);
    let ana = by(world.named("ana"));
    assert_eq!(world.refused(&ana, Command::ApproveGrant { grant: request.id }), "self_approval");
    assert_eq!(access_answered_by(&world.state, world.state.task(task).unwrap()), [world.root]);
    world.must(&by(world.root), Command::ApproveGrant { grant: request.id });
    assert_eq!(update(&mut world, task), "allowed");
}

#[test]
fn nobody_takes_a_grant_away_in_the_words_of_an_ended_task() {
    let (mut world, agent) = beginning();
    let task = begun(&mut world, agent);
    let request = ask(&mut world, task, &["helpdesk/update"]);
    let ana = by(world.named("ana"));
    world.must(&ana, Command::ApproveGrant { grant: request.id });
    let revoke = Command::RevokeGrant { grant: request.id, reason: TASK_ENDED.to_owned() };
    assert_eq!(world.refused(&ana, revoke), "reason_reserved");
}

#[test]
fn standing_tasks_and_changed_configurations_ask_for_nothing() {
    let (mut world, agent) = beginning();
    let workload = crate::WorkloadIdentity::Local { selectors: vec!["unix:uid:7".to_owned()] };
    world.must(&by(world.root), Command::BindWorkload { agent, workload });
    let via = crate::VIA_JWT_SVID.to_owned();
    let events = world.must(&Actor::Remit, Command::StandIn { agent, via });
    let Some(Event::TaskStarted(standing)) = events.last() else { panic!("{events:?}") };
    assert_eq!(refused(&mut world, standing.task, &["helpdesk/update"]), "standing_task");

    let task = begun(&mut world, agent);
    let configuration = Some(Configuration { tools: vec![pattern("helpdesk/read")], ..Configuration::default() });
    world.must(&by(world.root), propose(vec![Edit::Configuration { agent, configuration }]));
    assert_eq!(refused(&mut world, task, &["helpdesk/update"]), "configuration_changed");
}
