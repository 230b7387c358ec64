//! Arbitrary steps that people, agents and time may take, in small numbers of names so that they meet.

use proptest::prelude::*;
use serde_json::json;

use super::world::{BEGINNING, DAY, World, attempt, by, digest, helpdesk, operation, pattern, signed_in, work};
use crate::*;

mod people;
mod trust;

/// One step: what is tried, by whom, and four free choices whose meaning depends on the kind.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    who: u8,
    a: u8,
    b: u8,
    c: u8,
    d: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[rustfmt::skip]
pub(crate) enum Kind {
    AddPerson, SetGroups, RemovePerson, OfferSignIn, OpenSession, EndSession,
    EnrolPasskey, RemovePasskey, OpenPasskeySession, OpenForeignSession, RaiseSession, ShowApproval, ReadContent,
    Register, Describe, Activate, Suspend, Resume, Decommission, OfferEnrolment, EnrolKey, RevokeKey,
    BindWorkload, UnbindWorkload, ArriveWorkload, AttestLaunch, IssueSvid, StepKey,
    OpenLegacyAccount, CloseLegacyAccount, StandIn, ReportSharing, CloseFinding, LinkPerson, ReceiveSignal, Enforce,
    AddConnector, RemoveConnector, ApproveOperations, Withdraw, OpenSandbox,
    RequestGrant, RequestAccess, ApproveGrant, DenyGrant, RevokeGrant,
    Start, IssueToken, End, Attempt, Outcome, Approve, Deny,
    Delegate, RevokeRun, RevokeToken, RegisterClient, RemoveClient, Consent, Redeem, Refresh,
    Propose, Emergency, ApproveChange, RejectChange, ReviewChange, Check, Erase, Expire, Recover, Pass,
}

/// What happens often stands here often.
#[rustfmt::skip]
fn kinds() -> Vec<Kind> {
    use self::Kind::*;
    // What ends a lot is rare, or nothing would be left to go wrong.
    let rarely = [RevokeRun, RemoveClient, RemovePerson, Decommission, RemoveConnector, Withdraw, Suspend, RevokeGrant, ReceiveSignal];
    let seldom = [
        AddPerson, SetGroups, OfferSignIn, OpenSession, EndSession, Register, Describe, OfferEnrolment, EnrolKey, RevokeKey,
        AddConnector, ApproveOperations, DenyGrant, Propose, Propose, Emergency, ApproveChange, ApproveChange, RejectChange, ReviewChange, Check, Erase, Recover,
        OpenSandbox, RevokeToken, RegisterClient,
        BindWorkload, UnbindWorkload, ArriveWorkload, StepKey, OpenLegacyAccount, CloseLegacyAccount, StandIn,
        ReportSharing, CloseFinding, LinkPerson, Enforce,
        EnrolPasskey, EnrolPasskey, RemovePasskey, OpenPasskeySession, OpenForeignSession, RaiseSession, ReadContent, ReadContent,
        Emergency, Emergency, ReviewChange, ReviewChange, ReviewChange, ReviewChange, ReviewChange, ReviewChange,
        OfferSignIn, OfferSignIn, OpenSession, OpenSession, EnrolPasskey,
    ];
    let sometimes = [Refresh, Consent, Delegate, Delegate, Consent, Redeem, Redeem, Refresh, Refresh, Refresh, RequestGrant, RequestAccess, RequestAccess, RequestAccess, RequestAccess, RequestAccess, RequestAccess, RequestAccess, RequestAccess, ApproveGrant, ApproveGrant, ApproveGrant, ApproveGrant, IssueToken, End, Deny, Expire, Activate, Resume, AttestLaunch, IssueSvid];
    let often = [Start, Attempt, Attempt, Attempt, Attempt, ShowApproval, Approve, Approve, Approve, Outcome, Pass];
    let mut all = rarely.to_vec();
    (0..3).for_each(|_| all.extend(seldom));
    (0..4).for_each(|_| all.extend(sometimes));
    (0..30).for_each(|_| all.extend(often));
    all
}

