use http::StatusCode;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn each_question_is_a_form_and_a_table() {
    let world = World::new().await;
    let cookie = world.sign_in("root").await;
    let empty = world.get("/who", &cookie).await;
    assert!(empty.body.contains("Who can call the operation") && !empty.body.contains("Assumed"), "{}", empty.body);
    for (address, part) in [
        ("/who?ask=call&about=helpdesk%2Frefund", "/agents/support-bot"),
        ("/who?ask=see&about=D1", "/agents/support-bot"),
        ("/who?ask=agent&about=support-bot", "helpdesk/refund"),
        ("/who?ask=person&about=olga", "No entitlements are on record"),
    ] {
        let page = world.get(address, &cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        assert!(page.body.contains(part) && page.body.contains("Assumed: a new task"), "{address}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_on_the_page() {
    let world = World::new().await;
    let cookie = world.sign_in("root").await;
    for address in
        ["/who?ask=call&about=x", "/who?ask=see&about=D9", "/who?ask=agent&about=%3Cb%3E", "/who?ask=person&about=x"]
    {
        let page = world.get(address, &cookie).await;
        assert!(page.status == StatusCode::OK && page.body.contains("class=\"notice\""), "{address}: {}", page.body);
        assert!(!page.body.contains("<b>"), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_may_not_be_asked_about_by_everybody() {
    let world = World::new().await;
    world.join("mia", &[]).await;
    let (olga, mia) = (world.sign_in("olga").await, world.sign_in("mia").await);
    for (cookie, address, status) in [
        (&mia, "/who", StatusCode::OK),
        (&mia, "/who?ask=person&about=mia", StatusCode::OK),
        (&mia, "/who?ask=person&about=olga", StatusCode::FORBIDDEN),
        (&mia, "/who?ask=agent&about=support-bot", StatusCode::FORBIDDEN),
        (&mia, "/who?ask=agent&about=nobody", StatusCode::FORBIDDEN),
        (&olga, "/who?ask=agent&about=support-bot", StatusCode::OK),
        (&olga, "/who?ask=call&about=helpdesk%2Frefund", StatusCode::FORBIDDEN),
        (&olga, "/who?ask=see&about=D1", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(world.get(address, cookie).await.status, status, "{address}");
    }
}
