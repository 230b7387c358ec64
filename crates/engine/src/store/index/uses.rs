//! What of each grant is used: counted while records are indexed, so that nobody counts a million of them for a page.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use super::{IndexReader, IndexRow, QUERY_ROWS_MAX};
use crate::store::error::{StoreError, WhileSql};
use crate::store::sqlite::signed;

#[cfg(test)]
mod tests;

/// How often one operation was called under one grant, and when last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRow {
    pub operation: String,
    pub calls: u64,
    pub last_seq: u64,
    /// In the caller's count, as [`IndexRow::at`].
    pub last_at: i64,
}

/// The uses in rows that are being indexed, by grant and operation.
#[derive(Debug, Default)]
pub(super) struct Tally<'a>(BTreeMap<(&'a str, &'a str), (i64, u64, i64)>);

impl<'a> Tally<'a> {
    /// Counts `row` if it used a grant. Only for rows that were not indexed before.
    pub(super) fn add(&mut self, row: &'a IndexRow) {
        let (Some(grant), Some(operation)) = (&row.grant, &row.operation) else { return };
        let (calls, last_seq, last_at) = self.0.entry((grant, operation)).or_insert((0, row.seq, row.at));
        *calls += 1;
        *last_seq = row.seq.max(*last_seq);
        *last_at = row.at.max(*last_at);
    }

    pub(super) fn put(self, change: &Transaction<'_>) -> Result<(), StoreError> {
        let doing = "count the uses of grants";
        let mut put = change
            .prepare_cached(
                "INSERT INTO uses (grant_id, operation, calls, last_seq, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (grant_id, operation) DO UPDATE SET
                 calls = calls + excluded.calls, last_seq = max(last_seq, excluded.last_seq),
                 last_at = max(last_at, excluded.last_at)",
            )
            .sql(doing)?;
        for ((grant, operation), (calls, last_seq, last_at)) in self.0 {
            put.execute(params![grant, operation, calls, signed(last_seq)?, last_at]).sql(doing)?;
        }
        Ok(())
    }
}

impl IndexReader {
    /// What was called under the grant, the latest call first; at most [`QUERY_ROWS_MAX`] operations.
    pub fn uses(&self, grant: &str) -> Result<Vec<UseRow>, StoreError> {
        uses(&self.connection, grant)
    }
}

fn uses(connection: &Connection, grant: &str) -> Result<Vec<UseRow>, StoreError> {
    let doing = "read the uses of a grant";
    let mut statement = connection
        .prepare_cached(
            "SELECT operation, calls, last_seq, last_at FROM uses WHERE grant_id = ?1 ORDER BY last_seq DESC LIMIT ?2",
        )
        .sql(doing)?;
    let rows = statement
        .query_map(params![grant, signed(QUERY_ROWS_MAX as u64)?], |row| {
            let (calls, last_seq): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(UseRow {
                operation: row.get(0)?,
                calls: calls.unsigned_abs(),
                last_seq: last_seq.unsigned_abs(),
                last_at: row.get(3)?,
            })
        })
        .sql(doing)?;
    rows.collect::<Result<_, _>>().sql(doing)
}
