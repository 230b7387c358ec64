use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::authority::must_permit;
use crate::tests::world::{HOUR, World, by, digest, operation, pattern, propose, work};
use crate::{
    AgentKey, AgentProfile, Command, Configuration, Delegate, Edit, EndReason, Environment, OperationName, StartTask,
};

const NAMES: [&str; 4] = ["support", "reader", "writer", "clerk"];

/// The helpdesk with three more agents, each with a key of its own, each granted all of it.
fn beginning() -> World {
    let mut world = World::with_support();
    let ana = world.named("ana");
    for name in &NAMES[1..] {
        let agent = world.agent(name, ana);
        world.grant(agent, &["helpdesk/*"]);
    }
    for name in NAMES {
        enrol(&mut world, name);
    }
    world
}

fn key(name: &str) -> String {
    format!("key of {name}")
}

fn enrol(world: &mut World, name: &str) {
    let agent = world.state.agent_named(name).unwrap().id;
    let code = digest(name);
    let root = by(world.root);
    world.must(&root, Command::OfferEnrolment { agent, code, ttl_seconds: HOUR });
    let key = AgentKey { thumbprint: key(name), jwk: json!({}) };
    world.must(&Actor::Agent { agent, task: None }, Command::EnrolKey { agent: name.to_owned(), code, key });
}

fn agent(world: &World, name: &str) -> AgentId {
    world.state.agent_named(name).unwrap().id
}

fn any(depth_max: u32) -> Option<Delegation> {
    Some(Delegation { depth_max, delegates: vec![Delegate::AnyAgent] })
}

fn refunds(max: Value, depth_max: u32) -> Authority {
    Authority {
        operations: vec![pattern("helpdesk/refund"), pattern("helpdesk/read")],
        constraints: BTreeMap::from([("max_amount".to_owned(), max)]),
        delegation: any(depth_max),
    }
}

/// A task of `support` for ana, bound to its key, that may refund up to 100 and pass that on twice.
fn parent(world: &mut World) -> TaskId {
    let (ana, agent) = (by(world.named("ana")), agent(world, "support"));
    let bob = world.named("bob");
    let start = StartTask {
        authority: vec![refunds(json!(100), 2)],
        key: Some(key("support")),
        acting_for: Some(bob),
        ttl_seconds: Some(HOUR),
        ..work(agent)
    };
    world.start(&ana, start)
}

fn ask(world: &World, parent: TaskId, name: &str) -> DelegateTask {
    DelegateTask {
        parent,
        delegate: agent(world, name),
        purpose: None,
        scope: Vec::new(),
        authority: Vec::new(),
        ttl_seconds: None,
        calls_max: None,
        key: Some(key(name)),
        configuration: None,
    }
}

fn delegate(world: &mut World, ask: DelegateTask) -> Result<TaskId, String> {
    let actor = Actor::Agent { agent: ask.delegate, task: None };
    match world.decide(&actor, &Command::DelegateTask(Box::new(ask))) {
        Ok(events) => match events.as_slice() {
            [Event::TaskStarted(started)] => Ok(started.task),
            other => panic!("{other:?}"),
        },
        Err(refusal) => Err(refusal.code),
    }
}

#[test]
fn a_delegate_works_in_its_own_run_with_its_own_key_for_the_same_person() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let child = ask(&world, parent, "reader");
    let child = delegate(&mut world, child).unwrap();
    let (child, parent) = (world.state.task(child).unwrap().clone(), world.state.task(parent).unwrap().clone());
    assert_ne!(child.run, parent.run);
    assert_eq!(
        (child.acting_for, child.started_by, child.parent),
        (parent.acting_for, parent.started_by, Some(parent.id))
    );
    assert_eq!(child.key, Some(key("reader")));
    assert_eq!(child.authority, vec![refunds(json!(100), 1)]);
    assert_eq!(child.expires_at, parent.expires_at);
    assert_eq!(world.call(child.id, "helpdesk/refund", json!({"id": 1, "amount": 101})).code(), "constraint_broken");
    assert_eq!(world.call(child.id, "helpdesk/update", json!({"id": 1})).code(), "out_of_scope");
    // A bound that an operation's arguments do not have cannot be checked, and so is not kept.
    assert_eq!(world.call(child.id, "helpdesk/read", json!({"id": 1})).code(), "constraint_unsupported");
    // Within its bounds it is asked for as ever; here nobody independent could answer.
    assert_eq!(world.call(child.id, "helpdesk/refund", json!({"id": 1, "amount": 100})).code(), "no_approver");
}

