//! Everything that can be asked for, and the one function that decides it.

use crate::{
    Actor, AddConnector, AddPerson, AgentId, AgentKey, AgentProfile, Approve, AttemptAction, ChangeId, ClientId,
    ConnectorId, Consent, CreateRealm, DelegateTask, Deny, Digest, Edit, EnrolPasskey, Event, GrantId, Moment,
    OpenForeignSession, OpenPasskeySession, OpenSession, OperationChoice, OperationName, PasskeyUse, PersonId,
    RecordOutcome, RedeemCode, Refusal, RegisterAgent, RequestAccess, RequestGrant, RunId, SessionId, ShowApproval,
    StartTask, State, TaskId, Timestamp,
};
use crate::{
    action, agent, approval, authorization, change, connector, delegate, expire, grant, operation, passkey, permission,
    person, realm, revoke, sandbox, session, task,
};

use crate::{
    FindingId, IssueSvid, OpenLegacyAccount, Process, ReceiveSignal, RecordEnforcement, ReportSharing, StepKey,
    WorkloadIdentity,
};
use crate::{enforcement, finding, launch, legacy, realm_key, signal, workload};

/// Something that somebody wants to happen.
#[derive(Debug, Clone)]
pub enum Command {
    CreateRealm(Box<CreateRealm>),

    AddPerson(AddPerson),
    SetPersonGroups {
        person: PersonId,
        groups: Vec<String>,
    },
    RemovePerson {
        person: PersonId,
    },
    OfferSignIn {
        person: PersonId,
        code: Digest,
        ttl_seconds: u64,
    },
    OpenSession(OpenSession),
    EndSession {
        session: SessionId,
    },
    OpenPasskeySession(Box<OpenPasskeySession>),
    OpenForeignSession(Box<OpenForeignSession>),
    RaiseSession {
        session: SessionId,
        shown: PasskeyUse,
    },
    EnrolPasskey(Box<EnrolPasskey>),
    RemovePasskey {
        credential: String,
        reason: String,
    },

    RegisterAgent(Box<RegisterAgent>),
    DescribeAgent {
        agent: AgentId,
        profile: Box<AgentProfile>,
    },
    ActivateAgent {
        agent: AgentId,
    },
    SuspendAgent {
        agent: AgentId,
        reason: String,
    },
    ResumeAgent {
        agent: AgentId,
    },
    DecommissionAgent {
        agent: AgentId,
        reason: String,
    },
    OfferEnrolment {
        agent: AgentId,
        code: Digest,
        ttl_seconds: u64,
    },
    EnrolKey {
        agent: String,
        code: Digest,
        key: AgentKey,
    },
    RevokeKey {
        agent: AgentId,
        thumbprint: String,
    },

    BindWorkload {
        agent: AgentId,
        workload: WorkloadIdentity,
    },
    UnbindWorkload {
        agent: AgentId,
        workload: WorkloadIdentity,
    },
    /// A workload that nobody registered proved to `issuer` who it is; `evidence` says how.
    ArriveWorkload {
        issuer: String,
        subject: String,
        evidence: String,
    },
    AttestLaunch {
        task: TaskId,
        process: Process,
    },
    IssueSvid(Box<IssueSvid>),
    OpenLegacyAccount(Box<OpenLegacyAccount>),
    CloseLegacyAccount {
        name: String,
        reason: String,
    },
    /// Makes sure that an agent without tokens of its own has a task to act under, through `via`.
    StandIn {
        agent: AgentId,
        via: String,
    },
    ReportSharing(Box<ReportSharing>),
    CloseFinding {
        finding: FindingId,
        note: String,
    },
    LinkPerson {
        person: PersonId,
        issuer: String,
        subject: String,
    },
    ReceiveSignal(Box<ReceiveSignal>),
    RecordEnforcement(Box<RecordEnforcement>),

    AddConnector(Box<AddConnector>),
    RemoveConnector {
        connector: ConnectorId,
    },
    ApproveOperations {
        connector: ConnectorId,
        choices: Vec<OperationChoice>,
    },
    WithdrawOperation {
        operation: OperationName,
        reason: String,
    },

