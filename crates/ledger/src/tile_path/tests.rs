use proptest::prelude::*;

use super::*;

#[test]
fn paths_are_written_as_published() {
    let cases = [
        (TilePath::full(TileRow::Level(0), 0), "tile/0/000"),
        (TilePath::full(TileRow::Level(0), 1067), "tile/0/x001/067"),
        (TilePath::full(TileRow::Level(63), 1_234_067), "tile/63/x001/x234/067"),
        (TilePath::full(TileRow::Entries, 1_000_000), "tile/entries/x001/x000/000"),
        (TilePath::partial(TileRow::Entries, 0, 12).unwrap(), "tile/entries/000.p/12"),
        (TilePath::partial(TileRow::Level(2), 7, 256).unwrap(), "tile/2/007"),
    ];
    for (path, text) in cases {
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse::<TilePath>().unwrap(), path);
    }
    assert_eq!(TilePath::partial(TileRow::Entries, 0, 0), None);
    assert_eq!(TilePath::partial(TileRow::Entries, 0, 257), None);
}

#[test]
fn anything_else_is_refused() {
    for bad in [
        "",
        "checkpoint",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/64/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/+01",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0//000",
        "tile/0/../000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1.p/1",
        "tile/Entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(bad.parse::<TilePath>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn every_path_reads_back(index: u64, width in 1usize..=256, level in 0u8..=63) {
        let path = TilePath::partial(TileRow::Level(level), index, width).unwrap();
        prop_assert_eq!(path.to_string().parse::<TilePath>().unwrap(), path);
    }

    #[test]
    fn no_text_stops_the_reader(text in "(tile/)?[0-9a-z./+x-]{0,40}") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }
}