#[test]
fn every_way_of_taking_more_is_refused() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let base = ask(&world, parent, "reader");
    let bound = |max: Value| refunds(max, 1);
    let without_bound = Authority { constraints: BTreeMap::new(), ..bound(json!(1)) };
    let wider = Authority { operations: vec![pattern("helpdesk/*")], ..bound(json!(1)) };
    let cases = [
        ("a missing bound", DelegateTask { authority: vec![without_bound], ..base.clone() }, "wider_than_parent"),
        ("a wider bound", DelegateTask { authority: vec![bound(json!(101))], ..base.clone() }, "wider_than_parent"),
        (
            "a bound in another unit",
            DelegateTask { authority: vec![bound(json!({"amount": "1", "currency": "EUR"}))], ..base.clone() },
            "wider_than_parent",
        ),
        ("wider operations", DelegateTask { authority: vec![wider], ..base.clone() }, "wider_than_parent"),
        (
            "deeper delegation",
            DelegateTask { authority: vec![refunds(json!(1), 2)], ..base.clone() },
            "wider_than_parent",
        ),
        ("more calls", DelegateTask { calls_max: Some(1_000_000_000), ..base.clone() }, "wider_than_parent"),
        ("no key", DelegateTask { key: None, ..base.clone() }, "key_needed"),
        ("the parent's key", DelegateTask { key: Some(key("support")), ..base.clone() }, "key_shared"),
        ("another's key", DelegateTask { key: Some(key("writer")), ..base.clone() }, "key_unknown"),
        ("no time", DelegateTask { ttl_seconds: Some(0), ..base.clone() }, "task_too_long"),
    ];
    for (what, ask, code) in cases {
        assert_eq!(delegate(&mut world, ask), Err(code.to_owned()), "{what}");
    }
    let longer = DelegateTask { ttl_seconds: Some(20 * HOUR), ..base };
    let child = delegate(&mut world, longer).unwrap();
    assert_eq!(world.state.task(child).unwrap().expires_at, world.state.task(parent).unwrap().expires_at);
}

#[test]
fn nothing_is_inherited_by_ancestry() {
    let mut world = beginning();
    let ana = by(world.named("ana"));
    let start = StartTask { key: Some(key("support")), ..work(agent(&world, "support")) };
    let plain = world.start(&ana, start);
    let child = ask(&world, plain, "reader");
    assert_eq!(delegate(&mut world, child), Err("actor_unauthorized".to_owned()));
    let named = Some(Delegation { depth_max: 1, delegates: vec![Delegate::Agent("writer".to_owned())] });
    let start = StartTask { delegation: named, ..work(agent(&world, "support")) };
    let to_writer = world.start(&ana, start);
    let child = ask(&world, to_writer, "reader");
    assert_eq!(delegate(&mut world, child), Err("actor_unauthorized".to_owned()));
    let child = ask(&world, to_writer, "writer");
    let child = delegate(&mut world, child).unwrap();
    let further = ask(&world, child, "reader");
    assert_eq!(delegate(&mut world, further), Err("actor_unauthorized".to_owned()), "one level was allowed");
}

