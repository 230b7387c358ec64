use serde_json::json;

use super::*;
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_decision_agree_on_who_may_answer() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let state = world.engine.state();
    let code = |name: &str| {
        let answers = Answers::of(&state, &world.viewer(name).actor(), state.approval(id).unwrap(), NOW);
        (answers.approve.err().map(|refusal| refusal.code), answers.deny.err().map(|refusal| refusal.code))
    };
    assert_eq!(code("olga"), (None, None));
    assert_eq!(code("carla"), (Some("approver_is_acted_for".to_owned()), None));
    assert_eq!(code("root"), (Some("self_approval".to_owned()), None));
    assert_eq!(code("maria"), (Some("not_an_approver".to_owned()), Some("not_permitted".to_owned())));
    assert_eq!(waiting_count(&state, &world.viewer("olga").actor(), NOW), 1);
    assert_eq!(waiting_count(&state, &world.viewer("olga").actor(), NOW.plus_seconds(3600)), 0);
}
