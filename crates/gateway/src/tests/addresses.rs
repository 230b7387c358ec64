//! Each address is a resource of its own: what it says of itself, what it asks for, and which tokens are good there.

use remit_domain::Command;
use remit_engine::IssueToken;
use serde_json::{Value, json};

use super::world::{World, read};

#[tokio::test]
async fn each_address_says_where_its_tokens_come_from() {
    let world = World::new().await;
    let about = |path: &str| {
        let url = format!("{}/.well-known/oauth-protected-resource{path}", world.url);
        let request = world.http.get(url).send();
        async move { request.await.unwrap() }
    };
    for (path, resource) in [("", "/mcp"), ("/mcp", "/mcp"), ("/mcp/desk", "/mcp/desk")] {
        let document: Value = about(path).await.json().await.unwrap();
        assert_eq!(document["resource"], json!(format!("{}{resource}", world.url)), "of {path}");
        assert_eq!(document["authorization_servers"], json!(["http://127.0.0.1:7470"]));
        assert_eq!(document["jwks_uri"], json!("http://127.0.0.1:7470/oauth/jwks"));
        assert_eq!(document["scopes_supported"], json!(["desk/*"]));
        assert_eq!(document["dpop_signing_alg_values_supported"], json!(["ES256"]));
        assert_eq!(document["authorization_details_types_supported"], json!(["mission_resource_access"]));
        assert_eq!(document["mission_bound_authorization_required"], false);
        assert!(document.get("tls_client_certificate_bound_access_tokens").is_none());
    }
    assert_eq!(about("/mcp/nothing").await.status(), 404);
}

#[tokio::test]
async fn certificates_are_spoken_of_where_they_are_taken() {
    let world = World::with(true, |settings| settings.mtls_url = Some("https://gate.example.org".to_owned())).await;
    let url = format!("{}/.well-known/oauth-protected-resource/mcp", world.url);
    let document: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
}

#[tokio::test]
async fn a_challenge_names_the_document_of_its_own_address() {
    let world = World::new().await;
    for (path, document, scope) in [("/mcp", "/mcp", None), ("/mcp/desk", "/mcp/desk", Some("desk/*"))] {
        let answered = world.asks(path, None, &[]).await;
        assert_eq!(answered.kept_out(), (401, "token_needed"));
        let challenge = answered.header("www-authenticate").unwrap();
        let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource{document}\"", world.url);
        assert!(challenge.starts_with(&format!("Bearer {metadata}")), "{challenge}");
        assert!(
            challenge.contains("error=\"invalid_token\"") && challenge.ends_with("DPoP algs=\"ES256\""),
            "{challenge}"
        );
        let said = scope.map(|scope| format!("scope=\"{scope}\""));
        assert_eq!(said.is_some(), challenge.contains("scope="));
        assert!(said.is_none_or(|said| challenge.contains(&said)), "{challenge}");
    }
    // A connector that is not there is challenged as one that is.
    let unknown = world.asks("/mcp/nothing", None, &[]).await;
    assert!(unknown.header("www-authenticate").unwrap().contains("oauth-protected-resource/mcp/nothing\""));
    // What could not be the name of one does not come back.
    let odd = world.asks("/mcp/a%22,%20x=%22b", None, &[]).await;
    assert!(odd.header("www-authenticate").unwrap().contains("oauth-protected-resource/mcp\""));
}

#[tokio::test]
async fn a_token_for_one_connector_is_good_at_its_address_alone() {
    let world = World::new().await;
    let audience = Some(format!("{}/mcp/desk", world.url));
    let actor = world.agent_of(world.task);
    let issued =
        world.engine.issue_token(actor, world.task, IssueToken { ttl_seconds: 600, audience, certificate: None });
    let token = issued.await.unwrap().token;
    assert_eq!(world.asks("/mcp", Some(&token), &[]).await.kept_out(), (401, "token_audience"));
    assert_eq!(world.asks("/mcp/desk", Some(&token), &[]).await.status, 200);
    // It was just found good, and is no better elsewhere for that.
    for path in ["/mcp", "/mcp/crm", "/mcp/des", "/legacy/a/b/mcp/desk"] {
        assert_eq!(world.asks(path, Some(&token), &[]).await.kept_out(), (401, "token_audience"), "at {path}");
    }
    let whole = world.token.clone();
    assert_eq!(world.asks("/mcp/desk", Some(&whole), &[]).await.status, 200);
}

/// A client that a person consented to, whose task lacks what its agent was granted, is told to ask that person again; a task that
/// nobody could widen by consent gets the refusal alone.
#[tokio::test]
async fn a_client_of_a_person_is_told_to_step_up() {
    let mut world = World::new().await;
    let narrow = world.task_with("triage", |start| start.scope = vec!["desk/slow".parse().unwrap()]).await;
    world.task = narrow;
    world.token = world.token(narrow).await;
    let plain = world.call("echo", json!({})).await;
    assert_eq!((plain.status, plain.refused()), (200, Some("out_of_scope")), "no consent would widen it");
    world.token = world.consented("desk/slow").await;
    let answered = world.call("echo", json!({})).await;
    assert_eq!((answered.status, answered.refused()), (403, Some("out_of_scope")), "the refusal is there all the same");
    assert!(answered.header("remit-decision").unwrap().starts_with("act_"), "it is on record");
    let challenge = answered.header("www-authenticate").unwrap();
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp/desk", world.url);
    assert_eq!(
        challenge,
        format!("Bearer error=\"insufficient_scope\", scope=\"desk/echo\", resource_metadata=\"{metadata}\"")
    );
    let legacy = world.legacy("tools/call", json!({"name": "echo"}), None).await;
    assert_eq!((legacy.status, legacy.refused()), (403, Some("out_of_scope")));
    // What its agent was not granted, no consent gives.
    let ungranted = world.call("secret", json!({})).await;
    assert_eq!((ungranted.status, ungranted.header("www-authenticate")), (200, None));
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_others_of_its_task_are_not() {
    let world = World::new().await;
    let other = world.token(world.task).await;
    let mut jti = String::new();
    let mut expires_at = 0;
    world.forged(|claims| (jti, expires_at) = (claims.jti.clone(), claims.exp));
    let expires_at = remit_domain::Timestamp::from_millis(expires_at * 1_000);
    assert_eq!(world.asks("/mcp", Some(&world.token), &[]).await.status, 200);
    world.submit(&world.ada, Command::RevokeToken { task: world.task, token: jti, expires_at }).await;
    assert_eq!(world.asks("/mcp", Some(&world.token), &[]).await.kept_out(), (401, "token_revoked"));
    assert_eq!(world.asks("/mcp", Some(&other), &[]).await.status, 200);
    let request = world.modern("/mcp/desk", "tools/call", json!({"name": "echo", "arguments": {}}));
    let refused = read(request.send().await.unwrap()).await;
    assert_eq!(refused.kept_out(), (401, "token_revoked"));
}
