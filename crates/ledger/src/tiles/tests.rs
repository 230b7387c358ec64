use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const WHOLE: u64 = 70_000;

fn entry(n: u64) -> Vec<u8> {
    format!(r#"{{"seq":{n}}}"#).into_bytes()
}

fn leaf(n: u64) -> Hash {
    leaf_hash(&entry(n))
}

fn push(tiles: &mut Tiles, n: u64) -> Vec<TileFile> {
    tiles.push(&entry(n), leaf(n)).unwrap()
}

/// A log's directory in memory. Each path is written once, as a log's files are immutable.
#[derive(Default)]
struct Directory(HashMap<String, Vec<u8>>);

impl Directory {
    fn write(&mut self, files: Vec<TileFile>) {
        for file in files {
            let before = self.0.insert(file.path.clone(), file.bytes.clone());
            assert!(before.is_none_or(|before| before == file.bytes), "{} was written twice", file.path);
        }
    }

    fn reader(&self) -> impl Fn(&str) -> Option<Vec<u8>> {
        |path| self.0.get(path).cloned()
    }
}

fn grown(to: u64) -> (Tiles, Directory) {
    let (mut tiles, mut directory) = (Tiles::default(), Directory::default());
    for n in 0..to {
        directory.write(push(&mut tiles, n));
    }
    directory.write(tiles.partial());
    (tiles, directory)
}

/// Every file of a log of `size` entries, as the standard defines them: row by row from all leaves.
fn by_definition(size: u64) -> HashMap<String, Vec<u8>> {
    let mut files = HashMap::new();
    let mut add = |row: TileRow, index: usize, width: usize, bytes: Vec<u8>| {
        let path = TilePath::partial(row, index as u64, width).unwrap();
        files.insert(path.to_string(), bytes);
    };
    let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
    for (index, bundle) in entries.chunks(256).enumerate() {
        let bytes = bundle.iter().flat_map(|entry| [&(entry.len() as u16).to_be_bytes()[..], entry].concat()).collect();
        add(TileRow::Entries, index, bundle.len(), bytes);
    }
    let mut row: Vec<Hash> = (0..size).map(leaf).collect();
    for level in 0.. {
        if row.is_empty() {
            break;
        }
        for (index, tile) in row.chunks(256).enumerate() {
            add(TileRow::Level(level), index, tile.len(), row_bytes(tile));
        }
        row = row.chunks_exact(256).map(|tile| tile.iter().copied().collect::<Frontier>().root()).collect();
    }
    files
}

#[test]
fn seventy_thousand_entries_make_the_tiles_that_the_standard_says() {
    let (tiles, directory) = grown(WHOLE);
    assert_eq!(directory.0, by_definition(WHOLE));
    let count = |prefix: &str, partial: bool| {
        directory.0.keys().filter(|path| path.starts_with(prefix) && path.contains(".p/") == partial).count()
    };
    assert_eq!(count("tile/0/", false), 273);
    assert_eq!(count("tile/entries/", false), 273);
    assert_eq!((count("tile/1/", false), count("tile/2/", false), count("tile/3/", false)), (1, 0, 0));
    for path in ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(directory.0.contains_key(path), "{path}");
    }
    let frontier: Frontier = (0..WHOLE).map(leaf).collect();
    assert_eq!(tiles.frontier(), frontier);
}

#[test]
fn a_log_goes_on_at_any_size_as_if_it_had_never_stopped() {
    let (whole, whole_directory) = grown(WHOLE);
    let sizes = [0, 1, 2, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, 65_792, 69_999, WHOLE];
    let (mut tiles, mut directory) = (Tiles::default(), Directory::default());
    for stop in sizes {
        while tiles.size() < stop {
            let next = tiles.size();
            directory.write(push(&mut tiles, next));
        }
        directory.write(tiles.partial());
        let resumed = Tiles::resume(stop, directory.reader()).unwrap();
        assert_eq!(resumed, tiles, "at size {stop}");
        tiles = resumed;
        // Partial tiles that have since become full may be gone, and longer ones may be there.
        assert_eq!(Tiles::resume(stop, whole_directory.reader()).is_ok(), stop == WHOLE || !on_right_edge(stop));
    }
    assert_eq!(tiles, whole);
    assert_eq!(tiles.frontier().root(), whole.frontier().root());
}

/// Whether the partial tiles for `size` are at the right edge of the whole log, where no full tile can stand in.
fn on_right_edge(size: u64) -> bool {
    (0..8).any(|level| {
        let (hashes, whole) = (size >> (8 * level), WHOLE >> (8 * level));
        hashes % 256 != 0 && hashes >> 8 == whole >> 8 && hashes != whole
    })
}

#[test]
fn what_was_not_written_as_it_should_be_is_not_taken_up() {
    let (_, directory) = grown(300);
    let resume = |path: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = directory.0[path].clone();
        change(&mut bytes);
        Tiles::resume(300, |asked| if asked == path { Some(bytes.clone()) } else { directory.0.get(asked).cloned() })
    };
    let (bundle, row, above) = ("tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1");
    assert_eq!(resume(bundle, &|bytes| bytes[5] ^= 1), Err(TileError::EntryDiffers { index: 256 }));
    assert_eq!(resume(row, &|bytes| bytes[32] ^= 1), Err(TileError::EntryDiffers { index: 257 }));
    for path in [bundle, row, above] {
        let malformed = Err(TileError::Malformed { path: path.to_owned() });
        assert_eq!(resume(path, &|bytes| bytes.truncate(bytes.len() - 1)), malformed);
        assert_eq!(resume(path, &|bytes| bytes.push(0)), malformed);
        assert_eq!(resume(path, &Vec::clear), malformed);
        let missing = Tiles::resume(300, |asked| directory.0.get(asked).filter(|_| asked != path).cloned());
        assert_eq!(missing, Err(TileError::Missing { path: path.to_owned() }));
    }
    // A changed hash above is not seen from here, but in the root.
    let resumed = resume(above, &|bytes| bytes[0] ^= 1).unwrap();
    assert_ne!(resumed.frontier().root(), grown(300).0.frontier().root());
    assert_eq!(Tiles::resume(u64::MAX, |_| None), Err(TileError::Size { size: u64::MAX }));
}

#[test]
fn an_entry_that_no_bundle_can_hold_changes_nothing() {
    let (mut tiles, _) = grown(3);
    let before = tiles.clone();
    let long = vec![0; ENTRY_BYTES_MAX + 1];
    assert_eq!(tiles.push(&long, leaf_hash(&long)), Err(TileError::EntryTooLong { bytes: ENTRY_BYTES_MAX + 1 }));
    assert_eq!(tiles, before);
    let (longest, _) = long.split_at(ENTRY_BYTES_MAX);
    tiles.push(longest, leaf_hash(longest)).unwrap();
    tiles.push(b"", leaf_hash(b"")).unwrap();
    let bundle = tiles.partial().swap_remove(0);
    assert_eq!(bundle.path, "tile/entries/000.p/5");
    let entries = bundle_entries(&bundle.bytes, 5).unwrap();
    assert_eq!(entries[3..], [longest, b""]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_stop_the_reader(bytes: Vec<u8>, size in 0u64..1_000, width in 0usize..300) {
        let _ = bundle_entries(&bytes, width);
        let _ = Tiles::resume(size, |_| Some(bytes.clone()));
    }

    #[test]
    fn the_frontier_of_tiles_is_that_of_the_leaves(size in 0u64..1_200) {
        let (tiles, _) = grown(size);
        prop_assert_eq!(tiles.frontier(), (0..size).map(leaf).collect::<Frontier>());
    }
}
