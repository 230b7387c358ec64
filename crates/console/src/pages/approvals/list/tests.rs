use serde_json::json;

use super::*;
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_says_what_is_mine_and_why_the_rest_is_not() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let state = world.engine.state();
    let chosen =
        |show: &str, agent: &str| Choice { show: show.to_owned(), agent: agent.to_owned(), ..Choice::default() };
    let list = |name, show: &str| render(&state, &world.viewer(name).actor(), &chosen(show, ""), NOW).into_string();
    assert!(list("olga", "").contains("your answer"));
    assert!(list("root", "").contains("you started this task"));
    assert!(list("maria", "").contains("this asks for <code>owner</code>, and you are none of them"));
    assert!(list("olga", "").contains(&format!("/approvals/{id}")));
    assert!(!list("olga", "answered").contains(&format!("/approvals/{id}")));
    let of = |agent: &str| render(&state, &world.viewer("olga").actor(), &chosen("", agent), NOW).into_string();
    assert!(of("support-bot").contains(&format!("/approvals/{id}")));
    assert!(
        !of("other-bot").contains(&format!("/approvals/{id}"))
            && of("other-bot").contains("No question that you may see fits")
    );
}
