//! Lists, a page at a time.

use axum::Json;
use remit_domain::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Problem, limits};

#[cfg(test)]
mod tests;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct PageQuery {
    /// As text, since a query that is part of a larger one is read without types.
    limit: Option<String>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

/// How many rows are wanted.
///
/// # Errors
/// `bad_limit` outside of 1 to [`limits::PAGE_ROWS_MAX`].
pub(crate) fn rows_wanted(limit: Option<&str>) -> Result<usize, Refusal> {
    let Some(limit) = limit else { return Ok(limits::PAGE_ROWS_DEFAULT) };
    if let Some(limit) = limit.parse().ok().filter(|limit| (1..=limits::PAGE_ROWS_MAX).contains(limit)) {
        return Ok(limit);
    }
    Err(Refusal::new("bad_limit", format!("a page has between 1 and {} rows", limits::PAGE_ROWS_MAX)))
}

/// The page of `rows` that `query` asks for, in the order of their keys. Keys are unique.
pub(crate) fn page<T>(
    mut rows: Vec<(String, T)>,
    query: &PageQuery,
    show: impl Fn(&T) -> Value,
) -> Result<Json<Value>, Problem> {
    let limit = rows_wanted(query.limit.as_deref())?;
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    if let Some(after) = &query.after {
        rows.retain(|(key, _)| key > after);
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(key, _)| key.clone());
    let items: Vec<Value> = rows.iter().map(|(_, row)| show(row)).collect();
    Ok(Json(json!({"items": items, "next": next})))
}
