use tempfile::TempDir;

use super::*;

fn row(seq: u64, agent: &str, text: &str) -> IndexRow {
    IndexRow {
        seq,
        at: 1_000 + i64::try_from(seq).unwrap(),
        kind: "action_allowed".to_owned(),
        agent: Some(agent.to_owned()),
        text: text.to_owned(),
        ..IndexRow::default()
    }
}

fn all() -> Filter {
    Filter { limit: QUERY_ROWS_MAX, ..Filter::default() }
}

fn store(directory: &TempDir) -> IndexStore {
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    store
        .put_batch(&[
            row(0, "agt_a", "send mail to müller@example.com"),
            row(1, "agt_b", "read table orders_2026"),
            IndexRow { outcome: Some("failed".to_owned()), ..row(2, "agt_a", "100% of \"budget\" used") },
            IndexRow { task: Some("tsk_1".to_owned()), ..row(3, "agt_a", "send mail again") },
        ])
        .unwrap();
    store
}

fn text(store: &IndexStore, words: &str) -> Vec<u64> {
    store.query(&Filter { text: Some(words.to_owned()), ..all() }).unwrap()
}

#[test]
fn records_are_found_by_each_part_newest_first() {
    let directory = TempDir::new().unwrap();
    let store = store(&directory);
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(store.head().unwrap(), Some(3));
    assert_eq!(store.query(&all()).unwrap(), [3, 2, 1, 0]);
    assert_eq!(store.query(&Filter { agent: some("agt_a"), ..all() }).unwrap(), [3, 2, 0]);
    assert_eq!(store.query(&Filter { agent: some("agt_a"), task: some("tsk_1"), ..all() }).unwrap(), [3]);
    assert_eq!(store.query(&Filter { outcome: some("failed"), ..all() }).unwrap(), [2]);
    assert_eq!(store.query(&Filter { kind: some("action_denied"), ..all() }).unwrap(), [0_u64; 0]);
    assert_eq!(store.query(&Filter { since: Some(1_001), until: Some(1_003), ..all() }).unwrap(), [2, 1]);
    assert_eq!(store.query(&Filter { before_seq: Some(3), limit: 2, ..Filter::default() }).unwrap(), [2, 1]);
    assert_eq!(store.reader().unwrap().query(&all()).unwrap(), [3, 2, 1, 0]);
    assert_eq!(store.reader().unwrap().head().unwrap(), Some(3));
}

#[test]
fn words_are_found_by_their_beginnings_and_nothing_typed_is_an_operator() {
    let directory = TempDir::new().unwrap();
    let store = store(&directory);
    assert_eq!(text(&store, "send"), [3, 0]);
    assert_eq!(text(&store, "SEN mai"), [3, 0]);
    assert_eq!(text(&store, "muller@exam"), [0]);
    assert_eq!(text(&store, "orders_20"), [1]);
    assert_eq!(text(&store, "\"budget\""), [2]);
    assert_eq!(text(&store, "send OR budget"), [0_u64; 0]);
    for typed in ["\"", "*", "%", "text:", "NEAR(", "a\"b", "- ^ ()", "' OR 1=1 --", "a\0b", ""] {
        text(&store, typed);
    }
    assert_eq!(text(&store, " % "), [3, 2, 1, 0], "no word: no condition");
    let long = Filter { text: Some("x".repeat(QUERY_TEXT_BYTES_MAX + 1)), ..all() };
    assert!(matches!(store.query(&long), Err(StoreError::TooLarge { .. })));
}

#[test]
fn indexing_again_changes_nothing_and_resetting_empties() {
    let directory = TempDir::new().unwrap();
    let mut store = store(&directory);
    store.put_batch(&[row(0, "agt_x", "other words"), row(4, "agt_x", "new")]).unwrap();
    assert_eq!((text(&store, "other"), text(&store, "new")), (vec![], vec![4]));
    store.reset().unwrap();
    assert_eq!((store.head().unwrap(), text(&store, "send")), (None, vec![]));
    store.put_batch(&[row(0, "agt_a", "send")]).unwrap();
    assert_eq!(text(&store, "send"), [0]);
}

