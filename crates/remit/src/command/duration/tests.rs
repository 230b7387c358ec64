use super::{seconds, written};

#[test]
fn durations_are_read_as_people_write_them() {
    let table = [
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("1h30m", 5400),
        ("30d", 2_592_000),
        ("2w", 1_209_600),
        ("1d12h", 129_600),
    ];
    for (text, expected) in table {
        assert_eq!(seconds(text), Ok(expected), "{text}");
    }
}

#[test]
fn everything_else_is_refused_with_an_example() {
    for text in
        ["", "1", "h", "-1h", "1.5h", "1y", "0s", "1h ", "99999999999999999999s", "18446744073709551615w", "1ä", "ä"]
    {
        assert!(seconds(text).unwrap_err().contains("`15m`"), "{text}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    for (total, text) in [(1, "1s"), (90, "90s"), (5400, "90m"), (28_800, "8h"), (86_400, "1d"), (1_209_600, "2w")] {
        assert_eq!((written(total).as_str(), seconds(text)), (text, Ok(total)));
    }
}
