use http::StatusCode;
use remit_domain::{Actor, Command, CredentialKind, Digest, Event, OperationPattern, ReportSharing, RequestGrant};
use serde_json::json;

use super::*;
use crate::world::World;

/// What stands in the section that begins with `id`, up to the next one.
fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no `{id}` on {page}"));
    rest.split(" data-live").take(2).last().unwrap()
}

async fn overview_of(world: &World, name: &str) -> String {
    let cookie = world.sign_in(name).await;
    let page = world.get("/", &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.body
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_me_stands_apart_from_what_needs_others() {
    let world = World::new().await;
    world.ask(json!({"order": "A-1"})).await;
    for (name, mine) in [("olga", true), ("carla", false)] {
        let page = overview_of(&world, name).await;
        let needs = part(&page, "needs-you");
        assert_eq!(needs.contains("/approvals/a"), mine, "{needs}");
        assert_eq!(needs.contains("Nothing waits for your answer."), !mine, "{needs}");
        assert_eq!(page.contains("Not for you: you cannot approve what is done in your own name"), !mine, "{page}");
        assert!(page.contains("15 min left"), "{page}");
    }
}

async fn request_grant(world: &World) -> String {
    let request = RequestGrant {
        agent: world.agent,
        operations: vec!["helpdesk/lookup".parse::<OperationPattern>().unwrap()],
        reason: "to look <b>up</b>".to_owned(),
        ttl_seconds: 600,
    };
    let receipt = world.engine.submit(world.root(), Command::RequestGrant(request)).await.unwrap();
    let found = receipt.events.iter().find_map(|event| match event {
        Event::GrantRequested(request) => Some(request.id.to_string()),
        _ => None,
    });
    found.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_findings_and_reviews_are_told_to_whoever_answers_for_the_agent() {
    let world = World::new().await;
    let grant = request_grant(&world).await;
    let sharing = ReportSharing {
        credential: Digest::of_bytes(b"a token"),
        kind: CredentialKind::Token,
        agent: world.agent,
        task: Some(world.task),
        parties: vec!["here".to_owned(), "there".to_owned()],
    };
    world.engine.submit(Actor::Remit, Command::ReportSharing(Box::new(sharing))).await.unwrap();
    let finding = world.engine.read(|state| state.findings.values().next().unwrap().id);
    let olga = overview_of(&world, "olga").await;
    let needs = part(&olga, "needs-you");
    assert!(needs.contains(&format!("/grants/{grant}")) && needs.contains("to look &lt;b&gt;up&lt;/b&gt;"), "{needs}");
    assert!(needs.contains("A credential of support-bot was seen in several hands"), "{needs}");
    // She is one who approves, and answers for no findings; whoever asked answers nothing.
    let maria = overview_of(&world, "maria").await;
    let needs = part(&maria, "needs-you");
    assert!(needs.contains(&format!("/grants/{grant}")) && !needs.contains("several hands"), "{needs}");
    let root = overview_of(&world, "root").await;
    assert!(!part(&root, "needs-you").contains("/grants/"), "{root}");
    let carla = overview_of(&world, "carla").await;
    assert!(!carla.contains("/grants/") && !carla.contains("several hands"), "{carla}");
    let close = Command::CloseFinding { finding, note: "rotated".to_owned() };
    world.engine.submit(world.viewer("olga").actor(), close).await.unwrap();
    assert!(!overview_of(&world, "olga").await.contains("several hands"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_told_to_the_owner_a_week_before_it_is_due_and_after_it() {
    let world = World::new().await;
    let state = world.engine.state();
    let due = state.agent(world.agent).unwrap().profile.review_at.unwrap();
    for (now, told) in [
        (due.minus_seconds(8 * 86_400), None),
        (due.minus_seconds(6 * 86_400), Some("Past the date it is suspended")),
        (due, Some("overdue, due ")),
    ] {
        let page = Needs::of(&state, &world.viewer("olga"), now).mine(&state, now).into_string();
        assert_eq!(page.contains("Review support-bot"), told.is_some(), "{page}");
        assert!(told.is_none_or(|told| page.contains(told)), "{page}");
        let other = Needs::of(&state, &world.viewer("maria"), now).mine(&state, now).into_string();
        assert!(!other.contains("Review support-bot"), "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_for_who_may_know_of_them() {
    let world = World::new().await;
    world.ask(json!({"order": "A-1"})).await;
    world.join("nina", &["auditors"]).await;
    for (name, told) in [("nina", true), ("olga", true), ("maria", true), ("carla", false)] {
        let page = overview_of(&world, name).await;
        assert_eq!(
            page.contains("In the last 24 hours: 1 call, 0 allowed, 1 asked, 0 refused"),
            told,
            "{name}: {page}"
        );
        assert_eq!(page.contains("<strong>1</strong>call in the last hour"), told, "{name}: {page}");
        assert_eq!(page.contains("Calls of your agents"), told && name != "nina", "{name}: {page}");
        assert_eq!(page.contains("id=\"latest\""), name == "nina", "{name}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_without_a_call_is_led_to_its_first_and_then_no_more() {
    let world = World::new().await;
    let root = world.sign_in("root").await;
    let page = world.get("/", &root).await.body;
    let guide = part(&page, "first-run");
    // All but the passkey and the call is there already in this world.
    assert!(guide.contains("5 of 7 steps are done") && guide.contains("href=\"/passkeys\""), "{guide}");
    assert!(!guide.contains("Register an agent</p><p"), "what is done needs no words: {guide}");
    assert!(
        !overview_of(&world, "carla").await.contains("From here to the first governed call"),
        "she administers nothing"
    );
    world.enrol(&root, &mut world.authenticator()).await;
    let page = world.get("/", &root).await.body;
    let guide = part(&page, "first-run");
    assert!(guide.contains("6 of 7 steps are done") && guide.contains("Let the agent use a tool"), "{guide}");
    world.ask(json!({"order": "A-1"})).await;
    let page = world.get("/", &root).await.body;
    assert!(page.contains("<div id=\"first-run\" data-live></div>"), "its place stays, for open pages: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_passkey_in_a_realm_that_works_is_told_once() {
    let world = World::new().await;
    world.ask(json!({"order": "A-1"})).await;
    let page = overview_of(&world, "olga").await;
    assert!(part(&page, "first-run").contains("You have no passkey"), "{page}");
    assert!(!page.contains("From here to the first governed call"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_finds_each_of_its_live_places_again() {
    let world = World::new().await;
    let root = world.sign_in("root").await;
    let places = |page: &str| -> Vec<String> {
        let mut before: Vec<&str> = page.split(" data-live").collect();
        before.pop();
        let last_id = |before: &&str| before.rsplit("id=\"").next().unwrap().split('"').next().unwrap().to_owned();
        before.iter().map(last_id).collect()
    };
    let empty = places(&world.get("/", &root).await.body);
    world.ask(json!({"order": "A-1"})).await;
    let before = places(&world.get("/", &root).await.body);
    assert!(empty.iter().all(|place| before.contains(place)), "{empty:?} {before:?}");
    world.ask(json!({"order": "A-2"})).await;
    let after = places(&world.get("/", &root).await.body);
    assert_eq!(before, after);
    for id in ["first-run", "needs-you", "happening", "activity", "others", "latest", "waiting"] {
        assert!(after.iter().any(|found| found == id), "`{id}` is not live: {after:?}");
    }
}
