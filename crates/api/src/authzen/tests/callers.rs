use http::{Request, StatusCode, header};
use remit_domain::{Actor, AgentKey, Attribution, Command, Digest, Event};
use remit_engine::IssueToken;
use remit_identity::SigningKey;
use remit_identity::dpop::make_proof;
use serde_json::json;

use super::{CONSOLE, House, post, question, send};

const PATH: &str = "/access/v1/evaluation";

fn permitted() -> serde_json::Value {
    question("alice", json!({"name": "read"}), ("record", "record-1"))
}

#[tokio::test]
async fn only_a_live_token_of_the_whole_gateway_is_let_in() {
    let house = House::of("certification").await;
    let mut nobody = post(PATH, "", &permitted());
    nobody.headers_mut().remove(header::AUTHORIZATION);
    let mut twice = post(PATH, &house.token, &permitted());
    twice.headers_mut().append(header::AUTHORIZATION, format!("Bearer {}", house.token).parse().unwrap());
    let audience = Some(format!("{}/record", house.world.engine.audience()));
    let narrow = IssueToken { ttl_seconds: 60, audience, certificate: None };
    let narrow = house.world.engine.issue_token(house.world.agent_of(house.task), house.task, narrow).await.unwrap();
    for (request, code) in [
        (nobody, "token_needed"),
        (twice, "token_malformed"),
        (post(PATH, "e30.e30.e30", &permitted()), "token_"),
        (post(PATH, &narrow.token, &permitted()), "token_narrow"),
    ] {
        let answered = send(&house.router, request).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{code}");
        assert!(answered.body["code"].as_str().unwrap().starts_with(code), "{}", answered.body);
    }
    assert!(house.evaluate(&permitted()).await.decision());
    house.world.end(house.task).await;
    let ended = house.evaluate(&permitted()).await;
    assert_eq!((ended.status, &ended.body["code"]), (StatusCode::UNAUTHORIZED, &json!("token_stale")));
}

/// A key of the enforcer's own.
async fn enrol(house: &House) -> SigningKey {
    let (key, _) = SigningKey::generate().unwrap();
    let (agent, code) = (house.world.agent_named("enforcer"), Digest::of_bytes(b"once"));
    let offer = Command::OfferEnrolment { agent, code, ttl_seconds: 60 };
    house.world.submit(&house.world.root(), offer).await;
    let own = AgentKey { thumbprint: key.kid().to_owned(), jwk: key.public().to_value() };
    let enrol = Command::EnrolKey { agent: "enforcer".to_owned(), code, key: own };
    house.world.submit(&Actor::Agent { agent, task: None }, enrol).await;
    key
}

#[tokio::test]
async fn a_bound_token_needs_a_proof_for_this_very_request() {
    let house = House::of("certification").await;
    let key = enrol(&house).await;
    let thumbprint = key.public().thumbprint();
    let task = house.world.task_with("enforcer", |start| start.key = Some(thumbprint.clone())).await;
    let token = house.world.token(task).await;
    let now = house.world.engine.now().as_seconds();
    let proof =
        |path: &str, jti: &str| make_proof(&key, "POST", &format!("{CONSOLE}{path}"), now, jti, Some(&token)).unwrap();
    let request = |proof: &str| {
        let mut request: Request<_> = post(PATH, "", &permitted());
        request.headers_mut().insert(header::AUTHORIZATION, format!("DPoP {token}").parse().unwrap());
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        request
    };
    assert_eq!(send(&house.router, post(PATH, &token, &permitted())).await.body["code"], "proof_needed");
    let elsewhere = proof("/access/v1/evaluations", "one");
    assert_eq!(send(&house.router, request(&elsewhere)).await.body["code"], "proof_needed");
    let good = proof(PATH, "two");
    assert!(send(&house.router, request(&good)).await.decision());
    assert_eq!(send(&house.router, request(&good)).await.body["code"], "proof_needed", "it was shown before");
    let records = house.world.records().await;
    let allowed = records.iter().find_map(|committed| match &committed.record.event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.attribution),
        _ => None,
    });
    assert_eq!(allowed, Some(Attribution::Proven));
}
