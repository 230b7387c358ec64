use super::*;

#[tokio::test]
async fn the_end_of_a_task_ends_what_is_open_for_it() {
    let lives = Lives::default();
    let (task, other) = (task(1), task(2));
    let (stream, call) = (lives.hold(task, Kind::Stream), lives.hold(task, Kind::Upstream));
    let untouched = lives.hold(other, Kind::Stream);
    assert!(!stream.has_ended());
    assert!(lives.cut(task) && stream.has_ended() && call.has_ended() && !untouched.has_ended());
    call.was_sent("`desk/refund`".to_owned());
    let closed = lives.clone();
    let waiting = tokio::spawn(async move { closed.closed(&[task], Kind::Stream).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(stream);
    waiting.await.unwrap();
    let later = lives.hold(task, Kind::Stream);
    assert!(!later.has_ended(), "an attempt after the end is refused by who decides");
    assert_eq!(lives.left(&[task, other]), Counts { streams: 0, upstream: 1 });
    drop((call, later));
    assert_eq!(lives.left(&[task, other]), Counts::default());
    let cut = lives.was_cut(&[task, other]);
    assert_eq!((cut.counts, cut.sent.len()), (Counts { streams: 1, upstream: 1 }, 1));
    assert!(!lives.cut(task), "there is nothing left");
}

fn task(number: u8) -> TaskId {
    format!("tsk_{number:026}").parse().unwrap()
}
