use super::*;
use crate::leaf_hash;

/// Entries of two agents in turn, as (subject, link, leaf).
fn entries() -> Vec<(&'static str, Link, Hash)> {
    let mut chains = Chains::default();
    (0u8..10)
        .map(|n| {
            let subject = if n % 3 == 0 { "agt_a" } else { "agt_b" };
            let (link, leaf) = (chains.next(subject), leaf_hash(&[n]));
            chains.advance(subject, leaf);
            (subject, link, leaf)
        })
        .collect()
}

fn faults(entries: &[(&str, Link, Hash)]) -> Vec<ChainFault> {
    let mut checker = ChainChecker::default();
    entries.iter().filter_map(|(subject, link, leaf)| checker.check(subject, link, *leaf).err()).collect()
}

#[test]
fn a_sequence_starts_at_one_with_nothing_before_it() {
    let mut chains = Chains::default();
    assert_eq!(chains.next("agt_a"), Link { seq: 1, prev: Hash::ZERO });
    chains.advance("agt_a", leaf_hash(b"first"));
    assert_eq!(chains.next("agt_a"), Link { seq: 2, prev: leaf_hash(b"first") });
    assert_eq!(chains.next("agt_b").seq, 1);
    let heads: Vec<_> = chains.heads().collect();
    assert_eq!(heads, [("agt_a", Head { seq: 1, leaf: leaf_hash(b"first") })]);
}

#[test]
fn whole_sequences_have_no_fault_and_a_check_can_be_taken_up_later() {
    let entries = entries();
    assert_eq!(faults(&entries), []);
    let (before, after) = entries.split_at(4);
    let mut checker = ChainChecker::default();
    before.iter().for_each(|(subject, link, leaf)| checker.check(subject, link, *leaf).unwrap());
    let written = serde_json::to_string(checker.chains()).unwrap();
    let mut checker = ChainChecker::starting_at(serde_json::from_str(&written).unwrap());
    after.iter().for_each(|(subject, link, leaf)| checker.check(subject, link, *leaf).unwrap());
}

#[test]
fn an_entry_left_out_is_noticed_once_and_named() {
    let mut entries = entries();
    let (_, lost, _) = entries.remove(4);
    assert_eq!(lost.seq, 3);
    let faults = faults(&entries);
    assert_eq!(faults, [ChainFault::Gap { subject: "agt_b".to_owned(), expected: 3, found: 4 }]);
    assert_eq!((faults[0].subject(), faults[0].seq()), ("agt_b", 4));
}

#[test]
fn an_entry_changed_repeated_or_out_of_order_is_noticed() {
    let mut changed = entries();
    changed[1].2 = leaf_hash(b"changed");
    assert_eq!(faults(&changed), [ChainFault::WrongPrevious { subject: "agt_b".to_owned(), seq: 2 }]);

    let mut repeated = entries();
    repeated.insert(2, repeated[1]);
    assert_eq!(
        faults(&repeated).first(),
        Some(&ChainFault::Gap { subject: "agt_b".to_owned(), expected: 2, found: 1 })
    );

    let mut swapped = entries();
    swapped.swap(1, 2);
    assert!(!faults(&swapped).is_empty());
}

#[test]
fn the_highest_number_stops_nothing() {
    let head = format!(r#"{{"agt_a":{{"seq":{},"leaf":"{}"}}}}"#, u64::MAX, Hash::ZERO.base64());
    let mut chains: Chains = serde_json::from_str(&head).unwrap();
    chains.advance("agt_a", Hash::ZERO);
    assert_eq!(chains.next("agt_a").seq, u64::MAX);
}
