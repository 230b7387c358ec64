//! A long story: many tasks of several agents at a time, whose operations and policies change in its midst.
//!
//! `REMIT_ACTIONS` says how many actions it has; with 100,000 it takes minutes.

use std::time::Instant;

use futures_util::future::join_all;
use remit_domain::{Class, Outcome, RecordOutcome};

use super::*;

/// Actions where `REMIT_ACTIONS` says nothing.
const ACTIONS: usize = 1_200;
/// Actions that are under way together.
const TOGETHER: usize = 64;
/// Live tasks of all agents.
const TASKS: usize = 24;
const AGENTS: [&str; 5] = ["triage", "desk", "clerk", "sorter", "reader"];
const TOOLS: [&str; 8] = [
    "helpdesk/read",
    "helpdesk/refund",
    "helpdesk/update",
    "helpdesk/mail",
    "helpdesk/gone",
    "archive/search",
    "archive/purge",
    "archive/export",
];

struct Long {
    story: Story,
    /// Tasks that have just ended: some go on as if they had not.
    ended: Vec<TaskId>,
    made: usize,
}

impl Long {
    async fn begin() -> Self {
        let story = Story::begin().await;
        let world = &story.world;
        let text = json!({"words": {"type": "string"}, "rows": {"type": "integer"}});
        let mut search = operation("search", Verb::Read, 0, DataClass::D2, &text);
        search.external = true;
        let mut purge = operation("purge", Verb::Execute, 2, DataClass::D1, &text);
        purge.irreversible = true;
        let mut export = operation("export", Verb::Send, 1, DataClass::D3, &text);
        export.external = true;
        let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/archive".to_owned() };
        world.connector("archive", spec, vec![search, purge, export]).await;
        world.agent("clerk", "ana", |profile| profile.autonomy = Some(2)).await;
        world.agent("sorter", "bob", |profile| profile.class = Some(Class::Transform)).await;
        world.agent("reader", "bob", |profile| profile.class = Some(Class::Read)).await;
        for agent in AGENTS {
            world.grant(agent, &["archive/*"], 24 * 3600).await;
        }
        for agent in ["clerk", "sorter", "reader"] {
            world.grant(agent, &["helpdesk/read", "helpdesk/update", "helpdesk/mail"], 24 * 3600).await;
        }
        Self { story, ended: Vec::new(), made: 0 }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let place = self.story.throw(of.len() as u64);
        of[usize::try_from(place).unwrap()]
    }

    async fn tasks(&mut self) {
        if self.story.tasks.len() >= TASKS && self.story.throw(4) == 0 {
            let gone = self.pick(&self.story.tasks.clone());
            self.story.world.end(gone).await;
        }
        let (state, now) = (self.story.world.engine.state(), self.story.world.engine.now());
        let is_live = |task: &TaskId| state.task(*task).is_ok_and(|known| known.is_live() && now < known.expires_at);
        (self.story.tasks, self.ended) = std::mem::take(&mut self.story.tasks).into_iter().partition(is_live);
        while self.story.tasks.len() < TASKS {
            let agent = self.pick(&AGENTS);
            let scope = if self.story.throw(4) == 0 { vec!["helpdesk/*".parse().unwrap()] } else { Vec::new() };
            self.story.tasks.push(self.story.world.task_with(agent, |start| start.scope = scope).await);
        }
    }