#[test]
fn a_damaged_index_starts_empty() {
    let directory = TempDir::new().unwrap();
    drop(store(&directory));
    let path = directory.path().join("index.sqlite");
    std::fs::write(&path, b"this is no database, and long enough to be looked at".repeat(100)).unwrap();
    let mut store = IndexStore::open(&path).unwrap();
    assert_eq!(store.head().unwrap(), None);
    store.put_batch(&[row(0, "agt_a", "send")]).unwrap();
}

#[test]
fn long_text_is_clipped_between_characters() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    let long = format!("{} unreachable", "ü".repeat(TEXT_BYTES_MAX));
    store.put_batch(&[row(0, "agt_a", &long)]).unwrap();
    assert_eq!(text(&store, "unreachable"), [0_u64; 0]);
}

#[test]
fn common_and_rare_kinds_are_found_alike_and_rare_ones_by_index() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    let kinds = ["ActionAllowed", "OutcomeRecorded", "TaskEnded", "ActionAllowed", "ActionDenied"];
    let outcomes = [Some("allowed"), Some("succeeded"), None, Some("allowed"), Some("denied")];
    let rows = (0..).zip(kinds.iter().zip(outcomes)).map(|(seq, (kind, outcome))| IndexRow {
        kind: (*kind).to_owned(),
        outcome: outcome.map(str::to_owned),
        ..row(seq, "agt_a", "")
    });
    store.put_batch(&rows.collect::<Vec<_>>()).unwrap();
    let of_kind = |kind: &str| store.query(&Filter { kind: Some(kind.to_owned()), ..all() }).unwrap();
    let of_outcome = |outcome: &str| store.query(&Filter { outcome: Some(outcome.to_owned()), ..all() }).unwrap();
    assert_eq!((of_kind("ActionAllowed"), of_kind("TaskEnded")), (vec![3, 0], vec![2]));
    assert_eq!((of_outcome("succeeded"), of_outcome("denied"), of_outcome("asked")), (vec![1], vec![4], vec![]));
    for (since, until, found) in [(0, 9_999, 5), (1_002, 1_004, 2), (1_004, 1_005, 1), (2_000, 3_000, 0), (3, 2, 0)] {
        let filter = Filter { since: Some(since), until: Some(until), ..all() };
        assert_eq!(store.query(&filter).unwrap().len(), found, "{since}..{until}");
    }
    let plan = "EXPLAIN QUERY PLAN SELECT seq FROM records WHERE kind NOT IN ('ActionAllowed', 'OutcomeRecorded') AND kind = ?1";
    let used: String = store.connection.query_row(plan, ["TaskEnded"], |row| row.get(3)).unwrap();
    assert!(used.contains("records_by_rare_kind"), "{used}");
}

#[test]
fn several_kinds_are_found_at_once_and_rare_ones_of_an_agent_without_its_calls() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    let kinds = ["AgentActivated", "ActionAllowed", "TaskEnded", "ActionDenied"];
    let rows = (0..).zip(kinds).map(|(seq, kind)| IndexRow { kind: kind.to_owned(), ..row(seq, "agt_a", "") });
    store.put_batch(&rows.collect::<Vec<_>>()).unwrap();
    let of = |kinds: &[&str]| {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        store.query(&Filter { agent: Some("agt_a".to_owned()), kinds, ..all() }).unwrap()
    };
    assert_eq!(of(&["TaskEnded", "AgentActivated"]), [2, 0]);
    assert_eq!(of(&["ActionAllowed", "ActionDenied"]), [3, 1]);
    assert_eq!((of(&["Recovered"]), of(&[])), (vec![], vec![3, 2, 1, 0]));
    let plan = "EXPLAIN QUERY PLAN SELECT seq FROM records WHERE TRUE AND agent = ?1 AND kind NOT IN ('ActionAllowed', 'OutcomeRecorded') \
                AND kind IN (?2, ?3) ORDER BY seq DESC LIMIT ?4";
    let used: String = store
        .connection
        .query_row(plan, params!["agt_a", "TaskEnded", "AgentActivated", 10], |row| row.get(3))
        .unwrap();
    assert!(used.contains("records_by_agent_rarely"), "{used}");
}
