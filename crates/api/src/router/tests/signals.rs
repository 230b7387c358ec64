//! What other systems say about people.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use remit_domain::SignalKind;
use remit_identity::SigningKey;
use remit_identity::foreign::KeySet;
use remit_identity::jws::{self, Header};
use remit_identity::secevent::{MEDIA_TYPE, event_type};
use serde_json::{Value, json};

use super::House;
use crate::{Settings, Transmitter};

const IDP: &str = "https://idp.example";
const OTHER: &str = "https://other.example";

/// A house that heeds `IDP`, about its own people and those of `subjects`.
async fn heeding(key: &SigningKey, subjects: &[&str]) -> House {
    let mut jwk = key.public().to_value();
    jwk["kid"] = json!(key.kid());
    let keys = Arc::new(KeySet::of(&json!({"keys": [jwk]})).unwrap());
    let subjects: BTreeSet<String> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
    let keys = Arc::new(move || Some(Arc::clone(&keys)));
    let transmitter = Transmitter { audience: super::ISSUER.to_owned(), subjects, keys };
    let transmitters = Arc::new([(IDP.to_owned(), transmitter)].into());
    House::build_with(Settings { transmitters, ..Settings::at("http://console", "http://gateway/mcp") }).await
}

async fn tell(house: &House, key: &SigningKey, jti: &str, subject: &str, kinds: &[&str]) -> (StatusCode, Value) {
    let now = house.world.engine.now().as_seconds();
    let events: serde_json::Map<String, Value> = kinds.iter().map(|kind| ((*kind).to_owned(), json!({}))).collect();
    let claims = json!({
        "iss": IDP, "aud": super::ISSUER, "iat": now, "jti": jti, "events": events,
        "sub_id": {"format": "iss_sub", "iss": subject, "sub": "ada"},
    });
    let token = jws::sign(&Header { typ: "secevent+jwt", kid: Some(key.kid()), jwk: None }, &claims, key).unwrap();
    house.send(Request::post("/ssf/events").header("content-type", MEDIA_TYPE).body(Body::from(token)).unwrap()).await
}

async fn received(house: &House) -> Vec<SignalKind> {
    let signals = house.world.records().await.into_iter().filter_map(|record| match record.record.event {
        remit_domain::Event::SignalReceived(signal) => Some(signal.kind),
        _ => None,
    });
    signals.collect()
}

#[tokio::test]
async fn of_several_events_in_one_the_strongest_counts() {
    let (key, _) = SigningKey::generate().unwrap();
    let house = heeding(&key, &[]).await;
    let both = [event_type::SESSION_REVOKED, event_type::ACCOUNT_DISABLED];
    assert_eq!(tell(&house, &key, "e1", IDP, &both).await.0, StatusCode::ACCEPTED);
    let all = [event_type::SESSION_REVOKED, event_type::ACCOUNT_DISABLED, event_type::ACCOUNT_PURGED];
    assert_eq!(tell(&house, &key, "e2", IDP, &all).await.0, StatusCode::ACCEPTED);
    assert_eq!(tell(&house, &key, "e3", IDP, &[event_type::CREDENTIAL_CHANGE]).await.0, StatusCode::ACCEPTED);
    assert_eq!(received(&house).await, [SignalKind::AccountDisabled, SignalKind::AccountPurged]);
}

#[tokio::test]
async fn nobody_speaks_about_the_people_of_another() {
    let (key, _) = SigningKey::generate().unwrap();
    let house = heeding(&key, &[]).await;
    let (status, refused) = tell(&house, &key, "e1", OTHER, &[event_type::ACCOUNT_PURGED]).await;
    assert_eq!((status, &refused["err"]), (StatusCode::BAD_REQUEST, &json!("access_denied")));
    assert!(received(&house).await.is_empty());
    let allowed = heeding(&key, &[OTHER]).await;
    assert_eq!(tell(&allowed, &key, "e1", OTHER, &[event_type::ACCOUNT_PURGED]).await.0, StatusCode::ACCEPTED);
    assert_eq!(received(&allowed).await, [SignalKind::AccountPurged]);
}
