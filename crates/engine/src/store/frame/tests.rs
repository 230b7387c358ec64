use super::*;

fn header() -> Header {
    Header { realm: Realm::new("acme").unwrap(), first_index: 7, segment_bytes: 4_096 }
}

#[test]
fn a_header_comes_back() {
    let bytes = header().encode();
    assert_eq!(bytes.len(), HEADER_BYTES);
    assert_eq!(Header::decode(&bytes), Ok(header()));
    assert_eq!(header().realm.name(), "acme");
}

#[test]
fn any_flipped_bit_of_a_header_is_noticed() {
    for at in 0..HEADER_BYTES {
        for bit in 0..8 {
            let mut bytes = header().encode();
            bytes[at] ^= 1 << bit;
            assert!(Header::decode(&bytes).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_realm_is_short_and_visible() {
    assert!(Realm::new(&"r".repeat(32)).is_ok());
    for name in ["", "two words", "naïve", &"r".repeat(33)] {
        assert!(Realm::new(name).is_err(), "{name}");
    }
}

#[test]
fn a_batch_comes_back_frame_by_frame() {
    let (entries, commit) = ([b"one".as_slice(), b"".as_slice()], b"signed".as_slice());
    let mut bytes = Vec::new();
    encode_batch(&mut bytes, &entries, commit, 64, 2);
    assert_eq!(bytes.len(), batch_bytes(&entries, commit));
    let FrameAt::Entry { bytes: one, next } = frame_at(&bytes, 0) else { panic!("no entry") };
    assert_eq!(one, b"one");
    let FrameAt::Entry { bytes: empty, next } = frame_at(&bytes, next) else { panic!("no entry") };
    assert!(empty.is_empty());
    let FrameAt::Commit(found) = frame_at(&bytes, next) else { panic!("no commit") };
    assert_eq!((found.entries_total, found.batch_offset, found.bytes, found.next), (2, 64, commit, bytes.len()));
    assert_eq!(find_commit(&bytes, 0), Some((next, found)));
    assert_eq!(find_commit(&bytes, next + 1), None);
}

#[test]
fn any_flipped_bit_of_a_frame_is_noticed() {
    let mut batch = Vec::new();
    encode_batch(&mut batch, &[b"entry"], b"commit", 64, 1);
    let first_bytes = 9 + 5;
    for at in 0..first_bytes {
        for bit in 0..8 {
            let mut bytes = batch.clone();
            bytes[at] ^= 1 << bit;
            assert!(matches!(frame_at(&bytes, 0), FrameAt::Bad(_)), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_length_that_leads_past_the_end_is_no_frame() {
    for length in [1_u32, 100, u32::MAX] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[0; 4]);
        assert!(matches!(frame_at(&bytes, 0), FrameAt::Bad(_)), "{length}");
    }
    assert!(matches!(frame_at(&[], 0), FrameAt::End));
    assert!(matches!(frame_at(&[], 10), FrameAt::End));
}
