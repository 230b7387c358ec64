//! An application asks a person, who lets it have a task of an agent.

use http::StatusCode;
use remit_domain::{Command, Consent, Digest};
use remit_identity::consent::ConsentRequest;
use remit_identity::{SigningKey, base64url, digest};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::{Ask, House, ISSUER, both, claims, form, task_of};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const BACK: &str = "http://127.0.0.1/back";
const CODE: (&str, &str) = ("grant_type", "authorization_code");

pub(super) async fn client(house: &House) -> String {
    let register = Command::RegisterClient { name: "desk-app".to_owned(), redirect_uris: vec![BACK.to_owned()] };
    house.world.submit(&house.world.root(), register).await;
    house.world.engine.read(|state| state.clients.values().next().unwrap().id.to_string())
}

fn challenge() -> String {
    base64url::encode(digest::sha256(VERIFIER.as_bytes()))
}

pub(super) fn question<'a>(client: &str, back: &str) -> Vec<(&'a str, String)> {
    let challenge = challenge();
    form(&[
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", back),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "st&te"),
    ])
}

pub(super) fn with<'a>(mut question: Vec<(&'a str, String)>, name: &'a str, value: &str) -> Vec<(&'a str, String)> {
    question.retain(|(own, _)| *own != name);
    question.push((name, value.to_owned()));
    question
}

pub(super) async fn authorize(house: &House, question: &[(&str, String)]) -> (StatusCode, Option<String>, Value) {
    let query = Serializer::new(String::new()).extend_pairs(question).finish();
    house.get(&format!("/oauth/authorize?{query}")).await
}

pub(super) fn opened(house: &House, location: &str) -> ConsentRequest {
    let sealed = location.strip_prefix(&format!("{ISSUER}/consent?request=")).unwrap_or_else(|| panic!("{location}"));
    ConsentRequest::open(&house.world.engine.key_for("consent"), sealed, house.now()).unwrap()
}

/// A person says yes to `request`, and the client has the code.
pub(super) async fn consent(house: &House, request: &ConsentRequest, code: &str) {
    let consent = Consent {
        code: Digest::of_bytes(code.as_bytes()),
        client: request.client_id.clone(),
        client_name: request.client_name.clone(),
        redirect_uri: request.redirect_uri.clone(),
        agent: house.world.agent_named("triage"),
        purpose: request.goal.clone().unwrap_or_else(|| "answer tickets".to_owned()),
        scope: request.scope.iter().map(|scope| scope.parse().unwrap()).collect(),
        authority: Vec::new(),
        resource: request.resource.clone(),
        challenge: request.code_challenge.clone(),
        key: request.jkt.clone(),
        configuration: request.configuration.as_deref().map(|digest| digest.parse().unwrap()),
        ttl_seconds: None,
    };
    house.world.submit(&house.world.root(), Command::Consent(Box::new(consent))).await;
}

pub(super) fn redeem<'a>(client: &str, code: &str, back: &str) -> Vec<(&'a str, String)> {
    form(&[CODE, ("client_id", client), ("code", code), ("redirect_uri", back), ("code_verifier", VERIFIER)])
}

