use remit_domain::Moment;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const PATIENCE: Duration = Duration::from_millis(300);

fn moment() -> Moment {
    Moment::new(NOW, 42)
}

fn identity(agent: AgentId, task: Option<TaskId>) -> Identity {
    let run = task.map(|task| (moment().fresh_id(), task));
    Identity { agent, run, id: String::new(), hint: String::new(), ends_at: None }
}

#[tokio::test]
async fn a_cut_is_over_when_its_streams_have_ended() {
    let (moment, streams) = (moment(), Arc::new(Streams::default()));
    let (agent, other): (AgentId, AgentId) = (moment.fresh_id(), moment.fresh_id());
    let task: TaskId = moment.fresh_id();
    let (run, bystander) = (streams.enter().unwrap(), streams.enter().unwrap());
    run.hold(&[identity(agent, Some(task))]);
    bystander.hold(&[identity(other, None)]);
    // The agent is suspended, and its task ends with it in the same commit.
    streams.heard(10, true, Some(Change::Agent(agent)));
    streams.heard(11, false, Some(Change::Task(task)));
    let state = State::default();
    let waiting = tokio::spawn({
        let streams = Arc::clone(&streams);
        async move { streams.cut_by(10, 12, &state, NOW, PATIENCE).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(run);
    assert_eq!(waiting.await.unwrap(), Cut { streams: 1, remaining: 0 });
    // It is reported once.
    let again = streams.cut_by(10, 12, &State::default(), NOW, PATIENCE).await;
    assert_eq!(again, Cut { streams: 0, remaining: 0 });
    drop(bystander);
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_reported() {
    let (moment, streams) = (moment(), Arc::new(Streams::default()));
    let agent: AgentId = moment.fresh_id();
    let place = streams.enter().unwrap();
    place.hold(&[identity(agent, None)]);
    streams.heard(3, true, Some(Change::Agent(agent)));
    let cut = streams.cut_by(3, 4, &State::default(), NOW, PATIENCE).await;
    assert_eq!(cut, Cut { streams: 1, remaining: 1 });
    drop(place);
}

#[tokio::test]
async fn a_stream_that_gives_out_less_is_over_too() {
    let (moment, streams) = (moment(), Arc::new(Streams::default()));
    let agent: AgentId = moment.fresh_id();
    let place = streams.enter().unwrap();
    place.hold(&[identity(agent, None)]);
    streams.heard(3, true, Some(Change::Agent(agent)));
    place.hold(&[]);
    assert_eq!(streams.cut_by(3, 4, &State::default(), NOW, PATIENCE).await, Cut { streams: 1, remaining: 0 });
}

#[test]
fn places_are_given_back() {
    let streams = Arc::new(Streams::default());
    let places: Vec<Place> = (0..limits::STREAMS_MAX).map(|_| streams.enter().unwrap()).collect();
    assert!(streams.enter().is_none());
    drop(places);
    assert!(streams.enter().is_some());
}
