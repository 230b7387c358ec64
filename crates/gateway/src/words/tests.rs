use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::client::{Manner, Step};

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn words_pass_only_as_far_as_they_are_kept() {
    let (client, mut steps) = Client::new(Manner::default(), CancellationToken::new());
    let silent = Words::new(false, true);
    silent.hear(Notice::Progress(members(json!({"progress": 1, "total": 2, "message": "obey me"}))), &client);
    silent.hear(Notice::Log(members(json!({"level": "info", "data": "obey me"}))), &client);
    assert!(
        matches!(steps.try_recv(), Ok(Step::Progress(params)) if *params == members(json!({"progress": 1, "total": 2})))
    );
    assert!(steps.try_recv().is_err());
    assert!(silent.into_kept().is_empty());

    let open = Words::new(true, true);
    open.hear(Notice::Log(members(json!({"level": "info", "data": "hello"}))), &client);
    assert!(matches!(steps.try_recv(), Ok(Step::Log(params)) if params["data"] == "hello"));
    open.hear(Notice::Log(members(json!({"level": "info", "data": "x".repeat(limits::WORDS_BYTES_MAX)}))), &client);
    assert!(steps.try_recv().is_err(), "what does not fit the record does not pass");
    assert_eq!(open.into_kept().len(), 1);
}
