//! A small estate to measure with: one agent, one operation, one grant, one task.

use std::path::Path;

use anyhow::Context;
use remit_domain::{
    Actor, AddConnector, AddPerson, AgentId, AgentProfile, Class, Command, ConnectorSpec, DataClass, Definition,
    Environment, Event, OperationChoice, OperationName, RegisterAgent, RequestGrant, SignInMethod, StartTask, TaskId,
    Verb,
};
use remit_engine::{Engine, Options, Receipt, Setup};
use serde_json::json;

#[derive(Debug)]
pub struct World {
    pub engine: Engine,
    pub root: Actor,
    pub ana: Actor,
    pub agent: AgentId,
    pub task: TaskId,
    pub operation: OperationName,
}

impl World {
    pub async fn open(data: &Path) -> anyhow::Result<Self> {
        let engine = open(data).await?;
        let root = person(&engine, "root")?;
        engine
            .submit(root.clone(), Command::AddPerson(AddPerson { name: "ana".to_owned(), groups: Vec::new() }))
            .await?;
        let ana = person(&engine, "ana")?;
        let add = AddConnector {
            name: "bench".to_owned(),
            owner: None,
            spec: ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() },
            sandbox: false,
        };
        engine.submit(root.clone(), Command::AddConnector(Box::new(add))).await?;
        let connector = engine.read(|state| state.connector_named("bench").map(|connector| connector.id))?;
        let choices = vec![choice()];
        engine.submit(root.clone(), Command::ApproveOperations { connector, choices }).await?;
        let agent = agent(&engine, &root, &ana, "bench").await?;
        let start = StartTask {
            configuration: None,
            agent,
            purpose: "measure".to_owned(),
            acting_for: None,
            scope: Vec::new(),
            ttl_seconds: None,
            budget: Some(remit_domain::Budget { calls_max: remit_domain::limits::TASK_CALLS_MAX }),
            parent: None,
            key: None,
            authority: Vec::new(),
            delegation: None,
        };
        let receipt = engine.submit(root.clone(), Command::StartTask(Box::new(start))).await?;
        let task = started(&receipt).context("no task was started")?;
        Ok(Self { engine, root, ana, agent, task, operation: OperationName::new("bench", "read") })
    }
}

pub async fn open(data: &Path) -> anyhow::Result<Engine> {
    let setup = Setup {
        trust_domain: "remit.bench".to_owned(),
        issuer: "http://127.0.0.1:7470".to_owned(),
        administrator: "root".to_owned(),
        administrator_uid: None,
        policies: remit_policy::starter().into_iter().map(|source| (source.name, source.text)).collect(),
    };
    Ok(Engine::open(Options::new(data, setup)).await?)
}

pub fn person(engine: &Engine, name: &str) -> anyhow::Result<Actor> {
    let person = engine.read(|state| state.person_named(name).map(|person| person.id))?;
    Ok(Actor::Person { person, method: SignInMethod::LocalSocket })
}

/// Registers and activates an agent of root's, with a grant for everything that the bench connector has.
pub async fn agent(engine: &Engine, root: &Actor, ana: &Actor, name: &str) -> anyhow::Result<AgentId> {
    let profile = AgentProfile {
        owner: Some(root.person()?),
        approvers: vec![ana.person()?],
        purpose: "to be measured".to_owned(),
        class: Some(Class::Act),
        autonomy: Some(3),
        data_classes: vec![DataClass::D1],
        environment: Some(Environment::Production),
        review_at: Some(engine.now().plus_seconds(90 * 24 * 3600)),
        enforcer: true,
    };
    let register = Command::RegisterAgent(Box::new(RegisterAgent { name: name.to_owned(), profile }));
    let receipt = engine.submit(root.clone(), register).await?;
    let agent = receipt.events.iter().find_map(Event::agent).context("no agent was registered")?;
    engine.submit(root.clone(), Command::ActivateAgent { agent }).await?;
    let operations = vec!["bench/*".parse()?];
    let request = RequestGrant { agent, operations, reason: "to be measured".to_owned(), ttl_seconds: 24 * 3600 };
    let receipt = engine.submit(root.clone(), Command::RequestGrant(request)).await?;
    let grant = receipt.events.iter().find_map(|event| match event {
        Event::GrantRequested(request) => Some(request.id),
        _ => None,
    });
    engine.submit(ana.clone(), Command::ApproveGrant { grant: grant.context("no grant was requested")? }).await?;
    Ok(agent)
}

fn choice() -> OperationChoice {
    let schema = json!({"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"], "additionalProperties": false});
    OperationChoice {
        irreversible: false,
        tool: "read".to_owned(),
        verb: Verb::Read,
        risk: 0,
        data: DataClass::D1,
        external: false,
        projections: Vec::new(),
        definition: Definition { document: json!({"name": "read", "description": "reads", "inputSchema": schema}) },
    }
}

pub fn started(receipt: &Receipt) -> Option<TaskId> {
    receipt.events.iter().find_map(|event| match event {
        Event::TaskStarted(started) => Some(started.task),
        _ => None,
    })
}
