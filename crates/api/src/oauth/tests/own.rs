//! An agent's own tasks, and the ways in which it proves itself.

use http::StatusCode;
use remit_domain::Command;
use remit_identity::jwt_svid;
use remit_identity::x509::PeerSvid;
use remit_identity::{SigningKey, SpiffeId};
use serde_json::json;

use super::{Ask, House, ISSUER, JWT_SPIFFE, both, claims, form, task_of};

const OWN: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn an_agent_begins_a_task_bound_to_the_key_it_proves() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let details = json!([{
        "type": "mission_resource_access", "resource": format!("{}/helpdesk", house.gateway()),
        "actions": ["read.*"], "constraints": {"max_amount": 10},
        "delegation": {"max_depth": 1, "allowed_delegates": [{"sub": house.id("helper")}]},
    }]);
    let ask =
        both(house.by("triage", &key), &[OWN, ("authorization_details", &details.to_string()), ("purpose", "look")]);
    let (status, answer) = house.token(ask, Some(&key)).await;
    assert_eq!((status, &answer["token_type"]), (StatusCode::OK, &json!("DPoP")), "{answer}");
    assert_eq!(answer["authorization_details"][0]["actions"], json!(["read.all", "read.one"]));
    let said = claims(&answer);
    let id = house.id("triage");
    assert_eq!((&said["sub"], &said["client_id"], &said["sub_profile"]), (&json!(id), &json!(id), &json!("ai_agent")));
    assert_eq!((&said["cnf"]["jkt"], &said["aud"]), (&json!(key.kid()), &json!(house.gateway())));
    assert_eq!((said.get("act"), &said["may_act"]["sub"]), (None, &json!(house.id("helper"))));
    assert_eq!((&said["level"], &said["mission"]["id"]), (&json!("task"), &said["task"]));
    assert!(said["mission"]["authority_hash"].as_str().unwrap().starts_with("sha-256:"));
    assert!(said["status"]["status_list"]["uri"].as_str().unwrap().starts_with(ISSUER));
    let purpose = house.world.engine.read(|state| state.task(task_of(&answer)).unwrap().purpose.clone());
    assert_eq!(purpose, "look");
}

