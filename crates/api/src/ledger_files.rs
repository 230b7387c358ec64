//! `/ledger/{realm}/…`: the ledger as files that existing verifiers read (C2SP `tlog-tiles`).
//!
//! Checkpoints and hash tiles are for everybody: they hold hashes, and witnesses need them. Entry bundles hold the records
//! themselves, so they are for people who may read all of them.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use remit_domain::{Refusal, Right};

use crate::auth::SignedIn;
use crate::{Api, Problem};

#[cfg(test)]
mod tests;

/// The highest row of a tree of 2^64 entries, 8 levels to a row.
const LEVEL_MAX: u8 = 63;
/// How many hashes or entries a full tile holds.
const TILE_WIDTH: u16 = 256;
/// Groups of three digits in the index of a tile.
const GROUPS_MAX: usize = 7;

pub(crate) async fn checkpoint(State(api): State<Api>, Path(realm): Path<String>) -> Result<Response, Problem> {
    serve(&api, &realm, "checkpoint", "text/plain; charset=utf-8", false).await
}

pub(crate) async fn tile(
    State(api): State<Api>,
    Path((realm, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (level, index) = path.split_once('/').ok_or_else(not_there)?;
    let level: u8 = level
        .parse()
        .ok()
        .filter(|parsed: &u8| *parsed <= LEVEL_MAX && parsed.to_string() == level)
        .ok_or_else(not_there)?;
    let whole = check_index(index).ok_or_else(not_there)?;
    serve(&api, &realm, &format!("tile/{level}/{index}"), "application/octet-stream", whole).await
}

pub(crate) async fn entries(
    State(api): State<Api>,
    by: SignedIn,
    Path((realm, index)): Path<(String, String)>,
) -> Result<Response, Problem> {
    api.engine.read(|state| by.must(state, Right::ReadRecords))?;
    let whole = check_index(&index).ok_or_else(not_there)?;
    serve(&api, &realm, &format!("tile/entries/{index}"), "application/octet-stream", whole).await
}

fn not_there() -> Problem {
    Refusal::new("not_found", "the ledger has no such file").help("read `checkpoint` for the size of the ledger").into()
}

/// Whether `index` is one of a whole tile; nothing if it is none that a tile can have, such as `x001/x234/067.p/12`.
///
/// INVARIANT: nothing but digits, `x` and `.p` gets through, so that no path leads out of the ledger's directory.
fn check_index(index: &str) -> Option<bool> {
    let (groups, width) = match index.split_once(".p/") {
        Some((groups, width)) => (groups, Some(width)),
        None => (index, None),
    };
    let is_group = |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups: Vec<&str> = groups.split('/').collect();
    let last = groups.pop()?;
    let leading = groups.iter().all(|group| group.strip_prefix('x').is_some_and(is_group));
    // The first group of several is never zero, or one tile would have two names.
    let shortest = groups.first().is_none_or(|group| *group != "x000");
    if groups.len() >= GROUPS_MAX || !leading || !shortest || !is_group(last) {
        return None;
    }
    match width {
        None => Some(true),
        Some(text) => {
            let width: u16 = text.parse().ok()?;
            ((1..TILE_WIDTH).contains(&width) && width.to_string() == text).then_some(false)
        }
    }
}

async fn serve(api: &Api, realm: &str, path: &str, kind: &'static str, immutable: bool) -> Result<Response, Problem> {
    let own = api.engine.read(|state| state.realm.as_ref().is_some_and(|own| own.id.to_string() == realm));
    if !own {
        return Err(not_there());
    }
    let bytes = match tokio::fs::read(api.engine.ledger_directory().join(path)).await {
        Ok(bytes) => bytes,
        Err(error) => {
            if error.kind() != std::io::ErrorKind::NotFound {
                tracing::error!(%error, path, "a file of the ledger cannot be read");
                return Err(Problem::fault("read a file of the ledger"));
            }
            return Err(not_there());
        }
    };
    let mut response = (StatusCode::OK, bytes).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if immutable {
        let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, for_ever);
    }
    Ok(response)
}