#[test]
fn delegation_ends_at_its_depth_and_is_never_cut_short() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let first = ask(&world, parent, "reader");
    let first = delegate(&mut world, first).unwrap();
    let second = ask(&world, first, "writer");
    let second = delegate(&mut world, second).unwrap();
    let third = ask(&world, second, "clerk");
    assert_eq!(delegate(&mut world, third), Err("actor_unauthorized".to_owned()));
    let chain: Vec<_> =
        crate::lineage(&world.state, world.state.task(second).unwrap()).map(|task| task.agent).collect();
    assert_eq!(chain, [agent(&world, "writer"), agent(&world, "reader"), agent(&world, "support")]);
}

#[test]
fn environments_do_not_mix_by_delegation() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let ana = world.named("ana");
    let profile = AgentProfile { environment: Some(Environment::Development), ..world.profile(ana) };
    let other = world.draft("other", profile);
    world.must(&by(ana), Command::ActivateAgent { agent: other });
    enrol(&mut world, "other");
    let child = ask(&world, parent, "other");
    assert_eq!(delegate(&mut world, child), Err("token_environment".to_owned()));
}

#[test]
fn every_agent_of_the_chain_has_to_be_allowed() {
    let mut world = beginning();
    let ana = world.named("ana");
    let poor = world.agent("poor", ana);
    world.grant(poor, &["helpdesk/read"]);
    let start = StartTask { delegation: any(1), ..work(poor) };
    let task = world.start(&by(ana), start);
    let child = ask(&world, task, "writer");
    let child = delegate(&mut world, child).unwrap();
    world.call(child, "helpdesk/read", json!({"id": 1})).allowed();
    let denied = world.call(child, "helpdesk/update", json!({"id": 1})).denied();
    assert!(denied.refusal.sentence.contains("`poor`, which passed this task on"), "{}", denied.refusal.sentence);
}

#[test]
fn what_is_asked_of_people_for_one_is_asked_for_the_whole() {
    let mut world = beginning();
    let ana = world.named("ana");
    // Its own record lets `writer` update; the delegator only proposes (A2), so a person is asked.
    let profile = AgentProfile { autonomy: Some(2), ..world.profile(ana) };
    let careful = world.draft("careful", profile);
    world.must(&by(ana), Command::ActivateAgent { agent: careful });
    world.grant(careful, &["helpdesk/*"]);
    let task =
        world.start(&Actor::Agent { agent: careful, task: None }, StartTask { delegation: any(1), ..work(careful) });
    let child = ask(&world, task, "writer");
    let child = delegate(&mut world, child).unwrap();
    let asked = world.call(child, "helpdesk/update", json!({"id": 1})).asked();
    world.approve(ana, &asked);
    world.call(child, "helpdesk/update", json!({"id": 1})).allowed();
}

#[test]
fn the_whole_tree_ends_in_one_commit_and_each_task_once() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let first = ask(&world, parent, "reader");
    let first = delegate(&mut world, first).unwrap();
    // Not back to the first agent, whatever key it proves.
    let (support, root) = (agent(&world, "support"), by(world.root));
    let code = digest("second");
    world.must(&root, Command::OfferEnrolment { agent: support, code, ttl_seconds: HOUR });
    let second_key = AgentKey { thumbprint: "a second key".to_owned(), jwk: json!({}) };
    let itself = Actor::Agent { agent: support, task: None };
    world.must(&itself, Command::EnrolKey { agent: "support".to_owned(), code, key: second_key });
    let circle = DelegateTask { key: Some("a second key".to_owned()), ..ask(&world, first, "support") };
    assert_eq!(delegate(&mut world, circle), Err("actor_unauthorized".to_owned()));
    let back = ask(&world, first, "writer");
    let back = delegate(&mut world, back).unwrap();
    let ana = by(world.named("ana"));
    let events = world.must(&ana, Command::SuspendAgent { agent: support, reason: "look at it".to_owned() });
    let mut ended: Vec<TaskId> = events
        .iter()
        .filter_map(|event| if let Event::TaskEnded { task, .. } = event { Some(*task) } else { None })
        .collect();
    ended.sort();
    let mut all = vec![parent, first, back];
    all.sort();
    assert_eq!(ended, all);
    for task in all {
        assert_eq!(world.call(task, "helpdesk/read", json!({"id": 1})).code(), "task_ended");
    }
}

