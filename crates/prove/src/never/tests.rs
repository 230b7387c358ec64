use crate::world::invariant;
use crate::{Invariant, InvariantError};

fn refused(never: &str) -> String {
    let text = format!("[[invariant]]\nname = \"x\"\nsentence = \"y\"\nnever = {never}\n");
    Invariant::parse_all(&text).expect_err("it is refused").to_string()
}

#[test]
fn words_and_lists_of_words_mean_the_same() {
    assert_eq!(invariant(r#"{ class = "read" }"#), invariant(r#"{ class = ["read"] }"#));
    let never =
        invariant(r#"{ verb = ["write", "send"], data_at_least = 2, grant = false, labels = "untrusted" }"#).never;
    assert_eq!(
        never.clauses(),
        [
            r#"["write", "send"].contains(resource.verb)"#,
            "resource.data >= 2",
            "!(principal has grant)",
            r#"principal.task.labels.contains("untrusted")"#,
        ]
    );
}

#[test]
fn a_number_is_both_bounds() {
    let never = invariant("{ autonomy = 4 }").never;
    assert_eq!(never.clauses(), ["principal.autonomy >= 4", "principal.autonomy <= 4"]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_there_is() {
    assert!(refused("{}").contains("`never` is empty"));
    let word = refused(r#"{ class = "reed" }"#);
    assert!(word.contains("`reed` is no class of agents") && word.contains("did you mean `read`?"), "{word}");
    assert!(
        refused(r#"{ verb = "delete" }"#)
            .contains("`delete` is no effect; there are `read`, `write`, `send`, `execute`")
    );
    assert!(refused("{ autonomy = 5 }").contains("`autonomy` lies between 1 and 4"));
    assert!(refused("{ data_at_least = 3, data_at_most = 1 }").contains("`data` lies between 0 and 3"));
    assert!(refused("{ data = 1, data_at_most = 2 }").contains("as one number and as bounds"));
    assert!(refused("{ colour = 1 }").contains("unknown field `colour`"));
}

#[test]
fn text_from_outside_stays_text() {
    let never = invariant(r#"{ connector = "a\" || true || \"b" }"#).never;
    assert_eq!(never.clauses(), [r#"resource.connector == Connector::"a\" || true || \"b""#]);
}

#[test]
fn two_invariants_of_one_name_are_refused() {
    let one = "[[invariant]]\nname = \"x\"\nsentence = \"y\"\nnever = { sandbox = true }\n";
    assert_eq!(Invariant::parse_all(&one.repeat(2)), Err(InvariantError::Twice("x".to_owned())));
}
