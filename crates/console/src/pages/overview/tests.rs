use serde_json::json;

use super::*;
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_me_stands_apart_from_what_needs_others() {
    let world = World::new().await;
    world.ask(json!({"order": "A-1"})).await;
    let state = world.engine.state();
    for (name, mine) in [("olga", true), ("carla", false)] {
        let waiting = answers::waiting(&state, &world.viewer(name).actor(), NOW);
        let (own, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| waiting.answers.approve.is_ok());
        let page = render(&state, &own, &others, 0, Some(&[]), NOW).into_string();
        assert_eq!(page.contains("Nothing waits for your answer."), !mine, "{page}");
        assert_eq!(page.contains("Not for you: you cannot approve what is done in your own name"), !mine, "{page}");
        assert!(page.contains("15 min left"), "{page}");
    }
}
