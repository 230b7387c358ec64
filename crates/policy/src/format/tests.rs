use proptest::prelude::*;

use super::*;
use crate::STARTER;

#[test]
fn the_starter_policies_are_laid_out() {
    for (name, text) in STARTER {
        assert_eq!(format(text).expect("it can be laid out"), *text, "{name}");
    }
}

#[test]
fn a_policy_on_one_line_is_laid_out() {
    let text = r#"// why
@id("x")@reason("a // b") forbid(principal,action in[Action::"write"],resource)when{resource.risk>=3}unless{context has approval};"#;
    let expected = r#"// why
@id("x")
@reason("a // b")
forbid (
  principal,
  action in [Action::"write"],
  resource
)
when { resource.risk >= 3 }
unless { context has approval };
"#;
    assert_eq!(format(text).expect("it can be laid out"), expected);
}

#[test]
fn what_is_no_policy_is_placed() {
    let problem = format("@id(\"a\")\npermit (principal, action);").expect_err("no policy");
    assert!(problem.to_string().starts_with("2:26: error: "), "{problem}");
    let long = format!("// {}", "x".repeat(limits::POLICY_TEXT_BYTES_MAX));
    assert!(format(&long).expect_err("too long").sentence.contains("more than"));
}

#[test]
fn comments_are_found_outside_of_quotes() {
    let text = "a // one\n\"// no \\\" // no\" // two\n// three";
    let found: Vec<&str> = comments(text).into_iter().filter_map(|place| text.get(place)).collect();
    assert_eq!(found, ["// one", "// two", "// three"]);
}

fn gap() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(" "),
        Just("\n"),
        Just("\n\n   "),
        Just(" // a note\n"),
        Just("\n// a line of its own\n"),
        Just("\t")
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("resource.risk >= 3".to_owned()),
        Just("principal.task.labels.contains(\"a // b\")".to_owned()),
        Just("(if principal.autonomy > 2 then 1 else 2) == 1".to_owned()),
        Just("context has approval".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), gap(), prop_oneof![Just("&&"), Just("||")], gap(), inner)
            .prop_map(|(left, before, operator, after, right)| format!("({left}{before}{operator}{after}{right})"))
    })
}

fn policy() -> impl Strategy<Value = String> {
    let effect = prop_oneof![Just("permit"), Just("forbid")];
    (gap(), effect, gap(), gap(), gap(), condition(), gap(), proptest::option::of(condition())).prop_map(
        |(first, effect, second, third, fourth, when, fifth, unless)| {
            let unless = unless.map_or_else(String::new, |unless| format!("{fifth}unless {{ {unless} }}"));
            format!(
                "{first}@id(\"x\"){second}{effect}{third}(principal,{fourth}action,resource){third}when{{{when}}}{unless};"
            )
        },
    )
}

proptest! {
    #[test]
    fn laying_out_twice_is_laying_out_once(policies in prop::collection::vec(policy(), 1..4)) {
        let text = policies.concat();
        if let Ok(once) = format(&text) {
            prop_assert_eq!(format(&once).expect("what is laid out can be laid out"), once.clone());
            prop_assert_eq!(comments(&once).len(), comments(&text).len());
            let set = |text: &str| text.parse::<cedar_policy::PolicySet>().expect("policies").policies().count();
            prop_assert_eq!(set(&once), set(&text));
        }
    }
}
