//! What binds a token, what a token must not contradict, and workloads that come with a certificate instead of one.

use remit_domain::{AgentId, Attribution, Command, Environment, Event, KeyPurpose, KeyStep, StepKey, WorkloadIdentity};
use remit_engine::IssueToken;
use remit_identity::token::Profile;
use remit_identity::{SpiffeId, jwt_svid};
use serde_json::json;

use super::world::{Answered, World, read};

const AGENT: &str = "spiffe://remit.test/agent/triage/production";

/// Binds a process of this machine to the agent, so that there is a workload that its own identity can be of.
async fn bind(world: &World, agent: AgentId, path: &str) {
    let workload = WorkloadIdentity::Local { selectors: vec![format!("unix:path:{path}")] };
    world.submit(&world.root(), Command::BindWorkload { agent, workload }).await;
}

async fn run_of(world: &World) -> String {
    let run = world.engine.read(|state| state.task(world.task).unwrap().run);
    format!("{AGENT}/run/{run}")
}

/// Calls `echo` on a connection that shows the certificate `digest` of `id`.
async fn calls_as(world: &World, id: &str, digest: &str, token: Option<&str>) -> Answered {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let request = world.http.post(format!("{}/mcp/desk", world.url)).body(body.to_string());
    let request = request.header("content-type", "application/json").header("x-test-peer", format!("{id} {digest}"));
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_token_that_contradicts_the_state_is_stale() {
    let world = World::new().await;
    let other = world.start_task(None).await.to_string();
    let other_run = world.engine.read(|state| state.task(other.parse().unwrap()).unwrap().run.to_string());
    let root = world.person_named("ada").to_string();
    let agent = world.agent("other", "ada", |_| {}).await.to_string();
    let foreign = "spiffe://remit.test/agent/other/production";
    assert_eq!(world.asks("/mcp", Some(&world.forged(|_| {})), &[]).await.status, 200);
    let cases = [
        ("run", world.forged(|claims| claims.run = other_run)),
        ("agent", world.forged(|claims| claims.agent = agent)),
        ("task", world.forged(|claims| claims.task = other)),
        (
            "subject",
            world.forged(|claims| {
                claims.sub = foreign.to_owned();
                claims.client_id = foreign.to_owned();
            }),
        ),
        (
            "person",
            world.forged(|claims| {
                claims.sub_profile = Some(Profile::User);
                claims.sub = root.clone();
                claims.acting_for = Some(root);
                let actor = json!({"sub": AGENT, "iss": "spiffe://remit.test", "sub_profile": "ai_agent"});
                claims.act = Some(remit_identity::token::ActorNode::parse(&actor).unwrap());
            }),
        ),
        (
            "actor",
            world.forged(|claims| {
                let actor = json!({"sub": foreign, "iss": "spiffe://remit.test", "sub_profile": "ai_agent"});
                claims.act = Some(remit_identity::token::ActorNode::parse(&actor).unwrap());
                claims.client_id = foreign.to_owned();
            }),
        ),
    ];
    for (what, token) in cases {
        assert_eq!(world.asks("/mcp", Some(&token), &[]).await.kept_out(), (401, "token_stale"), "another {what}");
    }
}

#[tokio::test]
async fn what_a_revoked_key_signed_is_refused_from_the_commit_on() {
    let world = World::new().await;
    assert_eq!(world.asks("/mcp", Some(&world.token), &[]).await.status, 200);
    let key = world.engine.keys().signing().unwrap().kid().to_owned();
    let public = world.engine.read(|state| state.realm_keys.get(&key).map(|key| key.public.clone()));
    let public = public.unwrap_or_else(|| json!({"kty": "EC", "kid": key}));
    let step = |step| {
        Command::StepKey(Box::new(StepKey {
            key: key.clone(),
            purpose: KeyPurpose::Token,
            step,
            public: public.clone(),
        }))
    };
    world.submit(&world.root(), step(KeyStep::Active)).await;
    world.submit(&world.root(), step(KeyStep::Revoked)).await;
    // The ring still has it: the state alone refuses.
    assert!(world.engine.keys().verifying(&key, world.engine.now().as_seconds()).is_some());
    assert_eq!(world.asks("/mcp", Some(&world.token), &[]).await.kept_out(), (401, "token_key_revoked"));
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_needs_that_very_one() {
    let mut world = World::new().await;
    world.task = world.start_task(Some(AGENT.to_owned())).await;
    let certificate = Some("one".to_owned());
    let wanted = IssueToken { ttl_seconds: 600, audience: None, certificate };
    let token = world.engine.issue_token(world.agent_of(world.task), world.task, wanted).await.unwrap().token;
    assert_eq!(world.asks("/mcp", Some(&token), &[]).await.kept_out(), (401, "certificate_needed"));
    assert_eq!(calls_as(&world, AGENT, "two", Some(&token)).await.kept_out(), (401, "certificate_mismatch"));
    let thief = "spiffe://remit.test/agent/other/production";
    assert_eq!(calls_as(&world, thief, "one", Some(&token)).await.kept_out(), (401, "credential_shared_run"));
    let dpop = world.http.post(format!("{}/mcp", world.url)).header("authorization", format!("DPoP {token}"));
    let dpop = read(dpop.header("content-type", "application/json").body("{}").send().await.unwrap()).await;
    assert_eq!(dpop.kept_out(), (401, "token_not_bound"));
    assert_eq!(calls_as(&world, AGENT, "one", Some(&token)).await.text(), "{}");
    let attribution = world.wait_for(|event| match event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.attribution),
        _ => None,
    });
    assert_eq!(attribution.await, Attribution::Proven);
}

