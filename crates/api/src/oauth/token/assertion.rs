//! `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523): a token of an issuer that the operator trusts names a workload.

use std::sync::Arc;

use axum::response::Response;
use remit_domain::{AgentId, Refusal};
use remit_identity::foreign::{Expect, ForeignError, ForeignJwt, KeySet};
use remit_identity::json::{JsonError, Members};
use remit_identity::limits::FOREIGN_SKEW_SECONDS;

use super::{Asked, client_credentials};
use crate::oauth::OidcIssuer;
use crate::oauth::client::{self, Proved};
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::{Api, limits};

/// What such a task is for, if nobody says.
const PURPOSE: &str = "a token of a trusted issuer";

pub(super) async fn grant(api: &Api, asked: &Asked, form: &Form) -> Result<Response, OAuthError> {
    let agent = agent_of(api, form.text("assertion")?).await?;
    let realm = api.engine.realm();
    let id = api.engine.read(|state| state.agent(agent).map(|agent| agent.spiffe_id(&realm.trust_domain)))?;
    // The assertion is the proof. Whoever also authenticates is the same agent, or is somebody else's assertion's thief.
    let certificate = if authenticates(asked, form) {
        let proved = client::authenticate(api, asked, form).await?.agent()?;
        if proved.agent != agent {
            return Err(OAuthError::invalid_grant("client_differs", "the assertion and the client are two agents"));
        }
        proved.certificate
    } else {
        None
    };
    let proved = Proved { agent, shown: id.clone(), id, run: None, certificate };
    client_credentials::start(api, asked, form, &proved, PURPOSE).await
}

fn authenticates(asked: &Asked, form: &Form) -> bool {
    let parts = ["client_assertion", "client_assertion_type", "client_id", "client_secret"];
    asked.headers.contains_key(http::header::AUTHORIZATION) || parts.iter().any(|name| form.optional(name).is_some())
}

fn refused(error: &ForeignError) -> OAuthError {
    OAuthError::new("invalid_grant", Refusal::new(error.code(), error.to_string()).help(error.help()))
}

/// The agent that a verified assertion is for.
async fn agent_of(api: &Api, assertion: &str) -> Result<AgentId, OAuthError> {
    let unverified = ForeignJwt::parse(assertion).map_err(|error| refused(&error))?;
    let claimed = unverified.claimed("iss").map_err(|error| refused(&error))?.to_owned();
    let (issuer, keys) = trusted(api, &claimed)?;
    let expect = Expect { issuer: &issuer.issuer, audience: &issuer.audience, now: api.engine.now().as_seconds() };
    let claims = unverified.verify(&keys, &expect).map_err(|error| refused(&error))?;
    issuer.claims.as_ref().map_or(Ok(()), |rules| rules.hold(&claims)).map_err(|error| refused(&error))?;
    must_be_fresh(api, &issuer.issuer, &claims)?;
    if let Some(name) = &issuer.agent {
        return Ok(api.engine.read(|state| state.agent_named(name).map(|agent| agent.id))?);
    }
    let subject =
        claims.value(&issuer.subject_claim).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let subject = subject.ok_or_else(|| {
        OAuthError::invalid_grant(
            "subject_missing",
            format!("the assertion names no workload in `{}`", issuer.subject_claim),
        )
    })?;
    client::agent_of_workload(api, &issuer.issuer, subject, "a token of a trusted OpenID Connect issuer").await
}

/// One that lives long is as good as a password, and one that has a name is good for one use (RFC 7523 section 3).
fn must_be_fresh(api: &Api, issuer: &str, claims: &Members) -> Result<(), OAuthError> {
    let unreadable = |error: JsonError| refused(&ForeignError::Claims(error));
    let now = api.engine.now().as_seconds();
    let exp = claims.seconds("exp").map_err(unreadable)?;
    let iat = claims.optional_seconds("iat").map_err(unreadable)?.unwrap_or(now);
    if exp.saturating_sub(iat) > limits::FOREIGN_ASSERTION_SECONDS_MAX {
        let sentence = format!("the assertion lives longer than {} seconds", limits::FOREIGN_ASSERTION_SECONDS_MAX);
        return Err(OAuthError::invalid_grant("assertion_too_long_lived", sentence));
    }
    let Some(jti) = claims.optional_text("jti").map_err(unreadable)? else { return Ok(()) };
    let until = exp.saturating_add(FOREIGN_SKEW_SECONDS);
    let seen = &api.memory.foreign_assertions;
    // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
    if seen.lock().is_ok_and(|mut seen| seen.insert_until(issuer, jti, iat, until, now)) {
        return Ok(());
    }
    let sentence = "the assertion was used before, or is from before this server began to remember";
    Err(OAuthError::new("invalid_grant", Refusal::new("assertion_replay", sentence).help("get a new one for each use")))
}

fn trusted<'a>(api: &'a Api, claimed: &str) -> Result<(&'a OidcIssuer, Arc<KeySet>), OAuthError> {
    let oauth = &api.settings.oauth;
    let issuer = oauth.issuers.iter().find(|issuer| issuer.issuer == claimed).ok_or_else(|| {
        OAuthError::invalid_grant("issuer_unknown", "the issuer of the assertion is not one that is trusted here")
    })?;
    // Without keys nothing can be believed, and that will pass.
    let unavailable = |sentence: String| {
        OAuthError::new("temporarily_unavailable", Refusal::new("issuer_keys_unavailable", sentence))
    };
    let keys =
        oauth.elsewhere.keys(claimed).ok_or_else(|| unavailable("the issuer's keys are not known yet".to_owned()))?;
    Ok((issuer, keys))
}