    RequestGrant(RequestGrant),
    RequestAccess(Box<RequestAccess>),
    ApproveGrant {
        grant: GrantId,
    },
    DenyGrant {
        grant: GrantId,
        note: String,
    },
    RevokeGrant {
        grant: GrantId,
        reason: String,
    },

    /// Makes sure that the sandbox can be used, by Remit itself when it is started so; `owner` is the administrator who answers.
    OpenSandbox {
        owner: PersonId,
    },

    StartTask(Box<StartTask>),
    IssueToken {
        task: TaskId,
        token: String,
        expires_at: Timestamp,
    },
    EndTask {
        task: TaskId,
        note: String,
    },
    DelegateTask(Box<DelegateTask>),
    RevokeRun {
        run: RunId,
        reason: String,
    },
    RevokeToken {
        task: TaskId,
        token: String,
        expires_at: Timestamp,
    },

    RegisterClient {
        name: String,
        redirect_uris: Vec<String>,
    },
    RemoveClient {
        client: ClientId,
    },
    Consent(Box<Consent>),
    RedeemCode(Box<RedeemCode>),
    RotateRefresh {
        old: Digest,
        new: Digest,
        client: String,
    },

    AttemptAction(Box<AttemptAction>),
    RecordOutcome(Box<RecordOutcome>),
    ShowApproval(ShowApproval),
    Approve(Approve),
    Deny(Deny),

    ProposeChange {
        edits: Vec<Edit>,
        reason: String,
        /// The change that this one undoes.
        revert_of: Option<ChangeId>,
    },
    ApproveChange {
        change: ChangeId,
    },
    RejectChange {
        change: ChangeId,
        note: String,
    },
    /// Active at once; two other people review it afterwards.
    EmergencyChange {
        edits: Vec<Edit>,
        reason: String,
    },
    ReviewChange {
        change: ChangeId,
        upheld: bool,
        note: String,
    },
    /// What was tried with a proposal came to this.
    RecordCheck {
        change: ChangeId,
        check: String,
        passed: bool,
        summary: String,
    },

    StepKey(Box<StepKey>),
    /// Somebody reads what an agent sent or was answered, for a reason.
    ReadContent {
        agent: AgentId,
        task: TaskId,
        content: Digest,
        reason: String,
    },
    EraseContent {
        task: TaskId,
        /// The agent whose task it is: the state forgets tasks, the ledger and its readers do not.
        agent: AgentId,
        reason: String,
    },
    /// Whatever is due by time alone.
    Expire,
    /// After a restart: what was under way has an unknown outcome.
    Recover,
}

impl Command {
    /// Whether it changes who may do what, gives out what outlives a session, ends something, or says yes: then a person who has a passkey shows it. Saying no to a
    /// question, asking, and leaving are never grave; what a signature of its own stands for is asked for there.
    pub(crate) const fn is_grave(&self) -> bool {
        matches!(
            self,
            Self::AddPerson(_)
                | Self::SetPersonGroups { .. }
                | Self::RemovePerson { .. }
                | Self::OfferSignIn { .. }
                | Self::RemovePasskey { .. }
                | Self::LinkPerson { .. }
                | Self::RegisterAgent(_)
                | Self::DescribeAgent { .. }
                | Self::ActivateAgent { .. }
                | Self::SuspendAgent { .. }
                | Self::ResumeAgent { .. }
                | Self::DecommissionAgent { .. }
                | Self::OfferEnrolment { .. }
                | Self::RevokeKey { .. }
                | Self::BindWorkload { .. }
                | Self::UnbindWorkload { .. }
                | Self::OpenLegacyAccount(_)
                | Self::CloseLegacyAccount { .. }
                | Self::CloseFinding { .. }
                | Self::AddConnector(_)
                | Self::RemoveConnector { .. }
                | Self::ApproveOperations { .. }
                | Self::WithdrawOperation { .. }
                | Self::ApproveGrant { .. }
                | Self::RevokeGrant { .. }
                | Self::StartTask(_)
                | Self::Consent(_)
                | Self::IssueToken { .. }
                | Self::EndTask { .. }
                | Self::RevokeRun { .. }
                | Self::RevokeToken { .. }
                | Self::RegisterClient { .. }
                | Self::RemoveClient { .. }
                | Self::ProposeChange { .. }
                | Self::ApproveChange { .. }
                | Self::EmergencyChange { .. }
                | Self::ReviewChange { .. }
                | Self::StepKey(_)
                | Self::ReadContent { .. }
                | Self::EraseContent { .. }
        )
    }
}

