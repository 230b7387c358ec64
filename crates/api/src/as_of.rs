//! `?as_of=TIME`: the same reading of the state as it was at that moment.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use remit_domain::{State, Timestamp};
use remit_engine::AsOfError;
use serde::Deserialize;

use crate::input::Ask;
use crate::{Api, Problem, time};

/// The state that a reading is about: as it is, or as it was at `as_of`.
#[derive(Debug, Clone)]
pub(crate) struct AsOf {
    pub state: Arc<State>,
    /// The moment that it is of. What depends on the time is told for this moment.
    pub now: Timestamp,
    /// As it is: what somebody may read follows from what they are, also of what was.
    pub today: Arc<State>,
}

/// The part of an address's query that this is about; the rest is for others to read.
#[derive(Debug, Deserialize)]
struct When {
    /// RFC 3339.
    as_of: Option<String>,
}

impl FromRequestParts<Api> for AsOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Ask(When { as_of }) = Ask::from_request_parts(parts, api).await?;
        Self::at(api, as_of.as_deref()).await
    }
}

impl AsOf {
    /// The state at `as_of`, an RFC 3339 time; as it is now if nothing is given.
    pub async fn at(api: &Api, as_of: Option<&str>) -> Result<Self, Problem> {
        match time::parse_optional(as_of)? {
            None => Ok(Self { state: api.engine.state(), now: api.engine.now(), today: api.engine.state() }),
            Some(at) => {
                let state = api.engine.as_of(at).await?;
                // What compiling the policies of that time takes must not hold up other requests.
                let compiled = tokio::task::spawn_blocking(move || {
                    state.compiled();
                    state
                });
                let state = compiled.await.map_err(|_| Problem::fault("read the past"))?;
                Ok(Self { state, now: at, today: api.engine.state() })
            }
        }
    }
}

impl From<AsOfError> for Problem {
    fn from(error: AsOfError) -> Self {
        match error {
            AsOfError::Unreadable(error) => error.into(),
            error => error.refusal().into(),
        }
    }
}
