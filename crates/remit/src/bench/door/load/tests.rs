use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::*;
use crate::command::bench::Generation;
use crate::sample::echo;

async fn target(tool: &str) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/mcp", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(echo::serve(listener, 0, CancellationToken::new()));
    let target = Target::at("direct", &url, Generation::Modern, None).await.unwrap();
    target.calling(tool)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_loop_counts_what_is_answered() {
    let measured = closed(&target("echo").await, 4, Duration::from_millis(100)).await.unwrap();
    assert!(measured.answered > 0 && measured.failed == 0, "{measured:?}");
    assert_eq!(measured.answered, measured.nanoseconds.len() as u64);
    assert!(measured.nanoseconds.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_loop_makes_the_calls_that_are_due() {
    let measured = open(&target("echo").await, 200.0, Duration::from_millis(500)).await.unwrap();
    // At even distances from the start, a hundred of them fall within half a second.
    let settled = measured.nanoseconds.len() as u64 + measured.failed + measured.unanswered;
    assert!((99..=101).contains(&settled), "{settled}");
    assert_eq!(measured.failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_not_answered_with_a_result_have_failed() {
    let measured = closed(&target("another").await, 1, Duration::from_millis(50)).await.unwrap();
    assert!(measured.answered == 0 && measured.failed > 0, "{measured:?}");
    assert!(measured.failure.unwrap().contains("Unknown tool"));
}
