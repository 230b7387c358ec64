//! Finding records: the question in SQL, said so that it is answered from the index that leaves the least to look at.
//!
//! The database knows nothing of how many records have which value. What is known here is said by a `+` before a column, which keeps its
//! index out of it (SQLite, "The query planner", section 4).

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::super::error::{StoreError, WhileSql};
use super::super::sqlite::signed;
use super::{Filter, QUERY_ROWS_MAX, QUERY_TEXT_BYTES_MAX, QUERY_WORDS_MAX, head};

#[cfg(test)]
mod tests;

/// As the migrations have them: what nearly every record is, and what it came to.
const COMMON_KINDS: &[&str] = &["ActionAllowed", "OutcomeRecorded"];
const COMMON_OUTCOMES: &[&str] = &["allowed", "succeeded"];

/// The records that `filter` asks for, newest first.
pub(super) fn query(connection: &Connection, filter: &Filter) -> Result<Vec<u64>, StoreError> {
    let doing = "search the index";
    let words = filter.text.as_deref().map(words).transpose()?.filter(|words| !words.is_empty());
    let search = match words {
        Some(words) if asks_for_words_alone(filter) => Search::of_words(words),
        words => Search::of_records(filter, words),
    };
    let Search { sql, values, .. } = search.within(connection, filter)?;
    let mut statement = connection.prepare_cached(&sql).sql(doing)?;
    let found = statement.query_map(params_from_iter(values), |row| row.get::<_, i64>(0)).sql(doing)?;
    found.map(|seq| seq.map(i64::unsigned_abs)).collect::<Result<_, _>>().sql(doing)
}

/// Whether no part of `filter` but its text says which records: then what has the words is read from the newest on, and no further than
/// is wanted.
fn asks_for_words_alone(filter: &Filter) -> bool {
    let Filter { text, since, until, before_seq, limit, .. } = filter.clone();
    *filter == Filter { text, since, until, before_seq, limit, ..Filter::default() }
}

/// A question as far as it is said.
struct Search {
    sql: String,
    values: Vec<Value>,
    /// The column that says which record.
    place: &'static str,
}

impl Search {
    fn of_words(words: String) -> Self {
        let sql = "SELECT rowid FROM words WHERE words MATCH ?".to_owned();
        Self { sql, values: vec![Value::Text(words)], place: "rowid" }
    }

    fn of_records(filter: &Filter, words: Option<String>) -> Self {
        let sql = "SELECT seq FROM records WHERE TRUE".to_owned();
        let mut search = Self { sql, values: Vec::new(), place: "seq" };
        for (condition, value) in [
            ("agent = ?", &filter.agent),
            ("task = ?", &filter.task),
            ("person = ?", &filter.person),
            ("operation = ?", &filter.operation),
            ("action = ?", &filter.action),
            ("approval = ?", &filter.approval),
        ] {
            if let Some(value) = value {
                search.narrow(condition, Value::Text(value.clone()));
            }
        }
        let one_piece_of_work = filter.task.is_some() || filter.action.is_some() || filter.approval.is_some();
        let one_thing =
            one_piece_of_work || filter.agent.is_some() || filter.person.is_some() || filter.operation.is_some();
        search.of_kind(filter, one_piece_of_work);
        search.of_outcome(filter, one_thing);
        if let Some(words) = words {
            // Few records are about one thing beside those that have a common word.
            let place = if one_thing { "+seq" } else { "seq" };
            search.narrow(&format!("{place} IN (SELECT rowid FROM words WHERE words MATCH ?)"), Value::Text(words));
        }
        if !filter.artefacts.is_empty() {
            let places = places(&filter.artefacts);
            search.sql.push_str(&format!(" AND seq IN (SELECT seq FROM artefacts WHERE artefact IN ({places}))"));
            search.values.extend(filter.artefacts.iter().cloned().map(Value::Text));
        }
        search
    }