pub(crate) fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (prop::sample::select(kinds()), any::<u8>(), any::<[u8; 4]>());
    let step = step.prop_map(|(kind, who, [a, b, c, d])| Step { kind, who, a, b, c, d });
    prop::collection::vec(step, 1..length)
}

/// Every id that was ever given, of what has long ended too.
#[derive(Default)]
pub(crate) struct Ids {
    people: Vec<PersonId>,
    sessions: Vec<(SessionId, PersonId)>,
    passkeys: Vec<PersonId>,
    agents: Vec<AgentId>,
    connectors: Vec<ConnectorId>,
    grants: Vec<GrantId>,
    tasks: Vec<(TaskId, AgentId)>,
    actions: Vec<ActionId>,
    approvals: Vec<(ApprovalId, Digest)>,
    changes: Vec<ChangeId>,
    findings: Vec<FindingId>,
    runs: Vec<RunId>,
    clients: Vec<ClientId>,
}

impl Ids {
    pub(crate) fn learn(&mut self, event: &Event) {
        match event {
            Event::PersonAdded(added) => self.people.push(added.person),
            Event::SessionOpened(opened) => self.sessions.push((opened.session, opened.person)),
            Event::PasskeyEnrolled(enrolled) => self.passkeys.push(enrolled.person),
            Event::AgentRegistered(registered) => self.agents.push(registered.agent),
            Event::WorkloadArrived(arrived) => self.agents.push(arrived.agent),
            Event::FindingOpened(opened) => self.findings.push(opened.finding),
            Event::ConnectorAdded(added) => self.connectors.push(added.connector),
            Event::GrantRequested(request) => self.grants.push(request.id),
            Event::TaskStarted(started) => {
                self.tasks.push((started.task, started.agent));
                self.runs.push(started.run);
            }
            Event::ClientRegistered(registered) => self.clients.push(registered.client),
            Event::ActionAllowed(allowed) => self.actions.push(allowed.action),
            Event::ApprovalRequested(requested) => self.approvals.push((requested.approval, requested.digest)),
            Event::ChangeProposed(proposed) => self.changes.push(proposed.change),
            _ => {}
        }
    }
}

/// Mostly one of the newest, so that things meet while they are alive; sometimes an old one.
fn newest<T: Copy>(of: &[T], choice: u8) -> Option<T> {
    let (choice, few) = (usize::from(choice), of.len().min(3));
    match choice {
        0..224 if few > 0 => of.iter().rev().nth(choice % few).copied(),
        224..250 if few > 0 => of.get(choice % of.len()).copied(),
        _ => None,
    }
}

/// Any of them alike, or one that never was.
fn any_of<T: Copy>(of: &[T], choice: u8) -> Option<T> {
    of.get(usize::from(choice).checked_rem(of.len())?).copied().filter(|_| choice < 250)
}

fn never<K: id::Kind>() -> Id<K> {
    Id::from_uuid(uuid::Uuid::max())
}

fn reason() -> String {
    "because of the step".to_owned()
}

impl Step {
    /// Seconds that pass, for a step of time.
    pub(crate) fn seconds(&self) -> u64 {
        let spans = [1, 1, 1, 30, 30, 60, 60, 300, 899, 901, 3600, 3601, DAY, 2 * DAY, 31 * DAY, 91 * DAY];
        // Long spans end nearly everything, so they are rare.
        let few = if self.b < 244 { 8 } else { spans.len() };
        spans[usize::from(self.a) % few]
    }

    fn person(&self, ids: &Ids, choice: u8) -> PersonId {
        any_of(&ids.people, choice).unwrap_or_else(never)
    }

    fn agent(&self, ids: &Ids) -> AgentId {
        // Mostly the helpdesk's agent, the first.
        let choice = if self.a < 128 { 0 } else { self.a };
        any_of(&ids.agents, choice).unwrap_or_else(never)
    }

    fn task(&self, ids: &Ids) -> TaskId {
        newest(&ids.tasks, self.a).map_or_else(never, |(task, _)| task)
    }

    /// Mostly the same code, so that who holds one meets who waits for it.
    fn code(choice: u8) -> Digest {
        Digest::from_bytes([choice / 200; 32])
    }

