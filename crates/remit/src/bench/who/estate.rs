//! An estate made from numbers: agents of a thousand owners, connectors of five hundred operations, and grants between them.

use remit_domain::{
    Actor, AddConnector, AddPerson, AgentId, AgentProfile, Class, Command, ConnectorSpec, CreateRealm, DataClass,
    Definition, Environment, Event, Grant, Moment, OperationChoice, OperationName, OperationPattern, PersonId,
    PolicyEdit, RegisterAgent, SignInMethod, StartTask, State, TaskId, Timestamp, Verb, decide,
};
use serde_json::json;

use crate::command::bench::WhoArgs;

/// Operations of one connector.
const CONNECTOR_OPERATIONS: usize = 500;
/// People who own agents.
const OWNERS: usize = 1_000;
/// One grant of so many is over all of a connector.
const WIDE: usize = 100;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const DAY_SECONDS: u64 = 24 * 3600;

/// A state, and what it was made from.
#[derive(Debug)]
pub struct Estate {
    pub state: State,
    pub now: Timestamp,
    root: PersonId,
    owners: Vec<PersonId>,
    agents: Vec<AgentId>,
    operations: Vec<OperationName>,
    commands: u128,
}

impl Estate {
    /// Makes it, by commands where these are few and by events where they are many.
    pub fn build(arguments: &WhoArgs) -> anyhow::Result<Self> {
        let mut estate = Self::begun(arguments.policies)?;
        estate.add_operations(arguments.operations)?;
        for number in 0..OWNERS.min(arguments.agents) {
            let name = format!("person-{number}");
            estate.must(Command::AddPerson(AddPerson { name: name.clone(), groups: Vec::new() }))?;
            let person = estate.state.person_named(&name)?.id;
            estate.owners.push(person);
        }
        for number in 0..arguments.agents {
            estate.add_agent(number)?;
        }
        for number in 0..arguments.grants {
            estate.give_grant(number)?;
        }
        Ok(estate)
    }

    fn begun(policies: usize) -> anyhow::Result<Self> {
        let starter = remit_policy::starter().into_iter();
        let mut edits: Vec<PolicyEdit> =
            starter.map(|source| PolicyEdit { name: source.name, text: Some(source.text) }).collect();
        // Each of these tells one agent apart from all others, which is the worst that a policy can do to a question about all.
        let texts: String = (0..policies)
            .map(|number| {
                format!("@id(\"extra-{number}\")\nforbid (principal == Agent::\"agent-{}\", action in Action::\"send\", resource);\n", number * 97)
            })
            .collect();
        if policies > 0 {
            edits.push(PolicyEdit { name: "extra".to_owned(), text: Some(texts) });
        }
        let create = CreateRealm {
            trust_domain: "remit.bench".to_owned(),
            issuer: "http://127.0.0.1:7470".to_owned(),
            origin: "remit.bench/ledger".to_owned(),
            log_key: "remit.bench/ledger+00000000+AA==".to_owned(),
            administrator: "root".to_owned(),
            administrator_uid: None,
            policies: edits,
        };
        let mut estate = Self {
            state: State::default(),
            now: NOW,
            root: Moment::new(NOW, 0).fresh_id(),
            owners: Vec::new(),
            agents: Vec::new(),
            operations: Vec::new(),
            commands: 0,
        };
        estate.by(&Actor::Remit, &Command::CreateRealm(Box::new(create)))?;
        estate.root = estate.state.person_named("root")?.id;
        Ok(estate)
    }

    fn by(&mut self, actor: &Actor, command: &Command) -> anyhow::Result<Vec<Event>> {
        self.commands += 1;
        let events = decide(&self.state, actor, command, &Moment::new(self.now, self.commands << 16))?;
        events.iter().for_each(|event| self.state.apply(event, self.now));
        Ok(events)
    }

    fn must(&mut self, command: Command) -> anyhow::Result<Vec<Event>> {
        let root = Actor::Person { person: self.root, method: SignInMethod::LocalSocket };
        self.by(&root, &command)
    }

