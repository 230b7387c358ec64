//! Receipts of ends: what the points reported, and what can be counted of the calls.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use remit_domain::Event;
use remit_engine::{Committed, Effect};
use remit_identity::Purpose;
use serde_json::{Value, json};

use crate::desk::desk;

/// Reports since the end: more than one query gives.
const REPORTS: usize = 1_001;

/// A point that is told of nothing; the test reports in its place.
struct Point;

impl Effect for Point {
    fn name(&self) -> &'static str {
        "a point"
    }

    fn points(&self) -> &'static [&'static str] {
        &["caep"]
    }

    fn concerns(&self, _: &Event) -> bool {
        false
    }

    fn carry_out<'a>(&'a self, _: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_has_its_reports_and_calls_however_much_has_happened_since() {
    let (world, task) = desk().await;
    world.engine.carry_out(Arc::new(Point));
    let action = world.call(task, "desk/lookup", json!({"id": "A-1"})).await.allowed();
    world.succeed(action).await;
    let end = world.end(task).await;
    let cause = world.engine.record(end.seq).await.unwrap().unwrap();
    assert_eq!(world.engine.revocation_receipt(end.seq).await.unwrap().pending, ["caep"]);
    // What cannot be recorded as it is, is not passed over: the receipt would read as if nothing had been open.
    world.engine.report_enforcement(&cause, "caep", 3, vec!["much".repeat(10_000)]).await.unwrap();
    let another = world.task("support").await;
    let another = world.engine.record(world.end(another).await.seq).await.unwrap().unwrap();
    let reports = (0..REPORTS).map(|_| world.engine.report_enforcement(&another, "caep", 1, Vec::new()));
    for outcome in futures_util::future::join_all(reports).await {
        outcome.unwrap();
    }
    let receipt = world.engine.revocation_receipt(end.seq).await.unwrap();
    assert_eq!(receipt.pending, Vec::<String>::new());
    assert!(receipt.took_effect.iter().any(|point| point.point == "caep" && point.ended == 3), "{receipt:?}");
    assert!(receipt.not_revoked.iter().any(|what| what.starts_with("caep: ")), "{receipt:?}");
    assert!(receipt.not_revoked.iter().any(|what| what.contains("status list")), "{receipt:?}");
    assert_eq!(receipt.last_accepted.unwrap().action, action.to_string());
    assert_eq!(receipt.accepted_after, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_counts_no_calls_where_none_can_be_told_from_others() {
    let (world, _) = desk().await;
    let key = world.engine.keys().active(Purpose::Token).unwrap().kid().to_owned();
    let revoked = world.engine.revoke_key(world.root(), &key).await.unwrap();
    let receipt = world.engine.revocation_receipt(revoked.seq).await.unwrap();
    assert_eq!((receipt.accepted_after, receipt.last_accepted.is_none()), (None, true));
    assert_eq!(serde_json::to_value(&receipt).unwrap()["accepted_after"], Value::Null);
}
