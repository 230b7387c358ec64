//! Who is who: runs as identities of their own, workloads from elsewhere, and what the end of either is worth on paper.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use crate::support::{Echo, Estate, PATIENCE, Place, Realm, connect, trusting, turn, until};

const GATEWAY_MTLS_PORT: u16 = 7481;

/// Says under what it runs, and waits to be told to go on.
const WAITING: &str = r#"
    printf '%s' "$SPIFFE_ENDPOINT_SOCKET" >endpoint
    printf '%s' "$REMIT_TASK_TOKEN" >token
    printf '%s' "$REMIT_TASK_ID" >task.next && mv task.next task
    while [ ! -e go ]; do sleep 0.05; done
"#;

/// A command that runs as a governed run of the agent, in a directory of its own.
struct Governed {
    directory: PathBuf,
    launcher: Child,
    task: String,
}

impl Governed {
    async fn start(place: &Place, name: &str) -> Self {
        let directory = place.root().join(name);
        fs::create_dir(&directory).expect("no directory for a run");
        let arguments = ["run", "--agent", "support", "--purpose", name, "--", "sh", "-c", WAITING];
        let mut command = place.remit(arguments);
        let launcher = command.current_dir(&directory).stdout(Stdio::null()).spawn().expect("it cannot be started");
        let task = until("the command runs", async || fs::read_to_string(directory.join("task")).ok()).await;
        Self { directory, launcher, task }
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).expect("the command did not write it")
    }

    async fn finish(mut self) {
        fs::write(self.directory.join("go"), "").expect("the command cannot be told");
        self.launcher.wait().await.expect("`remit run` cannot be waited for");
    }
}

async fn cli(place: &Place, arguments: &[&str]) -> Value {
    place.ask(arguments.iter().copied().chain(["--json"])).await.json()
}

