//! How many calls were decided in which way and when, counted as they are indexed.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use super::super::error::{StoreError, WhileSql};
use super::IndexRow;

#[cfg(test)]
mod tests;

/// How long one step of the counting is, in milliseconds: as the migration has it.
pub const STEP_MILLISECONDS: i64 = 300_000;
/// The most steps that one question covers: those of a week.
pub const STEPS_MAX: i64 = 7 * 24 * 12;

/// The name under which the calls of all agents are counted together.
const EVERYBODY: &str = "";

/// What the calls of one step came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    pub allowed: u64,
    /// A person was asked.
    pub asked: u64,
    pub denied: u64,
}

impl Calls {
    pub const fn total(&self) -> u64 {
        self.allowed + self.asked + self.denied
    }

    pub const fn and(self, other: Self) -> Self {
        Self {
            allowed: self.allowed + other.allowed,
            asked: self.asked + other.asked,
            denied: self.denied + other.denied,
        }
    }
}

/// What of a batch is to be added to what was counted before.
#[derive(Debug, Default)]
pub(super) struct Counted<'a>(BTreeMap<(&'a str, i64, &'a str), i64>);

impl<'a> Counted<'a> {
    /// Counts `row`, which was not indexed before, if it decides a call.
    pub(super) fn add(&mut self, row: &'a IndexRow) {
        let Some(outcome @ ("allowed" | "asked" | "denied")) = row.outcome.as_deref() else { return };
        let step = row.at.div_euclid(STEP_MILLISECONDS);
        for agent in [Some(EVERYBODY), row.agent.as_deref()].into_iter().flatten() {
            *self.0.entry((agent, step, outcome)).or_default() += 1;
        }
    }

    pub(super) fn put(self, change: &Transaction<'_>) -> Result<(), StoreError> {
        let doing = "count calls";
        let mut put = change
            .prepare_cached(
                "INSERT INTO activity (agent, step, outcome, calls) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (agent, step, outcome) DO UPDATE SET calls = calls + excluded.calls",
            )
            .sql(doing)?;
        for ((agent, step, outcome), calls) in self.0 {
            put.execute(params![agent, step, outcome, calls]).sql(doing)?;
        }
        Ok(())
    }
}

/// What the calls of `agent`, or of everybody, came to in each step from the one of `since` to the one of `until`, both of them too; at
/// most the last [`STEPS_MAX`]. Each is given with the moment at which it begins; those without a call are left out.
pub(super) fn read(
    connection: &Connection,
    agent: Option<&str>,
    since: i64,
    until: i64,
) -> Result<Vec<(i64, Calls)>, StoreError> {
    let doing = "read the activity";
    let last = until.div_euclid(STEP_MILLISECONDS);
    let first = since.div_euclid(STEP_MILLISECONDS).max(last.saturating_sub(STEPS_MAX - 1));
    let mut statement = connection
        .prepare_cached("SELECT step, outcome, calls FROM activity WHERE agent = ?1 AND step BETWEEN ?2 AND ?3")
        .sql(doing)?;
    let mut rows = statement.query(params![agent.unwrap_or(EVERYBODY), first, last]).sql(doing)?;
    let mut steps: BTreeMap<i64, Calls> = BTreeMap::new();
    while let Some(row) = rows.next().sql(doing)? {
        let (step, outcome, calls): (i64, String, i64) =
            (row.get(0).sql(doing)?, row.get(1).sql(doing)?, row.get(2).sql(doing)?);
        let found = steps.entry(step.saturating_mul(STEP_MILLISECONDS)).or_default();
        match outcome.as_str() {
            "allowed" => found.allowed += calls.unsigned_abs(),
            "asked" => found.asked += calls.unsigned_abs(),
            _ => found.denied += calls.unsigned_abs(),
        }
    }
    Ok(steps.into_iter().collect())
}

/// Whether any call was ever decided.
pub(super) fn is_any(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM activity WHERE agent = ?1)";
    connection.query_row(sql, [EVERYBODY], |row| row.get(0)).sql("read the activity")
}
