use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn a_person_sees_their_sessions_and_ends_one() {
    let world = World::new().await;
    let (first, second) = (world.sign_in("olga").await, world.sign_in("olga").await);
    let page = world.get("/settings", &second).await;
    assert_eq!(page.status, StatusCode::OK);
    let rows: Vec<&str> = page.body.split("<tr>").filter(|row| row.contains("/settings/sessions/")).collect();
    assert_eq!(rows.len(), 2, "{}", page.body);
    let other = rows.iter().find(|row| !row.contains("this one")).unwrap();
    let other = other.split("/settings/sessions/").nth(1).unwrap().split("/end").next().unwrap();
    let token = page.field("form_token");
    let ended = world.post(&format!("/settings/sessions/{other}/end"), &second, &[("form_token", &token)]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    assert_eq!(world.get("/settings", &first).await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.get("/settings", &second).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else_here() {
    let world = World::new().await;
    world.join("noel", &[]).await;
    let (olga, noel) = (world.sign_in("olga").await, world.sign_in("noel").await);
    let page = world.get("/settings", &olga).await;
    let of_olga =
        page.body.split("action=\"/settings/sessions/").nth(1).unwrap().split("/end").next().unwrap().to_owned();
    let token = world.get("/settings", &noel).await.field("form_token");
    let refused = world.post(&format!("/settings/sessions/{of_olga}/end"), &noel, &[("form_token", &token)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert_eq!(world.get("/settings", &olga).await.status, StatusCode::OK);
}
