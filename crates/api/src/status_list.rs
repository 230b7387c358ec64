//! `/oauth/status/{list}`: which tasks' tokens are worth nothing any more, for those who verify tokens elsewhere
//! (Token Status List, draft-ietf-oauth-status-list-21).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use remit_domain::{Refusal, STATUS_PLACES};
use remit_engine::STATUS_LIST_KEPT_SECONDS;
use remit_identity::status_list::{self, ListTerms, MEDIA_TYPE, StatusList};

use crate::{Api, Problem};

/// When a list ends, in seconds: an old copy must not be shown for ever.
const LIST_SECONDS: i64 = 300;
/// How long a list of which nothing has changed is given out as it is, in seconds.
const LIST_KEPT_SECONDS: i64 = 60;

/// Signed lists, so that asking for one costs a signature only when something has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatusLists {
    made: Arc<Mutex<BTreeMap<u32, Made>>>,
}

#[derive(Debug)]
struct Made {
    /// How much had ended when it was made.
    version: u64,
    at: i64,
    kid: String,
    token: String,
}

/// One list, as a signed token.
pub(crate) async fn list(State(api): State<Api>, Path(number): Path<String>) -> Result<Response, Problem> {
    let unknown = || Problem::from(Refusal::unknown("status list", &number));
    let list: u32 = number.parse().map_err(|_| unknown())?;
    let state = api.engine.state();
    if list.to_string() != number || list >= state.status_lists() {
        return Err(unknown());
    }
    let now = api.engine.now().as_seconds();
    let keys = api.engine.keys();
    let kid = keys.signing().map_err(|_| Problem::fault("sign a status list"))?.kid().to_owned();
    // Held while it is made: many who ask at once wait for one signature.
    let mut made = api.status_lists.made.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = |made: &&Made| {
        made.version == state.voided() && made.kid == kid && (made.at..made.at + LIST_KEPT_SECONDS).contains(&now)
    };
    let token = match made.get(&list).filter(fresh) {
        Some(made) => made.token.clone(),
        None => {
            let uri = uri_of(&api, list);
            let terms = ListTerms { uri: &uri, iat: now, exp: now + LIST_SECONDS, ttl: STATUS_LIST_KEPT_SECONDS };
            let token = places(&state.void_places(list))
                .and_then(|list| status_list::mint(&keys, &list, &terms))
                .map_err(|_| Problem::fault("make a status list"))?;
            made.insert(list, Made { version: state.voided(), at: now, kid, token: token.clone() });
            token
        }
    };
    drop(made);
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE.to_owned()),
        (header::CACHE_CONTROL, format!("public, max-age={STATUS_LIST_KEPT_SECONDS}")),
    ];
    Ok((headers, token).into_response())
}

/// The address of a list, as tokens name it.
pub(crate) fn uri_of(api: &Api, list: u32) -> String {
    format!("{}/oauth/status/{list}", api.engine.realm().issuer)
}

fn places(void: &[u32]) -> Result<StatusList, status_list::StatusListError> {
    let mut list = StatusList::new(u64::from(STATUS_PLACES))?;
    void.iter().try_for_each(|place| list.set(u64::from(*place), true))?;
    Ok(list)
}
