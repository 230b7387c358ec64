//! Deciding recorded calls again: what is told is what deciding each of them by itself comes to, and nothing is written.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use remit_domain::{
    ActionFacts, Actor, Answer, AttemptAction, ChangeId, Command, ConnectorSpec, DataClass, Edit, Event, Moment,
    Policies, PolicyEdit, State, TaskId, Timestamp, Verb, Verdict, decide,
};
use remit_engine::{Committed, Difference, Replay, ReplayError, ReplayReport, Told};
use remit_testkit::{Answer as Reply, World, operation, proposed};
use serde_json::{Value, json};

mod at_length;

const REFUND: &str = "action == Action::\"helpdesk/refund\"";

/// Policies to try: each is a file of this name, or the removal of one.
fn proposals() -> Vec<Vec<PolicyEdit>> {
    let edit = |name: &str, text: &str| PolicyEdit { name: name.to_owned(), text: Some(text.to_owned()) };
    let remove = |name: &str| PolicyEdit { name: name.to_owned(), text: None };
    vec![
        Vec::new(),
        vec![edit(
            "new",
            "@id(\"no-reads\") forbid(principal == Agent::\"triage\", action in Action::\"read\", resource);",
        )],
        vec![edit(
            "new",
            &format!(
                "@id(\"large\") forbid(principal, {REFUND}, resource) when {{ context.arguments has amount && context.arguments.amount > 40 }};"
            ),
        )],
        vec![edit(
            "new",
            "@id(\"ask-leads\") @approvers(\"leads\") forbid(principal, action in Action::\"write\", resource) unless { context has approval && context.approval.roles.contains(\"leads\") };",
        )],
        vec![edit("new", "@id(\"often\") forbid(principal, action, resource) when { principal.task.calls > 6 };")],
        vec![remove("high-risk-asks"), remove("data-ceiling")],
        vec![
            edit("new", "@id(\"late\") forbid(principal, action, resource) when { context.credential_age > 30 };"),
            edit(
                "more",
                "@id(\"nobody\") @approvers(\"nobody\") forbid(principal, action in Action::\"send\", resource) unless { context has approval && context.approval.roles.contains(\"nobody\") };",
            ),
        ],
    ]
}

struct Story {
    world: World,
    arguments: BTreeMap<String, Value>,
    tasks: Vec<TaskId>,
    dice: u64,
}

impl Story {
    async fn begin() -> Self {
        let world = World::with(|options| options.snapshot_entries = 200).await;
        world.person("ana", &["leads"]).await;
        world.person("bob", &["leads"]).await;
        let ticket = json!({"id": {"type": "integer"}});
        let choices = vec![
            operation("read", Verb::Read, 0, DataClass::D1, &ticket),
            operation("refund", Verb::Write, 3, DataClass::D1, &json!({"amount": {"type": "integer"}})),
            operation("update", Verb::Write, 1, DataClass::D1, &ticket),
            operation("mail", Verb::Send, 1, DataClass::D1, &ticket),
        ];
        world.connector("helpdesk", ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() }, choices).await;
        for (name, owner) in [("triage", "ana"), ("desk", "bob")] {
            world.agent(name, owner, |_| {}).await;
            world.grant(name, &["helpdesk/*"], 24 * 3600).await;
        }
        Self { world, arguments: BTreeMap::new(), tasks: Vec::new(), dice: 0x5eed }
    }

    /// The same numbers in every run.
    fn throw(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    async fn go_on(&mut self, calls: usize) {
        for _ in 0..calls {
            if self.tasks.is_empty() || self.throw(12) == 0 {
                let agent = if self.throw(2) == 0 { "triage" } else { "desk" };
                self.tasks.push(self.world.task(agent).await);
            }
            let task = usize::try_from(self.throw(3)).unwrap() % self.tasks.len();
            let task = self.tasks[task];
            let tool = ["read", "refund", "update", "mail", "gone"][usize::try_from(self.throw(5)).unwrap()];
            let number = self.throw(80);
            let arguments = if tool == "refund" { json!({"amount": number}) } else { json!({"id": number % 4}) };
            let (answer, content) = self.world.attempt(task, &format!("helpdesk/{tool}"), arguments.clone()).await;
            self.arguments.insert(content.commitment.to_string(), arguments);
            match answer {
                Reply::Allowed(action) => drop(self.world.succeed(action).await),
                Reply::Asked(approval) if self.throw(3) > 0 => {
                    // Whoever may not is refused; that is no matter here.
                    let digest = self.world.engine.read(|state| state.approval(approval).unwrap().digest);
                    let approve = remit_domain::Approve::unsigned(approval, digest, String::new());
                    let by = ["ana", "bob"][usize::try_from(self.throw(2)).unwrap()];
                    drop(self.world.engine.submit(self.world.acting(by), Command::Approve(approve)).await);
                }
                _ => {}
            }
            let seconds = self.throw(9);
            self.world.advance(seconds);
        }
    }

    async fn replay(&self, replay: Replay) -> (ReplayReport, Vec<Difference>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hearing = told.clone();
        let replayed = self.world.engine.replay(replay, move |line| {
            if let Told::Difference(difference) = line {
                hearing.lock().unwrap().push(difference.clone());
            }
            ControlFlow::Continue(())
        });
        let report = replayed.await.unwrap();
        (report, Arc::into_inner(told).unwrap().into_inner().unwrap())
    }
}

