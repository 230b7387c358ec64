use super::*;
use crate::{Frontier, LeafHashes, NoteKey, consistency_proof, inclusion_proof};

const ORIGIN: &str = "remit.example/log";

fn key() -> NoteKey {
    NoteKey::from_pkcs8(ORIGIN, &NoteKey::generate().unwrap()).unwrap()
}

fn entry(n: u64) -> String {
    format!(r#"{{"n":{n}}}"#)
}

fn signed(key: &NoteKey, leaves: &[Hash]) -> String {
    let frontier: Frontier = leaves.iter().copied().collect();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
    key.sign_checkpoint(&checkpoint).unwrap()
}

/// A pack of entries 3, 40, 41 and 199 of a log of 200, which had 77 entries when the reader last looked.
fn pack(key: &NoteKey) -> PackProofs {
    let leaves: Vec<Hash> = (0..200).map(|n| leaf_hash(entry(n).as_bytes())).collect();
    let hashes = LeafHashes::new(leaves.clone());
    let prove = |index| inclusion_proof(&hashes, index, 200).unwrap();
    PackProofs {
        origin: ORIGIN.to_owned(),
        vkey: key.vkey(),
        checkpoint: signed(key, &leaves),
        entries: [3, 40, 41, 199].map(|index| PackEntry { index, entry: entry(index), proof: prove(index) }).to_vec(),
        previous: Some(PackPrevious {
            checkpoint: signed(key, &leaves[..77]),
            consistency: consistency_proof(&hashes, 77, 200).unwrap(),
        }),
    }
}

fn indexes(faults: &[PackFault]) -> Vec<Option<u64>> {
    faults.iter().map(|fault| fault.index).collect()
}

#[test]
fn a_whole_pack_is_verified_and_says_whose_key_it_was() {
    let key = key();
    let pack = pack(&key);
    let verified = pack.verify(Some(&key.vkey())).unwrap();
    assert_eq!((verified.size, verified.entries, verified.previous_size, verified.trusted), (200, 4, Some(77), true));
    assert!(!pack.verify(None).unwrap().trusted);
    let read: PackProofs = serde_json::from_str(&serde_json::to_string(&pack).unwrap()).unwrap();
    assert_eq!(read, pack);
}

#[test]
fn every_bad_entry_is_named() {
    let key = key();
    let mut pack = pack(&key);
    pack.entries[0].entry = entry(4);
    pack.entries[1].proof[2] = Hash::ZERO;
    pack.entries[3].index = 198;
    let faults = pack.verify(None).unwrap_err();
    assert_eq!(indexes(&faults), [Some(3), Some(40), Some(198)]);
    assert!(faults[0].to_string().starts_with("entry 3: "));

    let mut pack = self::pack(&key);
    pack.entries[1] = pack.entries[0].clone();
    pack.entries[2].index = 200;
    pack.entries[3].entry = "x".repeat(ENTRY_BYTES_MAX + 1);
    assert_eq!(indexes(&pack.verify(None).unwrap_err()), [Some(3), Some(200), Some(199)]);
}

#[test]
fn entries_are_named_even_if_the_checkpoint_is_not_to_be_believed() {
    let (key, other) = (key(), key());
    let mut pack = pack(&key);
    pack.entries[2].entry.push(' ');
    let faults = pack.verify(Some(&other.vkey())).unwrap_err();
    // Another key than the trusted one, both signatures, and the entry.
    assert_eq!(indexes(&faults), [None, None, Some(41), None]);
}

#[test]
fn a_forked_history_is_noticed() {
    let key = key();
    let mut pack = pack(&key);
    let fork: Vec<Hash> = (0..77).map(|n| leaf_hash(entry(n + 1).as_bytes())).collect();
    let previous = pack.previous.as_mut().unwrap();
    previous.checkpoint = signed(&key, &fork);
    let faults = pack.verify(Some(&key.vkey())).unwrap_err();
    assert_eq!(indexes(&faults), [None]);
    assert!(faults[0].sentence.starts_with("the earlier checkpoint: "));
    let previous = pack.previous.as_mut().unwrap();
    previous.checkpoint = signed(&self::key(), &fork);
    assert_eq!(pack.verify(None).unwrap_err().len(), 2);
}

#[test]
fn a_pack_that_is_no_pack_is_refused() {
    let key = key();
    for spoil in [
        |pack: &mut PackProofs| pack.vkey.clear(),
        |pack: &mut PackProofs| pack.checkpoint.clear(),
        |pack: &mut PackProofs| pack.origin.push('x'),
        |pack: &mut PackProofs| pack.checkpoint = pack.checkpoint.replace("\n200\n", "\n201\n"),
    ] {
        let mut pack = pack(&key);
        spoil(&mut pack);
        assert!(pack.verify(None).is_err());
        assert!(pack.verify(Some(&key.vkey())).is_err());
    }
    assert!(pack(&key).verify(Some("no key")).is_err());
    let json = serde_json::to_string(&pack(&key)).unwrap();
    let doubled = json.replacen(r#""vkey""#, r#""origin":"other","vkey""#, 1);
    assert!(serde_json::from_str::<PackProofs>(&doubled).is_err(), "members that stand twice are refused");
    let unknown = json.replacen(r#""vkey""#, r#""more":1,"vkey""#, 1);
    assert!(serde_json::from_str::<PackProofs>(&unknown).is_err());
}
