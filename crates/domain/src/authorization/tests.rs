use serde_json::json;

use super::*;
use crate::tests::world::{DAY, World, by, digest, pattern, propose};
use crate::{AgentId, Command, Configuration, Edit};

const CLIENT: &str = "https://app.example.org/client.json";

fn consent(world: &World, code: &str) -> Consent {
    Consent {
        code: digest(code),
        client: CLIENT.to_owned(),
        client_name: "App".to_owned(),
        redirect_uri: "http://127.0.0.1:1234/callback".to_owned(),
        agent: world.support(),
        purpose: "answer tickets for ana".to_owned(),
        scope: vec![pattern("helpdesk/read")],
        authority: Vec::new(),
        resource: "http://127.0.0.1:7480/mcp".to_owned(),
        challenge: "challenge".to_owned(),
        key: None,
        configuration: None,
        ttl_seconds: None,
    }
}

fn redeem(code: &str) -> RedeemCode {
    RedeemCode {
        code: digest(code),
        client: CLIENT.to_owned(),
        redirect_uri: "http://127.0.0.1:1234/callback".to_owned(),
        challenge: "challenge".to_owned(),
        resource: None,
        key: None,
        refresh: Some(digest("refresh 1")),
    }
}

fn command(redeem: RedeemCode) -> Command {
    Command::RedeemCode(Box::new(redeem))
}

