use remit_domain::{Moment, State, Timestamp};

use super::*;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_a_realm_has_a_sentence_of_its_own() {
    let world = World::new().await;
    world.ask(serde_json::json!({"order": "A-1"})).await;
    let state = world.engine.state();
    for seq in 0..world.engine.head() {
        let record = world.engine.record(seq).await.unwrap().unwrap().record;
        let told = sentence(&record.actor, &record.event, Names(&state)).into_string();
        assert!(!told.contains("of another kind"), "{:?}", record.event);
        assert!(!told.contains("<script") && !told.contains("<b>"), "{told}");
    }
}

#[test]
fn who_is_gone_is_still_named_by_id_and_a_note_stays_text() {
    let moment = Moment::new(Timestamp::from_millis(0), 1);
    let state = State::default();
    let event = Event::AgentSuspended { agent: moment.fresh_id(), reason: "<script>alert(1)</script>".to_owned() };
    let told = sentence(&Actor::Remit, &event, Names(&state)).into_string();
    assert!(told.contains("agt_…") && told.contains("&lt;script&gt;"), "{told}");
    assert_eq!(tone(&event), Tone::Bad);
}
