//! The realm that is looked at: two hundred people, connectors, and agents with their grants. Made by commands, as people would make it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use remit_domain::{
    Actor, AddConnector, AddPerson, AgentId, AgentProfile, Class, Command, ConnectorSpec, DataClass, Definition,
    Environment, Event, GrantId, OperationChoice, PersonId, RegisterAgent, RequestGrant, SignInMethod, Verb,
};
use remit_engine::{Clock, Engine, Options, Setup};
use serde_json::json;

/// People of the estate, beside its administrator.
pub const PEOPLE: usize = 200;
/// Connectors, and operations of each. The last operation of each asks for a person.
pub const CONNECTORS: usize = 20;
pub const TOOLS: usize = 25;
/// One agent of so many is the administrator's own.
const ROOTS_SHARE: usize = 50;
/// Commands on their way at a time while the estate is made.
const AT_A_TIME: usize = 256;
const DAY_SECONDS: u64 = 24 * 3_600;
/// Long enough to outlive the month that is told of, and a few weeks in which the directory is kept.
const GRANT_SECONDS: u64 = 90 * DAY_SECONDS;

/// An agent, and what calls of it need.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub id: AgentId,
    pub owner: PersonId,
    /// The connector whose operations it may use.
    pub connector: usize,
}

/// A realm that stands.
#[derive(Debug)]
pub struct Estate {
    pub engine: Engine,
    pub root: PersonId,
    pub people: Vec<PersonId>,
    pub agents: Vec<Held>,
}

/// Opens the data directory below `directory`, as [`super::super::door::place::Remit`] will, with another clock.
///
/// # Errors
/// If it cannot be opened.
pub async fn open(directory: &Path, clock: Arc<dyn Clock>) -> anyhow::Result<Engine> {
    let setup = Setup {
        trust_domain: "remit.bench".to_owned(),
        issuer: "http://127.0.0.1:7470".to_owned(),
        administrator: "root".to_owned(),
        administrator_uid: Some(rustix::process::getuid().as_raw()),
        policies: remit_policy::starter().into_iter().map(|source| (source.name, source.text)).collect(),
    };
    let anchors = Some(directory.join("anchors"));
    Ok(Engine::open(Options { anchors, clock, ..Options::new(directory.join("data"), setup) }).await?)
}

impl Estate {
    /// Makes it in the empty realm of `engine`.
    ///
    /// # Errors
    /// What is refused.
    pub async fn make(engine: Engine, agents: usize) -> anyhow::Result<Self> {
        let root = engine.read(|state| state.person_named("root").map(|person| person.id))?;
        let mut estate = Self { engine, root, people: Vec::new(), agents: Vec::new() };
        for number in 0..PEOPLE {
            let add = AddPerson { name: person_name(number), groups: Vec::new() };
            estate.submit(root, Command::AddPerson(add)).await?;
        }
        for number in 0..CONNECTORS {
            estate.connect(number).await?;
        }
        estate.people = estate.known_people()?;
        let making = stream::iter(0..agents).map(|number| estate.register(number));
        let made = making.buffered(AT_A_TIME).try_collect().await?;
        estate.agents = made;
        Ok(estate)
    }

    /// Finds again what [`Estate::make`] made.
    ///
    /// # Errors
    /// If it is not there.
    pub fn find(engine: Engine, agents: usize) -> anyhow::Result<Self> {
        let root = engine.read(|state| state.person_named("root").map(|person| person.id))?;
        let mut estate = Self { engine, root, people: Vec::new(), agents: Vec::new() };
        estate.people = estate.known_people()?;
        let state = estate.engine.state();
        estate.agents = (0..agents)
            .map(|number| {
                let agent = state.agent_named(&agent_name(number))?;
                let owner = agent.profile.owner.context("an agent has no owner")?;
                Ok(Held { id: agent.id, owner, connector: number % CONNECTORS })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(estate)
    }

    fn known_people(&self) -> anyhow::Result<Vec<PersonId>> {
        let state = self.engine.state();
        (0..PEOPLE).map(|number| Ok(state.person_named(&person_name(number))?.id)).collect()
    }

    /// The agent that the number `number` falls on; the first ones are much busier than the last.
    pub fn agent(&self, number: usize) -> anyhow::Result<Held> {
        let share = (scattered(number) % 10_000) as f64 / 10_000.0;
        let place = (share * share * share * self.agents.len() as f64) as usize;
        self.agents.get(place).copied().context("there is no agent")
    }

    /// The person that the number `number` falls on.
    pub fn person(&self, number: usize) -> anyhow::Result<PersonId> {
        self.people.get(number % PEOPLE).copied().context("there is no person")
    }

    /// Has `person` do `command`.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn submit(&self, person: PersonId, command: Command) -> anyhow::Result<Vec<Event>> {
        let actor = Actor::Person { person, method: SignInMethod::LocalSocket };
        Ok(self.engine.submit(actor, command).await?.events.to_vec())
    }

    async fn connect(&self, number: usize) -> anyhow::Result<()> {
        let name = connector_name(number);
        let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() };
        let add = AddConnector { name: name.clone(), owner: None, spec, sandbox: false };
        self.submit(self.root, Command::AddConnector(Box::new(add))).await?;
        let connector = self.engine.read(|state| state.connector_named(&name).map(|connector| connector.id))?;
        let choices = (0..TOOLS).map(choice).collect();
        self.submit(self.root, Command::ApproveOperations { connector, choices }).await?;
        Ok(())
    }