    /// The key number `choice`, of three.
    fn key(choice: u8) -> AgentKey {
        let thumbprint = format!("key-{}", choice % 3);
        AgentKey { jwk: json!({"kty": "OKP", "x": thumbprint}), thumbprint }
    }

    pub(crate) fn actor(&self, ids: &Ids) -> Actor {
        let agents_do = matches!(self.kind, Kind::Attempt | Kind::Outcome | Kind::IssueToken | Kind::RequestAccess);
        match self.who {
            0..16 => self.by(self.person(ids, self.who)),
            16..24 => Actor::Agent { agent: any_of(&ids.agents, self.who).unwrap_or_else(never), task: None },
            24..28 => Actor::Remit,
            _ if agents_do => match newest(&ids.tasks, self.a) {
                Some((task, agent)) => Actor::Agent { agent, task: Some(task) },
                None => Actor::Remit,
            },
            28..200 if self.kind == Kind::Start && self.b < 128 => match newest(&ids.tasks, self.d) {
                Some((task, agent)) => Actor::Agent { agent, task: Some(task) },
                None => Actor::Agent { agent: self.agent(ids), task: None },
            },
            28..200 if self.kind == Kind::Start => Actor::Agent { agent: self.agent(ids), task: None },
            _ if matches!(self.kind, Kind::Expire | Kind::Recover | Kind::OpenSandbox) => Actor::Remit,
            _ if matches!(self.kind, Kind::Redeem | Kind::Refresh) => Actor::Remit,
            _ if self.kind == Kind::Delegate => Actor::Agent { agent: self.delegate(ids), task: None },
            28..232 if self.kind == Kind::AttestLaunch => match newest(&ids.tasks, self.a) {
                Some((_, agent)) => Actor::Agent { agent, task: None },
                None => Actor::Remit,
            },
            28..232 if self.is_of_remit() => Actor::Remit,
            // Those who are asked, mostly.
            28..192 if matches!(self.kind, Kind::Approve | Kind::ShowApproval) => {
                self.by(ids.people[usize::from(self.who % 4)])
            }
            28..192 if self.whose_passkey(ids).is_some() => self.by(self.whose_passkey(ids).unwrap_or_else(never)),
            // Root, who may do most, as often as all others together.
            who if who % 2 == 0 => self.by(ids.people[0]),
            who => self.by(self.person(ids, who / 2)),
        }
    }

    /// A person, mostly at Remit's own machine; passkeys are enrolled in browsers.
    fn by(&self, person: PersonId) -> Actor {
        let in_browser = self.kind == Kind::EnrolPasskey;
        match self.d {
            0..200 if !in_browser => by(person),
            0..100 => signed_in(person, SignInMethod::OneTimeLink),
            100..225 => signed_in(person, SignInMethod::FreshPasskey),
            225..235 => signed_in(person, SignInMethod::Passkey),
            235..245 => signed_in(person, SignInMethod::OneTimeLink),
            _ => signed_in(person, SignInMethod::OpenIdConnect),
        }
    }

    /// The person whose session or passkey this is about.
    fn whose_passkey(&self, ids: &Ids) -> Option<PersonId> {
        match self.kind {
            Kind::RaiseSession => newest(&ids.sessions, self.a).map(|(_, person)| person),
            Kind::EnrolPasskey if self.b < 128 => newest(&ids.sessions, self.a).map(|(_, person)| person),
            Kind::RemovePasskey => newest(&ids.passkeys, self.a),
            _ => None,
        }
    }

    /// Whether only Remit itself does this.
    fn is_of_remit(&self) -> bool {
        use self::Kind::*;
        let signs_in = matches!(self.kind, OpenPasskeySession | OpenForeignSession);
        signs_in
            || matches!(
                self.kind,
                ArriveWorkload | IssueSvid | StandIn | ReportSharing | ReceiveSignal | Enforce | Check
            )
    }

