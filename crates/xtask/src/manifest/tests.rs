use super::{inherited, reasons, split_comment};

fn without_reason(text: &str) -> Vec<String> {
    reasons("Cargo.toml", text).into_iter().map(|finding| format!("{} {}", finding.place, finding.what)).collect()
}

#[test]
fn every_dependency_says_why() {
    let text = "[workspace.dependencies]\n# a heading is no reason\nserde = \"1\" # documents\nurl = { version = \"2\" }\nhttp = \"1\" #\n";
    assert_eq!(
        without_reason(text),
        ["Cargo.toml:4 `url` is here without a reason", "Cargo.toml:5 `http` is here without a reason"]
    );
}

#[test]
fn our_own_crates_need_none_and_other_sections_are_not_read() {
    let text = "[workspace]\nresolver = \"3\"\n[workspace.dependencies]\nremit-policy = { path = \"crates/policy\" }\n[profile.dev]\ndebug = true\n";
    assert_eq!(without_reason(text), Vec::<String>::new());
}

#[test]
fn an_entry_over_several_lines_may_say_why_at_its_end() {
    let text =
        "[workspace.dependencies]\ntokio = { version = \"1\", features = [\n  \"net\",\n] } # waits\nhttp = [\n]\n";
    assert_eq!(without_reason(text), ["Cargo.toml:5 `http` is here without a reason"]);
}

#[test]
fn a_number_sign_in_a_string_begins_no_comment() {
    assert_eq!(split_comment("a = \"x#y\" # why"), ("a = \"x#y\" ", "# why"));
    assert_eq!(split_comment("a = \"x#y\""), ("a = \"x#y\"", ""));
}

#[test]
fn a_crate_takes_its_dependencies_from_the_list() {
    let text = "[dependencies]\nserde.workspace = true\nurl = \"2\"\n[dev-dependencies]\nhttp = { version = \"1\" }\n";
    let found: Vec<String> = inherited("a/Cargo.toml", text).unwrap().into_iter().map(|each| each.what).collect();
    assert_eq!(found, ["`url` does not come from the list", "`http` does not come from the list"]);
}
