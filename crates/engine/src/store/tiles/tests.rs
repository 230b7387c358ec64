use tempfile::TempDir;

use super::*;

fn tile(path: &str, bytes: &[u8]) -> TileFile {
    TileFile { path: path.to_owned(), bytes: bytes.to_vec() }
}

#[test]
fn tiles_and_checkpoint_are_read_back() {
    let directory = TempDir::new().unwrap();
    let tiles = TileDirectory::open(&directory.path().join("ledger")).unwrap();
    assert_eq!(tiles.read(CHECKPOINT).unwrap(), None);
    tiles
        .publish(&[tile("tile/0/x001/067.p/12", b"hashes"), tile("tile/entries/000.p/3", b"entries")], b"signed")
        .unwrap();
    assert_eq!(tiles.read("tile/0/x001/067.p/12").unwrap().as_deref(), Some(b"hashes".as_slice()));
    assert_eq!(tiles.read("tile/entries/000.p/3").unwrap().as_deref(), Some(b"entries".as_slice()));
    assert_eq!(tiles.read(CHECKPOINT).unwrap().as_deref(), Some(b"signed".as_slice()));
    for nowhere in ["tile/0", "tile/0/x001/067", "tile/0/x001/067.p/12/1"] {
        assert_eq!(tiles.read(nowhere).unwrap(), None, "{nowhere}");
    }
}

#[test]
fn a_full_tile_takes_the_place_of_its_partials() {
    let directory = TempDir::new().unwrap();
    let tiles = TileDirectory::open(directory.path()).unwrap();
    tiles.publish(&[tile("tile/0/000.p/1", b"a"), tile("tile/0/001.p/1", b"b")], b"1").unwrap();
    tiles.publish(&[tile("tile/0/000.p/2", b"aa")], b"2").unwrap();
    tiles.publish(&[tile("tile/0/000", b"full")], b"256").unwrap();
    assert_eq!(tiles.read("tile/0/000").unwrap().as_deref(), Some(b"full".as_slice()));
    assert_eq!(tiles.read("tile/0/000.p/1").unwrap(), None);
    assert_eq!(tiles.read("tile/0/000.p/2").unwrap(), None);
    assert!(tiles.read("tile/0/001.p/1").unwrap().is_some(), "of another tile");
}

#[test]
fn partial_tiles_are_found_from_any_tile_of_their_place() {
    let directory = TempDir::new().unwrap();
    let tiles = TileDirectory::open(directory.path()).unwrap();
    tiles.publish(&[tile("tile/0/000.p/1", b"a"), tile("tile/0/001.p/1", b"b")], b"1").unwrap();
    tiles.publish(&[tile("tile/0/000.p/2", b"aa")], b"2").unwrap();
    std::fs::write(directory.path().join("tile/0/000.p/.3.tmp"), b"").unwrap();
    for path in ["tile/0/000", "tile/0/000.p/2"] {
        let mut found = tiles.partials(path).unwrap();
        found.sort();
        assert_eq!(found, [(1, "tile/0/000.p/1".to_owned()), (2, "tile/0/000.p/2".to_owned())], "{path}");
    }
    assert_eq!(tiles.partials("tile/1/000").unwrap(), []);
}

#[test]
fn no_path_leads_out_of_the_directory() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("secret"), b"secret").unwrap();
    let tiles = TileDirectory::open(&directory.path().join("ledger")).unwrap();
    let long = "x".repeat(TILE_PATH_BYTES_MAX + 1);
    for path in [
        "",
        "/",
        "../secret",
        "tile/../../secret",
        "/etc/passwd",
        "a//b",
        "a/",
        ".checkpoint.tmp",
        "a\0b",
        "a\\b",
        &long,
    ] {
        assert!(matches!(tiles.read(path), Err(StoreError::Invalid(_))), "{path}");
        assert!(tiles.publish(&[tile(path, b"x")], b"c").is_err(), "{path}");
    }
}
