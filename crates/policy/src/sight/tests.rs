use super::*;

fn sight(condition: &str) -> (bool, bool) {
    let Sight { context, operations } = Sight::of(&condition.parse().expect("an expression"));
    (context, operations)
}

#[test]
fn facts_are_known_before_the_call() {
    assert_eq!(sight("principal has grant && resource.risk > 1"), (false, false));
    assert_eq!(sight("principal.task.labels.contains(\"context\")"), (false, false));
}

#[test]
fn approvals_and_moments_are_the_same_for_all_operations() {
    assert_eq!(sight("context has approval && context.approval.roles.contains(\"owner\")"), (true, false));
    assert_eq!(sight("context has approval.count && context.now > 5 && context.credential_age < 60"), (true, false));
}

#[test]
fn arguments_names_and_the_whole_context_are_not() {
    assert_eq!(sight("context.arguments.amount > 1"), (true, true));
    assert_eq!(sight("context.now > 5 && context has projected"), (true, true));
    assert_eq!(sight("context has arguments.amount"), (true, true));
    assert_eq!(sight("context == {now: 5}"), (true, true));
    assert_eq!(sight("(if true then context else context).now > 5"), (true, true));
    assert_eq!(sight("action == Action::\"helpdesk/read_ticket\""), (false, true));
    assert_eq!(sight("Action::\"a\" in Action::\"read\""), (false, true));
}
