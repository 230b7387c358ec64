//! Which commands somebody with a passkey shows it for: a list that a reviewer reads, held against what `decide` does.

use serde_json::json;

use super::world::{
    World, attempt, by, digest, enrol, helpdesk, operation, policy, shown_passkey, sign_in, signed_in, work,
};
use crate::*;

/// INVARIANT: whatever changes who may do what, ends something or says yes stands under the first heading. Whoever moves a line says
/// why, in a review.
const REVIEWED: &str = "\
needs the passkey, shown within five minutes:
  AddPerson SetPersonGroups RemovePerson OfferSignIn RemovePasskey EnrolPasskey
  RegisterAgent DescribeAgent ActivateAgent SuspendAgent ResumeAgent DecommissionAgent
  OfferEnrolment RevokeKey BindWorkload UnbindWorkload
  OpenLegacyAccount CloseLegacyAccount CloseFinding LinkPerson
  AddConnector RemoveConnector ApproveOperations WithdrawOperation
  ApproveGrant RevokeGrant
  StartTask IssueToken EndTask RevokeRun RevokeToken RegisterClient RemoveClient Consent
  ProposeChange ApproveChange EmergencyChange ReviewChange
  StepKey ReadContent EraseContent
needs no passkey: asks, says no or leaves, is signed itself, or is no person's:
  CreateRealm OpenSession EndSession OpenPasskeySession OpenForeignSession RaiseSession
  EnrolKey ArriveWorkload AttestLaunch IssueSvid StandIn ReportSharing ReceiveSignal RecordEnforcement
  RequestGrant RequestAccess DenyGrant OpenSandbox DelegateTask
  RedeemCode RotateRefresh
  AttemptAction RecordOutcome ShowApproval Approve Deny
  RejectChange RecordCheck Expire Recover
";

/// Names every command once; one that is missing here does not compile.
macro_rules! commands {
    ($($name:ident)*) => {
        const COMMANDS: &[&str] = &[$(stringify!($name)),*];

        fn name(command: &Command) -> &'static str {
            match command {
                $(Command::$name { .. } => stringify!($name),)*
            }
        }
    };
}

#[rustfmt::skip]
commands! {
    CreateRealm AddPerson SetPersonGroups RemovePerson OfferSignIn OpenSession EndSession
    OpenPasskeySession OpenForeignSession RaiseSession EnrolPasskey RemovePasskey
    RegisterAgent DescribeAgent ActivateAgent SuspendAgent ResumeAgent DecommissionAgent OfferEnrolment EnrolKey RevokeKey
    BindWorkload UnbindWorkload ArriveWorkload AttestLaunch IssueSvid OpenLegacyAccount CloseLegacyAccount StandIn
    ReportSharing CloseFinding LinkPerson ReceiveSignal RecordEnforcement
    AddConnector RemoveConnector ApproveOperations WithdrawOperation
    RequestGrant RequestAccess ApproveGrant DenyGrant RevokeGrant OpenSandbox
    StartTask IssueToken EndTask DelegateTask RevokeRun RevokeToken
    RegisterClient RemoveClient Consent RedeemCode RotateRefresh
    AttemptAction RecordOutcome ShowApproval Approve Deny
    ProposeChange ApproveChange RejectChange EmergencyChange ReviewChange RecordCheck
    StepKey ReadContent EraseContent Expire Recover
}

fn nobody<K: id::Kind>() -> Id<K> {
    Id::from_uuid(uuid::Uuid::max())
}

fn why() -> String {
    "because of the test".to_owned()
}

/// One of each, whatever becomes of it otherwise.
fn one_of_each(world: &World) -> Vec<Command> {
    let mut all = of_people(world.root);
    all.extend(of_agents(world));
    all.extend(of_trust(world));
    all.extend(of_access(world));
    all.extend(of_work(world));
    all.extend(of_the_realm(world));
    all
}

fn of_people(root: PersonId) -> Vec<Command> {
    let create = CreateRealm {
        trust_domain: "example.org".to_owned(),
        issuer: "https://remit.example.org".to_owned(),
        origin: "remit.example.org/ledger".to_owned(),
        log_key: String::new(),
        administrator: "root".to_owned(),
        administrator_uid: None,
        policies: Vec::new(),
    };
    let foreign = OpenForeignSession {
        issuer: "https://id.example.org".to_owned(),
        subject: "root".to_owned(),
        token: digest("token"),
    };
    vec![
        Command::CreateRealm(Box::new(create)),
        Command::AddPerson(AddPerson { name: "eve".to_owned(), groups: Vec::new() }),
        Command::SetPersonGroups { person: nobody(), groups: Vec::new() },
        Command::RemovePerson { person: nobody() },
        Command::OfferSignIn { person: root, code: digest("code"), ttl_seconds: 60 },
        Command::OpenSession(OpenSession { code: digest("code"), token: digest("token") }),
        Command::EndSession { session: nobody() },
        sign_in("one", 0, "token"),
        Command::OpenForeignSession(Box::new(foreign)),
        Command::RaiseSession { session: nobody(), shown: shown_passkey("one", 0) },
        enrol("two", None),
        Command::RemovePasskey { credential: "one".to_owned(), reason: why() },
        Command::LinkPerson { person: root, issuer: "https://id.example.org".to_owned(), subject: "root".to_owned() },
    ]
}

