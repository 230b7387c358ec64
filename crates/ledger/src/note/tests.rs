use super::*;
use crate::Hash;

const ORIGIN: &str = "remit.example/realm/main";

/// The verifier key and the note that Go's `sumdb/note` package publishes in its documentation.
const PUBLISHED_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PUBLISHED_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key() -> NoteKey {
    NoteKey::from_pkcs8(ORIGIN, &NoteKey::generate().unwrap()).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: crate::leaf_hash(b"root") }
}

#[test]
fn a_signed_checkpoint_reads_back() {
    let key = key();
    let note = key.sign_checkpoint(&checkpoint()).unwrap();
    let verifier = NoteVerifier::parse(&key.vkey()).unwrap();
    assert_eq!(&verifier, key.verifier());
    assert_eq!(verifier.vkey(), key.vkey());
    assert_eq!(verifier.verify_checkpoint(&note, ORIGIN), Ok(checkpoint()));
}

#[test]
fn a_published_note_verifies_and_only_then_is_read() {
    let verifier = NoteVerifier::parse(PUBLISHED_VKEY).unwrap();
    assert_eq!(verifier.name(), "PeterNeumann");
    // The signature holds, so what is refused is only that the text is no checkpoint.
    assert_eq!(verifier.verify_checkpoint(PUBLISHED_NOTE, ORIGIN), Err(NoteError::Checkpoint(CheckpointError::Lines)));
    let altered = PUBLISHED_NOTE.replace("your problem is", "my problem is");
    assert_eq!(
        verifier.verify_checkpoint(&altered, ORIGIN),
        Err(NoteError::Signature { name: "PeterNeumann".to_owned() })
    );
}

#[test]
fn another_key_name_origin_or_text_is_refused() {
    let key = key();
    let note = key.sign_checkpoint(&checkpoint()).unwrap();
    let other = self::key();
    assert_eq!(
        other.verifier().verify_checkpoint(&note, ORIGIN),
        Err(NoteError::NotSigned { name: ORIGIN.to_owned() })
    );
    let pkcs8 = NoteKey::generate().unwrap();
    let renamed = NoteKey::from_pkcs8("other.example", &pkcs8).unwrap();
    let same_key = NoteKey::from_pkcs8(ORIGIN, &pkcs8).unwrap();
    let by_renamed = renamed.sign_checkpoint(&checkpoint()).unwrap();
    assert!(matches!(same_key.verifier().verify_checkpoint(&by_renamed, ORIGIN), Err(NoteError::NotSigned { .. })));
    assert!(matches!(key.verifier().verify_checkpoint(&note, "other.example"), Err(NoteError::Origin { .. })));
    let altered = note.replacen("\n7\n", "\n8\n", 1);
    assert!(matches!(key.verifier().verify_checkpoint(&altered, ORIGIN), Err(NoteError::Signature { .. })));
}

#[test]
fn signatures_of_others_are_ignored_but_a_wrong_own_one_is_not() {
    let (key, witness) = (key(), NoteKey::from_pkcs8("witness.example", &NoteKey::generate().unwrap()).unwrap());
    let note = key.sign_checkpoint(&checkpoint()).unwrap();
    let cosigned = witness.sign_checkpoint(&checkpoint()).unwrap();
    let (_, witness_line) = cosigned.split_once("\n\n").unwrap();
    let both = format!("{note}{witness_line}");
    assert!(key.verifier().verify_checkpoint(&both, ORIGIN).is_ok());
    assert!(witness.verifier().verify_checkpoint(&both, ORIGIN).is_ok());

    let mut wrong = checkpoint();
    wrong.size += 1;
    let wrong_note = key.sign_checkpoint(&wrong).unwrap();
    let (_, wrong_line) = wrong_note.split_once("\n\n").unwrap();
    let twice = format!("{note}{wrong_line}");
    assert!(matches!(key.verifier().verify_checkpoint(&twice, ORIGIN), Err(NoteError::Signature { .. })));
}

#[test]
fn malformed_notes_are_refused() {
    let key = key();
    let note = key.sign_checkpoint(&checkpoint()).unwrap();
    let line = note.lines().last().unwrap().to_owned();
    let bad = [
        String::new(),
        "\n\n".to_owned(),
        note.trim_end().to_owned(),
        note.replace("\n\n", "\n"),
        note.replace('—', "-"),
        note.replace("— ", "—"),
        note.replace('\n', "\r\n"),
        note.replace("\n7\n", "\n7\t\n"),
        format!("{note}\n"),
        format!("{note}— name\n"),
        format!("{note}— name AAAA\n"),
        format!("{note}— na+me AAAAAAAA\n"),
        format!("{note}{}", format!("{line}\n").repeat(NOTE_SIGNATURES_MAX)),
        format!("{note}{}", "x".repeat(NOTE_BYTES_MAX)),
    ];
    for text in bad {
        let refused = key.verifier().verify_checkpoint(&text, ORIGIN);
        assert!(
            matches!(refused, Err(NoteError::Malformed { .. } | NoteError::TooLong { .. })),
            "{refused:?} for {:?}",
            text.get(..text.len().min(200))
        );
    }
}

#[test]
fn verifier_keys_are_read_strictly() {
    for bad in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+",
    ] {
        assert!(NoteVerifier::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_could_not_be_read_back_is_not_signed() {
    let key = key();
    for origin in ["", "two\nlines", &"x".repeat(256)] {
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: 0, root: Hash::empty_root() };
        assert!(key.sign_checkpoint(&checkpoint).is_err());
    }
    let pkcs8 = NoteKey::generate().unwrap();
    for name in ["", "a b", "a+b", "a\nb", &"x".repeat(256)] {
        assert_eq!(NoteKey::from_pkcs8(name, &pkcs8).err(), Some(NoteError::KeyName));
    }
    assert_eq!(NoteKey::from_pkcs8(ORIGIN, b"no key").err(), Some(NoteError::Key));
}

#[test]
fn a_key_never_shows_its_secret() {
    let pkcs8 = NoteKey::generate().unwrap();
    let shown = format!("{:?}", NoteKey::from_pkcs8(ORIGIN, &pkcs8).unwrap());
    assert!(shown.contains(ORIGIN) && shown.len() < 200, "{shown}");
}
