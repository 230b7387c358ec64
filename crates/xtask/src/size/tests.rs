use super::{CODE_LINES_MAX, CODE_LINES_NOTED, check, code_lines};
use crate::crates::RustFile;

fn file(path: &str, lines: usize) -> RustFile {
    RustFile { path: path.to_owned(), text: "let x = 1;\n".repeat(lines) }
}

#[test]
fn blank_lines_and_comments_are_not_code() {
    let text = "//! What it is.\n\nfn one() {\n    // why\n    /* a\n    longer why */ let x = \"//\";\n}\n";
    assert_eq!(code_lines(text), 3);
}

#[test]
fn a_text_over_several_lines_is_code() {
    assert_eq!(code_lines("const SQL: &str = \"\nselect 1\n// not a comment\n\";\n"), 4);
}

#[test]
fn the_limit_itself_is_allowed_and_one_more_is_not() {
    let (findings, notes) = check(&[file("crates/a/src/b.rs", CODE_LINES_MAX)]);
    assert_eq!((findings.len(), notes.len()), (0, 1));
    let (findings, _) = check(&[file("crates/a/src/b.rs", CODE_LINES_MAX + 1)]);
    assert_eq!(findings.len(), 1);
    let (_, notes) = check(&[file("crates/a/src/b.rs", CODE_LINES_NOTED)]);
    assert!(notes.is_empty());
}

#[test]
fn tests_may_be_long() {
    let long = CODE_LINES_MAX * 2;
    let files = [
        file("crates/a/src/b/tests.rs", long),
        file("crates/a/src/tests/b.rs", long),
        file("crates/a/tests/b.rs", long),
    ];
    assert_eq!(check(&files), (vec![], vec![]));
}