    async fn register(&self, number: usize) -> anyhow::Result<Held> {
        let approver = self.person(number + 1)?;
        let owner = if number % ROOTS_SHARE == 7 { self.root } else { self.person(number)? };
        let profile = AgentProfile {
            owner: Some(owner),
            approvers: vec![approver],
            purpose: format!("{} for {}", one(WORKS, number), one(PLACES, number / 3)),
            class: Some(Class::Act),
            autonomy: Some(3),
            data_classes: vec![DataClass::D0, DataClass::D1],
            environment: Some(one_of(&[Environment::Production, Environment::Test], number)),
            review_at: Some(self.engine.now().plus_seconds(GRANT_SECONDS)),
            enforcer: false,
        };
        let register = RegisterAgent { name: agent_name(number), profile };
        let events = self.submit(self.root, Command::RegisterAgent(Box::new(register))).await?;
        let agent = events.iter().find_map(Event::agent).context("no agent was registered")?;
        self.submit(self.root, Command::ActivateAgent { agent }).await?;
        let connector = number % CONNECTORS;
        let grant = self.request(agent, &format!("{}/*", connector_name(connector)), GRANT_SECONDS).await?;
        self.submit(approver, Command::ApproveGrant { grant }).await?;
        // Every third one has another that it never uses.
        if number.is_multiple_of(3) {
            let other = format!("{}/tool-1", connector_name(connector + 1));
            let grant = self.request(agent, &other, GRANT_SECONDS).await?;
            self.submit(approver, Command::ApproveGrant { grant }).await?;
        }
        Ok(Held { id: agent, owner, connector })
    }

    /// Has the administrator ask for a grant.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn request(&self, agent: AgentId, operations: &str, ttl_seconds: u64) -> anyhow::Result<GrantId> {
        let operations = vec![operations.parse()?];
        let request = RequestGrant { agent, operations, reason: "its daily work".to_owned(), ttl_seconds };
        let events = self.submit(self.root, Command::RequestGrant(request)).await?;
        let id = events.iter().find_map(|event| match event {
            Event::GrantRequested(request) => Some(request.id),
            _ => None,
        });
        id.context("no grant was requested")
    }
}

/// What agents do, and where: words that are found again.
pub const WORKS: &[&str] =
    &["answers tickets", "reconciles invoices", "plans deliveries", "sorts mail", "books travel", "checks contracts"];
pub const PLACES: &[&str] = &["the help desk", "the warehouse", "accounting", "the shop in Bern", "people and culture"];

pub fn person_name(number: usize) -> String {
    format!("person-{}", number % PEOPLE)
}

pub fn agent_name(number: usize) -> String {
    format!("agent-{number}")
}

pub fn connector_name(number: usize) -> String {
    format!("connector-{}", number % CONNECTORS)
}

/// The text of `of` that the number falls on.
pub fn one(of: &[&'static str], number: usize) -> &'static str {
    number.checked_rem(of.len()).and_then(|place| of.get(place)).copied().unwrap_or_default()
}

fn one_of<T: Copy>(of: &[T; 2], number: usize) -> T {
    let [first, second] = *of;
    if number.is_multiple_of(4) { second } else { first }
}

/// A number that has little to do with its neighbours' (Fibonacci hashing).
pub fn scattered(number: usize) -> usize {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// Internal data, without risk; only the last operation is one that a person is asked about.
fn choice(number: usize) -> OperationChoice {
    let tool = format!("tool-{number}");
    let schema = json!({"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"], "additionalProperties": false});
    let verb = if number.is_multiple_of(3) { Verb::Write } else { Verb::Read };
    OperationChoice {
        irreversible: false,
        verb,
        risk: if number + 1 == TOOLS { 3 } else { 0 },
        data: DataClass::D1,
        external: false,
        projections: Vec::new(),
        definition: Definition {
            document: json!({"name": tool, "description": "does its part", "inputSchema": schema}),
        },
        tool,
    }
}
