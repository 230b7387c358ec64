use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn keys_are_shown_by_what_they_sign_and_nothing_secret() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let page = world.get("/keys", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    let log_key = world.engine.read(|state| state.realm.as_ref().unwrap().log_key.clone());
    assert!(page.body.contains(&log_key), "{}", page.body);
    assert!(!page.body.contains("PRIVATE"), "{}", page.body);
}
