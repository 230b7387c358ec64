//! Writes a small signed log into a directory, to be looked at with other verifiers:
//! `cargo run -p remit-ledger --example write_log -- DIRECTORY ENTRIES`. Prints the origin and the verifier key.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use remit_ledger::{Checkpoint, NoteKey, TileFile, Tiles, leaf_hash};

const ORIGIN: &str = "remit.example/sample";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [directory, entries] = arguments.as_slice() else {
        return Err("usage: write_log DIRECTORY ENTRIES".into());
    };
    let directory = Path::new(directory);
    let mut tiles = Tiles::default();
    for n in 0..entries.parse::<u64>()? {
        let entry = format!(r#"{{"kind":"sample","seq":{n}}}"#);
        for file in tiles.push(entry.as_bytes(), leaf_hash(entry.as_bytes()))? {
            write(directory, &file)?;
        }
    }
    for file in tiles.partial() {
        write(directory, &file)?;
    }
    let key = NoteKey::from_pkcs8(ORIGIN, &NoteKey::generate()?)?;
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: tiles.size(), root: tiles.frontier().root() };
    fs::create_dir_all(directory)?;
    fs::write(directory.join("checkpoint"), key.sign_checkpoint(&checkpoint)?)?;
    println!("{ORIGIN}\n{}", key.vkey());
    Ok(())
}

fn write(directory: &Path, file: &TileFile) -> Result<(), Box<dyn Error>> {
    let path = directory.join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, &file.bytes)?)
}