/// What was said, as far as policies said it, and by which.
fn verdict(event: &Event) -> Option<(Answer, Vec<String>)> {
    let sorted = |rules: &[String]| {
        let mut rules = rules.to_vec();
        rules.sort();
        rules
    };
    Some(match Verdict::among(std::slice::from_ref(event))? {
        Verdict::Allowed(allowed) => (Answer::Allow, sorted(&allowed.determining)),
        Verdict::Asked(asked) => (Answer::Ask, sorted(&asked.ask.policies)),
        Verdict::Denied(denied) => match denied.refusal.code.as_str() {
            "approval_pending" | "approval_denied" | "too_many_approvals" if !denied.determining.is_empty() => {
                (Answer::Ask, sorted(&denied.determining))
            }
            "denied_by_policy" | "policy_error" | "no_approver" => (Answer::Deny, sorted(&denied.determining)),
            _ => return None,
        },
    })
}

fn facts(event: &Event) -> Option<&ActionFacts> {
    Some(match event {
        Event::ActionAllowed(allowed) => &allowed.facts,
        Event::ActionDenied(denied) => &denied.facts,
        Event::ApprovalRequested(asked) => &asked.facts,
        _ => return None,
    })
}

/// An answer, and the policies that made it so.
type Said = (Answer, Vec<String>);

/// What decides where `edits` are active: the state of each moment, with the policies of the end and the proposed ones on top.
struct Proposed {
    today: BTreeMap<String, String>,
    edits: Vec<PolicyEdit>,
    /// The operations and the texts that the policies were last made for, and these policies.
    made: Option<(State, Policies)>,
}

impl Proposed {
    fn new(records: &[Committed], edits: &[PolicyEdit]) -> Self {
        let mut end = State::default();
        records.iter().for_each(|committed| end.apply(&committed.record.event, committed.at));
        Self { today: end.policies.sources.as_ref().clone(), edits: edits.to_vec(), made: None }
    }

    /// `state` with the proposed policies active.
    fn then(&mut self, state: &State) -> State {
        let known = self.made.as_ref().filter(|(made_for, _)| {
            made_for.operations.ptr_eq(&state.operations)
                && Arc::ptr_eq(&made_for.policies.sources, &state.policies.sources)
        });
        let mut then = state.clone();
        if let Some((_, policies)) = known {
            then.policies = policies.clone();
            return then;
        }
        let gone = state.policies.sources.keys().filter(|name| !self.today.contains_key(*name));
        let gone = gone.map(|name| PolicyEdit { name: name.clone(), text: None });
        let all = self.today.iter().map(|(name, text)| PolicyEdit { name: name.clone(), text: Some(text.clone()) });
        let edits: Vec<PolicyEdit> = gone.chain(all).chain(self.edits.iter().cloned()).collect();
        let (by, set) = (*state.people.keys().next().unwrap(), state.policies.digest());
        then.apply(&Event::PolicyActivated { change: None, by, edits, set }, state.policies.activated_at);
        self.made = Some((state.clone(), then.policies.clone()));
        then
    }
}