fn of_agents(world: &World) -> Vec<Command> {
    let (agent, profile) = (world.support(), world.profile(world.root));
    let key = AgentKey { jwk: json!({"kty": "OKP"}), thumbprint: "key".to_owned() };
    vec![
        Command::RegisterAgent(Box::new(RegisterAgent { name: "clerk".to_owned(), profile: profile.clone() })),
        Command::DescribeAgent { agent, profile: Box::new(profile) },
        Command::ActivateAgent { agent },
        Command::SuspendAgent { agent, reason: why() },
        Command::ResumeAgent { agent },
        Command::DecommissionAgent { agent, reason: why() },
        Command::OfferEnrolment { agent, code: digest("code"), ttl_seconds: 60 },
        Command::EnrolKey { agent: "support".to_owned(), code: digest("code"), key },
        Command::RevokeKey { agent, thumbprint: "key".to_owned() },
    ]
}

fn of_trust(world: &World) -> Vec<Command> {
    let (agent, workload) = (world.support(), || WorkloadIdentity::Local { selectors: vec!["unix:uid:7".to_owned()] });
    let process = Process { pid: 1, started_at_ticks: 1, exe_sha256: digest("exe"), cgroup: String::new() };
    let issue = IssueSvid {
        agent,
        task: None,
        kind: SvidKind::Jwt,
        serial: "1".to_owned(),
        audience: Vec::new(),
        expires_at: world.now.plus_seconds(60),
        attested: Vec::new(),
    };
    let open = OpenLegacyAccount {
        name: "account".to_owned(),
        secret: digest("secret"),
        workflows: std::collections::BTreeMap::from([("intake".to_owned(), agent)]),
        header_key: false,
        due_at: world.now.plus_seconds(60),
        reason: why(),
    };
    let report = ReportSharing {
        credential: digest("credential"),
        kind: CredentialKind::Token,
        agent,
        task: None,
        parties: Vec::new(),
    };
    let signal = ReceiveSignal {
        transmitter: "https://id.example.org".to_owned(),
        kind: SignalKind::SessionRevoked,
        jti: "1".to_owned(),
        issuer: "https://id.example.org".to_owned(),
        subject: "root".to_owned(),
    };
    let enforcement = RecordEnforcement {
        agent: None,
        cause: 1,
        point: "status-list".to_owned(),
        took_effect_at: world.now,
        ended: 0,
        remaining: Vec::new(),
    };
    vec![
        Command::BindWorkload { agent, workload: workload() },
        Command::UnbindWorkload { agent, workload: workload() },
        Command::ArriveWorkload { issuer: why(), subject: why(), evidence: why() },
        Command::AttestLaunch { task: nobody(), process },
        Command::IssueSvid(Box::new(issue)),
        Command::OpenLegacyAccount(Box::new(open)),
        Command::CloseLegacyAccount { name: "account".to_owned(), reason: why() },
        Command::StandIn { agent, via: VIA_JWT_SVID.to_owned() },
        Command::ReportSharing(Box::new(report)),
        Command::CloseFinding { finding: nobody(), note: why() },
        Command::ReceiveSignal(Box::new(signal)),
        Command::RecordEnforcement(Box::new(enforcement)),
    ]
}

fn of_access(world: &World) -> Vec<Command> {
    let spec = ConnectorSpec::Http { url: "https://billing.example.org/mcp".to_owned() };
    let add = AddConnector { name: "billing".to_owned(), owner: None, spec, sandbox: false };
    let request = RequestGrant { agent: world.support(), operations: Vec::new(), reason: why(), ttl_seconds: 60 };
    let access = RequestAccess { task: nobody(), operations: Vec::new(), reason: why(), ttl_seconds: None };
    vec![
        Command::AddConnector(Box::new(add)),
        Command::RemoveConnector { connector: world.helpdesk() },
        Command::ApproveOperations { connector: world.helpdesk(), choices: helpdesk() },
        Command::WithdrawOperation { operation: operation("helpdesk/read"), reason: why() },
        Command::RequestGrant(request),
        Command::RequestAccess(Box::new(access)),
        Command::ApproveGrant { grant: nobody() },
        Command::DenyGrant { grant: nobody(), note: why() },
        Command::RevokeGrant { grant: nobody(), reason: why() },
        Command::OpenSandbox { owner: world.root },
    ]
}

