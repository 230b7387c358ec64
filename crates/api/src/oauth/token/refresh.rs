//! `refresh_token`: the next token for what a person consented to. Each refresh token is good once (RFC 9700 section 4.14).

use axum::response::Response;
use remit_domain::{Actor, Command, Digest, Event, Refusal};
use remit_identity::base64url;
use serde_json::{Map, Value};

use super::code::{app_of, random};
use super::{Asked, Given, PATH};
use crate::Api;
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::oauth::target::Target;
use crate::oauth::{client, proof, scope};

/// What stands before every refresh token.
const PREFIX: &str = "rfr_";

/// A refresh token: random, followed by the place that its access tokens are for. Only its digest is kept, over all of it, so
/// nothing in it can be changed.
pub(super) struct RefreshToken(String);

impl RefreshToken {
    pub fn generate(api: &Api, target: &Target) -> Result<Self, OAuthError> {
        let random = random(PREFIX)?;
        if target.address() == api.engine.audience() {
            return Ok(Self(random.expose().to_owned()));
        }
        Ok(Self(format!("{}.{}", random.expose(), base64url::encode(target.address()))))
    }

    fn read(text: &str) -> Option<Self> {
        text.starts_with(PREFIX).then(|| Self(text.to_owned()))
    }

    /// The place that it says. Nobody has vouched for it until the digest is known.
    fn place(&self) -> Option<String> {
        let (_, place) = self.0.split_once('.')?;
        String::from_utf8(base64url::decode(place).ok()?).ok()
    }

    pub fn digest(&self) -> Digest {
        Digest::of_bytes(self.0.as_bytes())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The digest of a text that may be a refresh token.
pub(in crate::oauth) fn digest_of(text: &str) -> Option<Digest> {
    RefreshToken::read(text).map(|token| token.digest())
}

pub(super) async fn grant(api: &Api, asked: &Asked, form: &Form) -> Result<Response, OAuthError> {
    let app = app_of(client::authenticate(api, asked, form).await?)?;
    let unknown = || {
        let sentence = "this refresh token is unknown, used, expired or not for this client";
        OAuthError::new("invalid_grant", Refusal::new("refresh_refused", sentence).help("begin the sign-in again"))
    };
    let old = RefreshToken::read(form.text("refresh_token")?).ok_or_else(unknown)?;
    let state = api.engine.state();
    let task = state
        .task_of_refresh(&old.digest())
        .filter(|task| task.client.as_ref() == Some(&app.id))
        .ok_or_else(unknown)?;
    let place = old.place().unwrap_or_else(|| api.engine.audience().to_owned());
    let target = Target::parse(&state, api.engine.audience(), &place)?;
    if Target::asked(&state, api.engine.audience(), form)?.is_some_and(|named| named != target) {
        let refusal = Refusal::new("resource_unknown", "the resource is not the one that was consented to");
        return Err(OAuthError::new("invalid_target", refusal));
    }
    let wider = |pattern: &remit_domain::OperationPattern| !task.scope.iter().any(|own| own.contains(pattern));
    if !task.scope.is_empty() && scope::parse(form.optional("scope"))?.iter().any(wider) {
        let refusal = Refusal::new("scope_too_wide", "the scope names more than was consented to");
        return Err(OAuthError::new("invalid_scope", refusal));
    }
    // INVARIANT: before anything is used up. A public client's refresh tokens are bound to its key (RFC 9449 section 5).
    if task.key != proof::proved_key(api, asked, PATH)? {
        let refusal =
            Refusal::new("key_needed", "the request does not prove the key that the refresh token is bound to")
                .help("send a `DPoP` proof with the key of the first request, or none if there was none");
        return Err(OAuthError::new("invalid_dpop_proof", refusal));
    }
    let new = RefreshToken::generate(api, &target)?;
    let rotate = Command::RotateRefresh { old: old.digest(), new: new.digest(), client: app.id };
    let receipt = api.engine.submit(Actor::Remit, rotate).await?;
    let rotated = receipt.events.iter().find_map(|event| match event {
        Event::RefreshRotated { task, .. } => Some(*task),
        _ => None,
    });
    let task = rotated.ok_or_else(|| {
        OAuthError::invalid_grant(
            "refresh_reused",
            "this refresh token was used before, so what it belongs to has ended",
        )
    })?;
    let more: Map<String, Value> = [("refresh_token".to_owned(), Value::from(new.expose()))].into_iter().collect();
    Given { actor: Actor::Remit, task, target, certificate: None, more }.answer(api).await
}
