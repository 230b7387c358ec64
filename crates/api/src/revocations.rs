//! `/v1/receipts/{seq}`: what an end brought about, when it took effect where, and what could not be called back.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Ask;
use crate::{Api, Problem, records};

/// How long an answer waits for the points that have not reported, at most, in seconds.
const WAIT_SECONDS_MAX: u64 = 30;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// How long to wait until every point has reported.
    #[serde(default)]
    wait_seconds: u64,
}

/// The receipt of the record at `seq`, in plain members and signed by the realm.
pub(crate) async fn show(
    State(api): State<Api>,
    by: SignedIn,
    Path(seq): Path<u64>,
    Ask(wait): Ask<Wait>,
) -> Result<Json<Value>, Problem> {
    records::readable(&api, by, seq).await?;
    let until = tokio::time::Instant::now() + Duration::from_secs(wait.wait_seconds.min(WAIT_SECONDS_MAX));
    loop {
        let receipt = api.engine.revocation_receipt(seq).await?;
        if receipt.pending.is_empty() || tokio::time::Instant::now() >= until {
            let signed = api.engine.sign_receipt(&receipt)?;
            return Ok(Json(json!({"receipt": receipt, "signed": signed})));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