async fn refused(place: &Place, arguments: &[&str]) -> String {
    let exit = place.ask(arguments.iter().copied().chain(["--json"])).await;
    assert_eq!(exit.code(), Some(1), "{}{}", exit.stdout, exit.stderr);
    let said: Value = serde_json::from_str(&exit.stderr).expect("a refusal");
    said["code"].as_str().expect("a code").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_one_agent_are_two_launches() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    Estate::build(&place, &echo).await;
    let (one, other) = (Governed::start(&place, "one").await, Governed::start(&place, "other").await);
    let addresses: Value =
        serde_json::from_slice(&fs::read(place.data().join("addresses.json")).expect("no addresses"))
            .expect("addresses are JSON");
    for run in [&one, &other] {
        assert_eq!(addresses["workload"], run.said("endpoint"));
    }
    let socket = one.said("endpoint");
    let socket = socket.strip_prefix("unix://").expect("an address of a socket");
    assert!(socket.starts_with('/') && fs::exists(socket).expect("a path"), "{socket}");

    let launched = until("both launches are recorded", async || {
        let found = cli(&place, &["ledger", "query", "--kind", "LaunchAttested"]).await;
        let items = found["items"].as_array().expect("records").clone();
        (items.len() == 2).then_some(items)
    });
    let launched = launched.await;
    let of = |pointer: &str| {
        let found = launched.iter().filter_map(|record| record.pointer(pointer)).map(ToString::to_string);
        found.collect::<BTreeSet<_>>()
    };
    assert_eq!(of("/record/event/task"), BTreeSet::from([&one.task, &other.task].map(|task| json!(task).to_string())));
    assert_eq!((of("/record/event/run").len(), of("/record/event/process/pid").len()), (2, 2));
    let launchers = [&one, &other].map(|run| run.launcher.id().expect("it runs").to_string());
    assert_eq!(of("/record/event/process/pid"), BTreeSet::from(launchers));
    one.finish().await;
    other.finish().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_workload_api_a_run_has_its_token_all_the_same() {
    let _turn = turn().await;
    let (place, echo) = (Place::new("workload.enabled = false\n"), Echo::start());
    let server = place.up().await;
    Estate::build(&place, &echo).await;
    let run = Governed::start(&place, "one").await;
    assert_eq!(run.said("endpoint"), "");
    assert!(!run.said("token").is_empty());
    run.finish().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_when_an_end_took_effect_and_can_be_verified_by_anybody() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let mut caller = estate.caller();
    assert!(caller.call("before").await.expect("an answer").is_result());
    let tasks = cli(&place, &["task", "list"]).await;
    let task = tasks["items"][0]["id"].as_str().expect("a task").to_owned();
    let at = |name: &str| place.root().join(name).display().to_string();
    let (file, keys) = (at("task.receipt"), at("jwks.json"));

    let ended = cli(&place, &["task", "end", &task, "--note", "over", "--receipt", &file]).await;
    assert_eq!(ended["status"], "ended");
    let receipt = &ended["receipt"];
    assert_eq!(receipt["ended"]["task_ids"], json!([task]));
    assert_eq!((&receipt["accepted_after"], &receipt["pending"]), (&json!(0), &json!([])), "{receipt}");
    assert_eq!(receipt["last_accepted"]["operation"], "echo/echo");
    assert!(!caller.call("after").await.expect("an answer").is_result());

    let jwks = place.control().read("/oauth/jwks").await;
    fs::write(&keys, jwks.to_string()).expect("the keys cannot be written");
    let shown = place.ask(["receipt", "show", &receipt["cause"]["seq"].to_string()]).await;
    assert!(shown.status.success() && shown.stdout.contains("accepted after it: none"), "{}", shown.stdout);
    assert_eq!(refused(&place, &["task", "end", &task, "--receipt"]).await, "not_a_revocation");
    assert_eq!(
        refused(&place, &["agent", "suspend", "support", "--reason", "x", "--receipt", &file]).await,
        "file_exists"
    );
    assert_eq!(cli(&place, &["agent", "show", "support"]).await["status"], "active", "it was done all the same");
    assert_eq!(cli(&place, &["receipt", "verify", &file]).await["verified"], true);
    server.stop().await;

    // Nobody has to be asked any more.
    let verified = cli(&place, &["receipt", "verify", &file, "--keys", &keys]).await;
    assert_eq!(verified["receipt"]["cause"], receipt["cause"]);
    let forged = at("forged.receipt");
    let signed = fs::read_to_string(&file).expect("the receipt");
    let (head, rest) = signed.split_once('.').expect("three parts");
    fs::write(&forged, format!("{head}.e{}", &rest[1..])).expect("a file");
    let (claims, _) = rest.split_once('.').expect("three parts");
    let changed = signed.replace(claims, &claims.chars().rev().collect::<String>());
    fs::write(&forged, changed).expect("a file");
    assert_eq!(refused(&place, &["receipt", "verify", &forged, "--keys", &keys]).await, "not_a_receipt");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_workload_is_quarantined_until_somebody_answers_for_it() {
    let _turn = turn().await;
    let (place, partner) = (Place::new(""), Realm::elsewhere("partner.example"));
    let bundle = partner.publish(&place);
    place.configure(&format!("gateway.mtls_listen = \"{}\"\n", place.at(GATEWAY_MTLS_PORT)));
    place
        .configure(&format!("[[identity.federation]]\ntrust_domain = \"partner.example\"\nbundle_file = {bundle:?}\n"));
    let server = place.up().await;
    place.control().post("/v1/people", json!({"name": "ana"})).await;

    let own = Realm::of(&place).bundle();
    let roots = own.x509_authorities_der().into_iter().map(|root| CertificateDer::from(root.to_vec()));
    let config = Arc::new(trusting(roots, Some(partner.agent(600))));
    let mut stream = connect(&config, place.at(GATEWAY_MTLS_PORT)).await.expect("a connection");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let question = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        place.at(GATEWAY_MTLS_PORT),
        body.len()
    );
    stream.write_all(question.as_bytes()).await.expect("a question");
    let mut answer = vec![0; 8192];
    let length = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await.expect("in time").expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.contains("agent_quarantined"), "{answer}");

    let arrived = cli(&place, &["agent", "list", "--status", "quarantined"]).await;
    let subject = "spiffe://partner.example/agent/triage/production";
    assert_eq!(arrived["items"][0]["arrived_from"]["subject"], subject, "{arrived}");
    let name = arrived["items"][0]["name"].as_str().expect("a name").to_owned();
    let shown = place.ask(["agent", "show", &name]).await;
    assert!(shown.stdout.contains(&format!("{subject} of spiffe://partner.example")), "{}", shown.stdout);
    assert_eq!(refused(&place, &["task", "start", &name, "--purpose", "works anyway"]).await, "agent_quarantined");
    let exit = place.ask(["agent", "activate", &name]).await;
    assert_eq!(exit.code(), Some(1), "it has no owner: {}", exit.stdout);

    let unbind = ["workload", "unbind", &name, "--issuer", "spiffe://partner.example", "--subject", subject];
    assert_eq!(cli(&place, &unbind).await["items"], json!([]));
    server.stop().await;
}
