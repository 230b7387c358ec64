//! Workloads, launches, legacy accounts, findings, accounts elsewhere, keys: what the domain knows of identity, asked over HTTP.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use remit_domain::{Actor, Command, CredentialKind, Digest, Process, ReportSharing};
use serde_json::{Value, json};

use super::{ADMINISTRATOR_UID, House, plain};
use crate::{Peer, Settings, WorkloadApi};

const PARTNER: &str = "spiffe://partner.example";

#[tokio::test]
async fn a_running_program_is_bound_to_one_agent_and_taken_from_it() {
    let house = House::build().await;
    house.with_agent().await;
    house.ok("POST", "/v1/agents", json!({"name": "other"})).await;
    let path = "/v1/agents/triage/workloads";
    let local = json!({"kind": "local", "selectors": ["unix:uid:1001", "unix:path:/usr/bin/triage"]});
    let foreign = json!({"kind": "foreign", "issuer": PARTNER, "subject": format!("{PARTNER}/triage")});
    house.ok("POST", path, local.clone()).await;
    let bound = house.ok("POST", path, foreign.clone()).await;
    assert_eq!(bound["items"].as_array().unwrap().len(), 2);
    let in_order = json!({"kind": "local", "selectors": ["unix:path:/usr/bin/triage", "unix:uid:1001"]});
    let shown = house.ok("GET", "/v1/agents/triage", Value::Null).await;
    assert_eq!(shown["workloads"], json!([in_order, foreign]));
    let again = house.ok("POST", path, foreign.clone()).await;
    assert_eq!((&again["unchanged"], &bound["unchanged"]), (&json!(true), &Value::Null));

    let (status, problem) = house.ask("POST", "/v1/agents/other/workloads", foreign.clone()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("workload_taken")));
    for wrong in [
        json!({"kind": "local", "selectors": ["unix:uid:root"]}),
        json!({"kind": "local", "selectors": [], "issuer": PARTNER}),
        json!({"kind": "foreign", "issuer": PARTNER, "subject": "spiffe://another.example/triage"}),
        json!({"kind": "other"}),
    ] {
        assert_eq!(house.ask("POST", path, wrong.clone()).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!(house.ok("DELETE", path, local).await["items"], json!([foreign]));
    assert_eq!(house.ok("DELETE", path, foreign).await["items"], json!([]));
}

/// A house where processes get their identity, and what was asked about them.
async fn with_workloads() -> (House, Arc<Mutex<Vec<(i32, u32)>>>) {
    let asked = Arc::<Mutex<Vec<(i32, u32)>>>::default();
    let own = Arc::clone(&asked);
    let observe = move |pid, uid| {
        own.lock().unwrap().push((pid, uid));
        match pid {
            1 => Err("it is not ours".to_owned()),
            _ => Ok(Process { pid, started_at_ticks: 5, exe_sha256: Digest::of_bytes(b"x"), cgroup: "/".to_owned() }),
        }
    };
    let workload_api = WorkloadApi { endpoint: "unix:///run/remit.sock".to_owned(), observe: Arc::new(observe) };
    let settings =
        Settings { workload_api: Some(workload_api), ..Settings::at("http://console", "http://gateway/mcp") };
    let house = House::build_with(settings).await;
    house.with_agent().await;
    (house, asked)
}

#[tokio::test]
async fn which_process_was_launched_is_said_by_its_connection_alone() {
    let (house, asked) = with_workloads().await;
    let start = async || {
        let task = house.ok("POST", "/v1/tasks", json!({"agent": "triage", "purpose": "one ticket"})).await;
        format!("/v1/tasks/{}/launch", task["task"].as_str().unwrap())
    };
    let launch = async |path: &str, pid: Option<i32>| {
        let mut request = plain("POST", path, &json!({"pid": 7}));
        request.extensions_mut().insert(Peer::Socket { uid: ADMINISTRATOR_UID, pid });
        house.send(request).await
    };
    let (first, second) = (start().await, start().await);
    let (status, launched) = launch(&first, Some(4242)).await;
    assert_eq!(status, StatusCode::OK, "{launched}");
    assert_eq!(launched["endpoint"], "unix:///run/remit.sock");
    assert_eq!(
        (&launched["process"]["pid"], asked.lock().unwrap().as_slice()),
        (&json!(4242), &[(4242, ADMINISTRATOR_UID)][..])
    );
    assert!(house.world.engine.read(|state| state.launches.contains_key(&4242)));
    // One process, one task; and one task, one process.
    assert_eq!(launch(&second, Some(4242)).await.1["code"], "process_taken");
    assert_eq!(launch(&first, Some(4243)).await.1["code"], "task_launched");
    assert_eq!(launch(&second, Some(1)).await.1["code"], "bad_process");
    // Nobody's word is enough.
    assert_eq!(launch(&second, None).await.1["code"], "local_only");
    let session = house.sign_in("ada").await;
    let (status, problem) = house.bearer("POST", &second, &session, json!({"pid": 7})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("local_only")));
    assert_eq!(house.send(plain("POST", &second, &Value::Null)).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_launch_is_said_by_whoever_started_the_task() {
    let (house, _) = with_workloads().await;
    house.ok("POST", "/v1/people", json!({"name": "bob"})).await;
    let bob = house.sign_in("bob").await;
    let task = house.ok("POST", "/v1/tasks", json!({"agent": "triage", "purpose": "one ticket"})).await;
    let path = format!("/v1/tasks/{}/launch", task["task"].as_str().unwrap());
    let mut request = plain("POST", &path, &Value::Null);
    request.headers_mut().insert(http::header::AUTHORIZATION, format!("Bearer {bob}").parse().unwrap());
    request.extensions_mut().insert(Peer::Socket { uid: ADMINISTRATOR_UID, pid: Some(4242) });
    assert_eq!(house.send(request).await.1["code"], "not_permitted");
    let without = House::build().await;
    without.with_agent().await;
    let task = without.ok("POST", "/v1/tasks", json!({"agent": "triage", "purpose": "one ticket"})).await;
    let path = format!("/v1/tasks/{}/launch", task["task"].as_str().unwrap());
    assert_eq!(without.ask("POST", &path, Value::Null).await.1["code"], "workload_api_off");
}

#[tokio::test]
async fn the_secret_of_a_legacy_account_is_shown_once() {
    let house = House::build().await;
    let profile = json!({
        "owner": "ada", "purpose": "imports", "class": "read", "autonomy": 1, "data_classes": ["D0"],
        "environment": "production", "review_in_seconds": 86400,
    });
    house.ok("POST", "/v1/agents", json!({"name": "importer", "profile": profile})).await;
    house.ok("POST", "/v1/agents/importer/activate", Value::Null).await;
    let open = |name: &str, header_key: bool| {
        json!({
            "name": name, "workflows": {"nightly": "importer"}, "header_key": header_key, "due_in_seconds": 86400,
            "reason": "one service account",
        })
    };
    let opened = house.ok("POST", "/v1/legacy-accounts", open("crm", false)).await;
    let secret = opened["secret"].as_str().unwrap();
    assert!(secret.starts_with("legacy_") && opened["header_secret"].is_null(), "{opened}");
    assert_eq!(opened["workflows"][0]["mcp_url"], "http://gateway/legacy/crm/nightly/mcp");
    let known = Digest::of_bytes(secret.as_bytes());
    assert!(house.world.engine.read(|state| state.legacy_account_of(&known).is_some()));
    let signed = house.ok("POST", "/v1/legacy-accounts", open("erp", true)).await;
    assert_eq!(signed["header_secret"].as_str().unwrap().len(), 43);
    assert_eq!(signed["workflows"][0]["mcp_url"], "http://gateway/mcp");

    let listed = house.ok("GET", "/v1/legacy-accounts", Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains("secret\""), "{listed}");
    assert_eq!(house.ask("POST", "/v1/legacy-accounts", open("crm", false)).await.1["code"], "name_taken");
    let mut undated = open("third", false);
    undated.as_object_mut().unwrap().remove("due_in_seconds");
    assert_eq!(house.ask("POST", "/v1/legacy-accounts", undated).await.1["code"], "bad_due_date");
    house.ok("POST", "/v1/legacy-accounts/crm/close", json!({"reason": "each has its own"})).await;
    assert!(house.world.engine.read(|state| state.legacy_account_of(&known).is_none()));
}

#[tokio::test]
async fn a_finding_names_everybody_and_is_closed_by_a_person() {
    let house = House::build().await;
    house.with_agent().await;
    let agent = house.world.engine.read(|state| state.agent_named("triage").unwrap().id);
    let report = ReportSharing {
        credential: Digest::of_bytes(b"token"),
        kind: CredentialKind::Token,
        agent,
        task: None,
        parties: vec!["10.0.0.1".to_owned(), "10.0.0.2".to_owned()],
    };
    house.world.engine.submit(Actor::Remit, Command::ReportSharing(Box::new(report))).await.unwrap();
    let listed = house.ok("GET", "/v1/findings?agent=triage", Value::Null).await;
    let finding = &listed["items"][0];
    assert_eq!((&finding["kind"], &finding["parties"]), (&json!("token"), &json!(["10.0.0.1", "10.0.0.2"])));
    let path = format!("/v1/findings/{}", finding["id"].as_str().unwrap());
    assert_eq!(house.ok("GET", &path, Value::Null).await["status"], "open");
    let closed = house.ok("POST", &format!("{path}/close"), json!({"note": "moved apart"})).await;
    assert_eq!((&closed["status"], &closed["note"]), (&json!("closed"), &json!("moved apart")));
    assert_eq!(house.ok("GET", "/v1/findings", Value::Null).await["items"], json!([]));
    assert_eq!(house.ok("GET", "/v1/findings?status=all", Value::Null).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(house.ask("GET", "/v1/findings/any", Value::Null).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_person_is_known_by_their_account_elsewhere() {
    let house = House::build().await;
    let account = json!({"issuer": "https://login.example.org", "subject": "u-1"});
    let linked = house.ok("POST", "/v1/people/ada/links", account.clone()).await;
    assert_eq!(linked["links"], json!([account]));
    house.ok("POST", "/v1/people", json!({"name": "bob"})).await;
    let (status, problem) = house.ask("POST", "/v1/people/bob/links", account.clone()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("subject_taken")));
    let bob = house.sign_in("bob").await;
    let own = json!({"issuer": "https://login.example.org", "subject": "u-2"});
    assert_eq!(house.bearer("POST", "/v1/people/bob/links", &bob, own).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_arrived_by_itself_is_seen_with_where_it_came_from_and_can_do_nothing() {
    let house = House::build().await;
    let subject = format!("{PARTNER}/stranger");
    let arrive = Command::ArriveWorkload {
        issuer: PARTNER.to_owned(),
        subject: subject.clone(),
        evidence: "a JWT-SVID".to_owned(),
    };
    house.world.engine.submit(Actor::Remit, arrive).await.unwrap();
    let listed = house.ok("GET", "/v1/agents?status=quarantined", Value::Null).await;
    let agent = &listed["items"][0];
    assert_eq!(agent["arrived_from"], json!({"kind": "foreign", "issuer": PARTNER, "subject": subject}));
    assert_eq!((&agent["status"], &agent["owner"]), (&json!("quarantined"), &Value::Null));
    let name = agent["name"].as_str().unwrap();
    let (_, problem) = house.ask("POST", "/v1/tasks", json!({"agent": name, "purpose": "works anyway"})).await;
    assert_eq!(problem["code"], "agent_quarantined");
    let profile = json!({
        "owner": "ada", "purpose": "answers tickets", "class": "act", "autonomy": 3, "data_classes": ["D0"],
        "environment": "production", "review_in_seconds": 86400,
    });
    house.ok("POST", &format!("/v1/agents/{name}/describe"), profile).await;
    let active = house.ok("POST", &format!("/v1/agents/{name}/activate"), Value::Null).await;
    assert_eq!((&active["status"], &active["arrived_from"]), (&json!("active"), &Value::Null));
}

#[tokio::test]
async fn every_key_that_the_realm_ever_had_is_shown_with_its_step() {
    let house = House::build().await;
    let of = |keys: &Value, purpose: &str, step: &str| {
        let all = keys["all"].as_array().unwrap().clone();
        let own = all.into_iter().filter(|key| key["purpose"] == purpose && key["step"] == step);
        own.map(|key| key["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = house.ok("GET", "/v1/keys", Value::Null).await;
    let token = of(&before, "token", "active");
    assert_eq!((token.len(), of(&before, "ca", "active").len()), (1, 1));
    house.ok("POST", "/v1/keys/rotate", Value::Null).await;
    house.ok("POST", "/v1/keys/rotate?purpose=ca", Value::Null).await;
    let rotated = house.ok("GET", "/v1/keys", Value::Null).await;
    assert_eq!((of(&rotated, "token", "retired"), of(&rotated, "ca", "retired").len()), (token.clone(), 1));
    let revoked = house.ok("POST", &format!("/v1/keys/{}/revoke", token[0]), Value::Null).await;
    let keys = house.ok("GET", "/v1/keys", Value::Null).await;
    assert_eq!(of(&keys, "token", "revoked"), token);
    assert!(!keys.to_string().contains("\"d\":"), "a private key");
    let receipt = house.ok("GET", &format!("/v1/receipts/{}", revoked["seq"]), Value::Null).await;
    assert_eq!(receipt["receipt"]["cause"]["event"]["type"], "RealmKeyStepped");
}

#[tokio::test]
async fn a_receipt_says_what_ended_and_is_signed() {
    let house = House::build().await;
    house.with_agent().await;
    let task = house.ok("POST", "/v1/tasks", json!({"agent": "triage", "purpose": "one ticket"})).await;
    let ended = house.ok("POST", "/v1/agents/triage/suspend", json!({"reason": "looked at"})).await;
    let answer = house.ok("GET", &format!("/v1/receipts/{}?wait_seconds=1", ended["seq"]), Value::Null).await;
    assert_eq!(answer["receipt"]["ended"]["task_ids"], json!([task["task"]]));
    assert_eq!(answer["receipt"]["accepted_after"], 0);
    let signed = remit_identity::receipt::UnverifiedReceipt::parse(answer["signed"].as_str().unwrap()).unwrap();
    let keys = house.ok("GET", "/oauth/jwks", Value::Null).await;
    let key = remit_identity::PublicJwk::parse(&keys["keys"][0]).unwrap();
    assert_eq!(signed.verify(&key).unwrap().value("ended"), Some(&answer["receipt"]["ended"]));
    let again = house.ok("POST", "/v1/agents/triage/suspend", json!({"reason": "looked at"})).await;
    assert_eq!(again["unchanged"], true);
    assert_eq!(house.ask("GET", "/v1/receipts/0", Value::Null).await.1["code"], "not_a_revocation");
}