#[test]
fn who_started_the_first_task_is_not_the_delegate() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let child = ask(&world, parent, "reader");
    let child = delegate(&mut world, child).unwrap();
    let ana = by(world.named("ana"));
    let expires_at = world.now.plus_seconds(60);
    let token = Command::IssueToken { task: child, token: "tok".to_owned(), expires_at };
    assert_eq!(world.refused(&ana, token), "not_permitted");
    let process = crate::Process { pid: 7, started_at_ticks: 1, exe_sha256: digest("exe"), cgroup: String::new() };
    assert_eq!(world.refused(&ana, Command::AttestLaunch { task: child, process: process.clone() }), "not_permitted");
    // A part of a run has no process of its own either: its certificate would open all of the run.
    let under = world.under(parent);
    let support = agent(&world, "support");
    let part = StartTask { parent: Some(parent), key: Some(key("support")), ..work(support) };
    let part = world.start(&under, part);
    assert_eq!(world.refused(&ana, Command::AttestLaunch { task: part, process }), "not_the_whole_run");
}

#[test]
fn the_approvers_of_every_agent_of_the_line_have_to_agree() {
    let mut world = beginning();
    let (ana, bob) = (world.named("ana"), world.named("bob"));
    let profile = AgentProfile { autonomy: Some(2), approvers: Vec::new(), ..world.profile(ana) };
    let careful = world.draft("careful", profile);
    world.must(&by(ana), Command::ActivateAgent { agent: careful });
    world.grant(careful, &["helpdesk/*"]);
    // Its delegate has somebody else as its owner.
    let obliging = world.agent("obliging", bob);
    world.grant(obliging, &["helpdesk/*"]);
    enrol(&mut world, "obliging");
    let start = StartTask { delegation: any(1), ..work(careful) };
    let task = world.start(&Actor::Agent { agent: careful, task: None }, start);
    let child = ask(&world, task, "obliging");
    let child = delegate(&mut world, child).unwrap();
    assert_eq!(world.call(child, "helpdesk/update", json!({"id": 1})).code(), "no_approver");
}

#[test]
fn a_run_is_revoked_with_everything_it_passed_on() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let child = ask(&world, parent, "reader");
    let child = delegate(&mut world, child).unwrap();
    let run = world.state.task(parent).unwrap().run;
    let cleo = by(world.named("cleo"));
    let revoke = Command::RevokeRun { run, reason: "it went wrong".to_owned() };
    assert_eq!(world.refused(&cleo, revoke.clone()), "not_permitted");
    let ana = by(world.named("ana"));
    let events = world.must(&ana, revoke.clone());
    assert!(matches!(events.first(), Some(Event::RunRevoked { .. })), "the cause stands first");
    assert_eq!(world.state.task(parent).unwrap().ended.as_ref().unwrap().1, EndReason::RunRevoked);
    assert_eq!(world.state.task(child).unwrap().ended.as_ref().unwrap().1, EndReason::ParentEnded);
    assert_eq!(world.must(&ana, revoke), Vec::new());
}

#[test]
fn a_token_is_revoked_alone_and_too_many_end_the_task() {
    let mut world = beginning();
    let parent = parent(&mut world);
    let under = world.under(parent);
    let revoke = |count: usize| Command::RevokeToken {
        task: parent,
        token: format!("tok_{count}"),
        expires_at: crate::tests::world::BEGINNING.plus_seconds(HOUR),
    };
    world.must(&under, revoke(0));
    assert!(world.state.task(parent).unwrap().is_revoked("tok_0"));
    assert!(world.state.task(parent).unwrap().is_live());
    assert_eq!(world.must(&under, revoke(0)), Vec::new());
    for count in 1..=limits::REVOKED_TOKENS_MAX {
        world.must(&under, revoke(count));
    }
    assert!(!world.state.task(parent).unwrap().is_live());
}