#[tokio::test]
async fn an_assertion_is_for_this_issuer_alone_and_for_one_use() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let by = house.by("triage", &key);
    let ask = || both(by.clone(), &[OWN]);
    assert_eq!(house.token(ask(), None).await.1["token_type"], "Bearer");
    let (status, again) = house.token(ask(), None).await;
    assert_eq!(
        (status, &again["error"], &again["code"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_client"), &json!("assertion_replay"))
    );
    let kind = ("client_assertion_type", super::JWT_BEARER);
    for audience in [format!("{ISSUER}/oauth/token"), format!("{ISSUER}/")] {
        let assertion = house.assertion("triage", &key, &audience);
        let (_, refused) = house.token(form(&[OWN, kind, ("client_assertion", &assertion)]), None).await;
        assert_eq!(refused["code"], "assertion_audience", "{audience}");
    }
    // Signed by another agent's key.
    let other = house.key("helper").await;
    let (_, refused) = house.token(both(house.by("triage", &other), &[OWN]), None).await;
    assert_eq!(refused["error"], "invalid_client");
}

#[tokio::test]
async fn there_are_no_secrets_and_nobody_is_taken_for_somebody() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let id = house.id("triage");
    for refused in [
        form(&[OWN]),
        form(&[OWN, ("client_id", &id)]),
        both(house.by("triage", &key), &[OWN, ("client_secret", "x")]),
        both(house.by("triage", &key), &[OWN, ("client_id", &house.id("helper"))]),
        form(&[OWN, ("client_assertion_type", "urn:other"), ("client_assertion", "x")]),
    ] {
        let (status, answer) = house.token(refused, None).await;
        assert_eq!((status, &answer["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{answer}");
    }
    let half = form(&[OWN, ("client_assertion", "x")]);
    assert_eq!(house.token(half, None).await.1["error"], "invalid_request");
    let (_, answer) = house.token(form(&[("grant_type", "password")]), None).await;
    assert_eq!(answer["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a_key_that_is_not_the_agents_binds_nothing() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let (stranger, _) = SigningKey::generate().unwrap();
    let (_, answer) = house.token(both(house.by("triage", &key), &[OWN]), Some(&stranger)).await;
    assert_eq!((&answer["error"], &answer["code"]), (&json!("invalid_dpop_proof"), &json!("key_unknown")));
}

#[tokio::test]
async fn a_jwt_svid_proves_an_agent_and_other_documents_do_not() {
    let house = House::build().await;
    house.bind("triage").await;
    let id = SpiffeId::parse(&house.id("triage")).unwrap();
    let mint =
        |audience: &str| jwt_svid::mint(&house.world.engine.keys(), &id, audience, 60, house.now()).unwrap().token;
    let ask = |svid: &str| form(&[OWN, ("client_assertion_type", JWT_SPIFFE), ("client_assertion", svid)]);
    let (status, answer) = house.token(ask(&mint(ISSUER)), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(house.token(ask(&mint("https://other")), None).await.1["code"], "svid_audience");
    // A task token is signed with the same key and is no JWT-SVID.
    let task_token = answer["access_token"].as_str().unwrap();
    assert_eq!(house.token(ask(task_token), None).await.1["error"], "invalid_client");
    // A run is no more than its task.
    let run = format!("{id}/run/{}", claims(&answer)["run"].as_str().unwrap());
    let run = SpiffeId::parse(&run).unwrap();
    let svid = jwt_svid::mint(&house.world.engine.keys(), &run, ISSUER, 60, house.now()).unwrap().token;
    assert_eq!(house.token(ask(&svid), None).await.1["error"], "unauthorized_client");
}

#[tokio::test]
async fn a_certificate_proves_an_agent_that_names_itself_and_binds_its_tokens() {
    let house = House::build().await;
    let workload = house.bind("triage").await;
    let id = house.id("triage");
    let svid = || PeerSvid {
        issued_at: i64::MAX,
        id: SpiffeId::parse(&id).unwrap(),
        certificate_sha256: "kO2oSVFYnWjZIVD3BzFU2Gy_6tOWg5AAz2pGR_NFFzc".to_owned(),
        serial: "01".to_owned(),
        not_after: house.now() + 60,
    };
    let ask = |named: &str| Ask { form: form(&[OWN, ("client_id", named)]), proof: None, svid: Some(svid()) };
    let (status, answer) = house.post("/oauth/token", ask(&id)).await;
    assert_eq!((status, &answer["token_type"]), (StatusCode::OK, &json!("Bearer")), "{answer}");
    assert_eq!(claims(&answer)["cnf"]["x5t#S256"], svid().certificate_sha256);
    // The certificate is renewed, and with it the token of the same task.
    let path = format!("/v1/agent/tasks/{}/token", claims(&answer)["task"].as_str().unwrap());
    let renew = |svid: Option<PeerSvid>| {
        let mut request = http::Request::post(&path).body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().extend(
            svid.map(|svid| {
                let mut extensions = http::Extensions::new();
                extensions.insert(svid);
                extensions
            })
            .unwrap_or_default(),
        );
        request
    };
    let next = PeerSvid { certificate_sha256: "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2".to_owned(), ..svid() };
    let (status, _, renewed) = house.send(renew(Some(next.clone()))).await;
    assert_eq!(status, StatusCode::OK, "{renewed}");
    let renewed = json!({"access_token": renewed["token"]});
    assert_eq!(claims(&renewed)["cnf"]["x5t#S256"], next.certificate_sha256);
    assert_eq!(house.send(renew(None)).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(house.post("/oauth/token", ask(&house.id("helper"))).await.1["error"], "invalid_client");
    let unnamed = Ask { form: form(&[OWN]), proof: None, svid: Some(svid()) };
    assert_eq!(house.post("/oauth/token", unnamed).await.1["error"], "invalid_request");
    // Once nothing is bound to the agent, what is left of its certificates proves nothing.
    let unbind = Command::UnbindWorkload { agent: house.world.agent_named("triage"), workload };
    house.world.submit(&house.world.root(), unbind).await;
    let (status, refused) = house.post("/oauth/token", ask(&id)).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNAUTHORIZED, &json!("workload_unbound")));
    let (status, _, refused) = house.send(renew(Some(svid()))).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNAUTHORIZED, &json!("workload_unbound")));
    house.bind("triage").await;
    let old = PeerSvid { issued_at: house.now() - 60, ..svid() };
    assert_eq!(house.send(renew(Some(old))).await.2["code"], "svid_withdrawn");
}

#[tokio::test]
async fn a_token_is_for_one_place_of_ours() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let crm = format!("{}/crm", house.gateway());
    let (_, answer) = house.token(both(house.by("triage", &key), &[OWN, ("resource", &crm)]), None).await;
    assert_eq!((&claims(&answer)["aud"], &answer["scope"]), (&json!(crm), &json!("crm/*")));
    for elsewhere in ["https://other.example/mcp", &format!("{}/nothing", house.gateway())] {
        let (_, answer) = house.token(both(house.by("triage", &key), &[OWN, ("resource", elsewhere)]), None).await;
        assert_eq!(answer["error"], "invalid_target");
    }
    let two = both(house.by("triage", &key), &[OWN, ("resource", &crm), ("resource", house.gateway())]);
    assert_eq!(house.token(two, None).await.1["error"], "invalid_target");
    let wide = both(house.by("triage", &key), &[OWN, ("resource", &crm), ("scope", "helpdesk/*")]);
    assert_eq!(house.token(wide, None).await.1["error"], "invalid_scope");
}

#[tokio::test]
async fn the_metadata_says_what_there_is() {
    let house = House::build().await;
    let (_, _, metadata) = house.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(
        (&metadata["issuer"], &metadata["token_endpoint"]),
        (&json!(ISSUER), &json!(format!("{ISSUER}/oauth/token")))
    );
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(house.get("/.well-known/openid-configuration").await.2, metadata);
    let (_, _, bundle) = house.get("/.well-known/spiffe-bundle").await;
    assert!(bundle["keys"].as_array().unwrap().iter().any(|key| key["use"] == "jwt-svid"));
}
