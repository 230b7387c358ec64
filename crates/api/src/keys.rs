//! `/v1/keys` and `/oauth/jwks`: the realm's public keys, and their rotation.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::{Api, Problem};

/// The keys that verify task tokens now (RFC 7517). Public by nature.
pub(crate) async fn jwks(State(api): State<Api>) -> Json<Value> {
    Json(api.engine.keys().jwks(api.engine.now().as_seconds()))
}

/// Every public key of the realm: those of tokens, and that of the ledger.
pub(crate) async fn list(State(api): State<Api>, _: SignedIn) -> Json<Value> {
    let realm = api.engine.state().realm.clone();
    let tokens = api.engine.keys().jwks(api.engine.now().as_seconds());
    Json(json!({
        "tokens": tokens,
        "ledger": realm.as_ref().map(|realm| json!({"origin": realm.origin, "verifier_key": realm.log_key})),
        "issuer": realm.as_ref().map(|realm| &realm.issuer),
        "realm": realm.as_ref().map(|realm| realm.id),
    }))
}

/// Signs with a new key from now on; what the old one signed verifies until it ends.
pub(crate) async fn rotate(State(api): State<Api>, by: SignedIn) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"key": api.engine.rotate_keys(by.actor()).await?})))
}
