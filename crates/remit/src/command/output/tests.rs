use serde_json::json;

use super::{indented, plain, table_of, text_at};

#[test]
fn values_are_shown_as_people_read_them() {
    let value = json!({
        "owner": {"id": "prs_1", "name": "ada"}, "gone": {"id": "prs_2", "name": null}, "groups": ["a", "b"], "none": null,
        "live": true, "at": "2026-03-01T12:00:00.123Z", "calls": 3,
    });
    let table = [
        ("/owner", "ada"),
        ("/gone", "prs_2"),
        ("/groups", "a, b"),
        ("/none", ""),
        ("/missing", ""),
        ("/live", "yes"),
        ("/at", "2026-03-01T12:00:00Z"),
        ("/calls", "3"),
        ("/owner/id", "prs_1"),
    ];
    for (pointer, expected) in table {
        assert_eq!(text_at(&value, pointer), expected, "{pointer}");
    }
}

#[test]
fn a_terminal_is_never_told_what_to_do() {
    let hostile = "ok\u{1b}[2J\u{1b}]0;title\u{7}\r\n\u{202e}txt";
    let shown = plain(hostile);
    assert!(!shown.chars().any(|character| character.is_control() || character == '\u{202e}'), "{shown:?}");
    assert_eq!(indented("ok\nhelp: \u{1b}[2J"), "ok\n    help: \u{fffd}[2J");
    let table = table_of(&[json!({"name": hostile})], &[("name", "/name")]);
    assert!(!table.contains('\u{1b}'));
    assert_eq!(table.lines().count(), 2);
}
