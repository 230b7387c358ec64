use remit_domain::ApprovalShown;
use serde_json::json;

use super::*;
use crate::answers::Answers;
use crate::answers::tests::refund;

fn reference(text: &str) -> ContentRef {
    ContentRef { commitment: Digest::of_bytes(text.as_bytes()), bytes: text.len() as u64 }
}

const ARGUMENTS: &str = r#"{"order":"1"}"#;
const BESIDE: &str = r#"{"more":1}"#;

/// What is wrong with `document`, shown about a question that has something beside its arguments.
async fn faults_of(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let events = refund().await;
    let mut asked = events.iter().find_map(|event| match event {
        Event::ApprovalRequested(requested) => Some(requested.clone()),
        _ => None,
    });
    let person = events.iter().find_map(|event| match event {
        Event::ApprovalVoted { vote, .. } => Some(vote.person),
        _ => None,
    });
    let (asked, person) = (asked.as_mut().unwrap(), person.unwrap());
    (asked.facts.arguments, asked.facts.beside) = (reference(ARGUMENTS), Some(reference(BESIDE)));
    asked.digest = asked.facts.digest();
    let arguments: Value = serde_json::from_str(ARGUMENTS).unwrap();
    let beside: Value = serde_json::from_str(BESIDE).unwrap();
    let mut document = json!({
        "approval": asked.approval, "action_digest": asked.digest, "arguments": arguments, "beside": beside,
    });
    change(&mut document);
    let text = document.to_string();
    let shown = ApprovalShown { agent: asked.facts.agent, approval: asked.approval, person, shown: reference(&text) };
    let mut answers = Answers::new(true);
    answers.read(&Event::ApprovalRequested(asked.clone())).unwrap();
    answers.read(&Event::ApprovalShown(Box::new(shown))).unwrap();
    let contents: HashMap<Digest, &str> =
        [ARGUMENTS, BESIDE, &text].into_iter().map(|text| (reference(text).commitment, text)).collect();
    let mut documents = Documents::default();
    for (approval, question) in answers.questions() {
        documents.check(*approval, question, &contents);
    }
    assert_eq!(documents.checked, 1);
    documents.faults
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_the_arguments_and_what_is_beside_them() {
    assert_eq!(faults_of(|_| {}).await, Vec::<String>::new());
    for (change, what) in [
        ((|document| document["beside"]["more"] = json!(2)) as fn(&mut Value), "has something else beside"),
        (|document| drop(document.as_object_mut().unwrap().remove("beside")), "has something else beside"),
        (|document| document["arguments"]["order"] = json!("2"), "has other arguments"),
        (|document| drop(document.as_object_mut().unwrap().remove("arguments")), "has other arguments"),
        (|document| *document = json!([]), "is about another question"),
    ] {
        let faults = faults_of(change).await;
        assert!(matches!(&faults[..], [fault] if fault.contains(what)), "{what}: {faults:?}");
    }
}