    /// Some actions at once, and what became of them.
    async fn wave(&mut self, actions: usize) {
        self.tasks().await;
        let (mut calls, tasks) = (Vec::new(), [&self.story.tasks[..], &self.ended].concat());
        for _ in 0..actions {
            let (tool, number) = (self.pick(&TOOLS), self.story.throw(80));
            let arguments = match tool {
                "helpdesk/refund" => json!({"amount": number}),
                tool if tool.starts_with("helpdesk/") => json!({"id": number % 4}),
                _ if number % 9 == 0 => json!({"words": number}),
                _ => json!({"words": format!("{} of old", number % 5), "rows": number % 3}),
            };
            calls.push((self.pick(&tasks), tool, arguments));
        }
        let world = &self.story.world;
        let tried = calls.iter().map(|(task, tool, arguments)| world.attempt(*task, tool, arguments.clone()));
        let answers = join_all(tried).await;
        self.made += answers.len();
        let mut following = Vec::new();
        for ((answer, content), (_, _, arguments)) in answers.into_iter().zip(calls) {
            self.story.arguments.insert(content.commitment.to_string(), arguments);
            match answer {
                Reply::Allowed(action) => {
                    let outcome = if self.story.throw(20) == 0 { Outcome::ToolError } else { Outcome::Succeeded };
                    let record = RecordOutcome { action, outcome, result: None, latency_ms: 7 };
                    following.push((Actor::Remit, Command::RecordOutcome(Box::new(record))));
                }
                Reply::Asked(approval) if self.story.throw(3) > 0 => {
                    let world = &self.story.world;
                    let Ok(digest) = world.engine.read(|state| state.approval(approval).map(|known| known.digest))
                    else {
                        continue;
                    };
                    let approve = remit_domain::Approve::unsigned(approval, digest, String::new());
                    let by = self.pick(&["ana", "bob"]);
                    following.push((self.story.world.acting(by), Command::Approve(approve)));
                }
                _ => {}
            }
        }
        let engine = &self.story.world.engine;
        // Whoever may not approve is refused; that is no matter here.
        join_all(following.into_iter().map(|(actor, command)| engine.submit(actor, command))).await;
        let seconds = self.story.throw(9);
        self.story.world.advance(seconds);
    }

    async fn go_on_to(&mut self, actions: usize) {
        while self.made < actions {
            self.wave(TOGETHER.min(actions - self.made)).await;
        }
    }

    /// The refund takes a note as well from now on, and a policy becomes active.
    async fn change(&self) {
        let world = &self.story.world;
        let properties = json!({"amount": {"type": "integer"}, "note": {"type": "string"}});
        let connector = world.engine.read(|state| state.connector_named("helpdesk").unwrap().id);
        let choices = vec![operation("refund", Verb::Write, 2, DataClass::D1, &properties)];
        world.agreed(&world.root(), Command::ApproveOperations { connector, choices }).await;
        let text =
            "@id(\"no-purge\") forbid(principal == Agent::\"sorter\", action == Action::\"archive/purge\", resource);";
        let edits = vec![Edit::Policy(PolicyEdit { name: "purge".to_owned(), text: Some(text.to_owned()) })];
        let propose = Command::ProposeChange { edits, reason: "sorters do not purge".to_owned(), revert_of: None };
        world.agreed(&world.root(), propose).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_story_is_told_as_deciding_each_action_singly_tells_it() {
    let actions = std::env::var("REMIT_ACTIONS").map_or(ACTIONS, |text| text.parse().unwrap());
    let mut long = Long::begin().await;
    let began = Instant::now();
    long.go_on_to(actions / 2).await;
    long.change().await;
    long.go_on_to(actions).await;
    let records = long.story.world.records().await;
    eprintln!("{actions} actions in {} records, recorded in {:.1?}", records.len(), began.elapsed());
    let (mut found, mut answers) = (0, BTreeMap::new());
    for committed in &records {
        if facts(&committed.record.event).is_some() {
            *answers.entry(verdict(&committed.record.event).map(|(answer, _)| answer)).or_insert(0) += 1;
        }
    }
    eprintln!("answered: {answers:?}, nothing where no policy was asked");
    for edits in proposals() {
        let began = Instant::now();
        let (report, differences) = long.story.replay(whole(&edits)).await;
        let replayed = began.elapsed();
        let expected = one_by_one(&records, &edits, &long.story.arguments);
        let singly = began.elapsed() - replayed;
        eprintln!("{} differences: replay {replayed:.1?}, one by one {singly:.1?}", expected.len());
        assert_eq!(report.attempts, actions as u64);
        assert!(told(&differences) == expected, "{edits:?}");
        assert_eq!((report.different, report.unsaid.len()), (expected.len() as u64, 0));
        found += expected.len();
    }
    assert!(found > actions / 4, "there was little to find: {found}");
    assert!(answers.values().all(|count| *count > actions / 100), "{answers:?}");
    long.story.world.engine.close().await;
}
