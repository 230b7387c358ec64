use serde_json::json;

use super::*;
use crate::Command;
use crate::tests::world::{DAY, World, by, operation};

#[test]
fn nobody_approves_what_they_asked_for() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let grant = world.request(ana, agent, &["helpdesk/read"], DAY);
    assert_eq!(world.refused(&by(ana), Command::ApproveGrant { grant }), "self_approval");
    world.must(&by(world.root), Command::ApproveGrant { grant });
}

#[test]
fn only_the_owner_and_the_approvers_approve() {
    let mut world = World::with_support();
    let agent = world.support();
    let grant = world.request(world.root, agent, &["helpdesk/read"], DAY);
    let itself = Actor::Agent { agent, task: None };
    assert_eq!(world.refused(&by(world.named("bob")), Command::ApproveGrant { grant }), "not_an_approver");
    assert_eq!(world.refused(&itself, Command::ApproveGrant { grant }), "person_needed");
    world.must(&by(world.named("ana")), Command::ApproveGrant { grant });
    assert_eq!(world.refused(&by(world.named("ana")), Command::ApproveGrant { grant }), "not_found", "once");
}

#[test]
fn a_grant_has_an_end_a_reason_and_operations_that_exist() {
    let mut world = World::with_support();
    let (agent, bob) = (world.support(), by(world.named("bob")));
    let request = |operations: &[&str], reason: &str, ttl_seconds: u64| {
        let operations = operations.iter().map(|text| text.parse().unwrap()).collect();
        Command::RequestGrant(RequestGrant { agent, operations, reason: reason.to_owned(), ttl_seconds })
    };
    assert_eq!(world.refused(&bob, request(&["helpdesk/read"], "why not", 0)), "grant_too_long");
    assert_eq!(
        world.refused(&bob, request(&["helpdesk/read"], "why not", limits::GRANT_SECONDS_MAX + 1)),
        "grant_too_long"
    );
    assert_eq!(world.refused(&bob, request(&["helpdesk/read"], " ", DAY)), "missing_text");
    assert_eq!(world.refused(&bob, request(&["billing/read"], "why not", DAY)), "operation_unknown");
    assert_eq!(world.refused(&bob, request(&[], "why not", DAY)), "grant_too_wide");
    assert_eq!(world.refused(&bob, request(&["helpdesk/read"; 65], "why not", DAY)), "grant_too_wide");
}

#[test]
fn the_next_call_feels_the_end_of_a_grant() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let grant = world.state.grants_of(agent).next().unwrap().id;
    let task = world.task(agent);
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    let revoke = Command::RevokeGrant { grant, reason: "no longer needed".to_owned() };
    assert_eq!(world.refused(&by(world.named("bob")), revoke.clone()), "not_permitted");
    world.must(&ana, revoke.clone());
    assert!(world.must(&ana, revoke).is_empty(), "revoking twice is no error");
    let denied = world.call(task, "helpdesk/read", json!({"id": 7})).denied();
    assert_eq!((denied.refusal.code.as_str(), denied.grant), ("denied_by_policy", None));
}

#[test]
fn a_grant_ends_by_time_before_the_timer_says_so() {
    let mut world = World::with_support();
    let agent = world.support();
    let expires_at = world.state.grants_of(agent).next().unwrap().expires_at;
    world.now = expires_at;
    let task = world.task(agent);
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "denied_by_policy");
    let events = world.advance(0);
    assert!(matches!(events.as_slice(), [Event::GrantExpired { .. }]), "{events:?}");
    assert!(world.state.grants.is_empty());
}

#[test]
fn a_grant_covers_only_its_operations() {
    let mut world = World::with_support();
    let ana = world.named("ana");
    let agent = world.agent("reader", ana);
    let grant = world.grant(agent, &["helpdesk/read"]);
    let task = world.task(agent);
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).allowed().grant, Some(grant));
    assert_eq!(world.call(task, "helpdesk/update", json!({"id": 7})).code(), "denied_by_policy");
    assert!(!world.state.grants[&grant].covers(&operation("helpdesk/update"), world.now));
}

#[test]
fn a_request_is_denied_taken_back_or_forgotten() {
    let mut world = World::with_support();
    let (agent, ana, bob, cleo) = (world.support(), world.named("ana"), world.named("bob"), world.named("cleo"));
    let deny = |grant| Command::DenyGrant { grant, note: "ask for less".to_owned() };
    let first = world.request(bob, agent, &["helpdesk/read"], DAY);
    assert_eq!(world.refused(&by(cleo), deny(first)), "not_permitted");
    world.must(&by(bob), deny(first));
    let second = world.request(bob, agent, &["helpdesk/read"], DAY);
    world.must(&by(ana), deny(second));
    let third = world.request(bob, agent, &["helpdesk/read"], DAY);
    world.now = world.now.plus_seconds(8 * DAY);
    world.request(cleo, agent, &["helpdesk/read"], DAY);
    for gone in [first, second, third] {
        assert_eq!(world.refused(&by(ana), Command::ApproveGrant { grant: gone }), "not_found");
    }
}