    fn add_operations(&mut self, operations: usize) -> anyhow::Result<()> {
        for first in (0..operations).step_by(CONNECTOR_OPERATIONS) {
            let name = format!("connector-{}", first / CONNECTOR_OPERATIONS);
            let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() };
            let add = AddConnector { name: name.clone(), owner: None, spec, sandbox: false };
            self.must(Command::AddConnector(Box::new(add)))?;
            let connector = self.state.connector_named(&name)?.id;
            let last = operations.min(first + CONNECTOR_OPERATIONS);
            let choices: Vec<OperationChoice> = (first..last).map(choice).collect();
            self.operations.extend(choices.iter().map(|choice| OperationName::new(&name, &choice.tool)));
            self.must(Command::ApproveOperations { connector, choices })?;
        }
        Ok(())
    }

    fn add_agent(&mut self, number: usize) -> anyhow::Result<()> {
        let profile = AgentProfile {
            owner: one(&self.owners, number),
            approvers: one(&self.owners, number / 7).into_iter().collect(),
            purpose: "does what its number says".to_owned(),
            class: one(&[Class::Read, Class::Transform, Class::Act, Class::Code], number),
            autonomy: u8::try_from(number / 3 % 4 + 1).ok(),
            data_classes: one(&CLASSES, number / 5).into_iter().collect(),
            environment: one(&[Environment::Production, Environment::Development, Environment::Test], number / 11),
            review_at: Some(self.now.plus_seconds(90 * DAY_SECONDS)),
            enforcer: false,
        };
        let register = RegisterAgent { name: format!("agent-{number}"), profile };
        self.must(Command::RegisterAgent(Box::new(register)))?;
        let agent = self.state.agent_named(&format!("agent-{number}"))?.id;
        self.must(Command::ActivateAgent { agent })?;
        self.agents.push(agent);
        Ok(())
    }

    /// Given as it would be applied: asking and answering would look at every operation each time.
    fn give_grant(&mut self, number: usize) -> anyhow::Result<()> {
        self.commands += 1;
        let Some(agent) = one(&self.agents, number) else { return Ok(()) };
        let Some(operation) = one(&self.operations, scattered(number)) else { return Ok(()) };
        let pattern = match number.is_multiple_of(WIDE) {
            true => format!("{}/*", operation.connector()),
            false => operation.as_str().to_owned(),
        };
        let operations: Vec<OperationPattern> = vec![pattern.parse()?];
        let id = Moment::new(self.now, self.commands << 16).fresh_id();
        let (requested_by, approved_by) = (Some(self.root), one(&self.owners, number).unwrap_or(self.root));
        let expires_at = self.now.plus_seconds(30 * DAY_SECONDS);
        let reason = "its work".to_owned();
        let grant = Grant { id, agent, operations, reason, requested_by, approved_by, expires_at, task: None };
        self.state.apply(&Event::GrantGiven(Box::new(grant)), self.now);
        Ok(())
    }

    /// A copy in which the first agents have each begun a task.
    pub fn with_tasks(&self, count: usize) -> anyhow::Result<(State, Vec<TaskId>)> {
        let (mut state, mut tasks) = (self.state.clone(), Vec::new());
        for (number, agent) in spread(&self.agents, count).enumerate() {
            let start = StartTask {
                agent,
                purpose: "does what its number says".to_owned(),
                acting_for: None,
                scope: Vec::new(),
                ttl_seconds: None,
                budget: None,
                parent: None,
                key: None,
                authority: Vec::new(),
                delegation: None,
                configuration: None,
            };
            let moment = Moment::new(self.now, (self.commands + 1 + number as u128) << 16);
            let own = Actor::Agent { agent, task: None };
            for event in decide(&state, &own, &Command::StartTask(Box::new(start)), &moment)? {
                state.apply(&event, self.now);
                if let Event::TaskStarted(started) = event {
                    tasks.push(started.task);
                }
            }
        }
        Ok((state, tasks))
    }

    /// Operations that are far apart.
    pub fn some_operations(&self, count: usize) -> Vec<OperationName> {
        spread(&self.operations, count).collect()
    }

    /// Agents that are far apart.
    pub fn some_agents(&self, count: usize) -> Vec<AgentId> {
        spread(&self.agents, count).collect()
    }

    /// People who own agents.
    pub fn some_people(&self, count: usize) -> Vec<PersonId> {
        spread(&self.owners, count).collect()
    }
}

const CLASSES: [DataClass; 4] = [DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3];

fn choice(number: usize) -> OperationChoice {
    let tool = format!("tool-{number}");
    let schema = json!({"type": "object", "properties": {"key": {"type": "string"}, "amount": {"type": "integer"}}});
    OperationChoice {
        verb: one(&[Verb::Read, Verb::Read, Verb::Read, Verb::Write, Verb::Send], number).unwrap_or(Verb::Read),
        risk: u8::try_from(number / 3 % 4).unwrap_or_default(),
        data: one(&CLASSES, number / 7).unwrap_or_default(),
        external: number.is_multiple_of(10),
        irreversible: number.is_multiple_of(50),
        definition: Definition {
            document: json!({"name": tool, "description": "does its part", "inputSchema": schema}),
        },
        projections: Vec::new(),
        tool,
    }
}

fn one<T: Clone>(of: &[T], number: usize) -> Option<T> {
    of.get(number.checked_rem(of.len())?).cloned()
}

/// Evenly spread over `of`.
fn spread<T: Clone>(of: &[T], count: usize) -> impl Iterator<Item = T> {
    let step = of.len().checked_div(count).unwrap_or(1).max(1);
    of.iter().step_by(step).take(count).cloned()
}

/// A number that has little to do with its neighbours' (Fibonacci hashing).
fn scattered(number: usize) -> usize {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}
