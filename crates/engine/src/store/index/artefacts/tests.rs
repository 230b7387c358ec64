use tempfile::TempDir;

use super::super::{IndexRow, IndexStore};

#[test]
fn artefacts_are_listed_by_kind_and_name_with_their_newest_record() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    let row = |seq: u64, artefacts: &[&str]| IndexRow {
        seq,
        artefacts: artefacts.iter().map(|artefact| (*artefact).to_owned()).collect(),
        ..IndexRow::default()
    };
    store
        .put_batch(&[
            row(0, &["policy:b", "change:1"]),
            row(1, &["policy:a"]),
            row(2, &["policyholder:x", "polic:y"]),
            row(3, &["policy:b", "policy:c"]),
            row(4, &[]),
        ])
        .unwrap();
    let reader = store.reader().unwrap();
    let list = |kind: &str, after: Option<&str>, limit: usize| reader.artefacts(kind, after, limit).unwrap();
    let found = |pairs: &[(&str, u64)]| -> Vec<(String, u64)> {
        pairs.iter().map(|(artefact, seq)| ((*artefact).to_owned(), *seq)).collect()
    };
    assert_eq!(list("policy", None, 9), found(&[("policy:a", 1), ("policy:b", 3), ("policy:c", 3)]));
    assert_eq!(list("policy", Some("policy:a"), 1), found(&[("policy:b", 3)]));
    assert_eq!(list("policy", Some("policy:c"), 9), found(&[]));
    assert_eq!(list("change", None, 9), found(&[("change:1", 0)]));
    assert_eq!((list("", None, 9), list("policy", None, 0)), (found(&[]), found(&[])));
    assert_eq!((reader.newest_about("policy:b").unwrap(), reader.newest_about("policy:d").unwrap()), (Some(3), None));
}
