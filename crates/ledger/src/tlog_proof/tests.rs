use super::*;
use crate::{Frontier, LeafHashes, NoteKey, inclusion_proof};

const ORIGIN: &str = "remit.example/log";

struct Log {
    entries: Vec<String>,
    key: NoteKey,
    checkpoint: Checkpoint,
}

fn log() -> Log {
    let entries: Vec<String> = (0..100).map(|n| format!("entry {n}")).collect();
    let frontier: Frontier = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
    let key = NoteKey::from_pkcs8(ORIGIN, &NoteKey::generate().unwrap()).unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
    Log { entries, key, checkpoint }
}

fn proof(log: &Log, index: u64) -> TlogProof {
    let leaves = LeafHashes::new(log.entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect());
    TlogProof {
        extra: None,
        index,
        hashes: inclusion_proof(&leaves, index, log.checkpoint.size).unwrap(),
        checkpoint: log.key.sign_checkpoint(&log.checkpoint).unwrap(),
    }
}

#[test]
fn a_receipt_reads_back_and_proves_its_entry_only() {
    let log = log();
    for index in [0, 1, 63, 64, 99] {
        let mut proof = proof(&log, index);
        proof.extra = (index == 64).then(|| b"for the reader".to_vec());
        let read: TlogProof = proof.to_string().parse().unwrap();
        assert_eq!(read, proof);
        let entry = log.entries[index as usize].as_bytes();
        assert_eq!(read.verify(entry, log.key.verifier(), ORIGIN), Ok(log.checkpoint.clone()));
        assert_eq!(read.verify(b"other", log.key.verifier(), ORIGIN), Err(ProofError::OtherRoot.into()));
        assert!(matches!(read.verify(entry, log.key.verifier(), "other"), Err(TlogProofError::Note(_))));
    }
}

#[test]
fn a_receipt_for_the_only_entry_has_no_hashes() {
    let key = NoteKey::from_pkcs8(ORIGIN, &NoteKey::generate().unwrap()).unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 1, root: leaf_hash(b"only") };
    let note = key.sign_checkpoint(&checkpoint).unwrap();
    let text = format!("{HEADER}\nindex 0\n\n{note}");
    let proof: TlogProof = text.parse().unwrap();
    assert_eq!(proof.to_string(), text);
    assert_eq!(proof.verify(b"only", key.verifier(), ORIGIN), Ok(checkpoint));
}

#[test]
fn malformed_receipts_are_refused() {
    let log = log();
    let good = proof(&log, 5).to_string();
    let hash = Hash::ZERO.base64();
    let bad = [
        String::new(),
        good.replace("@v1", "@v2"),
        good.replace("index 5", "index 05"),
        good.replace("index 5", "index -5"),
        good.replace("index 5", "Index 5"),
        good.replace("index 5\n", ""),
        good.replace("index 5\n", "index 5\nextra AAAA\n"),
        good.replace("index 5", "extra AAA\nindex 5"),
        good.replace("index 5", &format!("extra {}\nindex 5", "A".repeat(EXTRA_BYTES_MAX + 4))),
        good.replace("index 5\n", "index 5\nAAAA\n"),
        good.replace("index 5\n", &format!("index 5\n{}", format!("{hash}\n").repeat(PROOF_HASHES_MAX))),
        good.replace("\n\n", "\n"),
        good.replace('\n', "\r\n"),
        format!("{good}{}", "x".repeat(NOTE_BYTES_MAX)),
    ];
    for text in bad {
        assert!(text.parse::<TlogProof>().is_err(), "{:?}", text.get(..text.len().min(300)));
    }
}
