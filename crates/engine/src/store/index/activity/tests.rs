use rusqlite::Connection;
use tempfile::TempDir;

use super::super::{Filter, IndexRow, IndexStore, MIGRATIONS};
use super::*;

const OUTCOMES: &[Option<&str>] =
    &[Some("allowed"), Some("succeeded"), Some("denied"), None, Some("asked"), Some("failed"), Some("allowed")];

/// Records of a day and more: three agents, and some of none, at moments that lie unevenly.
fn rows(count: u64) -> Vec<IndexRow> {
    let row = |seq: u64| IndexRow {
        seq,
        at: 40_000 + i64::try_from(seq * seq % 1_000 + seq * 97_003).unwrap(),
        kind: "ActionAllowed".to_owned(),
        agent: (seq % 4 != 3).then(|| format!("agt_{}", seq % 4)),
        outcome: OUTCOMES[usize::try_from(seq * 5 % 7).unwrap()].map(str::to_owned),
        ..IndexRow::default()
    };
    (0..count).map(row).collect()
}

/// Counted one by one.
fn counted(rows: &[IndexRow], agent: Option<&str>, since: i64, until: i64) -> Vec<(i64, Calls)> {
    let (mut steps, step) = (BTreeMap::<i64, Calls>::new(), STEP_MILLISECONDS);
    let is_in = |row: &&IndexRow| (since / step..=until / step).contains(&(row.at / step));
    for row in rows.iter().filter(is_in).filter(|row| agent.is_none() || row.agent.as_deref() == agent) {
        let one = match row.outcome.as_deref() {
            Some("allowed") => Calls { allowed: 1, ..Calls::default() },
            Some("asked") => Calls { asked: 1, ..Calls::default() },
            Some("denied") => Calls { denied: 1, ..Calls::default() },
            _ => continue,
        };
        let found = steps.entry(row.at / step * step).or_default();
        *found = found.and(one);
    }
    steps.into_iter().collect()
}

fn must_be_counted(store: &IndexStore, rows: &[IndexRow]) {
    let reader = store.reader().unwrap();
    let end = rows.last().map_or(0, |row| row.at);
    for agent in [None, Some("agt_0"), Some("agt_2"), Some("agt_9")] {
        for (since, until) in [(0, end), (end / 2, end), (300_000, 599_999), (end + STEP_MILLISECONDS, end * 2), (9, 3)]
        {
            let found = reader.activity(agent, since, until).unwrap();
            assert_eq!(found, counted(rows, agent, since, until), "{agent:?} {since}..={until}");
        }
    }
}

#[test]
fn what_is_counted_is_what_there_is_one_by_one() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    assert!(!store.reader().unwrap().has_activity().unwrap());
    let rows = rows(1_000);
    assert!(counted(&rows, None, 0, i64::MAX).len() > 200);
    for batch in rows.chunks(37) {
        store.put_batch(batch).unwrap();
    }
    must_be_counted(&store, &rows);
    assert!(store.reader().unwrap().has_activity().unwrap());
    // What is indexed again is counted once.
    store.put_batch(&rows[10..500]).unwrap();
    must_be_counted(&store, &rows);
    store.reset().unwrap();
    assert!(!store.reader().unwrap().has_activity().unwrap());
    store.put_batch(&rows).unwrap();
    must_be_counted(&store, &rows);
}

#[test]
fn what_was_indexed_before_anybody_counted_is_counted_too() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("index.sqlite");
    let rows = rows(300);
    let mut store = IndexStore::open(&path).unwrap();
    store.put_batch(&rows).unwrap();
    drop(store);
    let former = Connection::open(&path).unwrap();
    let since = "DROP TABLE activity; DROP INDEX records_by_person_rarely; DROP INDEX records_by_operation_rarely;";
    former.execute_batch(&format!("{since} PRAGMA user_version = 4;")).unwrap();
    drop(former);
    assert_eq!(MIGRATIONS.len(), 6, "all that came since is undone above");
    let store = IndexStore::open(&path).unwrap();
    must_be_counted(&store, &rows);
    assert_eq!(store.query(&Filter { limit: 1_000, ..Filter::default() }).unwrap().len(), 300);
}

#[test]
fn a_question_covers_a_week_at_most_and_reads_only_its_steps() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    let row = |seq: u64| IndexRow {
        seq,
        at: i64::try_from(seq).unwrap() * STEP_MILLISECONDS,
        outcome: Some("allowed".to_owned()),
        ..IndexRow::default()
    };
    let steps = u64::try_from(STEPS_MAX).unwrap();
    store.put_batch(&(0..=steps).map(row).collect::<Vec<_>>()).unwrap();
    let end = STEPS_MAX * STEP_MILLISECONDS;
    let found = store.reader().unwrap().activity(None, i64::MIN, end).unwrap();
    assert_eq!((found.len() as u64, found[0].0), (steps, STEP_MILLISECONDS));
    let plan =
        "EXPLAIN QUERY PLAN SELECT step, outcome, calls FROM activity WHERE agent = ?1 AND step BETWEEN ?2 AND ?3";
    let used: String = store.connection.query_row(plan, params!["", 1, 2], |row| row.get(3)).unwrap();
    assert!(used.contains("PRIMARY KEY (agent=? AND step>? AND step<?)"), "{used}");
}
