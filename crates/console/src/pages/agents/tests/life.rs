use http::StatusCode;
use remit_domain::{Actor, AgentStatus, Command, CredentialKind, Digest, ReportSharing};
use serde_json::json;

use super::{has, has_not, send};
use crate::world::World;

fn status(world: &World) -> AgentStatus {
    world.engine.read(|state| state.agent(world.agent).unwrap().status)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_ends_an_agent_and_reads_the_receipt() {
    let world = World::new().await;
    world.call("helpdesk/lookup", json!({"id": "7"})).await.allowed();
    let question = world.ask(json!({"order": "A-1"})).await;
    let olga = world.sign_in("olga").await;
    let nothing = world.get("/agents/support-bot/receipt", &olga).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    has(&nothing, &["was never ended"]);
    let without = send(&world, &olga, "/agents/support-bot/end", &[("reason", " ")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(status(&world), AgentStatus::Active);
    let ended = send(&world, &olga, "/agents/support-bot/end", &[("reason", "replaced <b>by another")]).await;
    assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, "/agents/support-bot/receipt"));
    assert_eq!(status(&world), AgentStatus::Decommissioned);
    let receipt = world.get("/agents/support-bot/receipt", &olga).await;
    has(
        &receipt,
        &[
            "Receipt of the end",
            "1 task with all tokens, 1 grant, 1 question to people",
            &format!("/tasks/{}", world.task),
            "0 calls, counted",
            "helpdesk/lookup",
            "had been sent before",
            "status-list",
            "ms after the commit",
            "Signed by the realm",
        ],
    );
    has_not(&receipt, &["/agents/support-bot/end\"", "/agents/support-bot/enrolment\""]);
    has(&world.get("/agents/support-bot", &olga).await, &["it was ended for good", "/agents/support-bot/receipt"]);
    assert!(world.engine.read(|state| !state.approval(question).unwrap().is_pending()));
    let carla = world.sign_in("carla").await;
    assert_eq!(world.get("/agents/support-bot/receipt", &carla).await.status, StatusCode::FORBIDDEN);
    has_not(&world.get("/agents/support-bot", &carla).await, &["/agents/support-bot/receipt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_agent_is_resumed_and_its_receipt_stays() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    has_not(&world.get("/agents/support-bot", &olga).await, &["/agents/support-bot/resume\""]);
    send(&world, &olga, "/agents/support-bot/suspend", &[("reason", "it loops")]).await;
    assert_eq!(status(&world), AgentStatus::Suspended);
    let page = world.get("/agents/support-bot", &olga).await;
    has(
        &page,
        &[
            "it is suspended",
            "/agents/support-bot/receipt",
            "/agents/support-bot/resume",
            "now every call of it is denied",
        ],
    );
    let resumed = send(&world, &olga, "/agents/support-bot/resume", &[]).await;
    assert_eq!(resumed.status, StatusCode::SEE_OTHER, "{}", resumed.body);
    assert_eq!(status(&world), AgentStatus::Active);
    has(&world.get("/agents/support-bot/receipt", &olga).await, &["1 task with all tokens", "Receipt of the end"]);
    has(&world.get("/agents/support-bot", &olga).await, &["It has no live task", "/connect?agent=support-bot"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_answer_for_it_sees_why_each_control_is_off_and_is_refused_anyway() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    let page = world.get("/agents/support-bot", &carla).await;
    has(&page, &["only the agent's owner or an administrator may do this"]);
    for verb in ["suspend", "end", "enrolment"] {
        has(&page, &[&format!("disabled aria-describedby=\"{verb}-why\"")]);
        let fields = [("reason", "x"), ("minutes", "15")];
        let refused = send(&world, &carla, &format!("/agents/support-bot/{verb}"), &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{verb}: {}", refused.body);
    }
    let olga = world.sign_in("olga").await;
    for verb in ["suspend", "end", "activate", "enrolment"] {
        let forged =
            world.post(&format!("/agents/support-bot/{verb}"), &olga, &[("reason", "x"), ("minutes", "15")]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{verb}: {}", forged.body);
    }
    assert_eq!(status(&world), AgentStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_code_is_shown_once_and_only_its_digest_is_kept() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    let page = send(&world, &olga, "/agents/support-bot/enrolment", &[("minutes", "15")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    has(&page, &["remit agent enrol-key support-bot --code enr_", "15 min left", "--issuer http://127.0.0.1:7470"]);
    let (_, rest) = page.body.split_once("--code ").unwrap();
    let code = rest.split_whitespace().next().unwrap().to_owned();
    let records =
        world.engine.query(remit_engine::Filter { limit: 500, ..remit_engine::Filter::default() }).await.unwrap();
    let digest = Digest::of_bytes(code.as_bytes()).to_string();
    let told: Vec<String> = records.iter().map(|one| serde_json::to_string(&one.record.event).unwrap()).collect();
    assert!(told.iter().any(|record| record.contains(&digest)) && !told.iter().any(|record| record.contains(&code)));
    for path in ["/agents/support-bot", "/agents/support-bot/timeline"] {
        has_not(&world.get(path, &olga).await, &[&code]);
    }
    let bad = send(&world, &olga, "/agents/support-bot/enrolment", &[("minutes", "999999")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_told_to_those_who_answer_for_it_and_closed_with_a_note() {
    let world = World::new().await;
    let report = ReportSharing {
        credential: Digest::of_bytes(b"a token"),
        kind: CredentialKind::Token,
        agent: world.agent,
        task: Some(world.task),
        parties: vec!["10.0.0.1".to_owned(), "<b>10.0.0.2".to_owned()],
    };
    world.engine.submit(Actor::Remit, Command::ReportSharing(Box::new(report))).await.unwrap();
    let (olga, carla) = (world.sign_in("olga").await, world.sign_in("carla").await);
    assert_eq!(world.get("/agents/support-bot/findings", &carla).await.status, StatusCode::FORBIDDEN);
    let page = world.get("/agents/support-bot/findings", &olga).await;
    has(&page, &["several hands", "&lt;b&gt;10.0.0.2", "It is dealt with", &format!("/tasks/{}", world.task)]);
    let id = page.field("finding");
    let unknown =
        send(&world, &olga, "/agents/support-bot/close-finding", &[("finding", "fnd_x"), ("note", "x")]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let refused = send(&world, &carla, "/agents/support-bot/close-finding", &[("finding", &id), ("note", "x")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let guessed =
        send(&world, &carla, "/agents/support-bot/close-finding", &[("finding", "fnd_x"), ("note", "x")]).await;
    assert_eq!(guessed.status, StatusCode::FORBIDDEN, "a guess tells nothing");
    let closed =
        send(&world, &olga, "/agents/support-bot/close-finding", &[("finding", &id), ("note", "a proxy")]).await;
    assert_eq!(closed.header("location"), "/agents/support-bot/findings", "{}", closed.body);
    has(&world.get("/agents/support-bot/findings", &olga).await, &["closed", "a proxy"]);
}
