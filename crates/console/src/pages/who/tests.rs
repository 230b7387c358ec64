use std::cell::Cell;

use http::StatusCode;
use remit_domain::Timestamp;

use super::*;
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn each_question_is_a_form_a_picture_and_a_table() {
    let world = World::new().await;
    let cookie = world.sign_in("root").await;
    let empty = world.get("/who", &cookie).await;
    assert!(empty.body.contains("Who can call an operation") && !empty.body.contains("Assumed"), "{}", empty.body);
    assert!(empty.body.contains("remit who can call helpdesk/refund"), "it says how to begin: {}", empty.body);
    for (address, part, picture) in [
        (
            "/who?ask=call&about=helpdesk%2Frefund",
            "<td><a class=\"agent\" href=\"/agents/support-bot\"",
            "/people/maria",
        ),
        ("/who?ask=see&about=D1", "<td><a class=\"agent\" href=\"/agents/support-bot\"", "/connectors/helpdesk"),
        ("/who?ask=agent&about=support-bot", "helpdesk/refund", "/people/olga"),
        ("/who?ask=person&about=olga", "No entitlements are on record", "/connectors/helpdesk"),
    ] {
        let page = world.get(address, &cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        assert!(page.body.contains(part) && page.body.contains("Assumed: a new task"), "{address}: {}", page.body);
        assert!(page.body.contains("<svg class=\"links\""), "{address}: {}", page.body);
        assert!(page.body.contains(&format!("<li><a href=\"{picture}\"")), "{address}: {}", page.body);
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
    assert_eq!(world.get("/who?ask=everything", &cookie).await.status, StatusCode::UNPROCESSABLE_ENTITY);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_long_stops_says_so_and_goes_on_where_it_stopped() {
    let world = World::new().await;
    let state = world.engine.state();
    let question = |after: &str| Question { ask: Ask::Agent, about: "support-bot".to_owned(), after: after.to_owned() };
    let late = Cell::new(NOW);
    let clock = || -> Timestamp {
        late.set(late.get().plus_seconds(1));
        late.get()
    };
    let answer = |question: &Question, clock: &dyn Fn() -> Timestamp| {
        Answer { state: &state, question, now: NOW, clock }.render().unwrap().into_string()
    };
    let first = answer(&question(""), &clock);
    assert!(first.contains("This question takes long") && first.contains("1 of 2 were asked"), "{first}");
    let onwards = "/who?ask=agent&amp;about=support-bot&amp;after=helpdesk%2Flookup";
    assert!(first.contains(onwards) && !first.contains("helpdesk/refund"), "{first}");
    let second = answer(&question("helpdesk/lookup"), &clock);
    assert!(second.contains("helpdesk/refund") && !second.contains("takes long"), "{second}");
    let whole = answer(&question(""), &|| NOW);
    assert!(whole.contains("helpdesk/lookup") && whole.contains("helpdesk/refund"), "{whole}");
    assert!(!whole.contains("Go on from here"), "{whole}");
}
