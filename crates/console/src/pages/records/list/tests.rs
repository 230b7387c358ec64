use http::StatusCode;

use super::Search;
use crate::world::World;

#[tokio::test]
async fn an_administrator_finds_records_and_a_member_only_those_of_their_agents() {
    let world = World::new().await;
    world.join("noel", &[]).await;
    let (owner, other) = (world.sign_in("olga").await, world.sign_in("noel").await);
    let name = world.engine.read(|state| state.agent(world.agent).unwrap().name.clone());
    let own = world.get(&format!("/ledger?agent={name}"), &owner).await;
    assert_eq!(own.status, StatusCode::OK);
    assert!(own.body.contains("/records/"), "{}", own.body);
    for address in ["/ledger".to_owned(), format!("/ledger?agent={name}")] {
        let refused = world.get(&address, &other).await;
        assert_eq!(refused.status, StatusCode::OK);
        assert!(!refused.body.contains("/records/"), "{}", refused.body);
        assert!(refused.body.contains("role=\"status\""), "{}", refused.body);
    }
}

#[test]
fn the_next_page_asks_the_same() {
    let search = Search { text: "a&b c".to_owned(), kind: "ActionDenied".to_owned(), ..Search::default() };
    assert_eq!(search.address(7), "/ledger?before=7&text=a%26b%20c&kind=ActionDenied");
}

#[tokio::test]
async fn days_are_whole_and_nonsense_is_told() {
    let world = World::new().await;
    let root = world.sign_in("root").await;
    let today = crate::parts::time::day(world.engine.now());
    for (query, found) in [
        (format!("since={today}&until={today}"), true),
        (format!("since={today}"), true),
        ("until=2001-01-01".to_owned(), false),
        ("since=2199-01-01".to_owned(), false),
        ("since=yesterday".to_owned(), false),
    ] {
        let page = world.get(&format!("/ledger?{query}"), &root).await;
        assert_eq!((page.status, page.body.contains("/records/")), (StatusCode::OK, found), "{query}: {}", page.body);
    }
    let told = world.get("/ledger?since=yesterday", &root).await.body;
    assert!(told.contains("is not a day"), "{told}");
}
