//! A proof is worth something because others can check it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{Echo, Estate, Load, Place, turn};

/// Verifies with Python's standard library alone.
fn verifier() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/log_verifiers.py")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inclusion_proof_verifies_without_our_code() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    // More than a tile holds, so that the proof leads through several.
    Load::start(&estate, 16, 300).finish().await;

    for seq in ["0", "7", "255", "256", "511"] {
        let proof = place.ask(["ledger", "prove", seq, "--json"]).await.json();
        assert_eq!(proof.get("index").map(Value::to_string).as_deref(), Some(seq));
        let told = verify(&place, &proof).await;
        assert!(told.status.success(), "the proof of {seq} does not verify: {}", String::from_utf8_lossy(&told.stdout));

        let mut forged = proof.clone();
        let entry =
            proof.get("entry").and_then(Value::as_str).expect("a proof holds its entry").replace("\"v\":1", "\"v\":2");
        forged.as_object_mut().expect("a proof").insert("entry".to_owned(), entry.into());
        assert!(!verify(&place, &forged).await.status.success(), "a forged entry {seq} verifies");
    }
    server.stop().await;
}

/// Holds the proof against the root of the checkpoint that it names.
async fn verify(place: &Place, proof: &Value) -> Output {
    let file = place.root().join("proof.json");
    fs::write(&file, proof.to_string()).expect("the proof cannot be written");
    let checkpoint = proof.get("checkpoint").and_then(Value::as_str).expect("a proof names its checkpoint");
    let root = checkpoint.lines().nth(2).expect("a checkpoint has a root");
    let mut python = tokio::process::Command::new("python3");
    python.arg("-I").arg(verifier()).arg("--proof").arg(&file).arg("--root").arg(root);
    python.output().await.expect("`python3` is missing")
}