/// A consent by ana that has been redeemed.
fn signed_in() -> (World, TaskId) {
    let mut world = World::with_support();
    let ana = by(world.named("ana"));
    let consent = consent(&world, "one");
    world.must(&ana, Command::Consent(Box::new(consent)));
    let events = world.must(&Actor::Remit, command(redeem("one")));
    match events.as_slice() {
        [Event::TaskStarted(started), Event::AuthorizationRedeemed { task, .. }] if started.task == *task => {
            (world, *task)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_lets_a_client_have_a_task_in_their_name() {
    let (world, task) = signed_in();
    let task = world.state.task(task).unwrap();
    let ana = Some(world.named("ana"));
    assert_eq!((task.acting_for, task.started_by, task.client.as_deref()), (ana, ana, Some(CLIENT)));
    assert_eq!(task.scope, [pattern("helpdesk/read")]);
}

#[test]
fn only_who_may_start_a_task_consents_to_one() {
    let mut world = World::with_support();
    let bob = by(world.named("bob"));
    let asked = consent(&world, "one");
    assert_eq!(world.refused(&bob, Command::Consent(Box::new(asked))), "not_permitted");
    let agent: AgentId = world.support();
    let asked = consent(&world, "one");
    assert_eq!(world.refused(&Actor::Agent { agent, task: None }, Command::Consent(Box::new(asked))), "person_needed");
}

#[test]
fn a_code_fits_its_client_its_address_its_verifier_and_its_resource() {
    let mut world = World::with_support();
    let ana = by(world.named("ana"));
    let asked = Consent { key: Some("key".to_owned()), ..consent(&world, "one") };
    world.must(&ana, Command::Consent(Box::new(asked)));
    let right = RedeemCode { key: Some("key".to_owned()), ..redeem("one") };
    let wrong = [
        RedeemCode { client: "https://evil.example.org/c".to_owned(), ..right.clone() },
        RedeemCode { redirect_uri: "http://127.0.0.1:1235/callback".to_owned(), ..right.clone() },
        RedeemCode { challenge: "other".to_owned(), ..right.clone() },
        RedeemCode { resource: Some("http://127.0.0.1:7480/mcp/other".to_owned()), ..right.clone() },
        RedeemCode { key: None, ..right.clone() },
        RedeemCode { key: Some("other".to_owned()), ..right.clone() },
        RedeemCode { code: digest("two"), ..right.clone() },
    ];
    for redeem in wrong {
        assert_eq!(world.refused(&Actor::Remit, command(redeem)), "code_refused");
    }
    assert_eq!(world.refused(&ana, command(right.clone())), "not_permitted");
    world.advance(limits::AUTHORIZATION_CODE_SECONDS);
    assert_eq!(world.refused(&Actor::Remit, command(right)), "code_refused", "its time is over");
}

#[test]
fn a_code_used_twice_ends_what_it_began() {
    let (mut world, task) = signed_in();
    let other_client = RedeemCode { client: "https://evil.example.org/c".to_owned(), ..redeem("one") };
    assert_eq!(world.refused(&Actor::Remit, command(other_client)), "code_refused");
    let without_verifier = RedeemCode { challenge: "guessed".to_owned(), ..redeem("one") };
    assert_eq!(world.refused(&Actor::Remit, command(without_verifier)), "code_refused");
    assert!(world.state.task(task).unwrap().is_live(), "nobody ends a task with a code that they only saw");
    world.advance(limits::AUTHORIZATION_CODE_SECONDS * 2);
    let events = world.must(&Actor::Remit, command(redeem("one")));
    assert!(matches!(
        events.as_slice(),
        [Event::CodeReused { .. }, Event::TaskEnded { reason: EndReason::CodeReused, .. }]
    ));
    assert!(!world.state.task(task).unwrap().is_live());
    assert_eq!(world.refused(&Actor::Remit, command(redeem("one"))), "code_refused", "nothing is left to end");
}

#[test]
fn a_refresh_token_gives_the_next_and_an_old_one_ends_the_task() {
    let (mut world, task) = signed_in();
    let rotate = |old: &str, new: &str, client: &str| Command::RotateRefresh {
        old: digest(old),
        new: digest(new),
        client: client.to_owned(),
    };
    assert_eq!(world.refused(&Actor::Remit, rotate("refresh 1", "refresh 2", "somebody")), "refresh_refused");
    assert_eq!(world.refused(&Actor::Remit, rotate("guess", "refresh 2", CLIENT)), "refresh_refused");
    world.must(&Actor::Remit, rotate("refresh 1", "refresh 2", CLIENT));
    world.must(&Actor::Remit, rotate("refresh 2", "refresh 3", CLIENT));
    let events = world.must(&Actor::Remit, rotate("refresh 1", "refresh 4", CLIENT));
    assert!(matches!(events.as_slice(), [Event::RefreshReused { .. }, Event::TaskEnded { .. }]));
    assert!(!world.state.task(task).unwrap().is_live());
    assert_eq!(world.refused(&Actor::Remit, rotate("refresh 3", "refresh 4", CLIENT)), "refresh_refused");
}

#[test]
fn nothing_of_it_stays_in_memory_for_ever() {
    let (mut world, _) = signed_in();
    let ana = by(world.named("ana"));
    let unused = consent(&world, "two");
    world.must(&ana, Command::Consent(Box::new(unused)));
    world.advance(3 * DAY);
    let root = by(world.root);
    world.must(&root, Command::AddPerson(crate::AddPerson { name: "dora".to_owned(), groups: Vec::new() })).len();
    assert!(world.state.authorizations.is_empty() && world.state.refresh_tokens.is_empty());
}

#[test]
fn a_client_is_sent_back_only_where_nobody_listens_in() {
    let mut world = World::with_support();
    let root = by(world.root);
    let register =
        |uri: &str| Command::RegisterClient { name: "editor".to_owned(), redirect_uris: vec![uri.to_owned()] };
    let refused = [
        "http://example.org/cb",
        "http://127.0.0.1.example.org/cb",
        "javascript:alert(1)",
        "http:evil.example:/cb",
        "1.example:/cb",
        "Com.Example:/cb",
        "https://",
        "https:///x",
        "https://a.example.org/cb#x",
        "https://user@a.example.org/cb",
        "https://*.example.org/cb",
        "",
    ];
    for uri in refused {
        assert_eq!(world.refused(&root, register(uri)), "bad_redirect", "{uri}");
    }
    for uri in ["https://app.example.org/cb", "http://127.0.0.1/cb", "http://localhost:1/cb", "com.example.app:/cb"] {
        let events = world.must(&root, register(uri));
        let [Event::ClientRegistered(registered)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(world.refused(&root, register(uri)), "name_taken");
        world.must(&root, Command::RemoveClient { client: registered.client });
    }
}

#[test]
fn a_client_presents_the_configuration_that_is_approved() {
    let mut world = World::with_support();
    let (root, ana, agent) = (by(world.root), by(world.named("ana")), world.support());
    let configuration = |model: &str| Configuration { model: Some(model.to_owned()), ..Configuration::default() };
    let approve = |own: Configuration| propose(vec![Edit::Configuration { agent, configuration: Some(own) }]);
    let (own, next) = (configuration("m-1"), configuration("m-2"));
    world.must(&root, approve(own.clone()));
    for presented in [None, Some(next.digest())] {
        let asked = Consent { configuration: presented, ..consent(&world, "one") };
        assert_eq!(world.refused(&ana, Command::Consent(Box::new(asked))), "configuration_not_approved");
    }
    for code in ["one", "two"] {
        let asked = Consent { configuration: Some(own.digest()), ..consent(&world, code) };
        world.must(&ana, Command::Consent(Box::new(asked)));
    }
    let events = world.must(&Actor::Remit, command(redeem("one")));
    let Some(Event::TaskStarted(started)) = events.first() else { panic!("{events:?}") };
    assert_eq!(started.configuration, Some(own.digest()));
    // What comes of a refresh token is of the same task, and so with the same configuration.
    let rotate =
        Command::RotateRefresh { old: digest("refresh 1"), new: digest("refresh 2"), client: CLIENT.to_owned() };
    world.must(&Actor::Remit, rotate);
    world.call(started.task, "helpdesk/read", json!({"id": 7})).allowed();
    // Between the yes and the code another one was approved.
    world.must(&root, approve(next));
    assert_eq!(world.refused(&Actor::Remit, command(redeem("two"))), "configuration_not_approved");
    assert_eq!(world.call(started.task, "helpdesk/read", json!({"id": 7})).code(), "configuration_changed");
}
