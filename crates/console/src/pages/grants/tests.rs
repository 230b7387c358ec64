use http::StatusCode;
use remit_domain::{Command, GrantId, RequestGrant, StartTask, TaskId};
use remit_testkit::Answer;
use serde_json::json;

use crate::world::World;

/// Answers the request as whoever has `cookie`.
async fn answer(world: &World, id: GrantId, cookie: &str, verb: &str, note: &str) -> crate::world::Page {
    let token = world.get("/settings", cookie).await.field("form_token");
    let fields = [("form_token", token.as_str()), ("note", note)];
    world.post(&format!("/grants/{id}/{verb}"), cookie, &fields).await
}

async fn is_allowed(world: &World) -> bool {
    matches!(world.call("archive/read", json!({"id": "7"})).await, Answer::Allowed(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_asks_and_who_approves_for_its_agent_answers() {
    let world = World::new().await;
    let id = world.wants(world.task, "archive").await;
    assert!(!is_allowed(&world).await);
    let maria = world.sign_in("maria").await;
    let list = world.get("/grants", &maria).await.body;
    assert!(list.contains(&format!("/grants/{id}")) && list.contains("your answer"), "{list}");
    let page = world.get(&format!("/grants/{id}"), &maria).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for said in [
        "archive/read",
        "the order is &lt;b&gt;old&lt;/b&gt;",
        "refund the broken kettle &lt;b&gt;now&lt;/b&gt;",
        "low risk",
        "D1 data",
        "this one task",
        "Refused lately",
        "carla",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(!page.has_foreign_script());
    let answered = answer(&world, id, &maria, "approve", "").await;
    assert_eq!(
        (answered.status, answered.header("location")),
        (StatusCode::SEE_OTHER, format!("/grants/{id}").as_str())
    );
    assert!(is_allowed(&world).await);
    let page = world.get(&format!("/grants/{id}"), &maria).await.body;
    assert!(page.contains("granted") && page.contains("ends with it"), "{page}");
    let filtered = world.get("/grants?scope=task&agent=support-bot&operation=archive", &maria).await.body;
    assert!(filtered.contains(&format!("/grants/{id}")), "{filtered}");
    let others = world.get("/grants?scope=agent", &maria).await.body;
    assert!(!others.contains(&format!("/grants/{id}")), "{others}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_it_is_done_for_may_only_say_no() {
    let world = World::new().await;
    let id = world.wants(world.task, "archive").await;
    let carla = world.sign_in("carla").await;
    let page = world.get(&format!("/grants/{id}"), &carla).await.body;
    assert!(page.contains("you may not approve grants for the agent"), "{page}");
    let refused = answer(&world, id, &carla, "approve", "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    let answered = answer(&world, id, &carla, "deny", "not in my name").await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
    let page = world.get(&format!("/grants/{id}"), &carla).await.body;
    assert!(page.contains("denied") && page.contains("not in my name"), "{page}");
    assert!(!is_allowed(&world).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_concerned_does_not_read_why_a_task_asks() {
    let world = World::new().await;
    let id = world.wants(world.task, "archive").await;
    world.join("nina", &[]).await;
    let nina = world.sign_in("nina").await;
    assert_eq!(world.get(&format!("/grants/{id}"), &nina).await.status, StatusCode::FORBIDDEN);
    let list = world.get("/grants", &nina).await.body;
    assert!(!list.contains(&id.to_string()) && list.contains("Nothing waits for your answer"), "{list}");
    assert_eq!(answer(&world, id, &nina, "deny", "").await.status, StatusCode::FORBIDDEN);
    for nonsense in ["nonsense", "grt_00000000000000000000000000"] {
        assert_eq!(world.get(&format!("/grants/{nonsense}"), &nina).await.status, StatusCode::NOT_FOUND, "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_ask_for_is_answered_here_too_and_never_by_themselves() {
    let world = World::new().await;
    let maria = world.sign_in("maria").await;
    let asks = RequestGrant {
        agent: world.agent,
        operations: vec!["helpdesk/*".parse().unwrap()],
        reason: "all of it".to_owned(),
        ttl_seconds: 3_600,
    };
    let person = world.viewer("maria").actor();
    let receipt = world.engine.submit(person, Command::RequestGrant(asks)).await.unwrap();
    let Some(remit_domain::Event::GrantRequested(request)) = receipt.events.first() else { panic!("{receipt:?}") };
    let page = world.get(&format!("/grants/{}", request.id), &maria).await.body;
    assert!(page.contains("cannot be approved by the person who asked") && page.contains("Take it back"), "{page}");
    assert!(page.contains("All of the connector") && page.contains("in all its tasks"), "{page}");
    let olga = world.sign_in("olga").await;
    assert_eq!(answer(&world, request.id, &olga, "approve", "").await.status, StatusCode::SEE_OTHER);
    assert!(world.engine.read(|state| state.grants.contains_key(&request.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_started_the_task_is_told_why_they_cannot_answer() {
    let world = World::new().await;
    let start = StartTask {
        agent: world.agent,
        purpose: "look at one order".to_owned(),
        acting_for: None,
        scope: Vec::new(),
        ttl_seconds: None,
        budget: None,
        parent: None,
        key: None,
        authority: Vec::new(),
        delegation: None,
        configuration: None,
    };
    let started = world.engine.submit(world.viewer("olga").actor(), Command::StartTask(Box::new(start))).await.unwrap();
    let Some(remit_domain::Event::TaskStarted(task)) = started.events.first() else { panic!("{started:?}") };
    let task: TaskId = task.task;
    let id = world.wants(task, "archive").await;
    let olga = world.sign_in("olga").await;
    let page = world.get(&format!("/grants/{id}"), &olga).await.body;
    assert!(page.contains("you cannot give access to a task that you started"), "{page}");
    assert!(page.contains("/people/maria"), "who else may is named: {page}");
    assert_eq!(answer(&world, id, &olga, "approve", "").await.status, StatusCode::FORBIDDEN);
}
