use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::routing::post;
use base64::Engine as _;
use remit_domain::{
    Absence, Actor, ApprovalId, Command, ConnectorSpec, DataClass, Digest, Edit, EnrolPasskey, Event, Moment,
    OpenSession, OperationName, PersonId, PolicyEdit, RequestAccess, SignInMethod, State, Verb,
};
use remit_testkit::{World, operation};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::config::Config;

const CONSOLE: &str = "http://127.0.0.1:7470";
const WAIT_SECONDS_MAX: u64 = 20;

/// olga owns the agent and carla is acted for; refunds ask the owner. maria approves grants only.
async fn world() -> World {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let world = World::new().await;
    for name in ["olga", "maria", "carla"] {
        world.person(name, &[]).await;
    }
    let maria = world.person_named("maria");
    world.agent("support", "olga", |profile| profile.approvers = vec![maria]).await;
    let choices = vec![operation("refund", Verb::Write, 3, DataClass::D1, &json!({"order": {"type": "string"}}))];
    world.connector("desk", ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() }, choices).await;
    world.grant("support", &["desk/*"], 86_400).await;
    world
}

async fn ask(world: &World, order: &str) -> ApprovalId {
    let carla = world.person_named("carla");
    let task = world.task_with("support", |start| start.acting_for = Some(carla)).await;
    world.call(task, "desk/refund", json!({"order": order})).await.asked()
}

/// The notice about the newest record that has one.
async fn newest(world: &World) -> Option<Notice> {
    let records = world.records().await;
    let record = records.iter().rev().find(|record| Notice::is_of(&record.record.event))?;
    Notice::of(record, &world.engine.state(), world.engine.now(), CONSOLE)
}