fn of_work(world: &World) -> Vec<Command> {
    let (agent, now, task) = (world.support(), world.now, nobody());
    let delegate = DelegateTask {
        parent: nobody(),
        delegate: agent,
        purpose: None,
        scope: Vec::new(),
        authority: Vec::new(),
        ttl_seconds: None,
        calls_max: None,
        key: None,
        configuration: None,
    };
    let consent = Consent {
        code: digest("code"),
        client: "client".to_owned(),
        client_name: "a client".to_owned(),
        redirect_uri: "http://127.0.0.1/callback".to_owned(),
        agent,
        purpose: why(),
        scope: Vec::new(),
        authority: Vec::new(),
        resource: "http://127.0.0.1:7480/mcp".to_owned(),
        challenge: "challenge".to_owned(),
        key: None,
        configuration: None,
        ttl_seconds: None,
    };
    let redeem = RedeemCode {
        code: digest("code"),
        client: "client".to_owned(),
        redirect_uri: "http://127.0.0.1/callback".to_owned(),
        challenge: "challenge".to_owned(),
        resource: None,
        key: None,
        refresh: None,
    };
    let record = RecordOutcome { action: nobody(), outcome: Outcome::Succeeded, result: None, latency_ms: 1 };
    let shown = ContentRef { commitment: digest("shown"), bytes: 5 };
    vec![
        Command::StartTask(Box::new(work(agent))),
        Command::IssueToken { task, token: "token".to_owned(), expires_at: now },
        Command::EndTask { task, note: why() },
        Command::DelegateTask(Box::new(delegate)),
        Command::RevokeRun { run: nobody(), reason: why() },
        Command::RevokeToken { task, token: "token".to_owned(), expires_at: now },
        Command::RegisterClient { name: "client".to_owned(), redirect_uris: Vec::new() },
        Command::RemoveClient { client: nobody() },
        Command::Consent(Box::new(consent)),
        Command::RedeemCode(Box::new(redeem)),
        Command::RotateRefresh { old: digest("old"), new: digest("new"), client: "client".to_owned() },
        Command::AttemptAction(Box::new(attempt(task, operation("helpdesk/read"), json!({}), None))),
        Command::RecordOutcome(Box::new(record)),
        Command::ShowApproval(ShowApproval { approval: nobody(), shown }),
        Command::Approve(Approve::unsigned(nobody(), digest("action"), String::new())),
        Command::Deny(Deny { approval: nobody(), note: String::new() }),
    ]
}

fn of_the_realm(world: &World) -> Vec<Command> {
    let (agent, task, change) = (world.support(), nobody(), nobody());
    let edits = || vec![policy("mail", None)];
    let step = StepKey {
        key: "key".to_owned(),
        purpose: KeyPurpose::Token,
        step: KeyStep::Prepared,
        public: json!({"kty": "EC"}),
    };
    vec![
        Command::ProposeChange { edits: edits(), reason: why(), revert_of: None },
        Command::ApproveChange { change },
        Command::RejectChange { change, note: why() },
        Command::EmergencyChange { edits: edits(), reason: why() },
        Command::ReviewChange { change, upheld: true, note: why() },
        Command::RecordCheck { change, check: "replay".to_owned(), passed: true, summary: why() },
        Command::StepKey(Box::new(step)),
        Command::ReadContent { agent, task, content: digest("content"), reason: why() },
        Command::EraseContent { task, agent, reason: why() },
        Command::Expire,
        Command::Recover,
    ]
}

/// What needs the passkey by the reviewed list.
fn reviewed() -> (Vec<&'static str>, Vec<&'static str>) {
    let (needs, free) = REVIEWED.split_once("needs no passkey").unwrap();
    let words = |text: &'static str| text.lines().skip(1).flat_map(str::split_whitespace).collect();
    (words(needs), words(free))
}

#[test]
fn what_is_grave_is_what_was_reviewed() {
    let mut world = World::with_support();
    let root = world.root;
    world.passkey(root, "one");
    let all = one_of_each(&world);
    let (mut tried, mut written): (Vec<_>, Vec<_>) = (all.iter().map(name).collect(), COMMANDS.to_vec());
    tried.sort_unstable();
    written.sort_unstable();
    assert_eq!(tried, written, "each command is tried once");
    let (needs, free) = reviewed();
    let mut listed: Vec<_> = needs.iter().chain(&free).copied().collect();
    listed.sort_unstable();
    assert_eq!(listed, written, "each command stands in the list once");
    for command in all {
        let answer = |method| match world.clone().decide(&signed_in(root, method), &command) {
            Err(refusal) => refusal.code,
            Ok(_) => "done".to_owned(),
        };
        for method in [SignInMethod::OneTimeLink, SignInMethod::Passkey, SignInMethod::OpenIdConnect] {
            let is_grave = answer(method) == "step_up_needed";
            assert_eq!(is_grave, needs.contains(&name(&command)), "{} by {method:?}", name(&command));
        }
        for method in [SignInMethod::FreshPasskey, SignInMethod::LocalSocket] {
            assert_ne!(answer(method), "step_up_needed", "{} by {method:?}", name(&command));
        }
    }
}

/// Before their first passkey people do what they could before there were any.
#[test]
fn who_has_no_passkey_is_not_asked_for_one() {
    let world = World::with_support();
    let link = signed_in(world.root, SignInMethod::OneTimeLink);
    for command in one_of_each(&world) {
        let refused = world.clone().decide(&link, &command).err().map(|refusal| refusal.code);
        assert_ne!(refused.as_deref(), Some("step_up_needed"), "{}", name(&command));
    }
    assert!(matches!(by(world.root), Actor::Person { method: SignInMethod::LocalSocket, .. }));
}
