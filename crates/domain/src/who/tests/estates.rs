//! Random estates with random policies, and the slow way to answer.

use super::*;
use crate::agent::{AgentKey, AgentRegistered};
use crate::connector::ConnectorAdded;
use crate::operation::OperationApproved;
use crate::person::PersonAdded;
use crate::policy::check_edits;
use crate::task::TaskStarted;
use crate::{
    AgentProfile, Class, Configuration, ConnectorSpec, Definition, Event, Grant, GrantId, Id, Kind, Moment, Verb,
};

/// What random policies are put together from. Some name things that are there, some read what nobody else reads.
const PRINCIPALS: &[&str] = &[
    "principal",
    "principal",
    "principal",
    "principal == Agent::\"agent-1\"",
    "principal in Class::\"read\"",
    "principal is Agent in Class::\"act\"",
];
const ACTIONS: &[&str] = &[
    "action",
    "action",
    "action in Action::\"write\"",
    "action in [Action::\"read\", Action::\"send\"]",
    "action == Action::\"alpha/one\"",
    "action in [Action::\"alpha/one\", Action::\"beta/two\"]",
];
const RESOURCES: &[&str] =
    &["resource", "resource", "resource in Connector::\"alpha\"", "resource == Operation::\"beta/one\""];
const CONDITIONS: &[&str] = &[
    "",
    "when { principal has grant }",
    "when { principal has grant }",
    "when { principal has grant && principal.grant.exact }",
    "when { principal has grant && principal.grant.reason == \"its work\" }",
    "when { principal has grant && principal.grant.expires_at - context.now < 1000 }",
    "when { principal.environment == \"sandbox\" && resource.sandbox }",
    "when { principal.autonomy >= 3 }",
    "when { resource.data > principal.data }",
    "when { resource.risk >= 2 && resource.irreversible }",
    "when { principal.attribution != \"proven\" }",
    "when { principal.owner in Group::\"leads\" }",
    "when { principal.task.purpose like \"*money*\" }",
    "when { principal.class == \"code\" || principal == Agent::\"agent-2\" }",
    "when { context has approval && context.approval.approvers.contains(principal.owner) }",
    "unless { context has approval && context.approval.roles.contains(\"owner\") }",
    "when { principal.task.labels.contains(\"untrusted\") }",
    "when { principal.task.depth > 0 || principal.task.names }",
    "when { action == Action::\"alpha/one\" && context.arguments has amount && context.arguments.amount > 5 }",
    "when { resource.external } unless { principal.task has acting_for }",
];

/// Numbers that look random and are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }

    fn coin(&mut self) -> bool {
        self.roll(2) == 0
    }
}

pub(super) struct Estate {
    pub(super) state: State,
    pub(super) now: Timestamp,
    pub(super) policies: String,
}

fn id<K: Kind>(number: usize) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number as u128))
}

