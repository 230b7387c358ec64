use super::*;

fn reads(condition: &str) -> Reads {
    let policy =
        cedar_policy::Policy::parse(None, format!("permit(principal, action, resource) when {{ {condition} }};"));
    Reads::of([policy.unwrap()].iter())
}

#[test]
fn what_is_read_is_found_wherever_it_stands() {
    let reads = reads("context.arguments.amount > 5 && context.arguments has place && principal.data > 2");
    assert!(reads.could_see("amount") && reads.could_see("place") && reads.could_see("data"));
    assert!(reads.could_see("place.lat"), "below what is read");
    assert!(reads.could_see("order.amount"), "of the same name");
    assert!(!reads.could_see("lat") && !reads.could_see("amounts"));
}

#[test]
fn names_with_dots_are_found() {
    assert!(reads("context.arguments[\"a.b\"] == 1").could_see("a.b"));
    assert!(reads("context.arguments[\"a.b\"] == 1").could_see("x.a.b"));
}

#[test]
fn all_arguments_together_read_everything() {
    assert!(reads("context.arguments == {\"a\": 1}").could_see("lat"));
    assert!(reads("[context].contains(context)").could_see("lat"));
    assert!(Reads::everything().could_see("lat"));
}