/// One try to grow the tree: under which task, by whom, and what it asks for.
#[derive(Debug, Clone)]
struct Growth {
    under: usize,
    name: usize,
    operations: Vec<usize>,
    max: Option<i64>,
    depth: u32,
    scope: Option<usize>,
    ttl_seconds: Option<u64>,
    calls_max: Option<u64>,
    plain: bool,
    same_agent: bool,
}

const PATTERNS: [&str; 5] = ["helpdesk/*", "helpdesk/read", "helpdesk/refund", "helpdesk/update", "helpdesk/mail"];

fn growth() -> impl Strategy<Value = Growth> {
    let operations = prop::collection::vec(0..PATTERNS.len(), 1..3);
    let bounds = (prop::option::of(0_i64..200), 0..4_u32, prop::option::of(0..PATTERNS.len()));
    let limits =
        (prop::option::of(1..2 * HOUR), prop::option::of(1..300_u64), proptest::bool::ANY, proptest::bool::ANY);
    (0..8_usize, 0..NAMES.len(), operations, bounds, limits).prop_map(
        |(under, name, operations, (max, depth, scope), (ttl_seconds, calls_max, plain, same_agent))| Growth {
            under,
            name,
            operations,
            max,
            depth,
            scope,
            ttl_seconds,
            calls_max,
            plain,
            same_agent,
        },
    )
}

impl Growth {
    fn authority(&self) -> Vec<Authority> {
        if self.plain {
            return Vec::new();
        }
        let constraints = self.max.map(|max| ("max_amount".to_owned(), json!(max))).into_iter().collect();
        let operations =
            self.operations.iter().filter_map(|index| PATTERNS.get(*index)).map(|text| pattern(text)).collect();
        vec![Authority { operations, constraints, delegation: any_depth(self.depth) }]
    }

    fn scope(&self) -> Vec<OperationPattern> {
        self.scope.and_then(|index| PATTERNS.get(index)).map(|text| pattern(text)).into_iter().collect()
    }
}

fn any_depth(depth: u32) -> Option<Delegation> {
    if depth == 0 { None } else { any(depth) }
}