    /// The command of this step; nothing if only time passes.
    pub(crate) fn command(&self, world: &World, ids: &Ids) -> Option<Command> {
        match self.kind {
            Kind::Pass => None,
            Kind::AddPerson
            | Kind::SetGroups
            | Kind::RemovePerson
            | Kind::OfferSignIn
            | Kind::OpenSession
            | Kind::EndSession => Some(self.about_people(ids)),
            Kind::EnrolPasskey
            | Kind::RemovePasskey
            | Kind::OpenPasskeySession
            | Kind::OpenForeignSession
            | Kind::RaiseSession
            | Kind::ShowApproval
            | Kind::ReadContent => Some(self.about_passkeys(world, ids)),
            Kind::Register | Kind::Describe | Kind::Activate | Kind::Suspend | Kind::Resume | Kind::Decommission => {
                Some(self.about_agents(world, ids))
            }
            Kind::OfferEnrolment | Kind::EnrolKey | Kind::RevokeKey => Some(self.about_keys(ids)),
            Kind::BindWorkload
            | Kind::UnbindWorkload
            | Kind::ArriveWorkload
            | Kind::AttestLaunch
            | Kind::IssueSvid
            | Kind::StepKey
            | Kind::OpenLegacyAccount
            | Kind::CloseLegacyAccount
            | Kind::StandIn
            | Kind::ReportSharing
            | Kind::CloseFinding
            | Kind::LinkPerson
            | Kind::ReceiveSignal
            | Kind::Enforce => Some(self.about_trust(world, ids)),
            Kind::AddConnector | Kind::RemoveConnector | Kind::ApproveOperations | Kind::Withdraw => {
                Some(self.about_connectors(ids))
            }
            Kind::RequestGrant | Kind::RequestAccess | Kind::ApproveGrant | Kind::DenyGrant | Kind::RevokeGrant => {
                Some(self.about_grants(ids))
            }
            Kind::Start | Kind::IssueToken | Kind::End | Kind::Erase => Some(self.about_tasks(world, ids)),
            Kind::Attempt | Kind::Outcome | Kind::Approve | Kind::Deny => Some(self.about_actions(world, ids)),
            Kind::Delegate
            | Kind::RevokeRun
            | Kind::RevokeToken
            | Kind::RegisterClient
            | Kind::RemoveClient
            | Kind::Consent
            | Kind::Redeem
            | Kind::Refresh => Some(self.about_authority(world, ids)),
            _ => Some(self.about_the_realm(ids)),
        }
    }

    fn about_agents(&self, world: &World, ids: &Ids) -> Command {
        let agent = self.agent(ids);
        match self.kind {
            Kind::Register | Kind::Describe => {
                let mut profile = world.profile(self.person(ids, self.b % 8));
                profile.approvers = vec![self.person(ids, self.c % 8)];
                profile.autonomy = Some(self.c % 4 + 1);
                profile.review_at = Some(BEGINNING.plus_seconds(u64::from(self.d) * DAY));
                if self.d.is_multiple_of(8) {
                    profile.purpose.clear();
                }
                match self.kind {
                    Kind::Register => Command::RegisterAgent(Box::new(RegisterAgent {
                        name: format!("agent-{}", self.a % 4),
                        profile,
                    })),
                    _ => Command::DescribeAgent { agent, profile: Box::new(profile) },
                }
            }
            Kind::Activate => Command::ActivateAgent { agent },
            Kind::Suspend => Command::SuspendAgent { agent, reason: reason() },
            Kind::Resume => Command::ResumeAgent { agent },
            _ => Command::DecommissionAgent { agent, reason: reason() },
        }
    }

    fn about_keys(&self, ids: &Ids) -> Command {
        let code = Self::code(self.b);
        match self.kind {
            Kind::OfferEnrolment => {
                Command::OfferEnrolment { agent: self.agent(ids), code, ttl_seconds: u64::from(self.c) * 60 }
            }
            Kind::EnrolKey => {
                let agent = if self.a < 224 { "support".to_owned() } else { format!("agent-{}", self.a % 4) };
                Command::EnrolKey { agent, code, key: Self::key(self.c) }
            }
            _ => Command::RevokeKey { agent: self.agent(ids), thumbprint: Self::key(self.c).thumbprint },
        }
    }

