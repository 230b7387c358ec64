use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::tests::world::{DAY, Reply, World, attempt, by, operation, tool, work, yes};
use crate::*;

/// What policies are proposed: some read arguments, some what changes from call to call, some name what is not there yet.
const TEXTS: [&str; 12] = [
    "@id(\"x\") forbid(principal, action, resource in Connector::\"helpdesk\") when { principal.task.calls > 3 };",
    "@id(\"x\") forbid(principal, action == Action::\"helpdesk/refund\", resource) when { context.arguments has amount && context.arguments.amount > 50 };",
    "@id(\"x\") @approvers(\"leads\") forbid(principal, action in Action::\"write\", resource) unless { context has approval && context.approval.roles.contains(\"leads\") };",
    "@id(\"x\") @approvers(\"nobody\") forbid(principal, action == Action::\"helpdesk/read\", resource) unless { context has approval && context.approval.roles.contains(\"nobody\") };",
    "@id(\"x\") @approvers(\"owner\") forbid(principal, action, resource) when { resource.risk > 0 } unless { context has approval && context.approval.roles.contains(\"owner\") && context.approval.approved_at > context.now - 60000 };",
    "@id(\"x\") permit(principal == Agent::\"clerk\", action in Action::\"read\", resource);",
    "@id(\"x\") forbid(principal, action, resource) when { context.credential_age > 120 };",
    "@id(\"x\") forbid(principal, action, resource) when { context.now > 1800000300000 && resource.verb == \"read\" };",
    "@id(\"x\") forbid(principal in Class::\"act\", action == Action::\"stock/order\", resource) when { context.arguments.units > 3 };",
    "@id(\"x\") forbid(principal, action, resource) when { principal has grant && principal.grant.reason like \"*tickets\" && principal.autonomy < 3 };",
    "@id(\"x\") forbid(principal, action, resource) when { principal.task.labels.contains(\"untrusted\") };",
    "@id(\"x\") forbid(principal, action == Action::\"helpdesk/mail\", resource) when { context.arguments has subject };",
];
const TOOLS: [&str; 6] =
    ["helpdesk/read", "helpdesk/update", "helpdesk/refund", "helpdesk/mail", "stock/order", "helpdesk/gone"];

