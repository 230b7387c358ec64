use super::*;

#[test]
fn plain_text_is_escaped_and_otherwise_as_it_is() {
    assert_eq!(shown("Größe: 5 > 3\n✓").into_string(), "Größe: 5 &gt; 3\n✓");
    assert_eq!(shown("<script>alert(1)</script>").into_string(), "&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_eq!(shown("").into_string(), "");
}

#[test]
fn what_hides_or_reorders_is_seen() {
    for (text, name) in [
        ("pay\u{202e}live", "U+202E"),
        ("a\u{200b}b", "U+200B"),
        ("a\u{2066}b", "U+2066"),
        ("a\u{1b}[31mb", "U+001B"),
        ("a\u{e0041}b", "U+E0041"),
        ("a\u{feff}", "U+FEFF"),
        ("\rb", "U+000D"),
    ] {
        let page = shown(text).into_string();
        assert!(page.contains(name), "{page}");
        assert!(!page.chars().any(is_unseen), "{page:?}");
    }
}

#[test]
fn what_stands_in_backticks_is_code_and_still_only_text() {
    assert_eq!(told("ask `<b>` or `owner` now").into_string(), "ask <code>&lt;b&gt;</code> or <code>owner</code> now");
    assert_eq!(told("an `odd one").into_string(), "an `odd one");
    assert_eq!(told("").into_string(), "");
}
