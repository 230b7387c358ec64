use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::SigningKey;
use crate::jws::tests::forge;

const NOW: i64 = 1_800_000_000;
const URI: &str = "https://remit.example.org/oauth/status/1";
const TERMS: ListTerms<'static> = ListTerms { uri: URI, iat: NOW, exp: NOW + 3_600, ttl: 60 };

fn pack(bytes: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    base64url::encode(encoder.finish().unwrap())
}

#[test]
fn the_example_of_the_draft_is_read() {
    // Section 4.1: entries 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, the first in the lowest bit.
    let list = StatusList::decode("eNrbuRgAAhcBXQ").unwrap();
    let bits: Vec<u8> = (0..16).map(|index| u8::from(list.is_invalid(index).unwrap())).collect();
    assert_eq!(bits, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
    assert_eq!(list.is_invalid(16), Err(StatusListError::Index), "beyond the end nothing is valid");
}

#[test]
fn a_list_is_never_small() {
    let list = StatusList::new(1).unwrap();
    assert_eq!(list.len(), limits::STATUS_ENTRIES_MIN);
    assert!(!list.is_empty());
    assert_eq!(StatusList::new(limits::STATUS_ENTRIES_MIN + 1).unwrap().len(), limits::STATUS_ENTRIES_MIN + 8);
    assert_eq!(StatusList::new(limits::STATUS_ENTRIES_MAX).unwrap().len(), limits::STATUS_ENTRIES_MAX);
    assert_eq!(StatusList::new(limits::STATUS_ENTRIES_MAX + 1), Err(StatusListError::Size));
    assert_eq!(StatusList::new(u64::MAX), Err(StatusListError::Size));
}

#[test]
fn entries_are_set_and_cleared() {
    let mut list = StatusList::new(0).unwrap();
    let last = list.len() - 1;
    for index in [0, 7, 8, 12_345, last] {
        list.set(index, true).unwrap();
        assert_eq!(list.is_invalid(index), Ok(true));
    }
    list.set(7, false).unwrap();
    assert_eq!(list.is_invalid(7), Ok(false));
    assert_eq!(list.is_invalid(6), Ok(false));
    assert_eq!(list.set(last + 1, true), Err(StatusListError::Index));
    assert_eq!(list.set(u64::MAX, true), Err(StatusListError::Index));
    assert_eq!(StatusList::decode(&list.encode().unwrap()), Ok(list));
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let bytes_max = usize::try_from(limits::STATUS_ENTRIES_MAX / 8).unwrap();
    assert!(StatusList::decode(&pack(&vec![0; bytes_max])).is_ok());
    let bomb = pack(&vec![0; bytes_max * 8]);
    assert!(bomb.len() < 64 * 1024, "small outside");
    assert_eq!(StatusList::decode(&bomb), Err(StatusListError::Encoding));
    assert_eq!(StatusList::decode(&pack(&vec![0; bytes_max + 1])), Err(StatusListError::Encoding));
    for text in ["", "!", "AAAA", "eNrbuRgAAhcBXQ==", "eNrbuRgAAhcBXA", "eNrbuRgAAhcB"] {
        assert_eq!(StatusList::decode(text), Err(StatusListError::Encoding), "{text}");
    }
    let trailing = base64url::encode([base64url::decode("eNrbuRgAAhcBXQ").unwrap(), vec![0]].concat());
    assert_eq!(StatusList::decode(&trailing), Err(StatusListError::Encoding));
}

#[test]
fn a_signed_list_is_read_with_the_realms_key() {
    let ring = KeyRing::new(NOW).unwrap();
    let mut list = StatusList::new(0).unwrap();
    for index in (0..200_000).map(|step| step * 5) {
        list.set(index, true).unwrap();
    }
    let token = mint(&ring, &list, &TERMS).unwrap();
    let key = ring.signing().unwrap().public();
    assert_eq!(verify(&token, key, URI, NOW), Ok(list));
    assert_eq!(verify(&token, key, "https://remit.example.org/oauth/status/2", NOW), Err(StatusListError::Subject));
    assert_eq!(verify(&token, key, URI, NOW + 3_600), Err(StatusListError::Expired));
    assert_eq!(verify(&token, key, URI, NOW - 31), Err(StatusListError::NotYetValid));
    let other = SigningKey::generate().unwrap().0;
    assert_eq!(verify(&token, other.public(), URI, NOW), Err(StatusListError::Malformed(JwsError::Signature)));
    let endless = ListTerms { exp: NOW + limits::STATUS_TOKEN_SECONDS_MAX + 1, ..TERMS };
    assert_eq!(mint(&ring, &StatusList::new(0).unwrap(), &endless), Err(StatusListError::Expired));
}

#[test]
fn other_documents_are_no_lists() {
    let key = SigningKey::generate().unwrap().0;
    let refused = |typ: &str, list: serde_json::Value| {
        let claims = json!({"sub": URI, "iat": NOW, "exp": NOW + 60, "status_list": list}).to_string();
        let token = forge(&json!({"alg": "ES256", "typ": typ}).to_string(), &claims, &key);
        verify(&token, key.public(), URI, NOW).err()
    };
    let good = json!({"bits": 1, "lst": "eNrbuRgAAhcBXQ"});
    assert_eq!(refused("statuslist+jwt", good.clone()), None);
    assert_eq!(refused("application/statuslist+jwt", good.clone()), None);
    assert_eq!(refused("at+jwt", good.clone()), Some(StatusListError::Type));
    assert_eq!(refused("JWT", good), Some(StatusListError::Type));
    assert_eq!(refused("statuslist+jwt", json!({"bits": 2, "lst": "eNrbuRgAAhcBXQ"})), Some(StatusListError::Bits));
    assert_eq!(refused("statuslist+jwt", json!({"lst": "eNrbuRgAAhcBXQ"})), Some(StatusListError::Bits));
    assert!(matches!(refused("statuslist+jwt", json!({"bits": 1})), Some(StatusListError::Malformed(_))));
    assert!(matches!(refused("statuslist+jwt", json!([])), Some(StatusListError::Malformed(_))));
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[A-Za-z0-9_-]{0,64}", bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = StatusList::decode(&text);
        let _ = StatusList::decode(&base64url::encode(&bytes));
        prop_assert!(StatusList::decode(&pack(&bytes)).is_ok());
    }
}
