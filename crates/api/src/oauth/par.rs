//! `/oauth/par`: an authorization request that comes by the back door, where it can be long and nobody can change it (RFC 9126).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use remit_domain::Refusal;
use remit_identity::base64url;
use remit_identity::code::OneTimeCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authorize::Question;
use super::client::{self, Client};
use super::error::OAuthError;
use super::form::Form;
use super::{Asked, proof};
use crate::{Api, limits};

pub(crate) const PATH: &str = "/oauth/par";
const URN: &str = "urn:ietf:params:oauth:request_uri:";
/// What the key is for that seals requests.
const PURPOSE: &str = "oauth-par";

/// A pushed request. It is kept by whoever pushed it, sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Pushed {
    client: String,
    parameters: BTreeMap<String, String>,
    jti: String,
    issued_at: i64,
}

/// Parameters that say who asks, and are no part of what is asked.
const OF_THE_CLIENT: [&str; 3] = ["client_assertion", "client_assertion_type", "client_secret"];

/// Takes a request, checks all of it, and gives the name by which a browser brings it.
pub(crate) async fn push(
    State(api): State<Api>,
    asked: Asked,
    form: Form,
) -> Result<(StatusCode, Json<Value>), OAuthError> {
    if form.optional("request_uri").is_some() {
        return Err(OAuthError::invalid_request("nested_request", "a pushed request does not name another one"));
    }
    let app = match client::authenticate(&api, &asked, &form).await? {
        Client::App(app) => app,
        Client::Agent(_) => {
            return Err(OAuthError::unauthorized_client("an agent asks no person; it begins its own task"));
        }
    };
    let mut form = form;
    // A proof that came along binds the code as `dpop_jkt` does (RFC 9449 section 10.1).
    let held = proof::held(&api, &asked, PATH)?;
    if let Some(held) = &held {
        if form.optional("dpop_jkt").is_some_and(|named| named != held.key()) {
            return Err(OAuthError::invalid_request("key_differs", "`dpop_jkt` is another key than the proof's"));
        }
        let mut pairs = form.into_pairs();
        pairs.insert("dpop_jkt".to_owned(), held.key().to_owned());
        form = Form::of_pairs(pairs);
    }
    // What cannot be asked is refused now, to the client, and not later, to the person.
    Question::read(&api, &app, &form, true).map_err(|refused| refused.error)?;
    held.map(|held| held.shown_once(&api.memory.pushed_proofs)).transpose()?;
    let mut parameters = form.into_pairs();
    OF_THE_CLIENT.iter().for_each(|name| drop(parameters.remove(*name)));
    let fault = || OAuthError::fault("keep the request");
    let jti = OneTimeCode::generate("").map_err(|_| fault())?;
    let issued_at = api.engine.now().as_seconds();
    let pushed = Pushed { client: app.id, parameters, jti: jti.expose().to_owned(), issued_at };
    let plain = serde_json::to_vec(&pushed).map_err(|_| fault())?;
    let sealed = api.engine.key_for(PURPOSE).seal(PURPOSE.as_bytes(), &plain).map_err(|_| fault())?;
    let sealed = base64url::encode(sealed);
    if sealed.len() > limits::AUTHORIZE_QUERY_BYTES_MAX / 2 {
        return Err(OAuthError::invalid_request("request_too_large", "the request is too large to be asked"));
    }
    let body = json!({"request_uri": format!("{URN}{sealed}"), "expires_in": limits::PUSHED_SECONDS});
    Ok((StatusCode::CREATED, Json(body)))
}

/// The parameters of the pushed request `uri`, which is used up by that. It is for the client that pushed it.
pub(super) fn take(api: &Api, client: &str, uri: &str) -> Result<Form, OAuthError> {
    let refused = |code: &str, sentence: &str| {
        OAuthError::new(
            "invalid_request_uri",
            Refusal::new(code, sentence).help("go back to the application and start again"),
        )
    };
    let unknown = || refused("request_unknown", "this pushed request is unknown, or for another client");
    let sealed = uri.strip_prefix(URN).and_then(|sealed| base64url::decode(sealed).ok()).ok_or_else(unknown)?;
    let plain = api.engine.key_for(PURPOSE).open(PURPOSE.as_bytes(), &sealed).map_err(|_| unknown())?;
    let pushed: Pushed = serde_json::from_slice(&plain).map_err(|_| unknown())?;
    if pushed.client != client {
        return Err(unknown());
    }
    let now = api.engine.now().as_seconds();
    if now >= pushed.issued_at.saturating_add(limits::PUSHED_SECONDS) {
        return Err(refused("request_expired", "this pushed request has expired"));
    }
    // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
    let first = api.memory.pushed.lock().is_ok_and(|mut seen| seen.insert(client, &pushed.jti, pushed.issued_at, now));
    if first {
        Ok(Form::of_pairs(pushed.parameters))
    } else {
        Err(refused("request_used", "this pushed request was used before"))
    }
}
