//! What is under change control, by name, with the newest record about each.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, WhileSql};

#[cfg(test)]
mod tests;

/// The most artefacts that one question gives.
pub const ARTEFACTS_MAX: usize = 1_000;

/// At most `limit` artefacts of the kind `kind` after `after`, as in `policy` and `policy:refunds`, in the order of their names, each with
/// the newest record about it. Each takes two looks into the index, however often it was changed.
pub(super) fn of_kind(
    connection: &Connection,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, u64)>, StoreError> {
    let doing = "list what is under change control";
    // `;` is the byte after `:`, so between the two is everything of the kind.
    let (mut place, end) = (after.map_or_else(|| format!("{kind}:"), str::to_owned), format!("{kind};"));
    let mut next = connection
        .prepare_cached(
            "SELECT artefact FROM artefacts WHERE artefact > ?1 AND artefact < ?2 ORDER BY artefact LIMIT 1",
        )
        .sql(doing)?;
    let mut found = Vec::new();
    while found.len() < limit.min(ARTEFACTS_MAX) {
        let artefact: Option<String> = next.query_row(params![place, end], |row| row.get(0)).optional().sql(doing)?;
        let Some(artefact) = artefact else { break };
        if let Some(seq) = newest(connection, &artefact)? {
            found.push((artefact.clone(), seq));
        }
        place = artefact;
    }
    Ok(found)
}

/// The newest record about `artefact`, if there is any.
pub(super) fn newest(connection: &Connection, artefact: &str) -> Result<Option<u64>, StoreError> {
    let doing = "list what is under change control";
    let mut newest = connection.prepare_cached("SELECT max(seq) FROM artefacts WHERE artefact = ?1").sql(doing)?;
    let seq: Option<i64> = newest.query_row([artefact], |row| row.get(0)).sql(doing)?;
    Ok(seq.map(i64::unsigned_abs))
}