/// The long way: the whole command again, in the state just before it with the proposed policies active.
fn one_by_one(
    records: &[Committed],
    edits: &[PolicyEdit],
    arguments: &BTreeMap<String, Value>,
) -> Vec<(u64, Said, Said)> {
    let (mut state, mut differences) = (State::default(), Vec::new());
    let mut proposed = Proposed::new(records, edits);
    for committed in records {
        let event = &committed.record.event;
        if let (Some(facts), Some(was)) = (facts(event), verdict(event)) {
            let then = proposed.then(&state);
            let arguments = Arc::new(arguments[&facts.arguments.commitment.to_string()].clone());
            let attempt = AttemptAction {
                credential_issued_at: facts.credential_issued_at,
                ..AttemptAction::new(facts.task, facts.operation.clone(), arguments, facts.arguments.clone())
            };
            let actor = Actor::Agent { agent: facts.agent, task: Some(facts.task) };
            let moment = Moment::new(committed.at, 7);
            let events = decide(&then, &actor, &Command::AttemptAction(Box::new(attempt)), &moment).unwrap();
            let now = verdict(&events[0]).unwrap();
            if was != now {
                differences.push((committed.seq, was, now));
            }
        }
        state.apply(event, committed.at);
    }
    differences
}

/// What a replay told, as [`one_by_one`] tells it.
fn told(differences: &[Difference]) -> Vec<(u64, Said, Said)> {
    let side = |decided: &remit_domain::Decided| (decided.answer, decided.determining.clone());
    differences.iter().map(|one| (one.link.seq, side(&one.was), side(&one.now))).collect()
}