#[tokio::test]
async fn a_token_on_the_connection_of_another_run_is_refused() {
    let mut world = World::new().await;
    let own = run_of(&world).await;
    let first = world.token.clone();
    world.task = world.start_task(None).await;
    let other = run_of(&world).await;
    assert_eq!(calls_as(&world, &own, "c", Some(&first)).await.status, 200);
    assert_eq!(calls_as(&world, &other, "c", Some(&first)).await.kept_out(), (401, "credential_shared_run"));
    assert_eq!(calls_as(&world, AGENT, "c", Some(&first)).await.status, 200, "the agent's own connection");
    // A key-bound one too, whose proof is in order.
    let key = world.enrol().await;
    world.task = world.start_task(Some(key.public().thumbprint())).await;
    world.token = world.token(world.task).await;
    let proof = world.proof(&key, "/mcp/desk", &world.token, "j1");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let request = world.http.post(format!("{}/mcp/desk", world.url)).header("content-type", "application/json");
    let request = request.header("authorization", format!("DPoP {}", world.token)).header("dpop", proof);
    let request = request.header("x-test-peer", format!("{other} c")).body(body);
    assert_eq!(read(request.send().await.unwrap()).await.kept_out(), (401, "credential_shared_run"));
}

#[tokio::test]
async fn a_proof_on_the_listener_for_certificates_names_that_address() {
    let mut world = World::with(true, |settings| settings.mtls_url = Some("https://gate.example.org".to_owned())).await;
    let key = world.enrol().await;
    world.task = world.start_task(Some(key.public().thumbprint())).await;
    world.token = world.token(world.task).await;
    let now = world.engine.now().as_seconds();
    let send = |base: &str, jti: &str| {
        let proof =
            remit_identity::dpop::make_proof(&key, "POST", &format!("{base}/mcp"), now, jti, Some(&world.token));
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
        let request = world.http.post(format!("{}/mcp", world.url)).header("content-type", "application/json");
        let request = request.header("authorization", format!("DPoP {}", world.token)).header("dpop", proof.unwrap());
        request.header("x-test-peer", format!("{AGENT} c")).body(body)
    };
    let right = read(send("https://gate.example.org", "j1").send().await.unwrap()).await;
    assert_eq!(right.status, 200);
    let wrong = read(send(&world.url, "j2").send().await.unwrap()).await;
    assert_eq!(wrong.kept_out(), (401, "proof_refused"));
}

#[tokio::test]
async fn the_certificate_of_a_run_opens_its_task() {
    let world = World::new().await;
    let run = run_of(&world).await;
    assert_eq!(calls_as(&world, &run, "c", None).await.text(), "{}");
    let task = world.wait_for(|event| match event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.task),
        _ => None,
    });
    assert_eq!(task.await, world.task);
    world.end(world.task).await;
    assert_eq!(calls_as(&world, &run, "c", None).await.kept_out(), (401, "run_ended"));
    let staging = run.replace("/production/", "/staging/");
    assert_eq!(calls_as(&world, &staging, "c", None).await.kept_out(), (401, "svid_unknown"));
    let door = "spiffe://remit.test/remit/gateway";
    assert_eq!(calls_as(&world, door, "c", None).await.kept_out(), (401, "svid_unknown"));
}

#[tokio::test]
async fn the_certificate_of_an_agent_opens_its_standing_task() {
    let world = World::new().await;
    assert_eq!(calls_as(&world, AGENT, "c", None).await.kept_out(), (403, "workload_unbound"));
    bind(&world, world.agent, "/usr/bin/one").await;
    for _ in 0..2 {
        assert_eq!(calls_as(&world, AGENT, "c", None).await.text(), "{}");
    }
    let standing: Vec<_> = world.engine.read(|state| {
        let standing = state.tasks.values().filter(|task| task.via.is_some());
        standing.map(|task| (task.via.clone(), task.calls)).collect()
    });
    assert_eq!(standing, [(Some("svid:x509".to_owned()), 2)]);
    world.submit(&world.ada, Command::SuspendAgent { agent: world.agent, reason: "enough".to_owned() }).await;
    let (status, code) = {
        let answered = calls_as(&world, AGENT, "c", None).await;
        (answered.status, answered.kept_out().1.to_owned())
    };
    assert_eq!(status, 403, "{code}");
}

