//! Who is in the realm, what can be reached, and who may use it.

use remit_domain::{
    Actor, AddConnector, AddPerson, AgentId, AgentProfile, Class, Command, ConnectorSpec, DataClass, Definition,
    Environment, Event, GrantId, OperationChoice, PersonId, RegisterAgent, RequestGrant, SignInMethod, StartTask,
    TaskId, Verb,
};
use serde_json::{Value, json};

use crate::World;

/// How long an agent of these worlds goes without review, in seconds.
const REVIEW_SECONDS: u64 = 90 * 24 * 3600;
/// How long a token of these worlds lives at most, in seconds.
const TOKEN_SECONDS: u64 = 600;

/// An operation as a person approves it. `properties` are those of its arguments' JSON schema.
pub fn operation(tool: &str, verb: Verb, risk: u8, data: DataClass, properties: &Value) -> OperationChoice {
    let document = json!({"name": tool, "inputSchema": {"type": "object", "properties": properties}});
    OperationChoice {
        irreversible: false,
        tool: tool.to_owned(),
        verb,
        risk,
        data,
        external: false,
        definition: Definition { document },
        projections: Vec::new(),
    }
}

impl World {
    /// The administrator, on the machine itself.
    pub fn root(&self) -> Actor {
        self.acting(&self.options().setup.administrator)
    }

    /// The person `name`, on the machine itself.
    pub fn acting(&self, name: &str) -> Actor {
        Actor::Person { person: self.person_named(name), method: SignInMethod::LocalSocket }
    }

    pub fn person_named(&self, name: &str) -> PersonId {
        self.engine.read(|state| state.person_named(name).unwrap().id)
    }

    pub fn agent_named(&self, name: &str) -> AgentId {
        self.engine.read(|state| state.agent_named(name).unwrap().id)
    }

    /// Adds a person.
    pub async fn person(&self, name: &str, groups: &[&str]) -> PersonId {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        self.agreed(&self.root(), Command::AddPerson(AddPerson { name: name.to_owned(), groups })).await;
        self.person_named(name)
    }

    /// Registers an agent of `owner`'s and activates it. It acts at autonomy 3 in production, on data up to
    /// [`DataClass::D2`], unless `describe` says otherwise.
    pub async fn agent(&self, name: &str, owner: &str, describe: impl FnOnce(&mut AgentProfile)) -> AgentId {
        let mut profile = AgentProfile {
            owner: Some(self.person_named(owner)),
            purpose: "answers customers".to_owned(),
            class: Some(Class::Act),
            autonomy: Some(3),
            data_classes: vec![DataClass::D0, DataClass::D1, DataClass::D2],
            environment: Some(Environment::Production),
            review_at: Some(self.engine.now().plus_seconds(REVIEW_SECONDS)),
            ..AgentProfile::default()
        };
        describe(&mut profile);
        let register = RegisterAgent { name: name.to_owned(), profile };
        self.submit(&self.root(), Command::RegisterAgent(Box::new(register))).await;
        let agent = self.agent_named(name);
        self.submit(&self.root(), Command::ActivateAgent { agent }).await;
        agent
    }

    /// Adds a connector at `spec` and approves `choices` of what it offers.
    pub async fn connector(&self, name: &str, spec: ConnectorSpec, choices: Vec<OperationChoice>) {
        let add = AddConnector { name: name.to_owned(), owner: None, spec, sandbox: false };
        self.agreed(&self.root(), Command::AddConnector(Box::new(add))).await;
        let connector = self.engine.read(|state| state.connector_named(name).unwrap().id);
        self.agreed(&self.root(), Command::ApproveOperations { connector, choices }).await;
    }

    /// Grants `operations` to the agent `agent`: the administrator asks, the agent's owner approves.
    pub async fn grant(&self, agent: &str, operations: &[&str], ttl_seconds: u64) -> GrantId {
        let agent = self.agent_named(agent);
        let operations = operations.iter().map(|operation| operation.parse().unwrap()).collect();
        let request = RequestGrant { agent, operations, reason: "its work".to_owned(), ttl_seconds };
        let receipt = self.submit(&self.root(), Command::RequestGrant(request)).await;
        let Some(Event::GrantRequested(request)) = receipt.events.first() else { panic!("{receipt:?}") };
        let owner = self.engine.read(|state| state.agent(agent).unwrap().profile.owner.unwrap());
        let owner = Actor::Person { person: owner, method: SignInMethod::LocalSocket };
        self.submit(&owner, Command::ApproveGrant { grant: request.id }).await;
        request.id
    }

    /// Has the administrator start a task for the agent `agent`.
    pub async fn task(&self, agent: &str) -> TaskId {
        self.task_with(agent, |_| {}).await
    }

    /// As [`World::task`], with whatever `ask` asks for.
    pub async fn task_with(&self, agent: &str, ask: impl FnOnce(&mut StartTask)) -> TaskId {
        let mut start = StartTask {
            configuration: None,
            agent: self.agent_named(agent),
            purpose: "answer ticket 7".to_owned(),
            acting_for: None,
            scope: Vec::new(),
            ttl_seconds: None,
            budget: None,
            parent: None,
            key: None,
            authority: Vec::new(),
            delegation: None,
        };
        ask(&mut start);
        let receipt = self.submit(&self.root(), Command::StartTask(Box::new(start))).await;
        let Some(Event::TaskStarted(started)) = receipt.events.first() else { panic!("{receipt:?}") };
        started.task
    }

    /// The agent that acts under `task`.
    pub fn agent_of(&self, task: TaskId) -> Actor {
        let agent = self.engine.read(|state| state.task(task).unwrap().agent);
        Actor::Agent { agent, task: Some(task) }
    }

    /// A token for `task`.
    pub async fn token(&self, task: TaskId) -> String {
        self.engine.issue_token(self.agent_of(task), task, TOKEN_SECONDS).await.unwrap().token
    }
}
