use tempfile::TempDir;

use super::*;
use crate::store::index::IndexStore;

fn row(seq: u64, grant: Option<&str>, operation: &str) -> IndexRow {
    IndexRow {
        seq,
        at: 1_000 + i64::try_from(seq).unwrap(),
        kind: "ActionAllowed".to_owned(),
        operation: Some(operation.to_owned()),
        grant: grant.map(str::to_owned),
        ..IndexRow::default()
    }
}

fn used(operation: &str, calls: u64, last_seq: u64) -> UseRow {
    UseRow { operation: operation.to_owned(), calls, last_seq, last_at: 1_000 + i64::try_from(last_seq).unwrap() }
}

#[test]
fn uses_are_counted_by_grant_and_operation_once_for_each_record() {
    let directory = TempDir::new().unwrap();
    let mut store = IndexStore::open(&directory.path().join("index.sqlite")).unwrap();
    let first = [
        row(0, Some("grt_a"), "helpdesk/lookup"),
        row(1, None, "helpdesk/lookup"),
        row(2, Some("grt_a"), "helpdesk/lookup"),
    ];
    store.put_batch(&first).unwrap();
    store.put_batch(&[row(3, Some("grt_a"), "helpdesk/refund"), row(4, Some("grt_b"), "helpdesk/lookup")]).unwrap();
    // What is indexed already is not counted again.
    store.put_batch(&first).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.uses("grt_a").unwrap(), [used("helpdesk/refund", 1, 3), used("helpdesk/lookup", 2, 2)]);
    assert_eq!(reader.uses("grt_b").unwrap(), [used("helpdesk/lookup", 1, 4)]);
    assert_eq!(reader.uses("grt_c").unwrap(), []);
    store.reset().unwrap();
    assert_eq!(reader.uses("grt_a").unwrap(), [], "an index that starts anew counts anew");
    store.put_batch(&first).unwrap();
    assert_eq!(reader.uses("grt_a").unwrap(), [used("helpdesk/lookup", 2, 2)]);
}
