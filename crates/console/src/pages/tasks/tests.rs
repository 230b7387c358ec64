use http::StatusCode;
use remit_domain::{Command, StartTask, TaskId};
use remit_testkit::NOW;
use serde_json::json;

use crate::world::World;

/// A task of the help desk agent under the world's own.
async fn below(world: &World, purpose: &str) -> TaskId {
    let start = StartTask {
        agent: world.agent,
        purpose: purpose.to_owned(),
        acting_for: None,
        scope: Vec::new(),
        ttl_seconds: None,
        budget: None,
        parent: Some(world.task),
        key: None,
        authority: Vec::new(),
        delegation: None,
        configuration: None,
    };
    let agent = remit_domain::Actor::Agent { agent: world.agent, task: Some(world.task) };
    world.engine.submit(agent, Command::StartTask(Box::new(start))).await.unwrap();
    let live = world.engine.read(|state| state.live_tasks().map(|task| (task.parent, task.id)).collect::<Vec<_>>());
    live.into_iter().find(|(parent, _)| *parent == Some(world.task)).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_what_somebody_may_see_and_filters_by_what_the_address_says() {
    let world = World::new().await;
    let address = format!("/tasks/{}", world.task);
    let olga = world.sign_in("olga").await;
    let list = world.get("/tasks", &olga).await.body;
    assert!(list.contains(&address) && list.contains("refund the broken kettle &lt;b&gt;now&lt;/b&gt;"), "{list}");
    for (query, fits) in [
        ("agent=support-bot&person=carla&text=KETTLE", true),
        ("agent=support-bot&status=all", true),
        ("status=ended", false),
        ("agent=nobody-bot", false),
        ("person=olga", false),
        ("text=teapot", false),
        ("after=nonsense", false),
        ("status=%3Cscript%3E", true),
    ] {
        let page = world.get(&format!("/tasks?{query}"), &olga).await;
        assert_eq!((page.status, page.body.contains(&address)), (StatusCode::OK, fits), "{query}: {}", page.body);
        assert!(fits || page.body.contains("No task that you may see fits"), "{query}");
    }
    let carla = world.sign_in("carla").await;
    assert!(world.get("/tasks", &carla).await.body.contains(&address), "it acts for her");
    world.join("nina", &[]).await;
    let nina = world.sign_in("nina").await;
    let empty = world.get("/tasks", &nina).await.body;
    assert!(!empty.contains(&address) && empty.contains("remit run --agent"), "{empty}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_list_ends_where_the_next_begins() {
    let world = World::new().await;
    // Ids sort by the millisecond in which they were made.
    world.pass_seconds(1);
    let newer = below(&world, "look the order up").await;
    let olga = world.sign_in("olga").await;
    let page = world.get(&format!("/tasks?after={newer}"), &olga).await.body;
    assert!(page.contains(&format!("/tasks/{}", world.task)) && !page.contains(&format!("/tasks/{newer}")), "{page}");
    let choice = super::list::Choice::default();
    let viewer = world.viewer("olga");
    let whole = super::list::render(&world.engine.state(), viewer.person, &choice, NOW).into_string();
    assert!(whole.find("look the order up") < whole.find("broken kettle"), "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_shown_with_its_tree_its_budget_and_what_waits() {
    let world = World::new().await;
    let below = below(&world, "look <i>up</i>").await;
    let approval = world.ask(json!({"order": "A-1"})).await;
    let olga = world.sign_in("olga").await;
    let page = world.get(&format!("/tasks/{}", world.task), &olga).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for part in [
        "refund the broken kettle &lt;b&gt;now&lt;/b&gt;",
        "look &lt;i&gt;up&lt;/i&gt;",
        &format!("/tasks/{below}"),
        &format!("/approvals/{approval}"),
        "0 of 100000",
        "bearer: whoever holds one may use it",
        "End this task",
    ] {
        assert!(page.body.contains(part), "`{part}` is not on {}", page.body);
    }
    let unknown = world.get("/tasks/tsk_00000000000000000000000000", &olga).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/tasks/%3Cscript%3E", &olga).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_somebody_elses_agent_is_not_shown() {
    let world = World::new().await;
    world.join("nina", &[]).await;
    let nina = world.sign_in("nina").await;
    let page = world.get(&format!("/tasks/{}", world.task), &nina).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!page.body.contains("kettle"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_the_agent_ends_it_with_a_reason_and_sees_the_receipt() {
    let world = World::new().await;
    let below = below(&world, "look the order up").await;
    let address = format!("/tasks/{}", world.task);
    let olga = world.sign_in("olga").await;
    let token = world.get(&address, &olga).await.field("form_token");
    let forged = world.post(&format!("{address}/end"), &olga, &[("reason", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(world.engine.read(|state| state.task(world.task).unwrap().is_live()));
    let ended =
        world.post(&format!("{address}/end"), &olga, &[("form_token", &token), ("reason", "wrong <b>kettle")]).await;
    assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, &*format!("{address}?receipt=yes")));
    let page = world.get(ended.header("location"), &olga).await.body;
    for part in ["wrong &lt;b&gt;kettle", "Receipt of the end", "2 tasks", "0 calls, counted", "status-list"] {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
    assert!(!page.contains("End this task"), "nothing is left to end");
    let sub = world.get(&format!("/tasks/{below}"), &olga).await.body;
    assert!(sub.contains("the task above it ended") && sub.contains("Show the receipt"), "{sub}");
    let sub = world.get(&format!("/tasks/{below}?receipt=yes"), &olga).await.body;
    assert!(sub.contains("Receipt of the end"), "{sub}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_ends_as_one() {
    let world = World::new().await;
    let below = below(&world, "look the order up").await;
    let address = format!("/tasks/{below}");
    let olga = world.sign_in("olga").await;
    let token = world.get(&address, &olga).await.field("form_token");
    let none = world.post(&format!("{address}/end-run"), &olga, &[("form_token", &token)]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is missing: {}", none.body);
    let fields = [("form_token", token.as_str()), ("reason", "nobody asked for it")];
    let ended = world.post(&format!("{address}/end-run"), &olga, &fields).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    assert_eq!(world.engine.read(|state| state.live_tasks().count()), 0);
    let page = world.get(&format!("/tasks/{}?receipt=yes", world.task), &olga).await.body;
    assert!(page.contains("its whole run was ended") && page.contains("Receipt of the end"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_sees_why_they_cannot_end_it_and_is_refused_anyway() {
    let world = World::new().await;
    world.join("aud", &["auditors"]).await;
    let aud = world.sign_in("aud").await;
    let address = format!("/tasks/{}", world.task);
    let page = world.get(&address, &aud).await;
    assert!(page.body.contains("only the agent's owner or an administrator may do this"), "{}", page.body);
    assert!(page.body.contains(r#"disabled aria-describedby="end-why""#), "{}", page.body);
    let token = page.field("form_token");
    let refused = world.post(&format!("{address}/end"), &aud, &[("form_token", &token), ("reason", "x")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(world.engine.read(|state| state.task(world.task).unwrap().is_live()));
}
