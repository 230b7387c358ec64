//! `/ssf/events`: what other systems say about people, pushed as signed events (RFC 8935), and what Remit says about itself as a
//! receiver (OpenID Shared Signals Framework 1.0).
//!
//! An event is believed for its signature alone: whoever sends it needs no other credential, and nothing in it chooses a key.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use remit_domain::{Actor, Command, ReceiveSignal, SignalKind};
use remit_identity::foreign::{Expect, KeySet};
use remit_identity::secevent::{EventError, MEDIA_TYPE, SubjectId, UnverifiedEvent, event_type};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::Api;

/// A system whose events are heeded.
pub struct Transmitter {
    /// The audience under which it knows this realm.
    pub audience: String,
    /// Further issuers whose accounts it may speak about. About its own it always may.
    pub subjects: BTreeSet<String>,
    /// Its keys, as they are now.
    pub keys: Arc<dyn Fn() -> Option<Arc<KeySet>> + Send + Sync>,
}

impl std::fmt::Debug for Transmitter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Transmitter");
        shown.field("audience", &self.audience).field("subjects", &self.subjects).finish_non_exhaustive()
    }
}

/// All of them, by issuer.
pub type Transmitters = BTreeMap<String, Transmitter>;

/// Why an event is not accepted, in the form of RFC 8935 section 2.3.
fn refused(code: &str, description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"err": code, "description": description}))).into_response()
}

/// Takes one event.
pub(crate) async fn receive(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != MEDIA_TYPE {
        return refused("invalid_request", "an event comes as `application/secevent+jwt`");
    }
    let Ok(token) = std::str::from_utf8(&body) else {
        return refused("invalid_request", "the event is not text");
    };
    let event = match read(&api, token.trim()) {
        Ok(event) => event,
        Err(error) => return refused(error.delivery_code(), &error.to_string()),
    };
    let (issuer, subject) = match &event.sub_id {
        SubjectId::IssSub { iss, sub } => (iss.clone(), sub.clone()),
        SubjectId::Email { email } => (event.iss.clone(), email.clone()),
        SubjectId::Opaque { id } => (event.iss.clone(), id.clone()),
    };
    // INVARIANT: whom it is about is of an issuer that this transmitter may speak for, or one could end the people of another.
    let transmitter = api.settings.transmitters.get(&event.iss);
    let may = |transmitter: &Transmitter| issuer == event.iss || transmitter.subjects.contains(&issuer);
    if !transmitter.is_some_and(may) {
        return refused("access_denied", "this transmitter does not speak for the issuer of the event's subject");
    }
    // Others are accepted and change nothing here: a transmitter must not send them for ever.
    let Some(kind) = strongest(event.events.keys()) else { return StatusCode::ACCEPTED.into_response() };
    let signal = ReceiveSignal { transmitter: event.iss, kind, jti: event.jti, issuer, subject };
    if let Err(error) = api.engine.submit(Actor::Remit, Command::ReceiveSignal(Box::new(signal))).await {
        tracing::warn!(error = %error.refusal(), "an event could not be acted on; its sender will try again");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    StatusCode::ACCEPTED.into_response()
}

/// Of several events in one token the one that ends most, since the token's `jti` is acted on once. What a weaker one ends, a
/// stronger one ends too.
fn strongest<'a>(names: impl Iterator<Item = &'a String>) -> Option<SignalKind> {
    let by_strength = [
        (event_type::ACCOUNT_PURGED, SignalKind::AccountPurged),
        (event_type::ACCOUNT_DISABLED, SignalKind::AccountDisabled),
        (event_type::SESSION_REVOKED, SignalKind::SessionRevoked),
    ];
    let names: Vec<&str> = names.map(String::as_str).collect();
    by_strength.into_iter().find(|(name, _)| names.contains(name)).map(|(_, kind)| kind)
}

fn read(api: &Api, token: &str) -> Result<remit_identity::secevent::SecurityEvent, EventError> {
    let unverified = UnverifiedEvent::parse(token)?;
    let issuer = unverified.claimed_issuer()?.to_owned();
    let transmitter = api.settings.transmitters.get(&issuer);
    let keys = transmitter.and_then(|transmitter| (transmitter.keys)());
    let (Some(transmitter), Some(keys)) = (transmitter, keys) else {
        return Err(EventError::Token(remit_identity::foreign::ForeignError::Issuer));
    };
    let expect = Expect { issuer: &issuer, audience: &transmitter.audience, now: api.engine.now().as_seconds() };
    unverified.verify(&keys, &expect)
}

/// What Remit is as a transmitter (SSF 1.0 section 7.1). Streams are set up by its operator, not by whoever asks.
pub(crate) async fn configuration(State(api): State<Api>) -> Json<Value> {
    let issuer = api.engine.realm().issuer;
    Json(json!({
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/oauth/jwks"),
        "delivery_methods_supported": ["urn:ietf:rfc:8935"],
        "critical_subject_members": [],
        "default_subjects": "ALL",
    }))
}
