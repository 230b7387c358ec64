use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn texts_are_shown_with_their_rules_and_lines() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let page = world.get("/policies", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    let name = world.engine.read(|state| state.policies.sources.keys().next().unwrap().clone());
    assert!(page.body.contains(&format!("href=\"/policies/{name}\"")), "{}", page.body);
    let shown = world.get(&format!("/policies/{name}"), &cookie).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("id=\"line-1\""), "{}", shown.body);
    assert_eq!(world.get("/policies/nothing", &cookie).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_preview_says_of_every_operation_what_would_be_said_and_by_which_line() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let name = world.engine.read(|state| state.agent(world.agent).unwrap().name.clone());
    let page = world.get(&format!("/preview?agent={name}"), &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    let operations = world.engine.read(|state| state.operations.keys().map(ToString::to_string).collect::<Vec<_>>());
    assert!(!operations.is_empty());
    for operation in operations {
        assert!(page.body.contains(&operation), "{operation} is missing");
    }
    assert!(page.body.contains("#line-"), "{}", page.body);
    assert_eq!(world.get("/preview?agent=nobody", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/preview", &cookie).await.status, StatusCode::OK);
}
