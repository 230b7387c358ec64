//! `/v1/keys` and `/oauth/jwks`: the realm's public keys, and their rotation.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::Refusal;
use remit_identity::ring::Purpose;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Ask;
use crate::receipts::recorded;
use crate::{Api, Problem, names};

/// The keys that verify task tokens now (RFC 7517). Public by nature.
pub(crate) async fn jwks(State(api): State<Api>) -> Json<Value> {
    Json(api.engine.keys().jwks(api.engine.now().as_seconds()))
}

/// Every public key of the realm: those that verify tokens now, every one that it ever had, and that of the ledger.
pub(crate) async fn list(State(api): State<Api>, _: SignedIn) -> Json<Value> {
    let state = api.engine.state();
    let realm = &state.realm;
    let all = state.realm_keys.iter().map(|(id, key)| {
        json!({
            "key": id,
            "purpose": key.purpose,
            "step": key.step,
            "since": key.since.to_string(),
            "accountable": names::of_person(&state, key.accountable),
            "public": key.public,
        })
    });
    let tokens = api.engine.keys().jwks(api.engine.now().as_seconds());
    Json(json!({
        "tokens": tokens,
        "all": all.collect::<Vec<_>>(),
        "ledger": realm.as_ref().map(|realm| json!({"origin": realm.origin, "verifier_key": realm.log_key})),
        "issuer": realm.as_ref().map(|realm| &realm.issuer),
        "realm": realm.as_ref().map(|realm| realm.id),
    }))
}

/// Which keys are meant; those of tokens if nobody says otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    purpose: Option<String>,
}

impl Which {
    fn purpose(&self) -> Result<Purpose, Problem> {
        match self.purpose.as_deref() {
            None | Some("token") => Ok(Purpose::Token),
            Some("ca") => Ok(Purpose::Ca),
            Some(other) => {
                let refusal = Refusal::new("bad_purpose", format!("a realm has no keys for `{other}`"));
                Err(refusal.help("say `token` or `ca`").into())
            }
        }
    }
}

/// Signs with a new key from now on; what the old one signed verifies until it ends.
pub(crate) async fn rotate(
    State(api): State<Api>,
    by: SignedIn,
    Ask(which): Ask<Which>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"key": api.engine.rotate_keys(by.actor(), which.purpose()?).await?})))
}

/// Ends a key at once, with all that it signed.
pub(crate) async fn revoke(
    State(api): State<Api>,
    by: SignedIn,
    Path(key): Path<String>,
) -> Result<Json<Value>, Problem> {
    let receipt = api.engine.revoke_key(by.actor(), &key).await?;
    Ok(recorded(json!({"key": key, "step": "revoked"}), &receipt))
}
