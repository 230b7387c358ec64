use super::{code, declarations};

fn names(text: &str) -> Vec<String> {
    declarations(&code(text)).into_iter().map(|each| format!("{} {}", each.keyword, each.name)).collect()
}

#[test]
fn comments_and_literals_declare_nothing() {
    let text = r##"
        // fn in_a_comment() {}
        /* fn outer() { /* fn nested() {} */ fn still_outer() {} */
        const TEXT: &str = "fn in_a_string() { \" fn after_an_escape() }";
        const RAW: &str = r#"fn in_a_raw_string() " fn behind_a_quote()"#;
        const BYTES: &[u8] = br"fn in_bytes()";
        fn real() {}
    "##;
    assert_eq!(names(text), ["const TEXT", "const RAW", "const BYTES", "fn real"]);
}

#[test]
fn a_lifetime_is_not_the_start_of_a_character() {
    assert_eq!(
        names("fn first<'a>(text: &'a str) -> &'a str { text }\nfn second() { '\\''; 'x'; '\"'; }"),
        ["fn first", "fn second"]
    );
}

#[test]
fn pointers_and_modifiers_are_not_declarations() {
    assert_eq!(names("pub const fn size(of: *const u8, with: fn(u8)) {}"), ["fn size"]);
    assert_eq!(names("static mut COUNT: u8 = 0;"), Vec::<String>::new());
}

#[test]
fn every_line_keeps_its_number() {
    let text = "/*\n\n*/\nconst A: &str = \"\n\n\";\npub struct B;";
    assert_eq!(code(text).lines().count(), text.lines().count());
    let found = declarations(&code(text));
    assert_eq!(found.iter().map(|each| (each.line, each.public)).collect::<Vec<_>>(), [(4, false), (7, true)]);
}

#[test]
fn an_unfinished_literal_or_comment_ends_with_the_text() {
    for text in ["\"never closed", "r##\"never closed\"#", "/* never /* closed */", "'\\", "'", "b", "r", "br#", "é'é"]
    {
        assert_eq!(code(text).chars().count(), text.chars().count(), "{text}");
    }
}
