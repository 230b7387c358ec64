use super::*;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_stands_with_its_exact_entry_and_proof() {
    let world = World::new().await;
    let cookie = world.sign_in("root").await;
    let proof = world.engine.prove(1).await.unwrap();
    let page = world.get("/records/1", &cookie).await.body;
    for part in ["Record #1", "RFC 6962", "href=\"/records/0\"", "href=\"/records/2\"", "<th scope=\"row\">actor</th>"]
    {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
    assert!(page.contains(&maud::html! { (proof.entry) }.into_string()), "{page}");
    assert!(page.contains("remit.test/") || page.contains(proof.checkpoint.lines().next().unwrap()), "{page}");
}

#[test]
fn an_event_stands_beside_what_surrounds_it_and_hides_nothing() {
    let entry = serde_json::json!({"v": 1, "at": 5, "event": {"type": "X", "at": 6}});
    assert_eq!(flattened(entry), serde_json::json!({"v": 1, "at": 5, "type": "X", "event.at": 6}));
}