/// What a task could do, tried out: the oracle knows nothing of how narrowing is decided.
fn reach(task: &Task) -> Vec<bool> {
    let amounts =
        [json!({}), json!({"amount": 0}), json!({"amount": 50}), json!({"amount": 150}), json!({"amount": 1_000})];
    let tools = ["helpdesk/read", "helpdesk/refund", "helpdesk/update", "helpdesk/mail"];
    let may = |name: &OperationName, arguments: &Value| {
        task.in_scope(name) && must_permit(&task.authority, name, arguments, &BTreeMap::new()).is_ok()
    };
    tools.iter().flat_map(|tool| amounts.iter().map(move |arguments| may(&operation(tool), arguments))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn in_no_tree_is_anything_wider_longer_or_left_over(first in growth(), tries in prop::collection::vec(growth(), 1..24), end in 0..8_usize) {
        let mut world = beginning();
        let ana = by(world.named("ana"));
        let start = StartTask {
            authority: first.authority(),
            delegation: if first.plain { any_depth(first.depth) } else { None },
            scope: first.scope(),
            ttl_seconds: first.ttl_seconds,
            budget: first.calls_max.map(|calls_max| Budget { calls_max }),
            key: Some(key("support")),
            ..work(agent(&world, "support"))
        };
        let Ok(events) = world.decide(&ana, &Command::StartTask(Box::new(start))) else { return Ok(()) };
        let Some(Event::TaskStarted(started)) = events.first() else { panic!("{events:?}") };
        let mut tree = vec![started.task];
        for growth in &tries {
            let Some(above) = tree.get(growth.under % tree.len()).copied() else { continue };
            let grown = if growth.same_agent {
                let parent = world.state.task(above).unwrap().clone();
                let start = StartTask {
                    parent: Some(above), key: parent.key.clone(), authority: growth.authority(), scope: growth.scope(),
                    delegation: if growth.plain { any_depth(growth.depth) } else { None },
                    ttl_seconds: growth.ttl_seconds, budget: growth.calls_max.map(|calls_max| Budget { calls_max }),
                    ..work(parent.agent)
                };
                let under = world.under(above);
                world.decide(&under, &Command::StartTask(Box::new(start))).ok().and_then(|events| match events.as_slice() {
                    [Event::TaskStarted(started)] => Some(started.task),
                    _ => None,
                })
            } else {
                let ask = DelegateTask {
                    authority: growth.authority(), scope: growth.scope(), ttl_seconds: growth.ttl_seconds,
                    calls_max: growth.calls_max, ..ask(&world, above, NAMES[growth.name])
                };
                delegate(&mut world, ask).ok()
            };
            tree.extend(grown);
        }
        for id in &tree {
            let task = world.state.task(*id).unwrap();
            let Some(parent) = task.parent.map(|parent| world.state.task(parent).unwrap()) else { continue };
            for (own, above) in reach(task).into_iter().zip(reach(parent)) {
                prop_assert!(!own || above, "wider: {task:?} under {parent:?}");
            }
            prop_assert!(task.expires_at <= parent.expires_at, "longer");
            prop_assert!(task.budget.calls_max <= parent.budget.calls_max, "a larger budget");
            prop_assert_eq!(task.acting_for, parent.acting_for);
            prop_assert_eq!(task.agent == parent.agent, task.key == parent.key, "every agent has its own key");
            prop_assert_eq!(task.agent == parent.agent, task.run == parent.run);
        }
        let Some(cut) = tree.get(end % tree.len()).copied() else { return Ok(()) };
        let below: Vec<TaskId> = tree.iter().copied()
            .filter(|id| task::lineage(&world.state, world.state.task(*id).unwrap()).any(|above| above.id == cut)).collect();
        world.must(&ana, Command::EndTask { task: cut, note: String::new() });
        for id in &tree {
            let task = world.state.task(*id).unwrap();
            prop_assert_eq!(!task.is_live(), below.contains(id), "what is below ends, and nothing else");
        }
    }
}

#[test]
fn a_delegate_presents_its_own_approved_configuration() {
    let mut world = beginning();
    let (ana, support) = (by(world.named("ana")), agent(&world, "support"));
    let whole = StartTask { delegation: any(1), key: Some(key("support")), ..work(support) };
    let parent = world.start(&ana, whole);
    let configuration = |model: &str| Configuration { model: Some(model.to_owned()), ..Configuration::default() };
    let (root, reader, own) = (by(world.root), agent(&world, "reader"), configuration("reads well"));
    let approved = Edit::Configuration { agent: reader, configuration: Some(own.clone()) };
    world.must(&root, propose(vec![approved]));
    for presented in [None, Some(configuration("another").digest())] {
        let asked = DelegateTask { configuration: presented, ..ask(&world, parent, "reader") };
        assert_eq!(delegate(&mut world, asked).unwrap_err(), "configuration_not_approved");
    }
    let asked = DelegateTask { configuration: Some(own.digest()), ..ask(&world, parent, "reader") };
    let child = delegate(&mut world, asked).unwrap();
    assert_eq!(world.state.task(child).unwrap().configuration, Some(own.digest()));
    world.call(child, "helpdesk/read", json!({"id": 1})).allowed();
    let changed = Edit::Configuration { agent: reader, configuration: Some(configuration("reads better")) };
    world.must(&root, propose(vec![changed]));
    assert_eq!(world.call(child, "helpdesk/read", json!({"id": 1})).code(), "configuration_changed");
}
