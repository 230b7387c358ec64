use http::StatusCode;

use super::*;

fn agent(number: u8) -> AgentId {
    format!("agt_{number:026}").parse().unwrap()
}

#[test]
fn no_enforcer_takes_more_than_its_share() {
    let room = Arc::new(Room::default());
    let batches: Vec<_> =
        (0..limits::EVALUATIONS_PER_ENFORCER_MAX / 256).map(|_| room.enter(agent(1), 256).unwrap()).collect();
    let refused = room.enter(agent(1), 1).unwrap_err();
    assert_eq!((refused.status(), refused.refusal().code.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
    let other = room.enter(agent(2), 1).unwrap();
    drop(batches);
    let again = room.enter(agent(1), limits::EVALUATIONS_PER_ENFORCER_MAX).unwrap();
    drop((again, other));
    assert!(room.of_agent.lock().unwrap().is_empty(), "what is over is forgotten");
}
