use http::StatusCode;
use remit_domain::{Command, Configuration, Edit};
use serde_json::json;

use super::{has, has_not, send};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_access_card_says_what_under_what_conditions_how_long_and_by_which_rule() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    let by_id = world.get(&format!("/agents/{}", world.agent), &olga).await;
    assert_eq!(by_id.status, StatusCode::OK);
    let page = world.get("/agents/support-bot", &olga).await;
    has(
        &page,
        &[
            "spiffe://remit.test/agent/support-bot/test",
            "act, autonomy A3",
            "D1, D2",
            "helpdesk/lookup",
            "helpdesk/refund",
            "read, risk 0, D1",
            "30 days left",
            "<span class=\"pill good\">allow</span>",
            "<span class=\"pill waits\">ask</span>",
            "href=\"/policies/",
            "#line-",
            "/agents/support-bot/grants#grt_",
            "alert('purpose')&lt;/script&gt;",
            "What happened last",
            "aria-current=\"page\">Access",
        ],
    );
    let carla = world.sign_in("carla").await;
    let other = world.get("/agents/support-bot", &carla).await;
    has(&other, &["30 days left", "what an agent did is for those who answer or approve for it", "class=\"off\""]);
    has_not(&other, &["/records/", "What happened last", "href=\"/agents/support-bot/timeline\""]);
    assert_eq!(world.get("/agents/nobody-bot", &olga).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get(&format!("/agents/{}", "x".repeat(80)), &olga).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_of_an_agent_has_a_title_and_a_heading_of_its_own() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    let mut titles = std::collections::BTreeSet::new();
    for tab in ["", "/timeline", "/tasks", "/grants", "/configuration", "/people", "/findings", "/describe"] {
        let page = world.get(&format!("/agents/support-bot{tab}"), &olga).await;
        assert_eq!(page.status, StatusCode::OK, "{tab}: {}", page.body);
        assert_eq!(page.body.matches("<h1>").count(), 1, "{tab}");
        let between = |from: &str, to: &str| page.body.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
        titles.insert((between("<title>", "</title>"), between("<h1>", "</h1>")));
        has_not(&page, &["<script>", "style=\""]);
    }
    assert_eq!(titles.len(), 8, "{titles:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_joins_questions_changes_calls_and_tasks_under_their_days() {
    let world = World::new().await;
    world.call("helpdesk/lookup", json!({"id": "7"})).await.allowed();
    world.pass_seconds(86_400);
    let task = remit_domain::Command::SuspendAgent { agent: world.agent, reason: "looked at".to_owned() };
    world.engine.submit(world.root(), task).await.unwrap();
    let olga = world.sign_in("olga").await;
    let all = world.get("/agents/support-bot/timeline", &olga).await;
    has(&all, &["Today", "Yesterday", "helpdesk/lookup", "suspended", "registered the agent", "/records/"]);
    assert!(all.body.find("suspended").unwrap() < all.body.find("registered the agent").unwrap(), "newest first");
    let part = async |show: &str| world.get(&format!("/agents/support-bot/timeline?show={show}"), &olga).await;
    let (changes, data, tasks) = (part("changes").await, part("data").await, part("tasks").await);
    has(&changes, &["registered the agent", "activated"]);
    has_not(&changes, &["helpdesk/lookup"]);
    has(&data, &["helpdesk/lookup"]);
    has_not(&data, &["registered the agent"]);
    has(&tasks, &["refund the broken kettle &lt;b&gt;now&lt;/b&gt;"]);
    has(&part("approvals").await, &["Nothing of this kind is recorded"]);
    has(&part("%3Cscript%3E").await, &["registered the agent"]);
    let first = world.engine.query(remit_engine::Filter {
        kind: Some("AgentActivated".to_owned()),
        limit: 1,
        ..remit_engine::Filter::default()
    });
    let before = first.await.unwrap()[0].seq;
    let older = world.get(&format!("/agents/support-bot/timeline?before={before}"), &olga).await;
    has(&older, &["registered the agent"]);
    has_not(&older, &["activated", "helpdesk/lookup"]);
    assert!(part("&before=x").await.status.is_client_error());
    let carla = world.sign_in("carla").await;
    let refused = world.get("/agents/support-bot/timeline", &carla).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    has_not(&refused, &["helpdesk/lookup", "/records/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_timeline_goes_on_where_the_page_before_ended() {
    let world = World::new().await;
    for id in 0..crate::limits::TIMELINE_ROWS_MAX {
        world.call("helpdesk/lookup", json!({"id": id.to_string()})).await.allowed();
    }
    let olga = world.sign_in("olga").await;
    let first = world.get("/agents/support-bot/timeline", &olga).await;
    has_not(&first, &["registered the agent"]);
    let (_, rest) = first.body.split_once("rel=\"next\" href=\"").unwrap();
    let next = rest.split_once('"').unwrap().0.to_owned();
    let second = world.get(&next, &olga).await;
    has(&second, &["registered the agent"]);
    has_not(&second, &["rel=\"next\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_tasks_are_shown_to_whoever_may_know_of_them() {
    let world = World::new().await;
    let (olga, carla) = (world.sign_in("olga").await, world.sign_in("carla").await);
    world.join("nina", &[]).await;
    let nina = world.sign_in("nina").await;
    let address = format!("/tasks/{}", world.task);
    has(&world.get("/agents/support-bot/tasks", &olga).await, &[&address, "0 of 100000", "<h2>Runs</h2>", "run_"]);
    has(&world.get("/agents/support-bot/tasks", &carla).await, &[&address]);
    let page = world.get("/agents/support-bot/tasks", &nina).await;
    has(&page, &["No task of it that you may see is live"]);
    has_not(&page, &[&address, "kettle"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_says_what_of_it_is_used_and_is_taken_away() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    has(
        &world.get("/agents/support-bot/grants", &olga).await,
        &["helpdesk/*", "never used", "30 days left", "0 used, 2 never used"],
    );
    for id in ["7", "8"] {
        world.call("helpdesk/lookup", json!({"id": id})).await.allowed();
    }
    let page = world.get("/agents/support-bot/grants", &olga).await;
    has(&page, &["2 calls", "1 used, 1 never used", "/records/", "approved by"]);
    let carla = world.sign_in("carla").await;
    let other = world.get("/agents/support-bot/grants", &carla).await;
    has(&other, &["helpdesk/*", "What of it was used is for those", "disabled aria-describedby=\"revoke-"]);
    has_not(&other, &["2 calls", "/records/"]);
    let grant = page.field("grant");
    let address = "/agents/support-bot/revoke-grant";
    let refused = send(&world, &carla, address, &[("grant", &grant), ("reason", "x")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let without = send(&world, &olga, address, &[("grant", &grant)]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    let carlas = [("name", "triage"), ("owner", "olga")];
    send(&world, &olga, "/agents/new", &carlas).await;
    let elsewhere = send(&world, &olga, "/agents/triage/revoke-grant", &[("grant", &grant), ("reason", "x")]).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "the page of one agent never ends the grant of another");
    assert_eq!(world.engine.read(|state| state.grants_of(world.agent).count()), 1);
    let revoked = send(&world, &olga, address, &[("grant", &grant), ("reason", "not needed")]).await;
    assert_eq!(revoked.header("location"), "/agents/support-bot/grants", "{}", revoked.body);
    assert_eq!(world.engine.read(|state| state.grants_of(world.agent).count()), 0);
    has(
        &world.get("/agents/support-bot/grants", &olga).await,
        &["No grant is live", "remit grant request support-bot"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_grant_that_is_refused_keeps_what_was_typed() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    let address = "/agents/support-bot/grants";
    for (fields, why) in [
        (
            [("operations", "helpdesk/none"), ("reason", "to \"see\""), ("days", "7")],
            "no approved operation is covered",
        ),
        ([("operations", "nonsense"), ("reason", "to \"see\""), ("days", "7")], "nonsense"),
        ([("operations", "helpdesk/lookup"), ("reason", "to \"see\""), ("days", "9999")], "one of the times offered"),
    ] {
        let page = send(&world, &carla, address, &fields).await;
        assert!(page.status.is_client_error(), "{}", page.status);
        has(&page, &[why, "value=\"to &quot;see&quot;\"", &format!("value=\"{}\"", fields[0].1)]);
    }
    assert!(world.engine.read(|state| state.grant_requests.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_shown_with_how_it_came_about() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    has(
        &world.get("/agents/support-bot/configuration", &olga).await,
        &["No configuration is bound", "remit agent configure support-bot"],
    );
    let configuration = Configuration {
        prompt: Some(remit_domain::Digest::of_bytes(b"be kind")),
        model: Some("some-model <b>2026".to_owned()),
        tools: vec!["helpdesk/*".parse().unwrap()],
    };
    let edit = Edit::Configuration { agent: world.agent, configuration: Some(configuration.clone()) };
    let propose = Command::ProposeChange { edits: vec![edit], reason: "reviewed".to_owned(), revert_of: None };
    let receipt = world.engine.submit(world.root(), propose).await.unwrap();
    let change = receipt.events.iter().find_map(|event| match event {
        remit_domain::Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    if let (Some(change), true) =
        (change, world.engine.read(|state| state.agent(world.agent).unwrap().configuration.is_none()))
    {
        let person = world.engine.read(|state| state.person_named("olga").unwrap().id);
        let olga = remit_domain::Actor::Person { person, method: remit_domain::SignInMethod::LocalSocket };
        world.engine.submit(olga, Command::ApproveChange { change }).await.unwrap();
    }
    let page = world.get("/agents/support-bot/configuration", &olga).await;
    has(
        &page,
        &[
            &configuration.digest().to_string(),
            "some-model &lt;b&gt;2026",
            "helpdesk/*",
            "1 with another",
            "How it came about",
            "/records/",
        ],
    );
    let carla = world.sign_in("carla").await;
    let other = world.get("/agents/support-bot/configuration", &carla).await;
    has(&other, &[&configuration.digest().to_string()]);
    has_not(&other, &["How it came about", "/records/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_an_agent_are_named_with_what_each_may() {
    let world = World::new().await;
    world.join("aud", &["auditors"]).await;
    let carla = world.sign_in("carla").await;
    let page = world.get("/agents/support-bot/people", &carla).await;
    has(
        &page,
        &["/people/olga", "owner", "/people/maria", "approver", "/people/aud", "/people/root", "content-readers"],
    );
    let row = |name: &str| page.body.split(&format!("/people/{name}\"")).nth(1).unwrap().split("</tr>").next().unwrap();
    let count = |name: &str| row(name).matches("<span class=\"pill good\">yes</span>").count();
    assert_eq!((count("olga"), count("maria")), (3, 2), "an approver does not end it: {}", page.body);
    // When somebody is away is for themself, their deputy and who reads all records.
    let root = world.sign_in("root").await;
    let olga = world.sign_in("olga").await;
    let away = [("deputy", "carla"), ("from", ""), ("until", "2027-01-25"), ("reason", "holidays"), ("away", "yes")];
    let proposed = send(&world, &olga, "/people/olga/absence", &away).await;
    if let Some(change) = proposed.header("location").strip_prefix("/changes/") {
        send(&world, &root, &format!("/changes/{change}/approve"), &[]).await;
    }
    assert!(world.engine.read(|state| state.person_named("olga").unwrap().absence.is_some()), "{}", proposed.body);
    world.join("nina", &[]).await;
    let nina = world.sign_in("nina").await;
    for (cookie, sees) in [(&olga, true), (&carla, true), (&root, true), (&nina, false)] {
        let page = world.get("/agents/support-bot/people", cookie).await;
        assert_eq!(page.body.contains("in place of"), sees, "{}", page.body);
        assert_eq!(page.body.contains("<span class=\"pill waits\">away</span>"), sees);
    }
}
