use super::{check, words};
use crate::crates::RustFile;

fn found(path: &str, text: &str) -> Vec<String> {
    let file = RustFile { path: path.to_owned(), text: text.to_owned() };
    check(&[file]).into_iter().map(|finding| finding.what).collect()
}

#[test]
fn a_file_is_named_after_a_thing() {
    assert_eq!(found("crates/a/src/grant.rs", ""), Vec::<String>::new());
    assert_eq!(found("crates/a/src/utils.rs", ""), ["`utils` in a file's name says nothing"]);
    assert_eq!(found("crates/a/src/misc/grant.rs", ""), ["`misc` in a file's name says nothing"]);
    assert_eq!(found("crates/a/src/grant/test_helpers.rs", ""), ["`helpers` in a file's name says nothing"]);
}

#[test]
fn a_public_function_is_named_after_what_it_returns() {
    assert_eq!(found("crates/a/src/b.rs", "pub fn get_name() {}"), ["`get_name`: `get_` says nothing"]);
    // A trait of somebody else may demand the name.
    assert!(found("crates/a/src/b.rs", "impl Server for B {\n    fn get_info(&self) {}\n}").is_empty());
    assert!(found("crates/a/src/b.rs", "pub fn get() {}").is_empty());
}

#[test]
fn an_identifier_says_something() {
    assert_eq!(found("crates/a/src/b.rs", "struct TaskManager;"), ["`TaskManager`: `manager` says nothing"]);
    assert!(found("crates/a/src/b.rs", "struct CommonName;").is_empty());
}

#[test]
fn a_number_does_not_tell_two_things_apart() {
    assert_eq!(found("crates/a/src/b.rs", "fn parse() {}\nfn parse2() {}"), ["`parse2` stands beside `parse`"]);
    assert!(found("crates/a/src/b.rs", "fn sha256() {}\nfn sha() {}\nfn base64() {}").is_empty());
    assert!(found("crates/a/src/b.rs", "struct Http;\nstruct Http2;").is_empty());
}

#[test]
fn an_exception_expires() {
    assert_eq!(found("crates/a/src/b.rs", "#[allow(dead_code)]\nfn a() {}"), ["an exception that never expires"]);
    assert!(found("crates/a/src/b.rs", "// never #[allow(dead_code)]\nconst A: &str = \"#[allow(x)]\";").is_empty());
}

#[test]
fn names_fall_apart_into_words() {
    assert_eq!(words("TaskManager"), ["task", "manager"]);
    assert_eq!(words("task_manager"), ["task", "manager"]);
    assert_eq!(words("TASK_MANAGER"), ["task", "manager"]);
}
