use remit_domain::{Moment, Timestamp};

use super::*;

fn task(seed: u128) -> TaskId {
    Moment::new(Timestamp::from_millis(1), seed).fresh_id()
}

#[test]
fn a_session_belongs_to_the_task_that_began_it() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let id = sessions.begin(task(1), Map::new(), now).unwrap();
    assert!(sessions.touch(&id, task(1), now));
    assert!(!sessions.touch(&id, task(2), now), "another task");
    assert!(!sessions.end(&id, task(2)), "another task cannot end it");
    assert!(sessions.end(&id, task(1)));
    assert!(!sessions.touch(&id, task(1), now), "it has ended");
}

#[test]
fn an_idle_session_ends() {
    let (sessions, began) = (Sessions::default(), Instant::now());
    let id = sessions.begin(task(1), Map::new(), began).unwrap();
    let later = began + Duration::from_secs(limits::SESSION_IDLE_SECONDS - 1);
    assert!(sessions.touch(&id, task(1), later));
    assert!(!sessions.touch(&id, task(1), later + Duration::from_secs(limits::SESSION_IDLE_SECONDS)));
}

#[test]
fn a_task_loses_its_own_oldest_session_only() {
    let (sessions, mut now) = (Sessions::default(), Instant::now());
    let others = sessions.begin(task(2), Map::new(), now).unwrap();
    let mut own = Vec::new();
    for _ in 0..=limits::SESSIONS_PER_TASK_MAX {
        now += Duration::from_secs(1);
        own.push(sessions.begin(task(1), Map::new(), now).unwrap());
    }
    assert!(sessions.touch(&others, task(2), now));
    assert!(!sessions.touch(&own[0], task(1), now));
    assert!(sessions.touch(&own[1], task(1), now));
}

#[test]
fn a_call_under_way_can_be_cancelled_in_its_own_session_only() {
    let sessions = Sessions::default();
    let (one, other) = (
        sessions.begin(task(1), Map::new(), Instant::now()).unwrap(),
        sessions.begin(task(2), Map::new(), Instant::now()).unwrap(),
    );
    let (id, cancelled) = (RequestId::Number("2".to_owned()), CancellationToken::new());
    let in_flight = sessions.carry(one.clone(), id.clone(), cancelled.clone());
    assert!(in_flight.is_some());
    assert!(sessions.carry(one.clone(), id.clone(), CancellationToken::new()).is_none(), "one id, one call");
    sessions.cancel(&other, &id);
    assert!(!cancelled.is_cancelled());
    sessions.cancel(&one, &RequestId::Text("2".to_owned()));
    assert!(!cancelled.is_cancelled(), "the text 2 is another id than the number 2");
    sessions.cancel(&one, &id);
    assert!(cancelled.is_cancelled());
    drop(in_flight);
    assert!(sessions.touch(&one, task(1), Instant::now()));
}

#[test]
fn only_the_session_that_was_asked_can_answer() {
    let sessions = Sessions::default();
    let begin = |seed| sessions.begin(task(seed), Map::new(), Instant::now()).unwrap();
    let (one, other) = (begin(1), begin(2));
    let (answer, mut answered) = oneshot::channel();
    let id = RequestId::Text(sessions.ask(&one, answer).unwrap());
    sessions.answer(&other, &id, Ok(Value::Null));
    assert!(answered.try_recv().is_err());
    sessions.answer(&one, &id, Ok(Value::Bool(true)));
    assert_eq!(answered.try_recv().unwrap(), Ok(Value::Bool(true)));
}