#[derive(Debug, Clone)]
enum Step {
    Start { clerk: bool },
    Delegate { task: usize },
    Call { task: usize, tool: usize, amount: i64, age: u64 },
    Answer { leads: bool, no: bool },
    Outcome,
    Policy { text: usize },
    Stock { units: bool },
    Revoke,
    End { task: usize },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(|clerk| Step::Start { clerk }),
        1 => (0..4_usize).prop_map(|task| Step::Delegate { task }),
        16 => (0..4_usize, 0..TOOLS.len(), 0..100_i64, 0..400_u64)
            .prop_map(|(task, tool, amount, age)| Step::Call { task, tool, amount, age }),
        5 => (any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(leads, no)| Step::Answer { leads, no }),
        4 => Just(Step::Outcome),
        1 => (0..TEXTS.len()).prop_map(|text| Step::Policy { text }),
        1 => any::<bool>().prop_map(|units| Step::Stock { units }),
        1 => Just(Step::Revoke),
        1 => (0..4_usize).prop_map(|task| Step::End { task }),
        3 => (1..200_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// A history in the making.
struct Story {
    world: World,
    tasks: Vec<TaskId>,
    asked: Vec<ApprovalRequested>,
    running: Vec<ActionId>,
    contents: BTreeMap<Digest, Value>,
}

impl Story {
    fn begin() -> Self {
        let mut world = World::with_support();
        let bob = world.named("bob");
        let profile = AgentProfile { autonomy: Some(2), ..world.profile(bob) };
        let clerk = world.draft("clerk", profile);
        world.must(&by(bob), Command::ActivateAgent { agent: clerk });
        world.grant(clerk, &["helpdesk/update", "helpdesk/read"]);
        let (tasks, asked, running) = (Vec::new(), Vec::new(), Vec::new());
        let mut story = Self { world, tasks, asked, running, contents: BTreeMap::new() };
        story.take(&Step::Start { clerk: false });
        story
    }

    fn task(&self, choice: usize) -> Option<TaskId> {
        let newest = self.tasks.iter().rev().nth(choice % self.tasks.len().max(1));
        newest.copied().filter(|task| self.world.state.tasks.contains_key(task))
    }

    fn take(&mut self, step: &Step) {
        let root = by(self.world.root);
        match step {
            Step::Start { clerk } => {
                let agent = self.world.state.agent_named(if *clerk { "clerk" } else { "support" }).unwrap().id;
                let start = StartTask { ttl_seconds: Some(DAY), ..work(agent) };
                let events = self.world.decide(&root, &Command::StartTask(Box::new(start)));
                self.learn(&events.unwrap_or_default());
            }
            Step::Delegate { task } => self.delegate(*task),
            Step::Call { task, tool, amount, age } => self.call(*task, TOOLS[*tool], *amount, *age),
            Step::Answer { leads, no } => {
                let Some(asked) = self.asked.pop() else { return };
                let person = self.world.named(if *leads { "cleo" } else { "ana" });
                let deny = || Command::Deny(Deny { approval: asked.approval, note: String::new() });
                let _ = self.world.decide(&by(person), &if *no { deny() } else { yes(&asked) });
            }
            Step::Outcome => {
                let Some(action) = self.running.pop() else { return };
                let outcome = RecordOutcome { action, outcome: Outcome::Succeeded, result: None, latency_ms: 3 };
                let _ = self.world.decide(&Actor::Remit, &Command::RecordOutcome(Box::new(outcome)));
            }
            Step::Policy { text } => {
                let edit =
                    PolicyEdit { name: "mine".to_owned(), text: Some(TEXTS[*text].replace("\"x\"", "\"mine\"")) };
                let edits = vec![Edit::Policy(edit)];
                let propose = Command::ProposeChange { edits, reason: "so".to_owned(), revert_of: None };
                let _ = self.world.decide(&root, &propose);
            }
            Step::Stock { units } => self.stock(*units),
            Step::Revoke => {
                let agent = self.world.support();
                let Some(grant) = self.world.state.grants_of(agent).map(|grant| grant.id).next() else { return };
                self.world.must(&root, Command::RevokeGrant { grant, reason: "enough".to_owned() });
                let stock = self.world.state.connector_named("stock").is_ok();
                let all = ["helpdesk/refund", "helpdesk/*", "stock/*"];
                self.world.grant(agent, &all[..if stock { 3 } else { 2 }]);
            }
            Step::End { task } => {
                let Some(task) = self.task(*task) else { return };
                let _ = self.world.decide(&root, &Command::EndTask { task, note: String::new() });
            }
            Step::Wait { seconds } => drop(self.world.advance(*seconds)),
        }
    }

    fn delegate(&mut self, task: usize) {
        let Some(above) = self.task(task) else { return };
        let clerk = self.world.state.agent_named("clerk").unwrap().id;
        // As if it had been passed on: the fold cares for the record alone.
        let parent = self.world.state.tasks.get(&above).unwrap().clone();
        if !parent.is_live() || parent.agent == clerk {
            return;
        }
        let at = self.world.moment();
        let mut started = crate::task::TaskStarted::begun(clerk, "help", &at);
        (started.parent, started.run, started.expires_at) = (Some(above), parent.run, parent.expires_at);
        let event = Event::TaskStarted(Box::new(started));
        self.world.state.apply(&event, self.world.now);
        self.world.history.push((self.world.now, event.clone()));
        self.learn(&[event]);
        self.world.advance(1);
    }

    fn call(&mut self, task: usize, tool: &str, amount: i64, age: u64) {
        let Some(task) = self.task(task) else { return };
        let arguments = match tool {
            "helpdesk/refund" => json!({"id": 1, "amount": amount}),
            "stock/order" => json!({"units": amount}),
            // Now and then something that does not fit.
            _ if amount == 13 => json!({"id": "thirteen"}),
            _ => json!({"id": amount % 3, "text": "hello"}),
        };
        let attempt = attempt(task, operation(tool), arguments.clone(), None);
        let issued = Timestamp::from_millis(self.world.now.as_millis() - i64::try_from(age).unwrap() * 1000);
        let attempt = AttemptAction { credential_issued_at: (age > 20).then_some(issued), ..attempt };
        self.contents.insert(attempt.content.commitment, arguments);
        let actor = self.world.under(task);
        let events = self.world.decide(&actor, &Command::AttemptAction(Box::new(attempt)));
        self.learn(&events.unwrap_or_default());
    }

    /// A connector that comes later, and whose tool changes.
    fn stock(&mut self, units: bool) {
        let properties =
            if units { json!({"units": {"type": "integer"}}) } else { json!({"units": {"type": "number"}}) };
        let choices = vec![tool("order", Verb::Write, 1, &properties)];
        match self.world.state.connector_named("stock").map(|connector| connector.id) {
            Err(_) => drop(self.world.connector("stock", choices)),
            Ok(connector) => {
                let approve = Command::ApproveOperations { connector, choices };
                let _ = self.world.decide(&by(self.world.root), &approve);
            }
        }
    }

    fn learn(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::TaskStarted(started) => self.tasks.push(started.task),
                Event::ActionAllowed(allowed) => self.running.push(allowed.action),
                Event::ApprovalRequested(asked) => self.asked.push((**asked).clone()),
                _ => {}
            }
        }
    }
}

