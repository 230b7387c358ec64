use super::*;
use crate::world::{PERMIT, operations, source};

const CASE: &str = r#"
[[case]]
name = "a refund"
operation = { id = "helpdesk/refund_order", verb = "write" }
grant = true
arguments = { order_id = "o", amount = 5 }
expect = "allow"
policies = ["granted"]
"#;

#[test]
fn a_case_that_comes_out_as_expected_passes() {
    let results = Table::parse(CASE).expect("a table").run(&[source(PERMIT)], &operations()).expect("a run");
    assert_eq!(results.len(), 1);
    assert!(results[0].passed, "{results:?}");
    assert_eq!(results[0].expected, "allow by `granted`");
}

#[test]
fn a_case_that_comes_out_otherwise_says_what_and_why() {
    let text = CASE.replace("expect = \"allow\"", "expect = \"deny\"");
    let results = Table::parse(&text).expect("a table").run(&[source(PERMIT)], &operations()).expect("a run");
    assert!(!results[0].passed);
    assert_eq!(results[0].got, "allow by `granted`");

    let text = CASE.replace("grant = true", "");
    let results = Table::parse(&text).expect("a table").run(&[source(PERMIT)], &operations()).expect("a run");
    assert!(results[0].got.starts_with("deny by no policy; no live grant covers"), "{results:?}");

    let text = CASE.replace("[\"granted\"]", "[\"other\"]");
    let results = Table::parse(&text).expect("a table").run(&[source(PERMIT)], &operations()).expect("a run");
    assert!(!results[0].passed, "another policy decided");
}

#[test]
fn a_case_brings_its_own_schema_or_none() {
    let text = CASE.replace("verb = \"write\"", "verb = \"write\", schema = { type = \"object\" }");
    let results = Table::parse(&text).expect("a table").run(&[source(PERMIT)], &operations()).expect("a run");
    assert!(results[0].got.starts_with("deny"), "its own schema knows no arguments: {results:?}");
    assert!(Table::parse(&CASE.replace("verb = \"write\"", "verb = \"write\", schema = 5")).is_err());
}

#[test]
fn cases_that_contradict_each_other_are_refused() {
    let text = format!("{CASE}{}", CASE.replace("\"write\"", "\"read\""));
    let error = Table::parse(&text).expect("a table").run(&[source(PERMIT)], &[]).expect_err("a contradiction");
    assert!(matches!(error, CaseError::Contradiction { .. }), "{error}");
}

#[test]
fn tables_are_read_strictly() {
    for (from, to) in
        [("expect", "expects"), ("\"write\"", "\"wreck\""), ("\"allow\"", "\"maybe\""), ("[[case]]", "[[cases]]")]
    {
        assert!(matches!(Table::parse(&CASE.replace(from, to)), Err(CaseError::Text(_))), "{from} -> {to}");
    }
    let long = format!("{CASE}#{}", "x".repeat(limits::CASES_TEXT_BYTES_MAX));
    assert_eq!(Table::parse(&long).expect_err("too long"), CaseError::TooLong);
}

#[test]
fn policies_that_do_not_compile_are_told() {
    let error = Table::parse(CASE).expect("a table").run(&[source("permit(principal, action, resource);")], &[]);
    assert!(error.expect_err("no id").to_string().contains("has no `@id`"));
}

#[test]
fn the_examples_of_the_guide_hold() {
    for guide in
        [include_str!("../../../../docs/guide/projections.md"), include_str!("../../../../docs/guide/policies.md")]
    {
        let block = |kind: &str| {
            let (_, rest) = guide.split_once(&format!("```{kind}\n")).expect("a block");
            rest.split_once("```").expect("its end").0.to_owned()
        };
        let table = Table::parse(&block("toml")).expect("a table");
        let mut sources = crate::starter();
        sources.push(PolicySource { name: "example".to_owned(), text: block("cedar") });
        let results = table.run(&sources, &[]).unwrap_or_else(|error| panic!("{error}"));
        let failed: Vec<_> = results.iter().filter(|result| !result.passed).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[test]
fn the_guide_names_every_fact() {
    let guide = include_str!("../../../../docs/guide/policies.md");
    for (kind, start) in [("Agent", "principal."), ("Operation", "resource."), ("Task", "."), ("Grant", "`")] {
        for (name, _) in crate::vocabulary::members_of(kind).expect("a type") {
            assert!(guide.contains(&format!("{start}{name}")), "{kind}: {name}");
        }
    }
}

#[test]
fn projections_of_a_case_read_what_its_schema_describes() {
    let table = |schema: &str| {
        format!(
            "[[case]]\nname = \"a\"\noperation = {{ id = \"a/b\", verb = \"read\", projections = [\"x = count(y)\"]{schema} }}\nexpect = \"deny\""
        )
    };
    for schema in ["", ", schema = { type = \"object\" }"] {
        let error = Table::parse(&table(schema)).expect_err("refused").to_string();
        assert_eq!(error, "the case `a`: the projection `x` reads `y`, which the schema does not describe");
    }
}
