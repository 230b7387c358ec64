//! Who is let in with a token whose signature holds: as at the gateway, and only who enforces elsewhere.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode, header};
use remit_domain::{AgentProfile, Attribution, Command, Environment, Event, KeyPurpose, KeyStep, StepKey};
use remit_identity::token::{self, Expected};
use remit_identity::x509::PeerSvid;
use remit_identity::{SpiffeId, TaskClaims, UnverifiedTaskToken};
use serde_json::{Value, json};

use super::{Answered, House, post, question, send};
use crate::limits;

const PATH: &str = "/access/v1/evaluation";

fn permitted() -> Value {
    question("alice", json!({"name": "read"}), ("record", "record-1"))
}

/// Every address at which an enforcer asks, with what it would ask.
fn addresses() -> [(&'static str, Value); 6] {
    let mut many = permitted();
    many["evaluations"] = json!([{}, {}]);
    let mut asked = permitted();
    asked["denial"] = json!({"expires_at": "2099-01-01T00:00:00.000Z", "binding_token": "e30.e30.e30"});
    [
        (PATH, permitted()),
        ("/access/v1/evaluations", many),
        ("/access/v1/search/subject", permitted()),
        ("/access/v1/search/resource", permitted()),
        ("/access/v1/search/action", permitted()),
        ("/access/v1/requests", asked),
    ]
}

/// The house's token with other claims, signed by the realm all the same.
fn forged(house: &House, change: impl FnOnce(&mut TaskClaims)) -> String {
    let engine = &house.world.engine;
    let issuer = engine.realm().issuer;
    let expected = Expected { issuer: &issuer, audience: engine.audience(), environment: None };
    let (keys, now) = (engine.keys(), engine.now().as_seconds());
    let mut claims = UnverifiedTaskToken::parse(&house.token).unwrap().verify(&keys, &expected, now).unwrap();
    change(&mut claims);
    token::mint(&keys, &claims).unwrap()
}

fn refused(answered: &Answered) -> (u16, &str) {
    (answered.status.as_u16(), answered.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn only_an_agent_that_is_described_as_an_enforcer_is_answered() {
    let house = House::of("certification").await;
    house.world.agent("triage", "ana", |_| {}).await;
    house.world.grant("triage", &["record/*"], 3_600).await;
    let token = house.world.token(house.world.task("triage").await).await;
    let head = house.world.engine.head();
    for (path, body) in addresses() {
        for body in [body, Value::Null] {
            let answered = send(&house.router, post(path, &token, &body)).await;
            assert_eq!(refused(&answered), (403, "not_an_enforcer"), "{path}");
            assert!(answered.body["help"].as_str().unwrap().contains("--enforcer"), "{}", answered.body);
        }
    }
    let status = Request::get("/access/v1/requests/apr_1").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let status = send(&house.router, status.body(Body::empty()).unwrap()).await;
    assert_eq!(refused(&status), (403, "not_an_enforcer"));
    assert_eq!(house.world.engine.head(), head, "nothing was looked at, so nothing is on record");
    assert!(house.evaluate(&permitted()).await.decision());
}

#[tokio::test]
async fn a_token_that_contradicts_the_state_is_stale() {
    let house = House::of("certification").await;
    let foreign = "spiffe://remit.test/agent/other/production".to_owned();
    let same = send(&house.router, post(PATH, &forged(&house, |_| {}), &permitted())).await;
    assert!(same.decision());
    for (what, token) in [
        (
            "subject",
            forged(&house, |claims| {
                claims.sub.clone_from(&foreign);
                claims.client_id.clone_from(&foreign);
            }),
        ),
        (
            "actor",
            forged(&house, |claims| {
                let actor = json!({"sub": foreign, "iss": "spiffe://remit.test", "sub_profile": "ai_agent"});
                claims.act = Some(token::ActorNode::parse(&actor).unwrap());
                claims.client_id.clone_from(&foreign);
            }),
        ),
    ] {
        let answered = send(&house.router, post(PATH, &token, &permitted())).await;
        assert_eq!(refused(&answered), (401, "token_stale"), "another {what}");
    }
    let coarse = forged(&house, |claims| claims.level = Some(token::Level::Agent));
    let answered = send(&house.router, post(PATH, &coarse, &permitted())).await;
    assert_eq!(refused(&answered), (401, "identity_too_coarse"));
}

#[tokio::test]
async fn another_environment_is_kept_out_of_production() {
    let house = House::with("certification", |settings| settings.production = true).await;
    assert!(house.evaluate(&permitted()).await.decision());
    let describe = |profile: &mut AgentProfile| {
        profile.enforcer = true;
        profile.environment = Some(Environment::Test);
    };
    house.world.agent("rehearsal", "ana", describe).await;
    house.world.grant("rehearsal", &["record/*"], 3_600).await;
    let token = house.world.token(house.world.task("rehearsal").await).await;
    let answered = send(&house.router, post(PATH, &token, &permitted())).await;
    assert_eq!(refused(&answered), (401, "token_environment"));
}

#[tokio::test]
async fn a_token_on_the_connection_of_another_agent_is_refused() {
    let house = House::of("certification").await;
    house.world.agent("triage", "ana", |_| {}).await;
    let shown = |id: &str| {
        let peer = PeerSvid {
            id: SpiffeId::parse(id).unwrap(),
            certificate_sha256: "c".to_owned(),
            serial: "1".to_owned(),
            issued_at: 0,
            not_after: i64::MAX,
        };
        let mut request = post(PATH, &house.token, &permitted());
        request.extensions_mut().insert(peer);
        request
    };
    let own = "spiffe://remit.test/agent/enforcer/production";
    let run = house.world.engine.read(|state| state.task(house.task).unwrap().run);
    for good in [own.to_owned(), format!("{own}/run/{run}"), "spiffe://elsewhere.test/proxy".to_owned()] {
        assert!(send(&house.router, shown(&good)).await.decision(), "{good}");
    }
    for other in ["spiffe://remit.test/agent/triage/production", "spiffe://remit.test/agent/enforcer/test"] {
        assert_eq!(refused(&send(&house.router, shown(other)).await), (401, "credential_shared_run"), "{other}");
    }
}

#[tokio::test]
async fn a_bearer_token_in_two_hands_is_found_and_its_records_say_so() {
    let house = House::of("certification").await;
    for from in ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "10.0.0.1:3"] {
        let mut request = post(PATH, &house.token, &permitted());
        request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
        assert!(send(&house.router, request).await.decision(), "it is seen, not prevented");
    }
    let records = house.world.records().await;
    let events = || records.iter().map(|committed| &committed.record.event);
    let parties: Vec<_> = events()
        .filter_map(|event| match event {
            Event::FindingOpened(opened) => Some(opened.parties.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(parties, [["address 10.0.0.1".to_owned(), "address 10.0.0.2".to_owned()]], "told once");
    let grades: Vec<_> = events()
        .filter_map(|event| match event {
            Event::ActionAllowed(allowed) => Some(allowed.facts.attribution),
            _ => None,
        })
        .collect();
    use Attribution::{Asserted, Shared};
    assert_eq!(grades, [Asserted, Asserted, Shared, Shared]);
}

#[tokio::test]
async fn an_enforcer_that_asks_too_much_at_a_time_is_told_so_and_no_other_is() {
    let house = House::of("certification").await;
    house.world.agent("other", "ana", |profile| profile.enforcer = true).await;
    house.world.grant("other", &["record/*"], 3_600).await;
    let other = house.world.token(house.world.task("other").await).await;
    let room = &house.api.enforcers.room;
    let under_way = room.enter(house.world.agent_named("enforcer"), limits::EVALUATIONS_PER_ENFORCER_MAX).unwrap();
    for (path, body) in addresses() {
        let answered = house.ask(path, &body).await;
        assert_eq!(refused(&answered), (503, "overloaded"), "{path}");
        assert!(answered.headers.contains_key(header::RETRY_AFTER), "{path}");
    }
    assert!(send(&house.router, post(PATH, &other, &permitted())).await.decision());
    drop(under_way);
    for (path, body) in addresses() {
        assert_ne!(house.ask(path, &body).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_remembered_and_still_ends_when_it_does() {
    let house = House::of("certification").await;
    assert_eq!(house.api.enforcers.tokens.count(), 0);
    for _ in 0..3 {
        assert!(house.evaluate(&permitted()).await.decision());
    }
    assert_eq!(house.api.enforcers.tokens.count(), 1);
    let mut altered = house.token.clone();
    altered.replace_range(altered.len() - 4.., "AAAA");
    assert_eq!(send(&house.router, post(PATH, &altered, &permitted())).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.api.enforcers.tokens.count(), 1, "only what holds is remembered");

    let key = house.world.engine.keys().signing().unwrap().kid().to_owned();
    let public = house.world.engine.read(|state| state.realm_keys.get(&key).map(|key| key.public.clone()));
    let public = public.unwrap_or_else(|| json!({"kty": "EC", "kid": key}));
    for step in [KeyStep::Active, KeyStep::Revoked] {
        let (key, public) = (key.clone(), public.clone());
        let step = Command::StepKey(Box::new(StepKey { key, purpose: KeyPurpose::Token, step, public }));
        house.world.submit(&house.world.root(), step).await;
    }
    assert_eq!(refused(&house.evaluate(&permitted()).await), (401, "token_key_revoked"));
}