/// `state` with `sources` as its policies, and with those operations of `today` that it does not have.
fn under(state: &State, sources: &BTreeMap<String, String>, today: &State) -> State {
    let mut then = state.clone();
    for (name, known) in &today.operations {
        if !then.operations.contains_key(name) {
            then.operations.insert(name.clone(), known.clone());
        }
    }
    let gone = state.policies.sources.keys().filter(|name| !sources.contains_key(*name));
    let gone = gone.map(|name| PolicyEdit { name: name.clone(), text: None });
    let set = sources.iter().map(|(name, text)| PolicyEdit { name: name.clone(), text: Some(text.clone()) });
    let edits = gone.chain(set).collect();
    let by = PersonId::from_uuid(uuid::Uuid::nil());
    let activated = Event::PolicyActivated { change: None, by, edits, set: Digest::of_bytes(b"") };
    then.apply(&activated, state.policies.activated_at);
    then
}

/// One attempt decided again the long way: in a state of its own, by the evaluation of live calls.
fn one_by_one(state: &State, then: &State, event: &Event, arguments: &Value, at: Timestamp) -> Option<Decided> {
    let recorded = Recorded::of(event)?;
    recorded.decided()?;
    then.compiled().set.as_ref()?;
    let task = state.task(recorded.facts.task).unwrap();
    let presented = match event {
        Event::ActionAllowed(allowed) => allowed.approval,
        _ => None,
    };
    let digest = recorded.facts.digest();
    let call = facts::Call {
        task,
        operation: state.operation(&recorded.facts.operation).unwrap(),
        arguments,
        approval: presented.map(|id| &state.approvals[&id]).or_else(|| approval::usable(state, digest, at)),
        acting_for: recorded.facts.acting_for,
        named: recorded.facts.named,
        credential_age_seconds: recorded.facts.credential_age_seconds(state, task, at),
        now: at,
    };
    Some(match facts::evaluate(then, &call) {
        facts::Decision::Allow { determining } => Decided::new(Answer::Allow, &determining),
        facts::Decision::Deny { determining, .. } => Decided::new(Answer::Deny, &determining),
        facts::Decision::Ask { ask, .. } => {
            let waits = approval::answered_or_waiting(state, digest, at).is_some();
            let many = task::open_approvals_of_tree(state, task) >= limits::TASK_APPROVALS_PENDING_MAX;
            if waits || many || approval::somebody_can_answer(state, task, recorded.facts, &ask).is_ok() {
                Decided::new(Answer::Ask, &ask.policies)
            } else {
                Decided::new(Answer::Deny, &[])
            }
        }
    })
}