fn whole(edits: &[PolicyEdit]) -> Replay {
    Replay { edits: edits.to_vec(), from: None, to: None, every: true }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_told_and_no_other() {
    let mut story = Story::begin().await;
    story.go_on(160).await;
    let head = story.world.engine.head();
    let records = story.world.records().await;
    let mut found = 0;
    for edits in proposals() {
        let (report, differences) = story.replay(whole(&edits)).await;
        let expected = one_by_one(&records, &edits, &story.arguments);
        assert_eq!(told(&differences), expected, "{edits:?}");
        assert_eq!(report.different, expected.len() as u64);
        assert_eq!(report.groups.iter().map(|group| group.attempts).sum::<u64>(), report.different);
        assert_eq!(report.turns.iter().map(|turn| turn.attempts).sum::<u64>(), report.different);
        let kept: u64 = report.kept.values().sum();
        assert_eq!((report.attempts, report.unsaid.len()), (report.same + report.different + kept, 0));
        found += expected.len();
    }
    assert!(found > 100, "there was little to find: {found}");
    assert_eq!(story.world.engine.head(), head, "a replay writes nothing");
    story.world.engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_time_is_told_as_the_whole_is() {
    let mut story = Story::begin().await;
    story.go_on(60).await;
    let records = story.world.records().await;
    let edits = &proposals()[1];
    let (_, all) = story.replay(whole(edits)).await;
    let (from, to) = (records[records.len() / 3].at, records[records.len() * 2 / 3].at);
    let (report, part) = story.replay(Replay { from: Some(from), to: Some(to), ..whole(edits) }).await;
    let expected: Vec<Difference> = all.into_iter().filter(|one| (from..=to).contains(&one.link.at)).collect();
    assert_eq!(part, expected);
    assert!(!part.is_empty());
    assert!(report.first_at.unwrap() >= from && report.last_at.unwrap() <= to);
    let nothing = Replay { from: Some(Timestamp::from_millis(9_000_000_000_000)), ..whole(edits) };
    let refused = story.world.engine.replay(nothing, |_| ControlFlow::Continue(())).await.unwrap_err();
    assert_eq!(refused.refusal().code, "nothing_recorded");
    story.world.engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_erased_arguments_cannot_be_said() {
    let mut story = Story::begin().await;
    let task = story.world.task("triage").await;
    for amount in [5, 90] {
        story.world.call(task, "helpdesk/refund", json!({"amount": amount})).await;
        let read = story.world.call(task, "helpdesk/read", json!({"id": 1})).await;
        story.world.succeed(read.allowed()).await;
    }
    story.world.end(task).await;
    story.world.engine.erase(story.world.root(), task, "asked for".to_owned()).await.unwrap();
    // Carried out by the outbox.
    let erased = async {
        loop {
            let (report, _) = story.replay(whole(&proposals()[2])).await;
            if report.unsaid.iter().map(|unsaid| unsaid.attempts).sum::<u64>() == 2 {
                break report;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let report = tokio::time::timeout(std::time::Duration::from_secs(30), erased).await.unwrap();
    assert_eq!(json!(report)["unsaid"][0]["why"], "arguments_gone");
    assert_eq!((report.attempts, report.different), (4, 0));
    let (report, _) = story.replay(whole(&proposals()[1])).await;
    assert_eq!((report.different, report.unsaid.len()), (2, 0), "a rule that reads none needs none");
    story.go_on(1).await;
    story.world.engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_heard_enough_ends_it() {
    let mut story = Story::begin().await;
    story.go_on(20).await;
    let asked = whole(&proposals()[1]);
    let ended = story.world.engine.replay(asked, |_| ControlFlow::Break(())).await;
    assert!(matches!(ended, Err(ReplayError::Unheard)), "{ended:?}");
    let (report, _) = story.replay(whole(&[])).await;
    assert_eq!(report.different, 0, "the next one has its turn");
    story.world.engine.close().await;
}

async fn propose(world: &World, edits: &[PolicyEdit]) -> ChangeId {
    let edits = edits.iter().cloned().map(Edit::Policy).collect();
    let propose = Command::ProposeChange { edits, reason: "tried first".to_owned(), revert_of: None };
    proposed(&world.submit(&world.acting("ana"), propose).await).unwrap()
}

/// What the shadow has seen once it has taken everything.
async fn seen(world: &World, change: ChangeId, attempts: u64) -> remit_engine::ShadowReport {
    let seen = async {
        loop {
            let report = world.engine.shadow(change).await.unwrap();
            if report.report.attempts >= attempts || !report.running {
                break report;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), seen).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_tells_of_live_calls_what_a_replay_tells_of_recorded_ones() {
    let mut story = Story::begin().await;
    story.go_on(10).await;
    let edits = proposals().remove(3);
    let change = propose(&story.world, &edits).await;
    let from = story.world.engine.head();
    let begun = story.world.engine.begin_shadow(change).await.unwrap();
    assert!(begun.running && begun.report.attempts == 0 && begun.until == begun.since);
    let again = story.world.engine.begin_shadow(change).await.unwrap_err();
    assert_eq!(again.refusal().code, "shadow_running");
    story.go_on(60).await;
    let report = seen(&story.world, change, 60).await;
    let (_, all) = story.replay(whole(&edits)).await;
    let live: Vec<Difference> = all.into_iter().filter(|one| one.link.seq >= from).collect();
    assert_eq!((report.report.attempts, report.report.different), (60, live.len() as u64));
    let newest: Vec<Difference> = live.into_iter().rev().take(50).collect();
    assert_eq!(report.last, newest);
    assert!(!newest.is_empty());
    let ended = story.world.engine.end_shadow(change).await.unwrap();
    assert_eq!((ended.running, ended.report.different), (false, report.report.different));
    assert!(ended.since < ended.until && ended.until <= story.world.engine.now());
    story.go_on(1).await;
    let later = story.world.engine.shadow(change).await.unwrap();
    assert_eq!((later.until, later.other_edits), (ended.until, 0), "when it ended stays");
    story.world.engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_ends_when_its_change_is_answered() {
    let mut story = Story::begin().await;
    story.go_on(3).await;
    let change = propose(&story.world, &proposals()[1]).await;
    story.world.engine.begin_shadow(change).await.unwrap();
    story.go_on(3).await;
    let reject = Command::RejectChange { change, note: "not now".to_owned() };
    story.world.submit(&story.world.root(), reject).await;
    let report = seen(&story.world, change, u64::MAX).await;
    assert_eq!(
        (report.running, report.ended.as_deref(), report.report.attempts),
        (false, Some("the change was answered"), 3)
    );
    let gone = story.world.engine.begin_shadow(change).await.unwrap_err();
    assert_eq!(gone.refusal().code, "not_found");
    story.world.engine.close().await;
}