    fn about_connectors(&self, ids: &Ids) -> Command {
        let connector = any_of(&ids.connectors, self.a).unwrap_or_else(never);
        match self.kind {
            Kind::AddConnector => {
                let name = if self.a.is_multiple_of(2) { "helpdesk" } else { "billing" }.to_owned();
                let spec = ConnectorSpec::Http { url: "https://tools.example.org/mcp".to_owned() };
                Command::AddConnector(Box::new(AddConnector {
                    name,
                    owner: None,
                    spec,
                    sandbox: self.b.is_multiple_of(4),
                }))
            }
            Kind::RemoveConnector if self.b < 64 => Command::RemoveConnector { connector },
            Kind::Withdraw | Kind::RemoveConnector => {
                Command::WithdrawOperation { operation: self.operation(), reason: reason() }
            }
            _ => {
                let mut choices = helpdesk();
                choices.truncate(usize::from(self.b % 16));
                if self.c.is_multiple_of(4)
                    && let Some(choice) = choices.last_mut()
                {
                    choice.definition.document["description"] = json!(format!("changed {}", self.d));
                }
                Command::ApproveOperations { connector, choices }
            }
        }
    }

    fn operation(&self) -> OperationName {
        let names =
            ["helpdesk/refund", "helpdesk/update", "helpdesk/read", "helpdesk/mail", "billing/read", "helpdesk/gone"];
        // Most often what a person is asked about.
        operation(names[if self.b < 128 { 0 } else { usize::from(self.b) % names.len() }])
    }

    fn about_grants(&self, ids: &Ids) -> Command {
        let grant = newest(&ids.grants, self.a).unwrap_or_else(never);
        match self.kind {
            Kind::RequestGrant => {
                let texts = ["helpdesk/*", "helpdesk/refund", "helpdesk/read", "billing/*"];
                let operations = vec![pattern(texts[usize::from(self.b) % texts.len()])];
                let ttl_seconds = u64::from(self.c) * 3600;
                Command::RequestGrant(RequestGrant {
                    agent: self.agent(ids),
                    operations,
                    reason: reason(),
                    ttl_seconds,
                })
            }
            Kind::RequestAccess => {
                // Rarely more than it may ask for.
                let names = ["helpdesk/update", "helpdesk/refund", "helpdesk/mail"];
                let mut operations = vec![operation(names[usize::from(self.b) % names.len()])];
                operations.extend(self.c.is_multiple_of(8).then(|| self.operation()));
                let ttl_seconds = (self.d < 128).then(|| u64::from(self.d) * 60);
                Command::RequestAccess(Box::new(RequestAccess {
                    task: self.task(ids),
                    operations,
                    reason: reason(),
                    ttl_seconds,
                }))
            }
            Kind::ApproveGrant => Command::ApproveGrant { grant },
            Kind::DenyGrant => Command::DenyGrant { grant, note: String::new() },
            _ => Command::RevokeGrant { grant, reason: reason() },
        }
    }

    fn about_tasks(&self, world: &World, ids: &Ids) -> Command {
        let task = self.task(ids);
        match self.kind {
            Kind::Start => Command::StartTask(Box::new(self.start(ids))),
            Kind::IssueToken => {
                let expires_at = world.now.plus_seconds(u64::from(self.b) * 20);
                Command::IssueToken { task, token: format!("token-{}", self.c), expires_at }
            }
            Kind::End => Command::EndTask { task, note: String::new() },
            _ => {
                // Sometimes somebody else's.
                let own = world.state.tasks.get(&task).map(|task| task.agent).filter(|_| !self.c.is_multiple_of(8));
                Command::EraseContent { task, agent: own.unwrap_or_else(|| self.agent(ids)), reason: reason() }
            }
        }
    }

    fn start(&self, ids: &Ids) -> StartTask {
        let patterns = ["helpdesk/*", "helpdesk/refund", "helpdesk/read"];
        let parent = if self.b < 128 { newest(&ids.tasks, self.d) } else { None };
        StartTask {
            acting_for: (self.c.is_multiple_of(8)).then(|| self.person(ids, self.c)),
            scope: (self.c.is_multiple_of(3)).then(|| pattern(patterns[usize::from(self.b) % 3])).into_iter().collect(),
            ttl_seconds: (!self.b.is_multiple_of(4)).then(|| u64::from(self.b) * 40),
            budget: (self.b % 16 == 1).then(|| Budget { calls_max: u64::from(self.c % 4) }),
            parent: parent.map(|(task, _)| task),
            key: (self.c % 8 == 1).then(|| Self::key(self.d).thumbprint),
            authority: if parent.is_none() { self.authority() } else { Vec::new() },
            delegation: (self.c.is_multiple_of(2) && parent.is_none())
                .then(|| Delegation { depth_max: 2, delegates: vec![Delegate::AnyAgent] }),
            ..work(parent.map_or_else(|| self.agent(ids), |(_, agent)| agent))
        }
    }

