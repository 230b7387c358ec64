use super::super::news::Reporter;
use super::*;

fn enter<'a>(signals: &'a Signals, id: u64, asks: Option<mpsc::Sender<AskedBack>>) -> Entered<'a> {
    let watch = Watch { asks, ..Watch::default() };
    signals.underway.enter(id, Waiting { followed: Followed::by(&watch), is_call: true, reply: None, given_up: None })
}

fn asked(signals: &Signals, method: &str) -> Asked {
    Asked { id: json!(1), method: method.to_owned(), params: Map::new(), call: signals.underway.only_call() }
}

#[tokio::test]
async fn a_question_goes_to_the_one_call_that_it_can_be_about() {
    let signals = Signals::new(Dialect::Handshake, Reporter::default());
    let code = async |method: &str| asked(&signals, method).answer(&signals).await.map_err(|error| error.code);
    assert_eq!(code("ping").await, Ok(json!({})));
    assert_eq!(code("elicitation/create").await, Err(refuse::INTERNAL_ERROR), "no call is under way");
    let (asks, mut questions) = mpsc::channel(1);
    let first = enter(&signals, 1, Some(asks));
    assert_eq!(code("tools/call").await, Err(refuse::METHOD_NOT_FOUND));
    let answered = asked(&signals, "roots/list");
    let (answer, ()) = tokio::join!(answered.answer(&signals), async {
        let question = questions.recv().await.unwrap();
        assert_eq!(question.method, "roots/list");
        question.answer.send(Ok(json!({"roots": []}))).unwrap();
    });
    assert_eq!(answer, Ok(json!({"roots": []})));
    let second = enter(&signals, 2, None);
    let both = asked(&signals, "roots/list").answer(&signals).await.unwrap_err();
    assert_eq!(both.message, "cannot tell for which call", "one of two, even if the other could not be asked");
    drop(first);
    assert_eq!(code("roots/list").await, Err(refuse::METHOD_NOT_FOUND), "the client of this one cannot be asked");
    drop(second);
    assert!(signals.underway.only_call().is_none());
}

#[tokio::test]
async fn a_call_may_be_asked_only_so_often() {
    let signals = Signals::new(Dialect::Handshake, Reporter::default());
    let (asks, mut questions) = mpsc::channel(1);
    let _call = enter(&signals, 1, Some(asks));
    // Dropping the question refuses it.
    let refusing = tokio::spawn(async move { while questions.recv().await.is_some() {} });
    for _ in 0..limits::ASKS_PER_CALL_MAX {
        let refused = asked(&signals, "roots/list").answer(&signals).await.unwrap_err();
        assert_eq!(refused.message, "the call is over");
    }
    let refused = asked(&signals, "roots/list").answer(&signals).await.unwrap_err();
    assert_eq!(refused.message, "too much was asked during this call");
    refusing.abort();
}
