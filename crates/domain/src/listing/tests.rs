use super::*;
use crate::tests::world::{World, by, operation, policy, propose};

fn seen(world: &World, name: &str) -> Listing {
    let task = world.state.live_tasks().next().unwrap();
    let operation = world.state.operation(&operation(name)).unwrap();
    let listing = listing(&world.state, task, operation, world.now);
    assert_eq!(listing.reachable, reach(&world.state, task, operation, world.now), "{name}");
    listing
}

#[test]
fn a_list_says_under_which_condition_and_who_is_asked() {
    let mut world = World::with_support();
    let text = "@id(\"small\") forbid (principal, action == Action::\"helpdesk/update\", resource) \
                unless { context.arguments has id && context.arguments.id < 100 };";
    world.must(&by(world.root), propose(vec![policy("small", Some(text))]));
    world.task(world.support());
    assert_eq!(seen(&world, "helpdesk/read").reachable, Reachable::Always);
    let update = seen(&world, "helpdesk/update");
    assert_eq!(update.reachable, Reachable::Depends);
    assert_eq!(update.conditions, ["context.arguments has id && context.arguments.id < 100"]);
    assert!(update.asks.is_empty());
    let refund = seen(&world, "helpdesk/refund");
    assert_eq!((refund.reachable, refund.asks.as_slice()), (Reachable::Depends, ["owner".to_owned()].as_slice()));
}

#[test]
fn what_is_out_of_reach_says_nothing() {
    let mut world = World::with_support();
    let text = "@id(\"none\") forbid (principal, action == Action::\"helpdesk/update\", resource);";
    world.must(&by(world.root), propose(vec![policy("none", Some(text))]));
    world.task(world.support());
    assert_eq!(seen(&world, "helpdesk/update"), Listing::only(Reachable::Never));
}