impl Estate {
    pub(super) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let now = Timestamp::from_millis(1_800_000_000_000);
        let mut estate = Self { state: State::default(), now, policies: String::new() };
        for person in 0..4 {
            let groups = [vec![], vec!["leads".to_owned()], vec!["others".to_owned()]];
            let groups = dice.one(&groups).clone();
            let name = format!("person-{person}");
            estate.happened(Event::PersonAdded(PersonAdded { person: id(person), name, groups, uid: None }));
            if dice.coin() {
                let operations = Some(vec![dice.one(&patterns()).clone()]);
                estate.happened(Event::PersonEntitled { person: id(person), operations, by: id(0) });
            }
        }
        for (number, name) in ["alpha", "beta", "play"].into_iter().enumerate() {
            estate.connector(&mut dice, number, name);
        }
        (0..6).for_each(|agent| estate.agent(&mut dice, agent));
        (0..8).for_each(|grant| estate.grant(&mut dice, grant));
        estate.choose_policies(&mut dice);
        estate.live_tasks(&mut dice);
        estate
    }

    fn happened(&mut self, event: Event) {
        self.state.apply(&event, self.now);
    }

    fn connector(&mut self, dice: &mut Dice, number: usize, name: &str) {
        let spec = ConnectorSpec::Http { url: "https://example.org".to_owned() };
        let (connector, sandbox) = (id(number), name == "play");
        let added = ConnectorAdded { connector, name: name.to_owned(), owner: id(0), spec, sandbox };
        self.happened(Event::ConnectorAdded(Box::new(added)));
        for tool in ["one", "two"] {
            let properties = match tool {
                "one" => json!({"amount": {"type": "integer"}}),
                _ => json!({"text": {"type": "string"}}),
            };
            let schema = json!({"type": "object", "properties": properties});
            let definition = Definition { document: json!({"name": tool, "inputSchema": schema}) };
            let approved = OperationApproved {
                connector,
                name: OperationName::new(name, tool),
                verb: *dice.one(&[Verb::Read, Verb::Write, Verb::Send]),
                risk: u8::try_from(dice.roll(4)).unwrap(),
                data: *dice.one(&[DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3]),
                external: dice.coin(),
                irreversible: dice.coin(),
                digest: definition.digest(),
                definition,
                projections: Vec::new(),
                by: id(0),
            };
            self.happened(Event::OperationApproved(Box::new(approved)));
        }
        if dice.roll(8) == 0 {
            let operation = OperationName::new(name, "two");
            self.happened(Event::OperationWithdrawn { operation, reason: "gone".to_owned() });
        }
    }

    fn agent(&mut self, dice: &mut Dice, number: usize) {
        let environments = [Environment::Sandbox, Environment::Development, Environment::Production];
        let profile = AgentProfile {
            owner: Some(id(dice.roll(4))),
            approvers: vec![id(dice.roll(4))],
            purpose: (*dice.one(&["answers", "moves money about"])).to_owned(),
            class: Some(*dice.one(&[Class::Read, Class::Act, Class::Code])),
            autonomy: Some(u8::try_from(dice.roll(4)).unwrap() + 1),
            data_classes: vec![*dice.one(&[DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3])],
            environment: Some(*dice.one(&environments)),
            review_at: Some(self.now.plus_seconds(DAY)),
            enforcer: false,
        };
        let (agent, name) = (id(number), format!("agent-{number}"));
        self.happened(Event::AgentRegistered(Box::new(AgentRegistered { agent, name, profile })));
        if dice.roll(8) > 0 {
            self.happened(Event::AgentActivated { agent });
        }
        if dice.coin() {
            let key = AgentKey { thumbprint: format!("key-{number}"), jwk: json!({}) };
            self.happened(Event::AgentKeyEnrolled { agent, key, code: crate::Digest::of_bytes(b"code") });
        }
        if dice.coin() {
            let tools = (0..dice.roll(3)).map(|_| dice.one(&patterns()).clone()).collect();
            let configuration = Some(Configuration { tools, ..Configuration::default() });
            self.happened(Event::ConfigurationApproved { agent, configuration, by: id(0) });
        }
    }

    fn grant(&mut self, dice: &mut Dice, number: usize) {
        let patterns = patterns();
        let operations = (0..=dice.roll(2)).map(|_| dice.one(&patterns).clone()).collect();
        let grant = Grant {
            id: id(number),
            agent: id(dice.roll(6)),
            operations,
            reason: (*dice.one(&["its work", "something else"])).to_owned(),
            requested_by: Some(id(0)),
            approved_by: id(1),
            // Some are over, and no timer has said so yet.
            expires_at: self.now.plus_seconds(dice.one(&[0, 60, DAY]).to_owned()),
            task: None,
        };
        self.happened(Event::GrantGiven(Box::new(grant)));
        if dice.roll(6) == 0 {
            let (grant, reason) = (id(number), "enough".to_owned());
            let agent = self.state.grants[&grant].agent;
            self.happened(Event::GrantRevoked { agent, grant, reason });
        }
    }

    fn choose_policies(&mut self, dice: &mut Dice) {
        let mut texts =
            vec!["@id(\"granted\") permit(principal, action, resource) when { principal has grant };".to_owned()];
        for number in 0..dice.roll(6) {
            let effect = if dice.roll(3) == 0 { "permit" } else { "forbid" };
            let condition = *dice.one(CONDITIONS);
            let asks = if condition.starts_with("unless") && effect == "forbid" { "@approvers(\"owner\")" } else { "" };
            let scope = [dice.one(PRINCIPALS), dice.one(ACTIONS), dice.one(RESOURCES)].map(|part| *part).join(", ");
            texts.push(format!("@id(\"p{number}\") {asks} {effect}({scope}) {condition};"));
        }
        if dice.roll(4) == 0 {
            texts.remove(0);
        }
        // Those that the schema refuses are left out.
        let edit = |text: String| vec![PolicyEdit { name: "test".to_owned(), text: Some(text) }];
        let mut taken = String::new();
        for text in texts {
            let longer = format!("{taken}{text}\n");
            if check_edits(&self.state, &edit(longer.clone())).is_ok() {
                taken = longer;
            }
        }
        let edits = edit(taken.clone());
        let set = check_edits(&self.state, &edits).unwrap();
        self.happened(Event::PolicyActivated { change: None, by: id(0), edits, set });
        self.policies = taken;
    }

    fn live_tasks(&mut self, dice: &mut Dice) {
        for number in 0..3 {
            let acting_for = dice.coin().then(|| id(dice.roll(4)));
            let task = self.task(id(dice.roll(6)), 100 + number);
            self.happened(Event::TaskStarted(Box::new(TaskStarted { acting_for, ..task })));
        }
    }

    fn task(&self, agent: AgentId, number: usize) -> TaskStarted {
        let known = &self.state.agents[&agent];
        let moment = Moment::new(self.now, (number as u128) << 16);
        let key = known.keys.first().map(|key| key.thumbprint.clone());
        let configuration = known.configuration.as_ref().map(Configuration::digest);
        TaskStarted { key, configuration, ..TaskStarted::begun(agent, &known.profile.purpose, &moment) }
    }

    pub(super) fn operations(&self) -> Vec<OperationName> {
        let available = self.state.operations.values().filter(|operation| operation.withdrawn.is_none());
        let mut names: Vec<_> = available.map(|operation| operation.name.clone()).collect();
        names.sort();
        names
    }

    /// The slow way: every agent begins a task, and is asked what it reaches under it.
    pub(super) fn callers_one_by_one(&self, name: &OperationName) -> BTreeMap<AgentId, (Reachable, Option<GrantId>)> {
        let mut state = self.state.clone();
        let mut found = BTreeMap::new();
        let agents: Vec<AgentId> = state.agents.keys().copied().collect();
        for (number, agent) in agents.into_iter().enumerate() {
            let started = self.task(agent, 1_000 + number);
            let id = started.task;
            state.apply(&Event::TaskStarted(Box::new(started)), self.now);
            let (task, operation) = (state.task(id).unwrap(), state.operation(name).unwrap());
            let reachable = crate::reach(&state, task, operation, self.now);
            if reachable != Reachable::Never {
                let grant = facts::grant_for(&state, facts::Leg::own(task), name, self.now).map(|grant| grant.id);
                found.insert(agent, (reachable, grant));
            }
        }
        found
    }
}

fn patterns() -> Vec<crate::OperationPattern> {
    ["alpha/*", "alpha/one", "beta/one", "beta/*", "play/two", "beta/two"].map(pattern).to_vec()
}
