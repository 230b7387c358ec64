use tempfile::TempDir;

use super::super::{IndexRow, IndexStore};
use super::*;

const AGENTS: [&str; 3] = ["agt_a", "agt_b", "agt_c"];
const PEOPLE: [&str; 2] = ["per_ana", "per_bob"];
const OPERATIONS: [&str; 2] = ["desk/read", "desk/pay"];
const KINDS: [&str; 5] = ["ActionAllowed", "OutcomeRecorded", "ActionDenied", "TaskStarted", "TaskEnded"];
const TEXTS: [&str; 4] = ["", "refund order 17", "ship order 18", "denied_by_policy"];

/// Numbers that have little to do with one another.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    }
}

fn one(of: &[&str], number: usize) -> Option<String> {
    of.get(number).map(|text| (*text).to_owned())
}

fn rows(count: u64) -> Vec<IndexRow> {
    let mut number = numbers(7);
    let row = |seq| {
        let kind = KINDS[number(KINDS.len())];
        IndexRow {
            seq,
            at: i64::try_from(seq / 3).unwrap() * 10,
            kind: kind.to_owned(),
            agent: one(&AGENTS, number(4)),
            task: one(&["tsk_1", "tsk_2"], number(4)),
            person: one(&PEOPLE, number(3)),
            operation: one(&OPERATIONS, number(3)),
            outcome: match kind {
                "ActionAllowed" => Some("allowed".to_owned()),
                "ActionDenied" => Some("denied".to_owned()),
                _ => None,
            },
            text: TEXTS[number(TEXTS.len())].to_owned(),
            artefacts: if number(9) == 0 { vec!["policy:base".to_owned()] } else { Vec::new() },
            ..IndexRow::default()
        }
    };
    (0..count).map(row).collect()
}

fn store(directory: &TempDir, rows: &[IndexRow]) -> IndexStore {
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    store.put_batch(rows).unwrap();
    store
}

/// Whether `row` is one that `filter` asks for, said plainly.
fn fits(filter: &Filter, row: &IndexRow) -> bool {
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let words: Vec<&str> =
        filter.text.as_deref().unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    is(&filter.kind, &Some(row.kind.clone()))
        && (filter.kinds.is_empty() || filter.kinds.contains(&row.kind))
        && is(&filter.agent, &row.agent)
        && is(&filter.task, &row.task)
        && is(&filter.person, &row.person)
        && is(&filter.operation, &row.operation)
        && is(&filter.outcome, &row.outcome)
        && words.iter().all(|word| row.text.split(' ').any(|found| found.starts_with(word)))
        && (filter.artefacts.is_empty() || row.artefacts.iter().any(|found| filter.artefacts.contains(found)))
        && filter.since.is_none_or(|since| row.at >= since)
        && filter.until.is_none_or(|until| row.at < until)
        && filter.before_seq.is_none_or(|before| row.seq < before)
}

#[test]
fn whatever_is_asked_for_is_found_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let rows = rows(600);
    let store = store(&directory, &rows);
    let mut number = numbers(11);
    for _ in 0..4_000 {
        let mut kinds = Vec::new();
        kinds.extend(one(&KINDS, number(20)));
        kinds.extend(one(&KINDS, number(20)));
        let filter = Filter {
            kind: one(&KINDS, number(12)),
            kinds,
            agent: one(&AGENTS, number(8)),
            task: one(&["tsk_1"], number(6)),
            person: one(&PEOPLE, number(8)),
            operation: one(&OPERATIONS, number(8)),
            outcome: one(&["allowed", "denied"], number(12)),
            text: one(&["order", "ref ord", "17", "nothing", " "], number(8)),
            artefacts: one(&["policy:base"], number(9)).into_iter().collect(),
            since: (number(6) == 0).then(|| i64::try_from(number(2_000)).unwrap()),
            until: (number(6) == 0).then(|| i64::try_from(number(2_000)).unwrap()),
            before_seq: (number(4) == 0).then(|| number(700) as u64),
            limit: 1 + number(700),
            ..Filter::default()
        };
        let newest_first = rows.iter().rev().filter(|row| fits(&filter, row)).map(|row| row.seq);
        let expected: Vec<u64> = newest_first.take(filter.limit).collect();
        assert_eq!(store.query(&filter).unwrap(), expected, "{filter:?}");
    }
}

/// What the database would do first to answer `filter`.
fn plan(store: &IndexStore, filter: &Filter) -> String {
    let words = filter.text.as_deref().map(words).transpose().unwrap();
    let search = match words {
        Some(words) if asks_for_words_alone(filter) => Search::of_words(words),
        words => Search::of_records(filter, words),
    };
    let Search { sql, values, .. } = search.within(&store.connection, filter).unwrap();
    let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_index_that_leaves_least_is_used_and_nothing_is_sorted() {
    let directory = TempDir::new().unwrap();
    let store = store(&directory, &rows(50));
    let some = |text: &str| Some(text.to_owned());
    let common = || Filter { limit: 9, before_seq: Some(40), ..Filter::default() };
    for (filter, wanted) in [
        (common(), "PRIMARY KEY"),
        (Filter { text: some("order"), ..common() }, "SCAN words"),
        (Filter { kind: some("TaskEnded"), ..common() }, "records_by_rare_kind"),
        (Filter { kind: some("TaskEnded"), agent: some("agt_a"), ..common() }, "records_by_agent_rarely"),
        (Filter { kind: some("TaskEnded"), person: some("per_ana"), ..common() }, "records_by_person_rarely"),
        (Filter { kind: some("ActionDenied"), operation: some("desk/pay"), ..common() }, "records_by_operation_rarely"),
        (Filter { kind: some("ActionAllowed"), operation: some("desk/pay"), ..common() }, "records_by_operation "),
        (Filter { kind: some("TaskEnded"), task: some("tsk_1"), ..common() }, "records_by_task"),
        (Filter { kinds: vec!["TaskEnded".to_owned()], action: some("act_1"), ..common() }, "records_by_action"),
        (Filter { outcome: some("denied"), ..common() }, "records_by_rare_outcome"),
        (Filter { outcome: some("denied"), agent: some("agt_a"), ..common() }, "records_by_agent "),
        (Filter { text: some("order"), agent: some("agt_a"), ..common() }, "records_by_agent (agent=? AND rowid<?)"),
        (
            Filter { text: some("order"), person: some("per_ana"), ..common() },
            "records_by_person (person=? AND rowid<?)",
        ),
    ] {
        let plan = plan(&store, &filter);
        assert!(plan.contains(wanted) && !plan.contains("TEMP B-TREE"), "{wanted}: {plan}");
    }
}
