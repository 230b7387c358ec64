//! `subscriptions/listen` (2026-07-28): a stream of news as the answer to a request.

use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::envelope::RequestId;
use super::streams::{self, Wants};
use super::{Posted, reply};
use crate::answer::RpcError;
use crate::call::Call;
use crate::caller::Caller;
use crate::client::{Client, Manner};
use crate::door::Door;
use crate::upstream::Governed;
use crate::{Gateway, gate, limits, refuse};

/// Answers `subscriptions/listen`. Each resource that is to be followed is decided on and recorded like any other use of it; those that
/// are refused are left out of what is acknowledged.
pub(super) async fn answer(
    gateway: Arc<Gateway>,
    posted: &Posted,
    id: RequestId,
    params: &Map<String, Value>,
) -> Response {
    // In a task of its own, so that what was begun is finished and recorded if the client leaves.
    let (inside, caller, door, params) =
        (Arc::clone(&gateway), posted.caller.clone(), posted.door.clone(), params.clone());
    let wants = gateway.work.spawn(async move { wanted(&inside, &caller, &door, &params).await });
    let wants = match wants.await {
        Ok(Ok(wants)) => wants,
        Ok(Err(error)) => return reply::error(StatusCode::BAD_REQUEST, Some(&id), &error, None),
        Err(_) => {
            let error = refuse::protocol(refuse::INTERNAL_ERROR, "Remit failed while it handled this request");
            return reply::error(StatusCode::OK, Some(&id), &error, None);
        }
    };
    let opened = streams::open(&gateway, &posted.caller, &posted.door, wants, Some(id.clone()), None);
    opened.unwrap_or_else(|| reply::no_room(&id))
}

async fn wanted(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    door: &Door,
    params: &Map<String, Value>,
) -> Result<Wants, RpcError> {
    let malformed = |sentence: &str| refuse::protocol(refuse::INVALID_PARAMS, sentence);
    let Some(Value::Object(filter)) = params.get("notifications") else {
        return Err(malformed("`params.notifications` must say what is wanted"));
    };
    let on = |name: &str| filter.get(name) == Some(&Value::Bool(true));
    let mut wants = Wants {
        tools: on("toolsListChanged"),
        prompts: on("promptsListChanged"),
        resources: on("resourcesListChanged"),
        followed: HashMap::new(),
    };
    let uris = match filter.get("resourceSubscriptions") {
        None => return Ok(wants),
        Some(Value::Array(uris)) if uris.len() <= limits::FOLLOWED_PER_STREAM_MAX => uris,
        Some(_) => return Err(malformed("`resourceSubscriptions` must be a list of addresses, and not too long")),
    };
    for uri in uris {
        let uri = uri.as_str().ok_or_else(|| malformed("`resourceSubscriptions` must be a list of addresses"))?;
        let mut params = Map::new();
        params.insert("uri".to_owned(), uri.into());
        let call = Call::read(door, Governed::Subscribe, params).map_err(|_| malformed("an address cannot be read"))?;
        let (client, steps) = Client::new(Manner::default(), CancellationToken::new());
        let answer = gate::pass(gateway, caller, &call, &client).await;
        drop(steps);
        if answer.succeeded() {
            wants.followed.insert(call.followed(), client.take_following());
        }
    }
    Ok(wants)
}