    /// Mostly the second agent, so that it is another than the first, which has most tasks.
    fn delegate(&self, ids: &Ids) -> AgentId {
        let choice = if self.b < 192 { 1 } else { self.b };
        any_of(&ids.agents, choice).unwrap_or_else(never)
    }

    fn about_authority(&self, world: &World, ids: &Ids) -> Command {
        let code = Self::code(self.b);
        let refresh = Digest::from_bytes([self.c % 2; 32]);
        match self.kind {
            Kind::Delegate => Command::DelegateTask(Box::new(DelegateTask {
                parent: self.task(ids),
                delegate: self.delegate(ids),
                purpose: None,
                scope: Vec::new(),
                authority: self.authority(),
                ttl_seconds: None,
                calls_max: None,
                // Bound to the certificate of its own name, which needs no enrolment.
                key: world.state.agent(self.delegate(ids)).ok().map(|agent| agent.spiffe_id("example.org")),
                configuration: None,
            })),
            Kind::RevokeRun => {
                Command::RevokeRun { run: newest(&ids.runs, self.a).unwrap_or_else(never), reason: reason() }
            }
            Kind::RevokeToken => {
                let expires_at = world.now.plus_seconds(60);
                Command::RevokeToken { task: self.task(ids), token: format!("token-{}", self.c), expires_at }
            }
            Kind::RegisterClient => {
                let redirect_uris = vec!["http://127.0.0.1/callback".to_owned()];
                Command::RegisterClient { name: format!("client-{}", self.a % 3), redirect_uris }
            }
            Kind::RemoveClient => Command::RemoveClient { client: newest(&ids.clients, self.a).unwrap_or_else(never) },
            Kind::Consent => Command::Consent(Box::new(Consent {
                code,
                client: "client".to_owned(),
                client_name: "a client".to_owned(),
                redirect_uri: "http://127.0.0.1/callback".to_owned(),
                agent: self.agent(ids),
                purpose: "a step".to_owned(),
                scope: Vec::new(),
                authority: self.authority(),
                resource: "http://127.0.0.1:7480/mcp".to_owned(),
                challenge: "challenge".to_owned(),
                key: None,
                configuration: None,
                ttl_seconds: None,
            })),
            Kind::Redeem => Command::RedeemCode(Box::new(RedeemCode {
                code,
                client: "client".to_owned(),
                redirect_uri: "http://127.0.0.1/callback".to_owned(),
                challenge: if self.d < 240 { "challenge" } else { "another" }.to_owned(),
                resource: None,
                key: None,
                refresh: Some(refresh),
            })),
            _ => {
                let new = Digest::from_bytes([self.d % 2; 32]);
                Command::RotateRefresh { old: refresh, new, client: "client".to_owned() }
            }
        }
    }

    fn authority(&self) -> Vec<Authority> {
        let part = |delegates: u32| Authority {
            operations: vec![pattern("helpdesk/*")],
            constraints: std::collections::BTreeMap::new(),
            delegation: (delegates > 0)
                .then(|| Delegation { depth_max: delegates, delegates: vec![Delegate::AnyAgent] }),
        };
        if self.d < 200 { Vec::new() } else { vec![part(u32::from(self.d % 3))] }
    }