#[tokio::test]
async fn an_identity_that_is_too_coarse_is_refused() {
    let world = World::new().await;
    let agent = world.agent("starter", "ada", |profile| profile.autonomy = Some(4)).await;
    let id = "spiffe://remit.test/agent/starter/production";
    assert_eq!(calls_as(&world, id, "c", None).await.kept_out(), (401, "identity_too_coarse"));
    let task = world.task("starter").await;
    let token = world.token(task).await;
    assert_eq!(world.asks("/mcp", Some(&token), &[]).await.status, 200, "a task's own token is fine enough");
    assert!(world.engine.read(|state| state.live_tasks_of(agent).all(|task| task.via.is_none())));
}

#[tokio::test]
async fn another_environment_is_kept_out_of_production() {
    let world = World::with(true, |settings| settings.production = true).await;
    let draft = world.agent("draft", "ada", |profile| profile.environment = Some(Environment::Development)).await;
    bind(&world, draft, "/usr/bin/two").await;
    let task = world.task("draft").await;
    let token = world.token(task).await;
    assert_eq!(world.asks("/mcp", Some(&token), &[]).await.kept_out(), (401, "token_environment"));
    let id = "spiffe://remit.test/agent/draft/development";
    assert_eq!(calls_as(&world, id, "c", None).await.kept_out(), (401, "token_environment"));
    assert_eq!(world.asks("/mcp", Some(&world.token), &[]).await.status, 200);
}

#[tokio::test]
async fn a_workload_that_nobody_knows_arrives_and_is_kept_out() {
    let world = World::new().await;
    let id = "spiffe://elsewhere.test/ns/batch/sa/triage";
    assert_eq!(calls_as(&world, id, "c", None).await.kept_out(), (403, "agent_quarantined"));
    assert_eq!(calls_as(&world, id, "c", None).await.kept_out(), (403, "agent_quarantined"));
    let arrived = world.records().await;
    let arrived = arrived.iter().filter(|record| matches!(record.record.event, Event::WorkloadArrived(_))).count();
    assert_eq!(arrived, 1);
    let known = "spiffe://elsewhere.test/ns/batch/sa/known";
    let workload =
        WorkloadIdentity::Foreign { issuer: "spiffe://elsewhere.test".to_owned(), subject: known.to_owned() };
    world.submit(&world.root(), Command::BindWorkload { agent: world.agent, workload }).await;
    assert_eq!(calls_as(&world, known, "c", None).await.text(), "{}");
    // On the connection of a workload that is one agent, the token of another is in the wrong hands.
    world.agent("other", "ada", |_| {}).await;
    let task = world.task("other").await;
    let token = world.token(task).await;
    assert_eq!(calls_as(&world, known, "c", Some(&token)).await.kept_out(), (401, "credential_shared_run"));
}

#[tokio::test]
async fn a_jwt_svid_opens_what_is_bound_to_nothing() {
    let mut world = World::new().await;
    bind(&world, world.agent, "/usr/bin/one").await;
    let (keys, now) = (world.engine.keys(), world.engine.now().as_seconds());
    let mint = |id: &str, audience: &str| {
        jwt_svid::mint(&keys, &SpiffeId::parse(id).unwrap(), audience, 60, now).unwrap().token
    };
    let audience = format!("{}/mcp", world.url);
    let run = run_of(&world).await;
    world.token = mint(&run, &audience);
    assert_eq!(world.call("echo", json!({})).await.text(), "{}");
    let elsewhere = mint(&run, "https://elsewhere.example.org");
    assert_eq!(world.asks("/mcp", Some(&elsewhere), &[]).await.kept_out(), (401, "token_type"));
    let desk = mint(&run, &format!("{audience}/desk"));
    assert_eq!(world.asks("/mcp", Some(&desk), &[]).await.kept_out(), (401, "token_type"));
    assert_eq!(world.asks("/mcp/desk", Some(&desk), &[]).await.status, 200);
    assert_eq!(world.asks("/mcp", Some(&mint(AGENT, &audience)), &[]).await.status, 200, "its standing task");
    let key = world.enrol().await;
    world.task = world.start_task(Some(key.public().thumbprint())).await;
    let bound = mint(&run_of(&world).await, &audience);
    assert_eq!(world.asks("/mcp", Some(&bound), &[]).await.kept_out(), (401, "proof_needed"));
}
