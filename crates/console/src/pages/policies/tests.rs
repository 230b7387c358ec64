mod edit;
mod versions;

use http::StatusCode;
use remit_domain::{ChangeId, Command, Edit, PolicyEdit};
use remit_testkit::proposed;

use crate::world::World;

/// A rule that matches nothing that is there.
const RULE: &str =
    "@id(\"probe\")\n@reason(\"never <b>\")\nforbid (principal, action, resource) when { resource.risk > 3 };\n";

/// Root makes `text` of the policy `probe`, or removes it: at once while root is alone, else proposed.
async fn set(world: &World, text: Option<&str>, reason: &str) -> Option<ChangeId> {
    let edits = vec![Edit::Policy(PolicyEdit { name: "probe".to_owned(), text: text.map(str::to_owned) })];
    let command = Command::ProposeChange { edits, reason: reason.to_owned(), revert_of: None };
    proposed(&world.engine.submit(world.root(), command).await.unwrap())
}

fn text(world: &World, name: &str) -> Option<String> {
    world.engine.read(|state| state.policies.sources.get(name).cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_shown_with_their_rules_and_lines() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let page = world.get("/policies", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    let name = world.engine.read(|state| state.policies.sources.keys().next().unwrap().clone());
    assert!(page.body.contains(&format!("href=\"/policies/{name}\"")), "{}", page.body);
    let shown = world.get(&format!("/policies/{name}"), &cookie).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("<li id=\"L1\"><a class=\"number\" href=\"#L1\">1</a>"), "{}", shown.body);
    assert!(shown.body.contains(&format!("href=\"/policies/{name}#L")), "its rules are not listed: {}", shown.body);
    // What happened to it is not for everybody, and so stands on a page of its own.
    assert!(!shown.body.contains("/records/") && !shown.body.contains("/history\""), "{}", shown.body);
    assert!(shown.body.contains("aria-disabled=\"true\" title=\"you may read the records"), "{}", shown.body);
    assert_eq!(world.get("/policies/nothing", &cookie).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_of_every_operation_what_would_be_said_and_by_which_line() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let name = world.engine.read(|state| state.agent(world.agent).unwrap().name.clone());
    let page = world.get(&format!("/preview?agent={name}"), &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    let operations =
        world.engine.read(|state| state.operations.keys().map(|name| name.tool().to_owned()).collect::<Vec<_>>());
    assert!(!operations.is_empty());
    for operation in operations {
        let link = format!("href=\"/connectors/helpdesk/operations/{operation}\"");
        assert!(page.body.contains(&link), "{operation} is missing: {}", page.body);
    }
    assert!(page.body.contains("#L"), "{}", page.body);
    assert_eq!(world.get("/preview?agent=nobody", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/preview", &cookie).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_narrowed_by_answer_and_by_words() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let page = world.get("/preview?agent=support-bot&answer=ask", &cookie).await.body;
    assert!(page.contains("operations/refund") && !page.contains("operations/lookup"), "{page}");
    assert!(
        page.contains("Asked 1") && page.contains("Allowed 1") && page.contains("All 2"),
        "the counts stay: {page}"
    );
    let page = world.get("/preview?agent=support-bot&text=LOOK", &cookie).await.body;
    assert!(page.contains("operations/lookup") && !page.contains("operations/refund"), "{page}");
    let page = world.get("/preview?agent=support-bot&text=high-risk-asks", &cookie).await.body;
    assert!(page.contains("operations/refund") && !page.contains("operations/lookup"), "by the rule that asks: {page}");
    let page = world.get("/preview?agent=support-bot&text=%22%3E%3Cscript%3E", &cookie).await;
    assert!(page.body.contains("No operation fits") && !page.has_foreign_script(), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_is_proposed_with_a_reason_and_waits_for_somebody_else() {
    let world = World::new().await;
    set(&world, Some(RULE), "to be removed").await;
    world.join("mia", &["administrators"]).await;
    let olga = world.sign_in("olga").await;
    let token = world.get("/policies/probe", &olga).await.field("form_token");
    let refused = world.post("/policies/probe/remove", &olga, &[("form_token", &token), ("reason", " ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    let fields = [("form_token", token.as_str()), ("reason", "nobody needs it")];
    let sent = world.post("/policies/probe/remove", &olga, &fields).await;
    assert!(sent.header("location").starts_with("/changes/chg_"), "{} {}", sent.status, sent.body);
    assert!(text(&world, "probe").is_some(), "it stays until somebody else agrees");
    let page = world.get("/policies/probe", &olga).await.body;
    assert!(page.contains("nobody needs it") && page.contains("waits for a yes"), "{page}");
    let unknown = world.post("/policies/nothing/remove", &olga, &fields).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let stolen = world.post("/policies/probe/remove", &olga, &[("form_token", "x"), ("reason", "no")]).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
}