fn names(notice: &Notice) -> Vec<&str> {
    notice.to.iter().map(|to| to.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_answer_is_told_and_nobody_else() {
    let world = world().await;
    let approval = ask(&world, "A-1-secret").await;
    let notice = newest(&world).await.unwrap();
    // Neither who is acted for, nor who started it, nor who approves other things.
    assert_eq!(names(&notice), ["olga"]);
    assert_eq!(notice.page, format!("{CONSOLE}/approvals/{approval}"));
    let said = format!("{notice:?}");
    assert!(!said.contains("A-1-secret"), "arguments go to nobody: {said}");
    assert_eq!(
        (&notice.document["kind"], &notice.document["agent"]),
        (&json!("approval_requested"), &json!("support"))
    );
    assert_eq!(notice.document["to"][0]["name"], "olga");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_give_access_is_told_and_led_to_its_page() {
    let world = world().await;
    let choices = vec![operation("read", Verb::Read, 0, DataClass::D1, &json!({}))];
    world.connector("archive", ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() }, choices).await;
    let maria = world.person_named("maria");
    let task = world.task_with("support", |start| start.acting_for = Some(maria)).await;
    let ask = RequestAccess {
        task,
        operations: vec![OperationName::new("archive", "read")],
        reason: "A-1-secret".to_owned(),
        ttl_seconds: None,
    };
    let itself = Actor::Agent { agent: world.agent_named("support"), task: Some(task) };
    let receipt = world.submit(&itself, Command::RequestAccess(Box::new(ask))).await;
    let Some(Event::GrantRequested(request)) = receipt.events.first() else { panic!("{receipt:?}") };
    let notice = newest(&world).await.unwrap();
    // maria approves grants too, and this one would be in her name.
    assert_eq!(names(&notice), ["olga"]);
    assert_eq!((notice.kind, &notice.page), ("grant_requested", &format!("{CONSOLE}/grants/{}", request.id)));
    assert_eq!(notice.document["operations"], json!(["archive/read"]));
    assert!(!format!("{notice:?}").contains("A-1-secret"), "why it asks is for the page");
    world.submit(&world.acting("olga"), Command::DenyGrant { grant: request.id, note: String::new() }).await;
    assert_eq!(newest(&world).await, None, "it is answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_for_somebody_absent_is_told_too() {
    let world = world().await;
    let absence = |name: &str| Edit::Absence {
        person: world.person_named("olga"),
        absence: Some(Absence {
            deputy: world.person_named(name),
            from: world.engine.now(),
            until: world.engine.now().plus_seconds(86_400),
        }),
    };
    let set =
        |edit: Edit| Command::ProposeChange { edits: vec![edit], reason: "a holiday".to_owned(), revert_of: None };
    world.agreed(&world.root(), set(absence("maria"))).await;
    ask(&world, "A-1").await;
    assert_eq!(names(&newest(&world).await.unwrap()), ["maria", "olga"]);
    // A deputy for whom it is done is not independent.
    world.agreed(&world.root(), set(absence("carla"))).await;
    ask(&world, "A-2").await;
    assert_eq!(names(&newest(&world).await.unwrap()), ["olga"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_to_sign_is_told_although_a_plain_yes_is_refused() {
    let world = world().await;
    enrol(&world, "olga").await;
    ask(&world, "A-1").await;
    assert_eq!(names(&newest(&world).await.unwrap()), ["olga"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_meanwhile_is_nobodys_concern() {
    let world = world().await;
    let approval = ask(&world, "A-1").await;
    assert!(newest(&world).await.is_some());
    world.deny("olga", approval, "no").await;
    assert_eq!(newest(&world).await, None);
    ask(&world, "A-2").await;
    world.advance(30 * 86_400);
    assert_eq!(newest(&world).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_and_emergencies_go_to_who_answers_for_them() {
    let world = world().await;
    world.person("mia", &["administrators"]).await;
    let edit = |order: &str| {
        let text = format!(
            "@id(\"desk\") forbid (principal, action == Action::\"desk/refund\", resource) \
             when {{ context.arguments has order && context.arguments.order == \"{order}\" }};"
        );
        Edit::Policy(PolicyEdit { name: "desk".to_owned(), text: Some(text) })
    };
    let propose = Command::ProposeChange { edits: vec![edit("A")], reason: "for a trial".to_owned(), revert_of: None };
    world.submit(&world.root(), propose).await;
    let notice = newest(&world).await.unwrap();
    assert_eq!((notice.kind, names(&notice)), ("change_proposed", vec!["mia"]));
    let emergency = Command::EmergencyChange { edits: vec![edit("B")], reason: "mail is being abused".to_owned() };
    world.submit(&world.acting("mia"), emergency).await;
    let notice = newest(&world).await.unwrap();
    assert_eq!((notice.kind, names(&notice)), ("emergency_change", vec!["root"]));
    assert!(notice.page.starts_with(&format!("{CONSOLE}/changes/chg_")));
    assert!(!format!("{notice:?}").contains("abused"), "what somebody writes in haste stays on the page");
}

/// Somebody gets a passkey, in a session of theirs.
async fn enrol(world: &World, name: &str) {
    let actor = Actor::Person { person: world.person_named(name), method: SignInMethod::OneTimeLink };
    let enrol = EnrolPasskey {
        credential: format!("credential-{name}"),
        key: json!({}),
        label: "telephone.example".to_owned(),
        sign_count: 0,
        backed_up: false,
        rp_id: "localhost".to_owned(),
        session: None,
    };
    world.submit(&actor, Command::EnrolPasskey(Box::new(enrol))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_or_loses_a_passkey_and_who_is_let_in_without_one_is_told() {
    let world = world().await;
    enrol(&world, "olga").await;
    let notice = newest(&world).await.unwrap();
    assert_eq!((notice.kind, names(&notice)), ("passkey_enrolled", vec!["olga"]));
    let code = Digest::of_bytes(b"code");
    let olga = world.person_named("olga");
    world.submit(&world.root(), Command::OfferSignIn { person: olga, code, ttl_seconds: 60 }).await;
    let notice = newest(&world).await.unwrap();
    assert_eq!((notice.kind, names(&notice)), ("recovery_offered", vec!["olga", "root"]));
    let open = OpenSession { code, token: Digest::of_bytes(b"token") };
    world.submit(&Actor::Remit, Command::OpenSession(open)).await;
    let notice = newest(&world).await.unwrap();
    assert_eq!((notice.kind, names(&notice)), ("recovery_used", vec!["olga", "root"]));
    let remove = Command::RemovePasskey { credential: "credential-olga".to_owned(), reason: "lost".to_owned() };
    world.submit(&world.root(), remove).await;
    let notice = newest(&world).await.unwrap();
    assert_eq!((notice.kind, names(&notice)), ("passkey_removed", vec!["olga"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_as_usual_is_no_news() {
    let world = world().await;
    let before = newest(&world).await;
    let code = Digest::of_bytes(b"code");
    let olga = world.person_named("olga");
    world.submit(&world.root(), Command::OfferSignIn { person: olga, code, ttl_seconds: 60 }).await;
    world.submit(&Actor::Remit, Command::OpenSession(OpenSession { code, token: Digest::of_bytes(b"token") })).await;
    assert_eq!(newest(&world).await, before);
}

/// A receiver that answers what it is told to, and keeps what it got.
#[derive(Debug, Default)]
struct Receiver {
    got: Mutex<Vec<(BTreeMap<String, String>, String)>>,
    answers: Mutex<Vec<u16>>,
    wait: Duration,
}

async fn receive(Shared(receiver): Shared<Arc<Receiver>>, headers: HeaderMap, body: String) -> axum::http::StatusCode {
    tokio::time::sleep(receiver.wait).await;
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    receiver.got.lock().unwrap().push((headers.collect(), body));
    let status = receiver.answers.lock().unwrap().pop().unwrap_or(204);
    axum::http::StatusCode::from_u16(status).unwrap()
}

impl Receiver {
    async fn start(self) -> (Arc<Self>, String) {
        let receiver = Arc::new(self);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told", listener.local_addr().unwrap());
        let router = Router::new().route("/told", post(receive)).with_state(receiver.clone());
        drop(tokio::spawn(axum::serve(listener, router).into_future()));
        (receiver, url)
    }

    async fn wait_for(&self, count: usize) -> Vec<(BTreeMap<String, String>, String)> {
        let began = Instant::now();
        while self.got.lock().unwrap().len() < count {
            assert!(began.elapsed().as_secs() < WAIT_SECONDS_MAX, "{:?}", self.got.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.got.lock().unwrap().clone()
    }
}

fn secret() -> String {
    format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode([9; 32]))
}

/// Carries out what `settings` says from now on.
fn carry_out(world: &World, settings: &str) {
    let config = Config::parse(settings).unwrap();
    for notify in Notify::each(&config.notify, CONSOLE, &world.engine).unwrap() {
        world.engine.carry_out(Arc::new(notify));
    }
}

fn webhook(directory: &tempfile::TempDir, name: &str, url: &str) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, secret()).unwrap();
    format!("[[notify.webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret_file = \"{}\"\n", path.display())
}

/// Whether a receiver that knows the secret believes it.
fn is_genuine(headers: &BTreeMap<String, String>, body: &str) -> bool {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[9; 32]);
    let signed = format!("{}.{}.{body}", headers["webhook-id"], headers["webhook-timestamp"]);
    let signature = headers["webhook-signature"].strip_prefix("v1,").unwrap();
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
    aws_lc_rs::hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_can_tell_what_is_genuine_and_gets_it_until_it_says_yes() {
    let (world, directory) = (world().await, tempfile::tempdir().unwrap());
    let receiver = Receiver { answers: Mutex::new(vec![204, 503, 429]), ..Receiver::default() };
    let (receiver, url) = receiver.start().await;
    carry_out(&world, &webhook(&directory, "soc", &url));
    let approval = ask(&world, "A-1").await;
    let got = receiver.wait_for(3).await;
    assert!(got.iter().all(|(headers, body)| is_genuine(headers, body)));
    assert!(got.iter().all(|(headers, body)| headers["webhook-id"] == got[0].0["webhook-id"] && *body == got[0].1));
    let (headers, body) = &got[0];
    let said: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&said["type"], &said["data"]["approval"]), (&json!("approval_requested"), &json!(approval)));
    // One byte, another time or another id, and it is not.
    assert!(!is_genuine(headers, &body.replacen("support", "supporT", 1)));
    for name in ["webhook-id", "webhook-timestamp"] {
        let mut forged = headers.clone();
        forged.get_mut(name).unwrap().push('0');
        assert!(!is_genuine(&forged, body), "{name}");
    }
    let next = ask(&world, "A-2").await;
    let got = receiver.wait_for(4).await;
    assert!(got[3].1.contains(&next.to_string()));
    assert_ne!(got[3].0["webhook-id"], got[0].0["webhook-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_fails_keeps_no_other_waiting() {
    let (world, directory) = (world().await, tempfile::tempdir().unwrap());
    let (slow, slow_url) = Receiver { wait: Duration::from_secs(3600), ..Receiver::default() }.start().await;
    let (refusing, refusing_url) = Receiver { answers: Mutex::new(vec![400]), ..Receiver::default() }.start().await;
    let (sound, sound_url) = Receiver::default().start().await;
    let targets = [("slow", &slow_url), ("refusing", &refusing_url), ("sound", &sound_url)];
    carry_out(&world, &targets.map(|(name, url)| webhook(&directory, name, url)).concat());
    let (first, second) = (ask(&world, "A-1").await, ask(&world, "A-2").await);
    let got = sound.wait_for(2).await;
    assert!(got[0].1.contains(&first.to_string()) && got[1].1.contains(&second.to_string()));
    // What is refused for good is not sent again, and what comes after it is.
    let got = refusing.wait_for(2).await;
    assert!(got[0].1.contains(&first.to_string()) && got[1].1.contains(&second.to_string()));
    assert!(slow.got.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_followed_elsewhere() {
    let (world, directory) = (world().await, tempfile::tempdir().unwrap());
    let (receiver, url) = Receiver { answers: Mutex::new(vec![204, 302]), ..Receiver::default() }.start().await;
    carry_out(&world, &webhook(&directory, "soc", &url));
    ask(&world, "A-1").await;
    assert_eq!(receiver.wait_for(2).await.len(), 2, "asked again, at its own address");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_says_an_address_or_a_secret() {
    let (world, directory) = (world().await, tempfile::tempdir().unwrap());
    let path = directory.path().join("slack");
    // Nobody listens there.
    std::fs::write(&path, "http://127.0.0.1:9/services/hunter2\n").unwrap();
    let settings = format!("[[notify.slack]]\nname = \"ops\"\nurl_file = \"{}\"\n", path.display());
    let config = Config::parse(&settings).unwrap();
    let notify = Notify::each(&config.notify, CONSOLE, &world.engine).unwrap().remove(0);
    ask(&world, "A-1").await;
    let records = world.records().await;
    let record = records.iter().rev().find(|record| Notice::is_of(&record.record.event)).unwrap();
    let error = notify.tell(record).await.unwrap_err();
    assert!(!error.contains("hunter2") && !error.contains("127.0.0.1:9"), "{error}");
    assert!(!format!("{notify:?}").contains("hunter2"));
    for wrong in ["http://hooks.example/hunter2", "https://ana:hunter2@hooks.example/", "hunter2"] {
        std::fs::write(&path, wrong).unwrap();
        let error = Notify::each(&config.notify, CONSOLE, &world.engine).unwrap_err();
        assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
    }
    let webhook =
        "[[notify.webhook]]\nname = \"soc\"\nurl = \"https://ana:hunter2@soc.example/\"\nsecret_file = \"a\"\n";
    let error = Config::parse(webhook).unwrap_err().to_string();
    assert!(!error.contains("hunter2") && error.contains("password"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_document_until_it_ends_well() {
    let (world, directory) = (world().await, tempfile::tempdir().unwrap());
    let place = directory.path().join("told");
    let settings =
        format!("[notify]\ncommand = [\"sh\", \"-c\", \"cat >> {0}; test -e {0}.ready\"]\n", place.display());
    let config = Config::parse(&settings).unwrap();
    let notify = Notify::each(&config.notify, CONSOLE, &world.engine).unwrap().remove(0);
    let approval = ask(&world, "A-1").await;
    let records = world.records().await;
    let record = records.iter().rev().find(|record| Notice::is_of(&record.record.event)).unwrap();
    assert!(notify.tell(record).await.unwrap_err().contains("`sh` ended with exit status: 1"));
    std::fs::write(directory.path().join("told.ready"), "").unwrap();
    notify.tell(record).await.unwrap();
    let said: Vec<Value> = serde_json::Deserializer::from_str(&std::fs::read_to_string(&place).unwrap())
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|one| one["approval"] == json!(approval) && one["operation"] == "desk/refund"));
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let webhook = "[[notify.webhook]]\nname = \"soc\"\nurl = \"https://soc.example/\"\n";
    let smtp = "[notify.smtp]\nserver = \"localhost\"\ntls = \"none\"\n";
    let cases = [
        (webhook.to_owned(), "one source of its secret"),
        (format!("{webhook}secret_file = \"a\"\nsecret_variable = \"B\"\n"), "one source of its secret"),
        (format!("{webhook}secret_file = \"a\"\n{webhook}secret_file = \"a\"\n"), "two tables"),
        (webhook.replace("soc\"", "So c\"") + "secret_file = \"a\"\n", "`name`"),
        (webhook.replace("https", "http") + "secret_file = \"a\"\n", "on the way"),
        ("[[notify.slack]]\nname = \"ops\"\n".to_owned(), "one source of its url"),
        ("[[notify.slack]]\nname = \"ops\"\nurl = \"https://a.example\"\n".to_owned(), "unknown field"),
        (format!("{smtp}from = \"nobody\"\n"), "not an address"),
        (format!("{smtp}from = \"a@b.example\"\nusername = \"a\"\n"), "one source of its password"),
        (format!("{smtp}from = \"a@b.example\"\npassword_file = \"a\"\n"), "no `username`"),
        (format!("{smtp}from = \"a@b.example\"\naddresses = {{ ana = \"ana\" }}\n"), "gives `ana`"),
    ];
    for (text, expected) in cases {
        let error = Config::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_is_decided_is_one_that_somebody_was_told_of() {
    let world = world().await;
    let approval = ask(&world, "A-1").await;
    let told: Vec<PersonId> = newest(&world).await.unwrap().to.iter().map(|to| to.person).collect();
    let state: Arc<State> = world.engine.state();
    let digest = state.approval(approval).unwrap().digest;
    for person in state.people.keys() {
        let actor = Actor::Person { person: *person, method: SignInMethod::FreshPasskey };
        let yes = Command::Approve(remit_domain::Approve::unsigned(approval, digest, String::new()));
        let decided = remit_domain::decide(&state, &actor, &yes, &Moment::new(world.engine.now(), 1));
        assert_eq!(decided.is_ok(), told.contains(person));
    }
}