    fn about_actions(&self, world: &World, ids: &Ids) -> Command {
        let (approval, shown) = newest(&ids.approvals, self.a).unwrap_or_else(|| (never(), digest("nothing")));
        match self.kind {
            Kind::Attempt => {
                let arguments = match self.c % 8 {
                    0 => json!({"id": 7, "amount": 1}),
                    1 => json!({"id": "seven"}),
                    _ => json!({"id": 7}),
                };
                // Sometimes an approval is presented, mostly one for something else.
                let presented = (self.d < 64).then(|| newest(&ids.approvals, self.d).map_or_else(never, |(id, _)| id));
                // Sometimes the door does not know how old the credential is.
                let credential_issued_at = Some(world.now).filter(|_| !self.d.is_multiple_of(16));
                let attempt = attempt(self.task(ids), self.operation(), arguments, presented);
                Command::AttemptAction(Box::new(AttemptAction { credential_issued_at, ..attempt }))
            }
            Kind::Outcome => {
                let outcome =
                    if self.b.is_multiple_of(2) { Outcome::Succeeded } else { Outcome::Failed { reason: reason() } };
                let action = newest(&ids.actions, self.c).unwrap_or_else(never);
                Command::RecordOutcome(Box::new(RecordOutcome { action, outcome, result: None, latency_ms: 5 }))
            }
            Kind::Approve => {
                let digest = if self.b < 240 { shown } else { digest("something else") };
                Command::Approve(self.signed(world, ids, Approve::unsigned(approval, digest, String::new())))
            }
            _ => Command::Deny(Deny { approval, note: String::new() }),
        }
    }

    fn about_the_realm(&self, ids: &Ids) -> Command {
        let change = newest(&ids.changes, self.a).unwrap_or_else(never);
        match self.kind {
            Kind::Propose => {
                let revert_of = ids.changes.first().copied().filter(|_| self.c.is_multiple_of(4));
                Command::ProposeChange { edits: vec![self.edit(ids)], reason: reason(), revert_of }
            }
            Kind::Emergency => Command::EmergencyChange { edits: vec![self.edit(ids)], reason: reason() },
            Kind::ApproveChange => Command::ApproveChange { change },
            Kind::RejectChange => Command::RejectChange { change, note: String::new() },
            Kind::ReviewChange => Command::ReviewChange { change, upheld: self.b < 200, note: String::new() },
            Kind::Check => {
                Command::RecordCheck { change, check: "replay".to_owned(), passed: self.b < 200, summary: reason() }
            }
            Kind::Recover => Command::Recover,
            Kind::OpenSandbox => Command::OpenSandbox { owner: self.person(ids, self.a % 4) },
            _ => Command::Expire,
        }
    }

    /// A change of one artefact.
    fn edit(&self, ids: &Ids) -> Edit {
        let (person, agent) = (self.person(ids, self.b), self.agent(ids));
        match self.d % 8 {
            0 => Edit::Groups { person, groups: vec!["leads".to_owned(), "administrators".to_owned()] },
            1 => Edit::Entitlements { person, operations: Some(vec![super::world::pattern("helpdesk/read")]) },
            2 => {
                let model = Some(format!("model-{}", self.a % 2));
                let configuration = Configuration { model, ..Configuration::default() };
                Edit::Configuration { agent, configuration: Some(configuration).filter(|_| self.c.is_multiple_of(2)) }
            }
            4 => self.absence(person, ids),
            3 => Edit::Approvers { agent, owner: person, approvers: vec![self.person(ids, self.c)] },
            _ => Edit::Policy(self.policy()),
        }
    }

    /// A change of the policies; none lifts a starter policy.
    fn policy(&self) -> PolicyEdit {
        let one = "@id(\"leads\") @approvers(\"leads\") @within(\"1h\") forbid (principal, action in Action::\"write\", resource) \
                   unless { context has approval && context.approval.roles.contains(\"leads\") };";
        let two = "@id(\"leads\") @approvers(\"leads\") @quorum(\"2\") forbid (principal, action in Action::\"write\", resource) \
                   unless { context has approval && context.approval.count >= 2 && context.approval.roles.contains(\"leads\") };";
        let text = [
            Some(one),
            Some(two),
            None,
            Some("forbid (principal"),
            Some("@id(\"no-mail\") forbid (principal, action == Action::\"helpdesk/mail\", resource);"),
        ];
        let text = text[usize::from(self.a) % text.len()];
        PolicyEdit { name: "leads".to_owned(), text: text.map(str::to_owned) }
    }
}