fn edits() -> impl Strategy<Value = Vec<PolicyEdit>> {
    let added = prop::collection::vec(0..TEXTS.len(), 0..4).prop_map(|texts| {
        let texts = texts.into_iter().enumerate();
        texts.map(|(number, text)| PolicyEdit {
            name: format!("new-{number}"),
            text: Some(TEXTS[text].replace("\"x\"", &format!("\"x-{number}\""))),
        })
    });
    let removed = prop::collection::vec(0..remit_policy::STARTER.len(), 0..3).prop_map(|names| {
        names.into_iter().map(|name| PolicyEdit { name: remit_policy::STARTER[name].0.to_owned(), text: None })
    });
    (added, removed).prop_map(|(added, removed)| added.chain(removed).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_what_deciding_one_by_one_gives(
        steps in prop::collection::vec(step(), 20..120),
        edits in edits(),
        erased in 1..12_usize,
    ) {
        let mut story = Story::begin();
        steps.iter().for_each(|step| story.take(step));
        let today = &story.world.state;
        let mut proposal = Proposal::of_edits(today, &edits);
        let sources = policy::edited(&today.policies.sources, &edits);
        let (mut state, mut thens) = (State::default(), BTreeMap::new());
        for (number, (at, event)) in story.world.history.iter().enumerate() {
            if let Some(recorded) = Recorded::of(event) {
                let arguments = &story.contents[&recorded.facts.arguments.commitment];
                let is_gone = number % erased == 0;
                let again = proposal.again(&state, &recorded, *at, &mut |_| (!is_gone).then(|| arguments.clone()));
                let then = under(&state, &sources, today);
                // Compiled once for the same operations, since nothing else takes time here.
                let then = thens.entry(policy::operations_digest(&then.operations)).or_insert(then);
                then.compiled();
                let then = with_policies_of(&state, then);
                match (again, one_by_one(&state, &then, event, arguments, *at)) {
                    (Again::Kept, None) => prop_assert!(recorded.decided().is_none()),
                    (Again::Unsaid(Unsaid::ArgumentsGone), _) => prop_assert!(is_gone),
                    (Again::Unsaid(Unsaid::PoliciesDoNotHold(_)), None) => {}
                    (Again::Decided(again), Some(expected)) => prop_assert_eq!(again, expected, "{:?}", event),
                    other => prop_assert!(false, "{:?} for {:?}", other, event),
                }
            }
            state.apply(event, *at);
        }
    }
}

/// `state` with the policies of `of`, compiled as they are there.
fn with_policies_of(state: &State, of: &State) -> State {
    let mut then = state.clone();
    then.policies = of.policies.clone();
    then
}

/// A call that was answered, with the state before it.
fn answered(world: &mut World, name: &str, arguments: Value) -> (State, Event) {
    let agent = world.support();
    let task = world.task(agent);
    let before = world.state.clone();
    let event = match world.call(task, name, arguments) {
        Reply::Allowed(allowed) => Event::ActionAllowed(Box::new(allowed)),
        Reply::Denied(denied) => Event::ActionDenied(Box::new(denied)),
        Reply::Asked(asked) => Event::ApprovalRequested(Box::new(asked)),
    };
    (before, event)
}

fn again(world: &World, text: &str, (before, event): &(State, Event), arguments: Option<Value>) -> Again {
    let edits = [PolicyEdit { name: "new".to_owned(), text: Some(text.to_owned()) }];
    let mut proposal = Proposal::of_edits(&world.state, &edits);
    proposal.again(before, &Recorded::of(event).unwrap(), world.now, &mut |_| arguments.clone())
}

#[test]
fn an_answer_that_cannot_depend_on_the_arguments_needs_none() {
    let mut world = World::with_support();
    let call = answered(&mut world, "helpdesk/read", json!({"id": 1, "text": "x"}));
    let forbids = "@id(\"new\") forbid(principal, action in Action::\"read\", resource);";
    let denied = Decided { answer: Answer::Deny, determining: vec!["new".to_owned()] };
    assert_eq!(again(&world, forbids, &call, None), Again::Decided(denied.clone()));
    let reads = "@id(\"new\") forbid(principal, action == Action::\"helpdesk/read\", resource) when { context.arguments has text && context.arguments.text like \"x*\" };";
    assert_eq!(again(&world, reads, &call, None), Again::Unsaid(Unsaid::ArgumentsGone));
    assert_eq!(again(&world, reads, &call, Some(json!({"id": 1, "text": "x"}))), Again::Decided(denied));
}

#[test]
fn a_question_that_nobody_could_have_answered_is_a_no() {
    let mut world = World::with_support();
    let call = answered(&mut world, "helpdesk/read", json!({"id": 1}));
    let asks = |group: &str| {
        format!(
            "@id(\"new\") @approvers(\"{group}\") forbid(principal, action, resource) unless {{ context has approval && context.approval.roles.contains(\"{group}\") }};"
        )
    };
    let decided = |answer, rules: &[&str]| {
        Again::Decided(Decided { answer, determining: rules.iter().map(|rule| (*rule).to_owned()).collect() })
    };
    assert_eq!(again(&world, &asks("leads"), &call, None), decided(Answer::Ask, &["new"]));
    assert_eq!(again(&world, &asks("nobody"), &call, None), decided(Answer::Deny, &[]));
}

#[test]
fn what_no_policy_was_asked_about_stays_as_it_was() {
    let mut world = World::with_support();
    let (_, event) = answered(&mut world, "helpdesk/never", json!({}));
    let recorded = Recorded::of(&event).unwrap();
    assert_eq!((recorded.code, recorded.decided()), (Some("operation_unknown"), None));
}
