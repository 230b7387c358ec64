//! A world in memory, told in the product's words.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::action::{ActionAllowed, ActionDenied};
use crate::approval::ApprovalRequested;
use crate::*;

/// The moment at which every world begins: 2027-01-15T08:00:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Policies, people, agents, and everything that has happened to them.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) history: Vec<(Timestamp, Event)>,
    pub(crate) root: PersonId,
    commands: u128,
}

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Reply {
    Allowed(ActionAllowed),
    Denied(ActionDenied),
    Asked(ApprovalRequested),
}

impl Reply {
    pub(crate) fn allowed(self) -> ActionAllowed {
        match self {
            Self::Allowed(allowed) => allowed,
            other => panic!("expected the call to be allowed: {other:?}"),
        }
    }

    pub(crate) fn denied(self) -> ActionDenied {
        match self {
            Self::Denied(denied) => denied,
            other => panic!("expected the call to be denied: {other:?}"),
        }
    }

    /// The code of the refusal.
    pub(crate) fn code(self) -> String {
        self.denied().refusal.code
    }

    pub(crate) fn asked(self) -> ApprovalRequested {
        match self {
            Self::Asked(asked) => asked,
            other => panic!("expected a person to be asked: {other:?}"),
        }
    }
}

/// A person on the data directory's socket.
pub(crate) fn by(person: PersonId) -> Actor {
    Actor::Person { person, method: SignInMethod::LocalSocket }
}

/// A person in the console or at the API.
pub(crate) const fn signed_in(person: PersonId, method: SignInMethod) -> Actor {
    Actor::Person { person, method }
}

/// A passkey's enrolment, in `session`.
pub(crate) fn enrol(credential: &str, session: Option<SessionId>) -> Command {
    Command::EnrolPasskey(Box::new(EnrolPasskey {
        credential: credential.to_owned(),
        key: json!({"kty": "EC", "x": credential}),
        label: "laptop".to_owned(),
        sign_count: 0,
        backed_up: false,
        rp_id: "remit.test".to_owned(),
        session,
    }))
}

/// That `credential` was shown, with what it counts.
pub(crate) fn shown_passkey(credential: &str, sign_count: u32) -> PasskeyUse {
    PasskeyUse { credential: credential.to_owned(), sign_count }
}

