//! The state: a fold over the ledger, held in persistent maps so that a reader's copy costs nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};

use crate::authorization::Authorization;
use crate::session::SignInOffered;
use crate::signal::Seen;
use crate::{
    Action, ActionId, Agent, AgentId, Approval, ApprovalId, Change, ChangeId, Client, ClientId, Connector, ConnectorId,
    Digest, Grant, GrantId, GrantRequest, Operation, OperationName, OperationPattern, Passkey, Person, PersonId,
    Policies, Realm, Refusal, Session, SessionId, Task, TaskId, Timestamp, limits,
};
use crate::{External, Finding, FindingId, Launch, LegacyAccount, LocalWorkload, RealmKey};

/// Something that time alone will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Deadline {
    Task(TaskId),
    Approval(ApprovalId),
    Grant(GrantId),
    Outcome(ActionId),
    Review(AgentId),
}

/// Something that has ended and leaves memory later; the ledger keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Ended {
    Task(TaskId),
    Approval(ApprovalId),
    SignIn(Digest),
    Session(SessionId),
    Request(GrantId),
    Finding(FindingId),
    Authorization(Digest),
    Refresh(Digest),
}

/// All that Remit knows. Cloning is cheap: copies share what neither has changed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    pub realm: Option<Realm>,
    pub people: HashMap<PersonId, Arc<Person>>,
    pub people_by_name: HashMap<String, PersonId>,
    pub(crate) sign_ins: HashMap<Digest, SignInOffered>,
    pub sessions: HashMap<SessionId, Session>,
    pub(crate) sessions_by_token: HashMap<Digest, SessionId>,
    /// By the id of their credential.
    #[serde(default)]
    pub passkeys: HashMap<String, Arc<Passkey>>,
    /// When each person said yes lately, oldest first.
    #[serde(default)]
    pub(crate) answers: HashMap<PersonId, Vector<Timestamp>>,
    pub agents: HashMap<AgentId, Arc<Agent>>,
    pub agents_by_name: HashMap<String, AgentId>,
    pub connectors: HashMap<ConnectorId, Arc<Connector>>,
    pub connectors_by_name: HashMap<String, ConnectorId>,
    pub operations: HashMap<OperationName, Arc<Operation>>,
    pub grants: HashMap<GrantId, Arc<Grant>>,
    pub(crate) grants_by_agent: HashMap<AgentId, Vector<GrantId>>,
    /// Who holds a grant over exactly this pattern: for whoever asks who can call an operation.
    pub(crate) grants_by_pattern: HashMap<OperationPattern, OrdSet<(AgentId, GrantId)>>,
    pub grant_requests: HashMap<GrantId, Arc<GrantRequest>>,
    pub tasks: HashMap<TaskId, Arc<Task>>,
    pub(crate) live_by_agent: HashMap<AgentId, OrdSet<TaskId>>,
    /// Allowed and not yet reported.
    pub actions: HashMap<ActionId, Arc<Action>>,
    pub approvals: HashMap<ApprovalId, Arc<Approval>>,
    /// The newest approval that each action digest has.
    pub(crate) approvals_by_digest: HashMap<Digest, ApprovalId>,
    pub policies: Policies,
    /// What waits for somebody else's yes, and emergency changes that nobody has reviewed yet.
    #[serde(default)]
    pub changes: HashMap<ChangeId, Arc<Change>>,
    /// Whether there has ever been a second administrator.
    #[serde(default)]
    pub(crate) founded: bool,
    /// How often something ended that a Token Status List shows.
    #[serde(default)]
    pub(crate) voided: u64,
    /// Which task has which place in the Token Status Lists.
    #[serde(default)]
    pub(crate) status_places: HashMap<u32, TaskId>,
    #[serde(default)]
    pub clients: HashMap<ClientId, Client>,
    #[serde(default)]
    pub(crate) authorizations: HashMap<Digest, Authorization>,
    #[serde(default)]
    pub(crate) refresh_tokens: HashMap<Digest, TaskId>,
    /// The agents that workloads from elsewhere are.
    #[serde(default)]
    pub workloads: HashMap<External, AgentId>,
    /// The processes on this machine that are agents; few, and read as a whole whenever a process asks who it is.
    #[serde(default)]
    pub local_workloads: Arc<Vec<LocalWorkload>>,
    /// What each workload that arrived by itself became, whatever it is now.
    #[serde(default)]
    pub(crate) arrivals: HashMap<Digest, AgentId>,
    #[serde(default)]
    pub(crate) quarantined: OrdSet<AgentId>,
    /// The processes that were launched for live tasks, by their number.
    #[serde(default)]
    pub launches: HashMap<i32, Launch>,
    #[serde(default)]
    pub(crate) launches_by_task: HashMap<TaskId, i32>,
    #[serde(default)]
    pub realm_keys: OrdMap<String, RealmKey>,
    #[serde(default)]
    pub findings: HashMap<FindingId, Arc<Finding>>,
    #[serde(default)]
    pub(crate) findings_by_credential: HashMap<Digest, FindingId>,
    #[serde(default)]
    pub legacy_accounts: OrdMap<String, Arc<LegacyAccount>>,
    #[serde(default)]
    pub(crate) legacy_by_secret: HashMap<Digest, String>,
    /// The live standing tasks, by agent and by what they were started through.
    #[serde(default)]
    pub(crate) standing_by_agent: HashMap<AgentId, OrdMap<String, TaskId>>,
    #[serde(default)]
    pub people_by_external: HashMap<External, PersonId>,
    /// Signals that were acted on a short time ago, by transmitter.
    #[serde(default)]
    pub(crate) signals: HashMap<String, Seen>,
    pub(crate) deadlines: OrdSet<(Timestamp, Deadline)>,
    pub(crate) ended: OrdSet<(Timestamp, Ended)>,
}