/// Decides `command` by `actor` at the moment `at` against `state`: what happens, or why not.
///
/// Pure: the same arguments give the same answer, wherever and whenever it is asked again.
#[expect(clippy::too_many_lines, reason = "one arm for each command, so that a missing one does not compile")]
pub fn decide(state: &State, actor: &Actor, command: &Command, at: &Moment) -> Result<Vec<Event>, Refusal> {
    if state.realm.is_none() && !matches!(command, Command::CreateRealm(_)) {
        return Err(Refusal::new("no_realm", "this ledger has no realm yet").help("start Remit once with `remit up`"));
    }
    if let (Actor::Person { person, .. }, true) = (actor, state.realm.is_some()) {
        // Somebody who was removed does nothing any more, whatever they still hold.
        state.person(*person)?;
    }
    if command.is_grave() {
        actor.must_be_fresh(state)?;
    }
    match command {
        Command::CreateRealm(create) => realm::decide_create(state, create, at),

        Command::AddPerson(add) => person::decide_add(state, actor, add, at),
        Command::SetPersonGroups { person, groups } => person::decide_set_groups(state, actor, *person, groups, at),
        Command::RemovePerson { person } => person::decide_remove(state, actor, *person),
        Command::OfferSignIn { person, code, ttl_seconds } => {
            session::decide_offer(state, actor, *person, *code, *ttl_seconds, at)
        }
        Command::OpenSession(open) => session::decide_open(state, open, at),
        Command::EndSession { session } => session::decide_end(state, actor, *session),
        Command::OpenPasskeySession(open) => session::decide_open_passkey(state, actor, open, at),
        Command::OpenForeignSession(open) => session::decide_open_foreign(state, actor, open, at),
        Command::RaiseSession { session, shown } => passkey::decide_raise(state, actor, *session, shown, at),
        Command::EnrolPasskey(enrol) => passkey::decide_enrol(state, actor, enrol, at),
        Command::RemovePasskey { credential, reason } => passkey::decide_remove(state, actor, credential, reason),

        Command::RegisterAgent(register) => agent::decide_register(state, actor, register, at),
        Command::DescribeAgent { agent, profile } => agent::decide_describe(state, actor, *agent, profile, at),
        Command::ActivateAgent { agent } => agent::decide_activate(state, actor, *agent, at),
        Command::SuspendAgent { agent, reason } => agent::decide_suspend(state, actor, *agent, reason),
        Command::ResumeAgent { agent } => agent::decide_resume(state, actor, *agent, at),
        Command::DecommissionAgent { agent, reason } => agent::decide_decommission(state, actor, *agent, reason),
        Command::OfferEnrolment { agent, code, ttl_seconds } => {
            agent::decide_offer_enrolment(state, actor, *agent, *code, *ttl_seconds, at)
        }
        Command::EnrolKey { agent, code, key } => agent::decide_enrol(state, agent, *code, key, at),
        Command::RevokeKey { agent, thumbprint } => agent::decide_revoke_key(state, actor, *agent, thumbprint),

        Command::BindWorkload { agent, workload } => workload::decide_bind(state, actor, *agent, workload),
        Command::UnbindWorkload { agent, workload } => workload::decide_unbind(state, actor, *agent, workload),
        Command::ArriveWorkload { issuer, subject, evidence } => {
            workload::decide_arrive(state, actor, issuer, subject, evidence, at)
        }
        Command::AttestLaunch { task, process } => launch::decide_attest(state, actor, *task, process, at),
        Command::IssueSvid(issue) => launch::decide_issue_svid(state, actor, issue, at),
        Command::OpenLegacyAccount(open) => legacy::decide_open(state, actor, open, at),
        Command::CloseLegacyAccount { name, reason } => legacy::decide_close(state, actor, name, reason),
        Command::StandIn { agent, via } => legacy::decide_stand_in(state, actor, *agent, via, at),
        Command::ReportSharing(report) => finding::decide_report(state, actor, report, at),
        Command::CloseFinding { finding, note } => finding::decide_close(state, actor, *finding, note),
        Command::LinkPerson { person, issuer, subject } => signal::decide_link(state, actor, *person, issuer, subject),
        Command::ReceiveSignal(signal) => signal::decide_receive(state, actor, signal, at),
        Command::RecordEnforcement(record) => enforcement::decide_record(state, actor, record),

        Command::AddConnector(add) => connector::decide_add(state, actor, add, at),
        Command::RemoveConnector { connector } => connector::decide_remove(state, actor, *connector),
        Command::ApproveOperations { connector, choices } => {
            operation::decide_approve(state, actor, *connector, choices, at)
        }
        Command::WithdrawOperation { operation, reason } => operation::decide_withdraw(state, actor, operation, reason),

        Command::RequestGrant(request) => grant::decide_request(state, actor, request, at),
        Command::RequestAccess(ask) => grant::access::decide_request(state, actor, ask, at),
        Command::ApproveGrant { grant } => grant::decide_approve(state, actor, *grant, at),
        Command::DenyGrant { grant, note } => grant::decide_deny(state, actor, *grant, note),
        Command::RevokeGrant { grant, reason } => grant::decide_revoke(state, actor, *grant, reason),

        Command::OpenSandbox { owner } => sandbox::decide_open(state, actor, *owner, at),

        Command::StartTask(start) => task::decide_start(state, actor, start, at),
        Command::IssueToken { task, token, expires_at } => {
            task::decide_issue_token(state, actor, *task, token, *expires_at, at)
        }
        Command::EndTask { task, note } => task::decide_end(state, actor, *task, note),
        Command::DelegateTask(ask) => delegate::decide_delegate(state, actor, ask, at),
        Command::RevokeRun { run, reason } => revoke::decide_revoke_run(state, actor, *run, reason),
        Command::RevokeToken { task, token, expires_at } => {
            revoke::decide_revoke_token(state, actor, *task, token, *expires_at)
        }

        Command::RegisterClient { name, redirect_uris } => {
            authorization::decide_register(state, actor, name, redirect_uris, at)
        }
        Command::RemoveClient { client } => authorization::decide_remove(state, actor, *client),
        Command::Consent(consent) => authorization::decide_consent(state, actor, consent, at),
        Command::RedeemCode(redeem) => authorization::decide_redeem(state, actor, redeem, at),
        Command::RotateRefresh { old, new, client } => {
            authorization::decide_refresh(state, actor, old, *new, client, at)
        }

        Command::AttemptAction(attempt) => action::decide_attempt(state, actor, attempt, at),
        Command::RecordOutcome(record) => action::decide_outcome(state, actor, record),
        Command::ShowApproval(show) => approval::decide_show(state, actor, show, at),
        Command::Approve(approve) => approval::decide_approve(state, actor, approve, at),
        Command::Deny(deny) => approval::decide_deny(state, actor, deny, at),

        Command::ProposeChange { edits, reason, revert_of } => {
            change::decide_propose(state, actor, edits, reason, *revert_of, at)
        }
        Command::ApproveChange { change } => change::decide_approve(state, actor, *change, at),
        Command::RejectChange { change, note } => change::decide_reject(state, actor, *change, note),
        Command::EmergencyChange { edits, reason } => change::decide_emergency(state, actor, edits, reason, at),
        Command::ReviewChange { change, upheld, note } => change::decide_review(state, actor, *change, *upheld, note),
        Command::RecordCheck { change, check, passed, summary } => {
            change::decide_check(state, actor, *change, check, *passed, summary)
        }

        Command::StepKey(step) => realm_key::decide_step(state, actor, step),
        Command::ReadContent { agent, task, content, reason } => {
            permission::decide_read(state, actor, *agent, *task, *content, reason)
        }
        Command::EraseContent { task, agent, reason } => realm::decide_erase(state, actor, *task, *agent, reason),
        Command::Expire | Command::Recover if *actor != Actor::Remit => {
            Err(Refusal::new("not_permitted", "only Remit itself does what time or a restart brings about"))
        }
        Command::Expire => Ok(expire::decide_expire(state, at)),
        Command::Recover => Ok(action::decide_recover(state, at)),
    }
}
