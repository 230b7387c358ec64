use remit_domain::{Moment, Timestamp};

use super::*;

#[test]
fn one_agent_does_not_take_the_room_of_the_others() {
    let moment = Moment::new(Timestamp::default(), 7);
    let (one, other) = (moment.fresh_id(), moment.fresh_id());
    let room = Room::default();
    let places: Vec<_> = (0..limits::CALLS_PER_AGENT_MAX).map(|_| room.enter(one).unwrap()).collect();
    assert!(room.enter(one).is_none());
    let held = room.enter(other).unwrap();
    drop(places);
    assert!(room.enter(one).is_some());
    drop(held);
    assert!(room.calls.lock().unwrap().of_agent.is_empty(), "who has no call under way is forgotten");
}