impl State {
    pub fn person(&self, id: PersonId) -> Result<&Arc<Person>, Refusal> {
        self.people.get(&id).ok_or_else(|| Refusal::unknown("person", id))
    }

    pub fn person_named(&self, name: &str) -> Result<&Arc<Person>, Refusal> {
        let found = self.people_by_name.get(name).and_then(|id| self.people.get(id));
        found.ok_or_else(|| Refusal::unknown("person", name))
    }

    pub fn agent(&self, id: AgentId) -> Result<&Arc<Agent>, Refusal> {
        self.agents.get(&id).ok_or_else(|| Refusal::unknown("agent", id))
    }

    pub fn agent_named(&self, name: &str) -> Result<&Arc<Agent>, Refusal> {
        let found = self.agents_by_name.get(name).and_then(|id| self.agents.get(id));
        found.ok_or_else(|| Refusal::unknown("agent", name))
    }

    pub fn connector_named(&self, name: &str) -> Result<&Arc<Connector>, Refusal> {
        let found = self.connectors_by_name.get(name).and_then(|id| self.connectors.get(id));
        found.ok_or_else(|| Refusal::unknown("connector", name))
    }

    /// Whether the connector of this name is one for experiments.
    pub fn is_sandbox(&self, connector: &str) -> bool {
        self.connector_named(connector).is_ok_and(|connector| connector.sandbox)
    }

    pub fn operation(&self, name: &OperationName) -> Result<&Arc<Operation>, Refusal> {
        let help = "`remit connector tools` shows what each connector offers and what waits for approval";
        let operation = self.operations.get(name).ok_or_else(|| {
            Refusal::new("operation_unknown", format!("the operation `{name}` is not there or not approved")).help(help)
        })?;
        match &operation.withdrawn {
            None => Ok(operation),
            Some(reason) => {
                Err(Refusal::new("operation_withdrawn", format!("the operation `{name}` is unavailable: {reason}"))
                    .help(help))
            }
        }
    }

    /// What the operation's projections give for `arguments`, by name; nothing if the operation is not known or the arguments
    /// do not fit. For people to look at: decisions draw the values themselves.
    pub fn projected(
        &self,
        operation: &OperationName,
        arguments: &serde_json::Value,
    ) -> BTreeMap<String, serde_json::Value> {
        let shape = self.compiled().shapes.get(operation);
        shape.and_then(|shape| shape.projected(arguments).ok()).unwrap_or_default()
    }

    /// All that is known of a connector's operations, withdrawn ones too.
    pub fn operations_of<'a>(&'a self, connector: &'a str) -> impl Iterator<Item = &'a Arc<Operation>> {
        self.operations.values().filter(move |operation| operation.name.connector() == connector)
    }

    pub fn task(&self, id: TaskId) -> Result<&Arc<Task>, Refusal> {
        self.tasks.get(&id).ok_or_else(|| Refusal::unknown("task", id))
    }