    fn narrow(&mut self, condition: &str, value: Value) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.push(value);
    }

    /// That they are of a rare kind is said once more in the words of the partial indexes, so that these are used where they can be.
    fn of_kind(&mut self, filter: &Filter, one_piece_of_work: bool) {
        let is_rare = |kind: &String| !COMMON_KINDS.contains(&kind.as_str());
        let named = filter.kind.iter().chain(&filter.kinds);
        if named.clone().next().is_some() && named.clone().all(is_rare) {
            self.sql.push_str(" AND kind NOT IN ('ActionAllowed', 'OutcomeRecorded')");
        }
        let column = if one_piece_of_work { "+kind" } else { "kind" };
        if let Some(kind) = &filter.kind {
            self.narrow(&format!("{column} = ?"), Value::Text(kind.clone()));
        }
        if !filter.kinds.is_empty() {
            self.sql.push_str(&format!(" AND {column} IN ({})", places(&filter.kinds)));
            self.values.extend(filter.kinds.iter().cloned().map(Value::Text));
        }
    }

    fn of_outcome(&mut self, filter: &Filter, one_thing: bool) {
        let Some(outcome) = &filter.outcome else { return };
        let condition = match (one_thing, COMMON_OUTCOMES.contains(&outcome.as_str())) {
            (true, _) => "+outcome = ?",
            (false, true) => "outcome = ?",
            (false, false) => "outcome NOT IN ('allowed', 'succeeded') AND outcome = ?",
        };
        self.narrow(condition, Value::Text(outcome.clone()));
    }

    /// The whole question: between which records, in which order and how many.
    fn within(mut self, connection: &Connection, filter: &Filter) -> Result<Self, StoreError> {
        let place = self.place;
        if let Some(since) = filter.since {
            self.narrow(&format!("{place} >= ?"), Value::Integer(first_since(connection, since)?));
        }
        if let Some(until) = filter.until {
            self.narrow(&format!("{place} < ?"), Value::Integer(first_since(connection, until)?));
        }
        if let Some(before_seq) = filter.before_seq {
            self.narrow(&format!("{place} < ?"), Value::Integer(signed(before_seq)?));
        }
        self.sql.push_str(&format!(" ORDER BY {place} DESC LIMIT ?"));
        self.values.push(Value::Integer(signed(filter.limit.min(QUERY_ROWS_MAX) as u64)?));
        Ok(self)
    }
}

/// A place for each of `values`.
fn places(values: &[String]) -> String {
    vec!["?"; values.len()].join(", ")
}

/// The first record that is not before `at`, or the place after the newest: a record is never older than the one before.
fn first_since(connection: &Connection, at: i64) -> Result<i64, StoreError> {
    let doing = "search the index";
    let mut time_of = connection.prepare_cached("SELECT at FROM records WHERE seq = ?1").sql(doing)?;
    let mut before = 0;
    let mut beyond = head(connection)?.map_or(Ok(0), |newest| signed(newest.saturating_add(1)))?;
    while before < beyond {
        let middle = before + (beyond - before) / 2;
        match time_of.query_row([middle], |row| row.get::<_, i64>(0)).optional().sql(doing)? {
            Some(found) if found >= at => beyond = middle,
            _ => before = middle + 1,
        }
    }
    Ok(before)
}

/// What a person typed, as a full-text query in which nothing is an operator: every word quoted, all of them wanted.
fn words(typed: &str) -> Result<String, StoreError> {
    let (size, limit) = (typed.len() as u64, QUERY_TEXT_BYTES_MAX as u64);
    if size > limit {
        return Err(StoreError::TooLarge { what: "the text to search for", size, limit });
    }
    // A word without a letter or a digit is no word to the index either.
    let wanted = typed.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    let quoted = |word: &str| format!("\"{}\"*", word.replace('"', "\"\"").replace('\0', ""));
    Ok(wanted.take(QUERY_WORDS_MAX).map(quoted).collect::<Vec<_>>().join(" "))
}
