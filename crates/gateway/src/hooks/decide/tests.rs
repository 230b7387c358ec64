use std::sync::mpsc;

use remit_domain::{Moment, Timestamp};

use super::*;

#[tokio::test]
async fn what_goes_on_after_its_call_was_given_up_keeps_its_place() {
    let agent: AgentId = Moment::new(Timestamp::default(), 7).fresh_id();
    let room = Room::default();
    // All places but one are taken.
    let places: Vec<_> = (1..limits::CALLS_PER_AGENT_MAX).map(|_| room.enter(agent).unwrap()).collect();
    let (release, released) = mpsc::channel::<()>();
    let (start, started) = tokio::sync::oneshot::channel();
    let work = aside(&room, agent, move || {
        start.send(()).unwrap();
        released.recv().unwrap();
    });
    // It is under way, and then its call is given up.
    tokio::select! {
        done = work => panic!("it waits: {done:?}"),
        begun = started => begun.unwrap(),
    }
    assert!(room.enter(agent).is_none(), "a client that hangs up makes no room");
    let refused = aside(&room, agent, || ()).await.unwrap_err();
    assert_eq!((refused.status.as_u16(), refused.refusal.code.as_str()), (503, "overloaded"));
    release.send(()).unwrap();
    while room.enter(agent).is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(places);
    assert_eq!(aside(&room, agent, || 7).await.unwrap(), 7);
    let failed = aside(&room, agent, || panic!("as it happens")).await.unwrap_err();
    assert_eq!(failed.refusal.code, "fault");
}
