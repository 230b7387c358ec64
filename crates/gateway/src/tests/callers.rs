//! Who may call at all.

use remit_domain::Event;
use serde_json::{Value, json};

use super::world::{Answered, World, read};

fn code(answered: &Answered) -> &str {
    answered.body()["error"]["data"]["remit/refusal"]["code"].as_str().unwrap_or_default()
}

fn echo() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
}

#[tokio::test]
async fn nobody_is_nobody() {
    let world = World::new().await;
    let url = format!("{}/mcp/desk", world.url);
    let bare = || world.http.post(&url).header("content-type", "application/json").body(echo().to_string());
    let cases = [
        (bare(), "token_needed"),
        (bare().header("authorization", "Basic cm9vdDpyb290"), "token_needed"),
        (bare().header("authorization", "Bearer"), "token_needed"),
        (bare().header("authorization", "Bearer nonsense"), "token_malformed"),
        (bare().bearer_auth(&world.token).header("authorization", "Bearer other"), "token_malformed"),
        (bare().bearer_auth(format!("{}x", world.token)), "token_signature"),
        (bare().header("authorization", format!("DPoP {}", world.token)), "token_not_bound"),
    ];
    for (request, expected) in cases {
        let answered = read(request.send().await.unwrap()).await;
        assert_eq!(answered.status, 401, "{expected}");
        let found = code(&answered).to_owned();
        assert!(found == expected || found == "token_malformed", "{found} for {expected}");
        let challenge = answered.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("/.well-known/oauth-protected-resource/mcp")
                && challenge.contains("error=\"invalid_token\""),
            "{challenge}"
        );
    }
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn a_token_bound_to_a_key_needs_a_fresh_proof_of_it() {
    let mut world = World::new().await;
    let key = world.enrol().await;
    world.task = world.start_task(Some(key.public().thumbprint())).await;
    world.token = world.token(world.task).await;
    let post = |path: &str| {
        let request = world.http.post(format!("{}{path}", world.url)).header("content-type", "application/json");
        request.body(echo().to_string())
    };
    let unproven = read(post("/mcp/desk").bearer_auth(&world.token).send().await.unwrap()).await;
    assert_eq!((unproven.status, code(&unproven)), (401, "proof_needed"));
    assert!(unproven.header("www-authenticate").unwrap().starts_with("DPoP "));
    let bound = |path: &str| post(path).header("authorization", format!("DPoP {}", world.token));
    let missing = read(bound("/mcp/desk").send().await.unwrap()).await;
    assert_eq!(code(&missing), "proof_needed");
    let proof = world.proof(&key, "/mcp/desk", &world.token, "j1");
    let elsewhere = read(bound("/mcp").header("dpop", &proof).send().await.unwrap()).await;
    assert_eq!(code(&elsewhere), "proof_refused");
    let proven = read(bound("/mcp/desk").header("dpop", &proof).send().await.unwrap()).await;
    assert_eq!(proven.status, 200, "{proven:?}");
    assert_eq!(proven.text(), "{}");
    let replayed = read(bound("/mcp/desk").header("dpop", &proof).send().await.unwrap()).await;
    assert_eq!(code(&replayed), "proof_replayed");
    let (other, _) = remit_identity::SigningKey::generate().unwrap();
    let stolen = world.proof(&other, "/mcp/desk", &world.token, "j2");
    let stolen = read(bound("/mcp/desk").header("dpop", &stolen).send().await.unwrap()).await;
    assert_eq!(code(&stolen), "proof_refused");
    let attribution = world.wait_for(|event| match event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.attribution),
        _ => None,
    });
    assert_eq!(attribution.await, remit_domain::Attribution::Proven);
}

#[tokio::test]
async fn pages_and_other_names_are_kept_out() {
    let world = World::new().await;
    let post = || world.modern("/mcp/desk", "tools/list", json!({}));
    let named = post().header("host", "evil.example").send().await.unwrap();
    assert_eq!(named.status(), 421);
    let page = post().header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(page.status(), 403);
    let own = post().header("origin", "http://localhost:3000").send().await.unwrap();
    assert_eq!(own.status(), 200);
    let form =
        world.http.post(format!("{}/mcp/desk", world.url)).bearer_auth(&world.token).body("{}").send().await.unwrap();
    assert_eq!(form.status(), 415);
    let large = world
        .http
        .post(format!("{}/mcp/desk", world.url))
        .bearer_auth(&world.token)
        .header("content-type", "application/json");
    let large = large.body(vec![b' '; crate::limits::REQUEST_BYTES_MAX + 1]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    for administrative in ["/", "/v1/agents", "/metrics", "/healthz", "/mcp/desk/x"] {
        let response =
            world.http.get(format!("{}{administrative}", world.url)).bearer_auth(&world.token).send().await.unwrap();
        assert_eq!(response.status(), 404, "{administrative}");
    }
}
