use remit_domain::{Moment, Timestamp};

use super::*;

fn task(seed: u128) -> TaskId {
    Moment::new(Timestamp::from_millis(1), seed).fresh_id()
}

#[test]
fn a_session_belongs_to_the_task_that_began_it() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let id = sessions.begin(task(1), now).unwrap();
    assert!(sessions.touch(&id, task(1), now));
    assert!(!sessions.touch(&id, task(2), now), "another task");
    assert!(!sessions.end(&id, task(2)), "another task cannot end it");
    assert!(sessions.end(&id, task(1)));
    assert!(!sessions.touch(&id, task(1), now), "it has ended");
}

#[test]
fn an_idle_session_ends() {
    let (sessions, began) = (Sessions::default(), Instant::now());
    let id = sessions.begin(task(1), began).unwrap();
    let later = began + Duration::from_secs(limits::SESSION_IDLE_SECONDS - 1);
    assert!(sessions.touch(&id, task(1), later));
    assert!(!sessions.touch(&id, task(1), later + Duration::from_secs(limits::SESSION_IDLE_SECONDS)));
}

#[test]
fn a_task_loses_its_own_oldest_session_only() {
    let (sessions, mut now) = (Sessions::default(), Instant::now());
    let others = sessions.begin(task(2), now).unwrap();
    let mut own = Vec::new();
    for _ in 0..=limits::SESSIONS_PER_TASK_MAX {
        now += Duration::from_secs(1);
        own.push(sessions.begin(task(1), now).unwrap());
    }
    assert!(sessions.touch(&others, task(2), now));
    assert!(!sessions.touch(&own[0], task(1), now));
    assert!(sessions.touch(&own[1], task(1), now));
}

#[test]
fn a_call_under_way_can_be_cancelled_in_its_own_session_only() {
    let sessions = Sessions::default();
    let (one, other) =
        (sessions.begin(task(1), Instant::now()).unwrap(), sessions.begin(task(2), Instant::now()).unwrap());
    let (id, cancelled) = (RequestId::Number("2".to_owned()), CancellationToken::new());
    let in_flight = sessions.carry(one.clone(), id.clone(), cancelled.clone());
    sessions.cancel(&other, &id);
    assert!(!cancelled.is_cancelled());
    sessions.cancel(&one, &RequestId::Text("2".to_owned()));
    assert!(!cancelled.is_cancelled(), "the text 2 is another id than the number 2");
    sessions.cancel(&one, &id);
    assert!(cancelled.is_cancelled());
    drop(in_flight);
    assert!(sessions.touch(&one, task(1), Instant::now()));
}
