//! One changed bit anywhere in the ledger is found, and its place named.

use std::fs;
use std::path::{Path, PathBuf};

use crate::faults::verified;
use crate::support::{Echo, Estate, Load, Place, Random, turn};

/// Places that are chosen at random over all segments.
const ANYWHERE: usize = 400;
/// Small segments, so that there are several, each with its header, and all of it is verified in no time.
const SETTINGS: &str = "ledger.segment_bytes = 65536\n";
/// A segment's header, in bytes.
const HEADER_BYTES: u64 = 64;
const CALLS: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_anywhere_is_found_and_its_place_named() {
    let _turn = turn().await;
    let (place, echo, mut random) = (Place::new(SETTINGS), Echo::start(), Random::new());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    Load::start(&estate, 2, CALLS).finish().await;
    server.stop().await;
    verified(&place);

    // The next segment is made ahead of need and holds nothing yet; it is no part of the log.
    let segments: Vec<PathBuf> = files(&place.segments())
        .into_iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "seg"))
        .collect();
    assert!(segments.len() > 3, "there are only {} segments", segments.len());
    for _ in 0..ANYWHERE {
        let segment = segments.get(random.below(segments.len() as u64) as usize).expect("a segment");
        let length = fs::metadata(segment).expect("a segment").len();
        flip(&place, segment, random.below(length), &mut random);
    }
    for segment in &segments {
        for _ in 0..4 {
            flip(&place, segment, random.below(HEADER_BYTES), &mut random);
        }
        for commit in commits(segment) {
            flip(&place, segment, commit + random.below(64), &mut random);
        }
    }
    // What is published: the checkpoint, every tile, every bundle of entries.
    for file in files(&place.data().join("ledger")) {
        let length = fs::metadata(&file).expect("a tile").len();
        for at in [length - 1, random.below(length)] {
            flip(&place, &file, at, &mut random);
        }
    }
    // What is known of the log before it is read, byte for byte, and what is kept apart from it.
    for file in [vec![place.data().join("realm.json")], files(&place.anchors())].concat() {
        for at in 0..fs::metadata(&file).expect("a file").len() {
            flip(&place, &file, at, &mut random);
        }
    }
    verified(&place);

    // The command says the same as the library.
    let told = place.ask(["ledger", "verify", "--json"]).await;
    assert_eq!(told.code(), Some(0), "{}", told.stderr);
    let segment = segments.first().expect("a segment");
    change(segment, 1_000, 1);
    let told = place.ask(["ledger", "verify"]).await;
    assert!(!told.status.success(), "a damaged ledger was verified: {}", told.stdout);
    let name = segment.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(
        told.stdout.contains(&name) || told.stderr.contains(&name),
        "the file is not named: {}{}",
        told.stdout,
        told.stderr
    );
}

/// Flips one bit of the byte `at` of `file`, has the ledger verified, and flips it back.
fn flip(place: &Place, file: &Path, at: u64, random: &mut Random) {
    let bit = 1_u8 << random.below(8);
    change(file, at, bit);
    let faults = match remit_engine::verify_directory(place.data(), Some(&place.anchors()), None) {
        Ok(report) => report.faults,
        Err(error) => vec![error.to_string()],
    };
    change(file, at, bit);
    let shown = format!("bit {bit:#04x} of byte {at} of `{}`", file.display());
    assert!(!faults.is_empty(), "{shown} was flipped and not found");
    // A place is a file and a byte in it, or an entry, or the commit at a size; each leads to the same bytes.
    let name = file.file_name().expect("a name").to_string_lossy();
    let named =
        |fault: &String| fault.contains(name.as_ref()) || fault.contains("entry ") || fault.contains(" entries");
    assert!(faults.iter().any(named), "{shown} was found, and no place named: {faults:?}");
}

fn change(file: &Path, at: u64, bit: u8) {
    let mut bytes = fs::read(file).expect("a file of the ledger");
    let byte = bytes.get_mut(usize::try_from(at).expect("a place")).expect("a place in the file");
    *byte ^= bit;
    fs::write(file, bytes).expect("a file of the ledger");
}

/// Where the checkpoints of a segment's commits stand: each begins with the log's name.
fn commits(segment: &Path) -> Vec<u64> {
    let bytes = fs::read(segment).expect("a segment");
    let signature = "\n\n\u{2014} ".as_bytes();
    bytes
        .windows(signature.len())
        .enumerate()
        .filter(|(_, window)| *window == signature)
        .map(|(at, _)| at as u64)
        .collect()
}

/// All files below `directory`.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(directory).expect("a directory of the ledger") {
        let path = file.expect("a directory of the ledger").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
