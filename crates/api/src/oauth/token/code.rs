//! `authorization_code`: what a person consented to, once, for the client that can show the verifier (RFC 7636).

use axum::response::Response;
use remit_domain::{Actor, Command, Digest, Event, RedeemCode, Refusal};
use remit_identity::code::OneTimeCode;
use remit_identity::{base64url, digest};
use serde_json::{Map, Value};

use super::refresh::RefreshToken;
use super::{Asked, Given, PATH};
use crate::Api;
use crate::oauth::client::{self, App, Client};
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::oauth::proof;
use crate::oauth::target::Target;

pub(super) async fn grant(api: &Api, asked: &Asked, form: &Form) -> Result<Response, OAuthError> {
    let app = app_of(client::authenticate(api, asked, form).await?)?;
    let (code, redirect_uri) = (form.text("code")?, form.text("redirect_uri")?);
    let challenge = challenge_of(form.text("code_verifier")?)?;
    let code = Digest::of_bytes(code.as_bytes());
    let state = api.engine.state();
    // INVARIANT: before anything that takes room: whoever guesses codes gets no place among what is to be decided, and none in
    // the memory of proofs.
    if !state.code_is_known(&code) {
        let sentence = "this authorization code is unknown, used, expired or not for this client";
        return Err(OAuthError::from(Refusal::new("code_refused", sentence).help("begin the sign-in again")));
    }
    let named = Target::asked(&state, api.engine.audience(), form)?;
    // Where the code is used the domain says so, and ends what it began; the place does not matter then.
    let consented = state.consented(&code).map(|consented| consented.resource.clone());
    let target = match consented {
        Some(resource) => Target::parse(&state, api.engine.audience(), &resource)?,
        None => Target::whole(api.engine.audience()),
    };
    let refresh = RefreshToken::generate(api, &target)?;
    let redeem = RedeemCode {
        code,
        client: app.id,
        redirect_uri: redirect_uri.to_owned(),
        challenge,
        resource: named.map(|named| named.address().to_owned()),
        key: proof::proved_key(api, asked, PATH)?,
        refresh: Some(refresh.digest()),
    };
    let receipt = api.engine.submit(Actor::Remit, Command::RedeemCode(Box::new(redeem))).await?;
    // Only this event is a success: a code that was used before ends its task instead.
    let redeemed = receipt.events.iter().find_map(|event| match event {
        Event::AuthorizationRedeemed { task, .. } => Some(*task),
        _ => None,
    });
    let task = redeemed.ok_or_else(|| {
        OAuthError::invalid_grant("code_reused", "this authorization code was used before, so what it began has ended")
    })?;
    let more: Map<String, Value> = [("refresh_token".to_owned(), Value::from(refresh.expose()))].into_iter().collect();
    Given { actor: Actor::Remit, task, target, certificate: None, more }.first_answer(api).await
}

/// The application, or the refusal that agents do not act on a person's consent: they have tasks of their own.
pub(super) fn app_of(client: Client) -> Result<App, OAuthError> {
    match client {
        Client::App(app) => Ok(app),
        Client::Agent(_) => Err(OAuthError::unauthorized_client("an agent gets its tokens by a task of its own")),
    }
}

/// The challenge that a verifier comes to; `S256` is the only way.
fn challenge_of(verifier: &str) -> Result<String, OAuthError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(allowed) {
        return Err(OAuthError::invalid_grant(
            "bad_verifier",
            "the code verifier is not 43 to 128 of the characters it may have",
        ));
    }
    Ok(base64url::encode(digest::sha256(verifier.as_bytes())))
}

/// A random code behind `prefix`.
pub(super) fn random(prefix: &str) -> Result<OneTimeCode, OAuthError> {
    OneTimeCode::generate(prefix).map_err(|_| OAuthError::fault("make a token"))
}
