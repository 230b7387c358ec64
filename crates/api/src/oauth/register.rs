//! `/oauth/register`: clients that register themselves (RFC 7591), where the operator allows it. Nothing is kept of them.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use remit_domain::Refusal;
use remit_identity::cimd::{RedirectUri, is_showable};
use remit_identity::json::Members;
use remit_identity::limits::REDIRECTS_MAX;
use serde_json::{Value, json};

use super::client;
use super::error::OAuthError;
use crate::Api;

/// What a client without a name is called.
const NAMELESS: &str = "an application without a name";

fn refused(sentence: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_client_metadata", Refusal::new("bad_client_metadata", sentence))
}

/// Registers a public client: it has no secret, and its `client_id` is all that is known of it.
pub(crate) async fn register(
    State(api): State<Api>,
    body: bytes::Bytes,
) -> Result<(StatusCode, Json<Value>), OAuthError> {
    if !api.settings.oauth.dynamic_registration {
        let refusal = Refusal::new("registration_closed", "clients do not register themselves here").help(
            "use a client that has a metadata document, or have an administrator register it: `remit client add`",
        );
        return Err(OAuthError::new("access_denied", refusal));
    }
    let members = Members::parse(&body).map_err(|error| refused(error.to_string()))?;
    let said = |name| members.optional_text(name).map_err(|error| refused(error.to_string()));
    if said("token_endpoint_auth_method")?.is_some_and(|method| method != "none") {
        return Err(refused("a client that registers itself is public: `token_endpoint_auth_method` is `none`"));
    }
    let name = said("client_name")?.unwrap_or(NAMELESS);
    if !is_showable(name) {
        return Err(refused("the name of the client is too long, or has characters that cannot be seen"));
    }
    let redirects =
        members.optional_texts("redirect_uris", REDIRECTS_MAX).map_err(|error| refused(error.to_string()))?;
    let redirects = redirects.filter(|all| !all.is_empty()).ok_or_else(|| refused("`redirect_uris` is missing"))?;
    for uri in &redirects {
        RedirectUri::parse(uri).map_err(|error| {
            let refusal = Refusal::new("bad_redirect", error.to_string()).help(error.help());
            OAuthError::new("invalid_redirect_uri", refusal)
        })?;
    }
    let id = client::sealed(&api, name.to_owned(), redirects.clone())?;
    let body = json!({
        "client_id": id,
        "client_id_issued_at": api.engine.now().as_seconds(),
        "client_name": name,
        "redirect_uris": redirects,
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    });
    Ok((StatusCode::CREATED, Json(body)))
}