    pub fn approval(&self, id: ApprovalId) -> Result<&Arc<Approval>, Refusal> {
        self.approvals.get(&id).ok_or_else(|| Refusal::unknown("approval", id))
    }

    /// The live session that `token` (a digest of what the person holds) opens.
    pub fn session_of(&self, token: &Digest, now: Timestamp) -> Option<&Session> {
        let session = self.sessions.get(self.sessions_by_token.get(token)?)?;
        (now < session.expires_at && self.people.contains_key(&session.person)).then_some(session)
    }

    /// The person that the operating system's user `uid` is on the data directory's socket.
    pub fn person_of_uid(&self, uid: u32) -> Option<&Arc<Person>> {
        self.people.values().find(|person| person.uid == Some(uid))
    }

    pub fn grants_of(&self, agent: AgentId) -> impl Iterator<Item = &Arc<Grant>> {
        self.grants_by_agent.get(&agent).into_iter().flatten().filter_map(|id| self.grants.get(id))
    }

    /// Whether `agent` holds a grant over `operation`, by its name or over all of its connector. Its time may be over.
    pub(crate) fn may_hold_grant(&self, agent: AgentId, operation: &OperationName) -> bool {
        let least = GrantId::from_uuid(uuid::Uuid::nil());
        let holds = |pattern: &str| {
            let holders = self.grants_by_pattern.get(pattern);
            holders.and_then(|holders| holders.get_next(&(agent, least))).is_some_and(|(holder, _)| *holder == agent)
        };
        holds(operation.as_str()) || holds(&format!("{}/*", operation.connector()))
    }

    /// Tasks that have not ended. (Their time may be over before the timer has ended them; decisions look at both.)
    pub fn live_tasks(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.live_by_agent.values().flatten().filter_map(|id| self.tasks.get(id))
    }

    pub fn live_tasks_of(&self, agent: AgentId) -> impl Iterator<Item = &Arc<Task>> {
        self.live_by_agent.get(&agent).into_iter().flatten().filter_map(|id| self.tasks.get(id))
    }

    /// The moment at which the next [`crate::Command::Expire`] has something to do.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.get_min().map(|(at, _)| *at)
    }

    pub(crate) fn forget_at(&mut self, at: Timestamp, ended: Ended) {
        self.ended.insert((at, ended));
    }

    pub(crate) fn forget_sign_in_at(&mut self, at: Timestamp, code: Digest) {
        self.ended.insert((at, Ended::SignIn(code)));
    }

    pub(crate) fn forget_session_at(&mut self, at: Timestamp, session: SessionId) {
        self.ended.insert((at, Ended::Session(session)));
    }

    pub(crate) fn forget_later(&mut self, ended: Ended, at: Timestamp) {
        self.ended.insert((at.plus_seconds(limits::ENDED_SECONDS_KEPT), ended));
    }

    /// Drops what ended long enough before `now`. Part of `apply`, driven by recorded time, so a replay drops the same.
    pub(crate) fn forget_ended(&mut self, now: Timestamp) {
        while let Some((at, ended)) = self.ended.get_min().copied() {
            if at > now {
                break;
            }
            self.ended.remove(&(at, ended));
            match ended {
                Ended::Task(task) => {
                    crate::launch::apply_task_forgotten(self, task);
                    if let Some(task) = self.tasks.remove(&task) {
                        crate::status::leave_place(self, &task);
                    }
                }
                Ended::Approval(approval) => {
                    if let Some(approval) = self.approvals.remove(&approval) {
                        let digest = approval.digest;
                        if self.approvals_by_digest.get(&digest) == Some(&approval.id) {
                            self.approvals_by_digest.remove(&digest);
                        }
                    }
                }
                Ended::SignIn(code) => {
                    // The same code may have been offered again since.
                    if self.sign_ins.get(&code).is_some_and(|offer| offer.expires_at <= now) {
                        self.sign_ins.remove(&code);
                    }
                }
                Ended::Session(session) => crate::session::apply_ended(self, session),
                Ended::Authorization(code) => crate::authorization::forget(self, &code, now),
                Ended::Refresh(token) => {
                    self.refresh_tokens.remove(&token);
                }
                Ended::Finding(finding) => crate::finding::forget(self, finding),
                Ended::Request(request) => {
                    self.grant_requests.remove(&request);
                }
            }
        }
    }
}