#[tokio::test]
async fn a_person_lets_a_client_in_once() {
    let house = House::build().await;
    let client = client(&house).await;
    // An application takes whichever port is free.
    let back = "http://127.0.0.1:49152/back";
    let crm = format!("{}/crm", house.gateway());
    let (status, location, _) = authorize(&house, &with(question(&client, back), "resource", &crm)).await;
    assert_eq!(status, StatusCode::FOUND);
    let request = opened(&house, &location.unwrap());
    assert_eq!((request.scope.as_slice(), request.state.as_deref()), (&["crm/*".to_owned()][..], Some("st&te")));
    consent(&house, &request, "code-1").await;
    for wrong in [
        with(redeem(&client, "code-1", back), "code_verifier", &"x".repeat(43)),
        redeem(&client, "code-1", BACK),
        redeem(&client, "code-2", back),
        with(redeem(&client, "code-1", back), "resource", house.gateway()),
    ] {
        let (status, answer) = house.token(wrong, None).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")), "{answer}");
    }
    let (status, answer) = house.token(redeem(&client, "code-1", back), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let said = claims(&answer);
    assert_eq!((&said["client_id"], &said["aud"], &said["sub_profile"]), (&json!(client), &json!(crm), &json!("user")));
    assert_eq!(said["act"]["sub"], house.id("triage"));
    // The second use of the code ends what the first began.
    let (_, again) = house.token(redeem(&client, "code-1", back), None).await;
    assert_eq!((&again["error"], &again["code"]), (&json!("invalid_grant"), &json!("code_reused")));
    assert!(!house.world.engine.read(|state| state.task(task_of(&answer)).unwrap().is_live()));
}

#[tokio::test]
async fn refresh_tokens_are_good_once_and_keep_to_their_place_and_key() {
    let house = House::build().await;
    let client = client(&house).await;
    let (key, _) = SigningKey::generate().unwrap();
    let crm = format!("{}/crm", house.gateway());
    let asked = with(with(question(&client, BACK), "resource", &crm), "dpop_jkt", key.kid());
    let (_, location, _) = authorize(&house, &asked).await;
    consent(&house, &opened(&house, &location.unwrap()), "code-1").await;
    // The code is bound to the key.
    assert_eq!(house.token(redeem(&client, "code-1", BACK), None).await.1["error"], "invalid_grant");
    let (_, first) = house.token(redeem(&client, "code-1", BACK), Some(&key)).await;
    assert_eq!(first["token_type"], "DPoP", "{first}");
    let refresh = |answer: &Value| {
        let token = answer["refresh_token"].as_str().unwrap();
        form(&[("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", token)])
    };
    assert_eq!(house.token(refresh(&first), None).await.1["error"], "invalid_dpop_proof");
    let elsewhere = with(refresh(&first), "resource", house.gateway());
    assert_eq!(house.token(elsewhere, Some(&key)).await.1["error"], "invalid_target");
    let wide = with(refresh(&first), "scope", "helpdesk/*");
    assert_eq!(house.token(wide, Some(&key)).await.1["error"], "invalid_scope");
    let (_, second) = house.token(refresh(&first), Some(&key)).await;
    assert_eq!((&claims(&second)["aud"], &claims(&second)["task"]), (&json!(crm), &claims(&first)["task"]));
    let (_, again) = house.token(refresh(&first), Some(&key)).await;
    assert_eq!((&again["error"], &again["code"]), (&json!("invalid_grant"), &json!("refresh_reused")));
    assert_eq!(house.token(refresh(&second), Some(&key)).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_revoked_refresh_token_ends_everything() {
    let house = House::build().await;
    let client = client(&house).await;
    let (_, location, _) = authorize(&house, &question(&client, BACK)).await;
    consent(&house, &opened(&house, &location.unwrap()), "code-1").await;
    let (_, first) = house.token(redeem(&client, "code-1", BACK), None).await;
    let token = first["refresh_token"].as_str().unwrap();
    let revoke = form(&[("client_id", &client), ("token", token)]);
    assert_eq!(house.post("/oauth/revoke", Ask { form: revoke, ..Ask::default() }).await.0, StatusCode::OK);
    assert!(!house.world.engine.read(|state| state.task(task_of(&first)).unwrap().is_live()));
    // A client that proves nothing learns nothing.
    let ask = form(&[("client_id", &client), ("token", first["access_token"].as_str().unwrap())]);
    assert_eq!(house.post("/oauth/introspect", Ask { form: ask, ..Ask::default() }).await.1["error"], "invalid_client");
}

#[tokio::test]
async fn nobody_is_sent_anywhere_before_the_address_is_known_to_be_right() {
    let house = House::build().await;
    let client = client(&house).await;
    for asked in [
        question("cli_nobody", BACK),
        question(&client, "https://evil.example/back"),
        question(&client, "http://127.0.0.1/back/"),
        question(&client, "http://127.0.0.1.evil.example/back"),
    ] {
        let (status, location, body) = authorize(&house, &asked).await;
        assert_eq!((status.is_client_error(), location), (true, None), "{body}");
    }
    let doubled = both(question(&client, BACK), &[("redirect_uri", "https://evil.example")]);
    assert_eq!(authorize(&house, &doubled).await.1, None);
}

#[tokio::test]
async fn what_is_wrong_is_said_to_the_client_with_state_and_issuer() {
    let house = House::build().await;
    let client = client(&house).await;
    let intent = json!({"intent": {"goal": "g", "resources": [house.gateway()], "expires_at": "2100-01-01T00:00:00Z"}});
    for (name, value, word) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("resource", "https://other.example/mcp", "invalid_target"),
        ("scope", "openid", "invalid_scope"),
        ("authorization_details", "{}", "invalid_authorization_details"),
        ("request", "x", "request_not_supported"),
        ("mission_intent", &intent.to_string(), "invalid_request"),
    ] {
        let (status, location, _) = authorize(&house, &with(question(&client, BACK), name, value)).await;
        let location = location.unwrap();
        assert_eq!(status, StatusCode::FOUND);
        assert!(location.starts_with(&format!("{BACK}?error={word}&")), "{name}: {location}");
        assert!(location.ends_with("&state=st%26te&iss=https%3A%2F%2Fremit.test"), "{location}");
    }
}

#[tokio::test]
async fn a_pushed_request_is_used_once_by_the_client_that_pushed_it() {
    let house = House::build().await;
    let client = client(&house).await;
    let crm = format!("{}/crm", house.gateway());
    let intent = json!({"intent": {"goal": "tidy up", "resources": [crm], "expires_at": "2100-01-01T00:00:00Z"}});
    let asked = with(question(&client, BACK), "mission_intent", &intent.to_string());
    let (status, pushed) = house.post("/oauth/par", Ask { form: asked.clone(), ..Ask::default() }).await;
    assert_eq!(status, StatusCode::CREATED, "{pushed}");
    let uri = pushed["request_uri"].as_str().unwrap();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    let other = Command::RegisterClient { name: "other".to_owned(), redirect_uris: vec![BACK.to_owned()] };
    house.world.submit(&house.world.root(), other).await;
    let other =
        house.world.engine.read(|state| state.clients.values().find(|one| one.name == "other").unwrap().id.to_string());
    let bring = |client: &str| form(&[("client_id", client), ("request_uri", uri), ("scope", "helpdesk/*")]);
    assert_eq!(authorize(&house, &bring(&other)).await.2["error"], "invalid_request_uri");
    let (_, location, _) = authorize(&house, &bring(&client)).await;
    let request = opened(&house, &location.unwrap());
    // What stands beside the name of the request does not count.
    assert_eq!((request.goal.as_deref(), request.scope.as_slice()), (Some("tidy up"), &["crm/*".to_owned()][..]));
    assert!(request.intent_hash.unwrap().starts_with("sha-256:"));
    assert_eq!(request.ends_at, Some(4_102_444_800));
    assert_eq!(authorize(&house, &bring(&client)).await.2["code"], "request_used");
    let bad = with(asked, "redirect_uri", "https://evil.example/");
    assert_eq!(house.post("/oauth/par", Ask { form: bad, ..Ask::default() }).await.1["error"], "invalid_request");
}

#[tokio::test]
async fn a_client_registers_itself_where_that_is_allowed() {
    let metadata = json!({"client_name": "app", "redirect_uris": ["https://app.example/back"], "token_endpoint_auth_method": "none"});
    let register = |body: &Value| {
        let body = axum::body::Body::from(body.to_string());
        http::Request::post("/oauth/register").header("content-type", "application/json").body(body).unwrap()
    };
    let house = House::build().await;
    let (status, _, registered) = house.send(register(&metadata)).await;
    assert_eq!(status, StatusCode::CREATED, "{registered}");
    let id = registered["client_id"].as_str().unwrap();
    let (_, location, _) = authorize(&house, &question(id, "https://app.example/back")).await;
    assert_eq!(opened(&house, &location.unwrap()).client_name, "app");
    let (_, _, refused) = house.send(register(&json!({"redirect_uris": ["http://evil.example/"]}))).await;
    assert_eq!(refused["error"], "invalid_redirect_uri");
    let (_, _, refused) = house.send(register(&json!({"redirect_uris": []}))).await;
    assert_eq!(refused["error"], "invalid_client_metadata");
    let closed = House::with(|settings| settings.dynamic_registration = false).await;
    assert_eq!(closed.send(register(&metadata)).await.2["error"], "access_denied");
}

#[tokio::test]
async fn a_client_is_what_its_own_document_says() {
    let house = House::build().await;
    let (public, signing, keys) =
        ("https://app.example/client", "https://desk.example/client", "https://desk.example/keys");
    let until = house.world.engine.now().plus_seconds(60);
    let (key, _) = SigningKey::generate().unwrap();
    let mut jwk = key.public().to_value();
    jwk["kid"] = json!(key.kid());
    let back = "https://app.example/back";
    let documents = &house.api.memory.documents;
    documents.seed(public, &json!({"client_id": public, "client_name": "app", "redirect_uris": [back]}), until);
    let method = "private_key_jwt";
    let document = json!({
        "client_id": signing, "redirect_uris": [back], "token_endpoint_auth_method": method, "jwks_uri": keys,
    });
    documents.seed(signing, &document, until);
    documents.seed(keys, &json!({"keys": [jwk]}), until);
    documents.seed("https://liar.example/client", &json!({"client_id": public, "redirect_uris": [back]}), until);
    for (client, name) in [(public, "app"), (signing, "desk.example")] {
        let (_, location, _) = authorize(&house, &question(client, back)).await;
        let request = opened(&house, &location.unwrap());
        assert_eq!(request.client_name, name);
        consent(&house, &request, client).await;
    }
    let (status, of_public) = house.token(redeem(public, public, back), None).await;
    assert_eq!((status, &claims(&of_public)["client_id"]), (StatusCode::OK, &json!(public)));
    // The other has keys, so its name alone proves nothing.
    assert_eq!(house.token(redeem(signing, signing, back), None).await.1["code"], "client_unproved");
    let assertion = |key: &SigningKey| {
        let (iat, jti) = (house.now(), house.fresh());
        let claims = remit_identity::assertion::AssertionClaims {
            client: signing.to_owned(),
            aud: ISSUER.to_owned(),
            exp: iat + 60,
            iat,
            jti,
        };
        remit_identity::assertion::make(key, &claims).unwrap()
    };
    let kind = ("client_assertion_type", super::JWT_BEARER);
    let (stranger, _) = SigningKey::generate().unwrap();
    let by_stranger = both(redeem(signing, signing, back), &[kind, ("client_assertion", &assertion(&stranger))]);
    assert_eq!(house.token(by_stranger, None).await.1["error"], "invalid_client");
    let proved = both(redeem(signing, signing, back), &[kind, ("client_assertion", &assertion(&key))]);
    let (status, answer) = house.token(proved.clone(), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    // Applications have a memory of their own, so that strangers do not fill that of agents.
    assert!(house.api.assertions.lock().unwrap().is_empty());
    // It is told about its own tokens, and nothing about those of others.
    for (token, active) in [(&answer, true), (&of_public, false)] {
        let by = form(&[kind, ("client_assertion", &assertion(&key))]);
        let ask = both(by, &[("token", token["access_token"].as_str().unwrap())]);
        let (_, told) = house.post("/oauth/introspect", Ask { form: ask, ..Ask::default() }).await;
        assert_eq!(told["active"], active, "{told}");
    }
    // What is wrong is said here: nobody is sent where a stranger's document says.
    let (status, location, body) = authorize(&house, &with(question(public, back), "response_type", "token")).await;
    assert_eq!(
        (status, location, &body["error"]),
        (StatusCode::BAD_REQUEST, None, &json!("unsupported_response_type"))
    );
    assert_eq!(house.token(proved, None).await.1["code"], "assertion_replay");
    for liar in ["https://liar.example/client", "https://127.0.0.1/client", "http://app.example/client"] {
        let (status, location, body) = authorize(&house, &question(liar, back)).await;
        assert_eq!((status, location), (StatusCode::UNAUTHORIZED, None), "{body}");
    }
}

#[tokio::test]
async fn whoever_guesses_codes_takes_no_room() {
    let house = House::build().await;
    let client = client(&house).await;
    let (key, _) = SigningKey::generate().unwrap();
    let (_, refused) = house.token(redeem(&client, "guessed", BACK), Some(&key)).await;
    assert_eq!((&refused["error"], &refused["code"]), (&json!("invalid_grant"), &json!("code_refused")));
    let ask = Ask { form: with(question(&client, BACK), "scope", "openid"), proof: Some(&key), svid: None };
    assert_eq!(house.post("/oauth/par", ask).await.1["error"], "invalid_scope");
    let ask = Ask { form: question(&client, BACK), proof: Some(&key), svid: None };
    assert_eq!(house.post("/oauth/par", ask).await.0, StatusCode::CREATED);
    let memory = &house.api.memory;
    assert!(memory.proofs.lock().unwrap().is_empty());
    assert_eq!(memory.pushed_proofs.lock().unwrap().len(), 1);
}