/// A sign-in with a passkey; its session's token is made from `token`.
pub(crate) fn sign_in(credential: &str, sign_count: u32, token: &str) -> Command {
    let shown = shown_passkey(credential, sign_count);
    Command::OpenPasskeySession(Box::new(OpenPasskeySession { shown, token: digest(token) }))
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

pub(crate) fn pattern(text: &str) -> OperationPattern {
    text.parse().unwrap()
}

pub(crate) fn operation(text: &str) -> OperationName {
    let (connector, tool) = text.split_once('/').unwrap();
    OperationName::new(connector, tool)
}

/// A tool of the helpdesk as a person would approve it.
pub(crate) fn tool(name: &str, verb: Verb, risk: u8, properties: &Value) -> OperationChoice {
    let document = json!({
        "name": name,
        "description": format!("the tool {name}"),
        "inputSchema": {"type": "object", "properties": properties},
    });
    let external = verb == Verb::Send;
    OperationChoice {
        irreversible: false,
        tool: name.to_owned(),
        verb,
        risk,
        data: DataClass::D1,
        external,
        definition: Definition { document },
        projections: Vec::new(),
    }
}

/// Reading is free, a refund is high risk and so asks the owner, mail leaves the house.
pub(crate) fn helpdesk() -> Vec<OperationChoice> {
    let ticket = json!({"id": {"type": "integer"}, "text": {"type": "string"}});
    vec![
        tool("read", Verb::Read, 0, &ticket),
        tool("update", Verb::Write, 1, &ticket),
        tool("refund", Verb::Write, 3, &json!({"id": {"type": "integer"}, "amount": {"type": "integer"}})),
        tool("mail", Verb::Send, 1, &ticket),
    ]
}

impl World {
    /// A realm with the starter policies and the administrator `root`. Made once; every test gets its own copy.
    pub(crate) fn new() -> Self {
        static EMPTY: OnceLock<World> = OnceLock::new();
        EMPTY.get_or_init(Self::create).clone()
    }

    fn create() -> Self {
        let edit =
            |(name, text): &(&str, &str)| PolicyEdit { name: (*name).to_owned(), text: Some((*text).to_owned()) };
        let create = CreateRealm {
            trust_domain: "example.org".to_owned(),
            issuer: "https://remit.example.org".to_owned(),
            origin: "remit.example.org/ledger".to_owned(),
            log_key: "remit.example.org/ledger+00000000+AA==".to_owned(),
            administrator: "root".to_owned(),
            administrator_uid: Some(0),
            policies: remit_policy::STARTER.iter().map(edit).collect(),
        };
        let mut world = Self {
            state: State::default(),
            now: BEGINNING,
            history: Vec::new(),
            root: PersonId::from_uuid(uuid::Uuid::nil()),
            commands: 0,
        };
        world.must(&Actor::Remit, Command::CreateRealm(Box::new(create)));
        world.root = world.named("root");
        world
    }

    /// A helpdesk with ana (owner of `support`), bob and cleo (its leads), and a month's grant to use all of it.
    pub(crate) fn with_support() -> Self {
        static SUPPORT: OnceLock<World> = OnceLock::new();
        let make = || {
            let mut world = Self::new();
            world.connector("helpdesk", helpdesk());
            let ana = world.person("ana", &[]);
            world.person("bob", &["leads"]);
            world.person("cleo", &["leads"]);
            let agent = world.agent("support", ana);
            world.grant(agent, &["helpdesk/*", "helpdesk/mail"]);
            world
        };
        SUPPORT.get_or_init(make).clone()
    }

    /// Decides `command` and, unless it is refused, applies what happened.
    pub(crate) fn decide(&mut self, actor: &Actor, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = decide(&self.state, actor, command, &self.moment())?;
        self.commands += 1;
        for event in &events {
            self.state.apply(event, self.now);
            self.history.push((self.now, event.clone()));
        }
        Ok(events)
    }

    /// The moment of the next command; asked twice, it names things alike.
    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.now, 0x5eed_0000_0000 + (self.commands << 16))
    }

    pub(crate) fn must(&mut self, actor: &Actor, command: Command) -> Vec<Event> {
        self.decide(actor, &command)
            .unwrap_or_else(|refusal| panic!("{command:?} was refused: {refusal} ({})", refusal.code))
    }

    /// Has `person` look at what is asked for as long as anybody has to, and say yes.
    pub(crate) fn look_and_answer(&mut self, person: PersonId, asked: &ApprovalRequested) -> Vec<Event> {
        let (approval, commitment) = (asked.approval, digest("the page"));
        let shown = ContentRef { commitment, bytes: 8 };
        self.must(&by(person), Command::ShowApproval(crate::approval::ShowApproval { approval, shown }));
        self.now = self.now.plus_seconds(crate::limits::DWELL_SECONDS_D3);
        let unsigned = Approve::unsigned(approval, asked.digest, String::new());
        self.must(&by(person), Command::Approve(Approve { shown: Some(commitment), ..unsigned }))
    }

    pub(crate) fn refusal(&mut self, actor: &Actor, command: Command) -> Refusal {
        match self.decide(actor, &command) {
            Ok(events) => panic!("{command:?} was not refused: {events:?}"),
            Err(refusal) => refusal,
        }
    }

    /// The code of the refusal.
    pub(crate) fn refused(&mut self, actor: &Actor, command: Command) -> String {
        self.refusal(actor, command).code
    }

    /// Lets time pass, and what is due happen.
    pub(crate) fn advance(&mut self, seconds: u64) -> Vec<Event> {
        self.now = self.now.plus_seconds(seconds);
        let mut all = Vec::new();
        while self.state.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            let events = self.must(&Actor::Remit, Command::Expire);
            assert!(!events.is_empty(), "a deadline that is due and does nothing would be tried for ever");
            all.extend(events);
        }
        all
    }

    pub(crate) fn named(&self, name: &str) -> PersonId {
        self.state.person_named(name).unwrap().id
    }

    pub(crate) fn support(&self) -> AgentId {
        self.state.agent_named("support").unwrap().id
    }

    pub(crate) fn helpdesk(&self) -> ConnectorId {
        self.state.connector_named("helpdesk").unwrap().id
    }

    pub(crate) fn person(&mut self, name: &str, groups: &[&str]) -> PersonId {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        self.must(&by(self.root), Command::AddPerson(AddPerson { name: name.to_owned(), groups }));
        self.named(name)
    }

    /// A complete record, which lets the starter policies decide by the operation alone.
    pub(crate) fn profile(&self, owner: PersonId) -> AgentProfile {
        AgentProfile {
            owner: Some(owner),
            approvers: vec![self.root],
            purpose: "answers customers".to_owned(),
            class: Some(Class::Act),
            autonomy: Some(3),
            data_classes: vec![DataClass::D0, DataClass::D1],
            environment: Some(Environment::Production),
            review_at: Some(BEGINNING.plus_seconds(90 * DAY)),
            enforcer: false,
        }
    }

    pub(crate) fn draft(&mut self, name: &str, profile: AgentProfile) -> AgentId {
        self.must(&by(self.root), Command::RegisterAgent(Box::new(RegisterAgent { name: name.to_owned(), profile })));
        self.state.agent_named(name).unwrap().id
    }

    /// An active agent.
    pub(crate) fn agent(&mut self, name: &str, owner: PersonId) -> AgentId {
        let profile = self.profile(owner);
        let agent = self.draft(name, profile);
        self.must(&by(owner), Command::ActivateAgent { agent });
        agent
    }

    /// A connector whose operations are approved.
    pub(crate) fn connector(&mut self, name: &str, choices: Vec<OperationChoice>) -> ConnectorId {
        let spec = ConnectorSpec::Http { url: format!("https://{name}.example.org/mcp") };
        let root = by(self.root);
        self.must(
            &root,
            Command::AddConnector(Box::new(AddConnector { name: name.to_owned(), owner: None, spec, sandbox: false })),
        );
        let connector = self.state.connector_named(name).unwrap().id;
        self.must(&root, Command::ApproveOperations { connector, choices });
        connector
    }

    /// A grant for a month, asked for by root and approved by the agent's owner.
    pub(crate) fn grant(&mut self, agent: AgentId, operations: &[&str]) -> GrantId {
        let owner = self.state.agent(agent).unwrap().profile.owner.unwrap();
        let grant = self.request(self.root, agent, operations, 30 * DAY);
        self.must(&by(owner), Command::ApproveGrant { grant });
        grant
    }

    pub(crate) fn request(
        &mut self,
        person: PersonId,
        agent: AgentId,
        operations: &[&str],
        ttl_seconds: u64,
    ) -> GrantId {
        let operations = operations.iter().map(|text| pattern(text)).collect();
        let request = RequestGrant { agent, operations, reason: "it answers tickets".to_owned(), ttl_seconds };
        let events = self.must(&by(person), Command::RequestGrant(request));
        match events.as_slice() {
            [Event::GrantRequested(request)] => request.id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn start(&mut self, actor: &Actor, start: StartTask) -> TaskId {
        match self.must(actor, Command::StartTask(Box::new(start))).as_slice() {
            [Event::TaskStarted(started)] => started.task,
            other => panic!("{other:?}"),
        }
    }

    /// A task that the agent started by its own key, so that its owner may answer for what it asks.
    pub(crate) fn task(&mut self, agent: AgentId) -> TaskId {
        self.start(&Actor::Agent { agent, task: None }, work(agent))
    }

    /// The agent under its task.
    pub(crate) fn under(&self, task: TaskId) -> Actor {
        let agent = self.state.tasks.get(&task).unwrap().agent;
        Actor::Agent { agent, task: Some(task) }
    }

    pub(crate) fn call(&mut self, task: TaskId, name: &str, arguments: Value) -> Reply {
        self.call_with(task, name, arguments, None)
    }

    pub(crate) fn call_with(
        &mut self,
        task: TaskId,
        name: &str,
        arguments: Value,
        approval: Option<ApprovalId>,
    ) -> Reply {
        let actor = self.under(task);
        let attempt = AttemptAction {
            credential_issued_at: Some(self.now),
            ..attempt(task, operation(name), arguments, approval)
        };
        let events = self.must(&actor, Command::AttemptAction(Box::new(attempt)));
        assert_eq!(events.len(), 1, "every attempt gives one record");
        match Verdict::among(&events) {
            Some(Verdict::Allowed(allowed)) => Reply::Allowed(allowed.clone()),
            Some(Verdict::Denied(denied)) => Reply::Denied(denied.clone()),
            Some(Verdict::Asked(asked)) => Reply::Asked(asked.clone()),
            None => panic!("no verdict in {events:?}"),
        }
    }

    /// Says yes to what `asked` shows.
    pub(crate) fn approve(&mut self, person: PersonId, asked: &ApprovalRequested) -> Vec<Event> {
        self.must(&by(person), yes(asked))
    }

    pub(crate) fn status(&self, approval: ApprovalId) -> &ApprovalStatus {
        &self.state.approval(approval).unwrap().status
    }

    /// Gives `person` their first passkey, from a session that a link began.
    pub(crate) fn passkey(&mut self, person: PersonId, credential: &str) {
        self.must(&signed_in(person, SignInMethod::OneTimeLink), enrol(credential, None));
    }

    /// Signs in whoever holds `credential`.
    pub(crate) fn session(&mut self, credential: &str, sign_count: u32, token: &str) -> SessionId {
        match self.must(&Actor::Remit, sign_in(credential, sign_count, token)).as_slice() {
            [Event::SessionOpened(opened)] => opened.session,
            other => panic!("{other:?}"),
        }
    }

    /// Signs in `person` with a link that root made at Remit's own machine.
    pub(crate) fn link_session(&mut self, person: PersonId, token: &str) -> SessionId {
        let (code, root) = (digest(&format!("code of {token}")), by(self.root));
        self.must(&root, Command::OfferSignIn { person, code, ttl_seconds: 600 });
        match self.must(&Actor::Remit, Command::OpenSession(OpenSession { code, token: digest(token) })).as_slice() {
            [Event::SessionOpened(opened)] => opened.session,
            other => panic!("{other:?}"),
        }
    }

    /// Approves a tool of the helpdesk again, as touching `data`.
    pub(crate) fn classify(&mut self, name: &str, data: DataClass) {
        let (connector, root) = (self.helpdesk(), by(self.root));
        let choice = helpdesk().into_iter().find(|choice| choice.tool == name).unwrap();
        self.must(&root, Command::ApproveOperations { connector, choices: vec![OperationChoice { data, ..choice }] });
    }

    /// Has `author` propose one policy text and an administrator who is not the author activate it.
    pub(crate) fn policy(&mut self, name: &str, text: &str) {
        let author = self.named("ana");
        let change = self.propose(author, name, text);
        self.must(&by(self.root), Command::ApproveChange { change });
    }

    pub(crate) fn propose(&mut self, author: PersonId, name: &str, text: &str) -> ChangeId {
        match self.must(&by(author), proposal(name, text)).as_slice() {
            [Event::ChangeProposed(proposed), Event::EditProposed(_)] => proposed.change,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn proposal(name: &str, text: &str) -> Command {
    propose(vec![policy(name, Some(text))])
}

pub(crate) fn policy(name: &str, text: Option<&str>) -> Edit {
    Edit::Policy(PolicyEdit { name: name.to_owned(), text: text.map(str::to_owned) })
}

pub(crate) fn propose(edits: Vec<Edit>) -> Command {
    Command::ProposeChange { edits, reason: "after the last incident".to_owned(), revert_of: None }
}

pub(crate) fn yes(asked: &ApprovalRequested) -> Command {
    Command::Approve(Approve::unsigned(asked.approval, asked.digest, String::new()))
}

/// A task without anything special about it.
pub(crate) fn work(agent: AgentId) -> StartTask {
    StartTask {
        agent,
        purpose: "answer ticket 7".to_owned(),
        acting_for: None,
        scope: Vec::new(),
        ttl_seconds: None,
        budget: None,
        parent: None,
        key: None,
        authority: Vec::new(),
        delegation: None,
        configuration: None,
    }
}

pub(crate) fn attempt(
    task: TaskId,
    operation: OperationName,
    arguments: Value,
    approval: Option<ApprovalId>,
) -> AttemptAction {
    let bytes = arguments.to_string().len() as u64;
    let content = ContentRef { commitment: Digest::of_document(&arguments), bytes };
    AttemptAction { approval, ..AttemptAction::new(task, operation, Arc::new(arguments), content) }
}
