use serde_json::json;

use super::*;
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_says_what_is_mine_and_why_the_rest_is_not() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let state = world.engine.state();
    let list = |name, show| render(&state, &world.viewer(name).actor(), show, NOW).into_string();
    assert!(list("olga", Show::Pending).contains("your answer"));
    assert!(list("root", Show::Pending).contains("you started this task"));
    assert!(list("maria", Show::Pending).contains("this asks for <code>owner</code>, and you are none of them"));
    assert!(list("olga", Show::Pending).contains(&format!("/approvals/{id}")));
    assert!(!list("olga", Show::Answered).contains(&format!("/approvals/{id}")));
}
