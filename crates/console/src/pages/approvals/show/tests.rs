use http::StatusCode;
use remit_domain::ApprovalId;
use serde_json::{Value, json};

use super::*;
use crate::world::{NOW, World};

/// The page of `id` as it is made from a document with these arguments, or without any.
fn page(world: &World, name: &str, id: ApprovalId, arguments: &Value, beside: Option<&Value>) -> String {
    let state = world.engine.state();
    let viewer = world.viewer(name);
    let approval = state.approval(id).unwrap();
    let unseen = arguments.is_null().then(|| Refusal::new("content_missing", "it was erased").help("say no"));
    render(Question {
        state: &state,
        viewer: &viewer,
        approval,
        answers: Answers::of(&state, &viewer.actor(), approval, NOW),
        sight: Sight {
            document: document(&state, approval, arguments, beside),
            commitment: None,
            unseen,
            options: None,
        },
        origins: vec![Origin::Active(state.policies.sources["high-risk-asks"].clone())],
        related: Vec::new(),
        now: NOW,
    })
    .into_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_an_approver_must_see_is_there() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let page = page(&world, "olga", id, &json!({"order": "A-1", "note": "line"}), None);
    let state = world.engine.state();
    let approval = state.approval(id).unwrap();
    for part in [
        "helpdesk/refund",
        "support-bot",
        "olga",
        "carla",
        "root",
        "act, autonomy A3, test",
        "refund the broken kettle &lt;b&gt;now&lt;/b&gt;",
        "write",
        "high risk",
        "D1 data",
        "<th scope=\"row\">order</th><td><span class=\"text\">A-1</span></td>",
        "{&quot;note&quot;:&quot;line&quot;,&quot;order&quot;:&quot;A-1&quot;}",
        "this operation is high risk; the agent's owner decides on each call",
        "high-risk-asks",
        "exactly this once",
        "15 min",
        &approval.digest.to_string(),
        &approval.facts.definition.unwrap().to_string(),
        "Approve exactly this, once",
    ] {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_denied_before_in_the_task_is_shown() {
    let world = World::new().await;
    let first = world.ask(json!({"order": "A-1"})).await;
    let deny = remit_domain::Deny { approval: first, note: "not <i>this</i> one".to_owned() };
    world.engine.submit(world.viewer("olga").actor(), remit_domain::Command::Deny(deny)).await.unwrap();
    let second = world.ask(json!({"order": "A-2"})).await;
    let page = page(&world, "olga", second, &json!({}), None);
    assert!(page.contains("Denied before in this task") && page.contains("not &lt;i&gt;this&lt;/i&gt; one"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_offered_a_yes_to_what_cannot_be_shown() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let page = page(&world, "olga", id, &Value::Null, None);
    assert!(page.contains("it was erased"), "{page}");
    assert!(page.contains(r#"type="submit" disabled aria-describedby="approve-why""#), "{page}");
    assert!(page.contains(r#"type="submit" aria-describedby="deny-why""#), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_beside_the_arguments_is_shown() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let page = page(&world, "olga", id, &json!({"order": "A-1"}), Some(&json!({"task": {"ttl": 60}})));
    assert!(page.contains("Sent beside the arguments") && page.contains("ttl"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_for_who_is_asked_and_looking_is_on_record() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "SECRET-1"})).await;
    let address = format!("/approvals/{id}");
    let (olga, carla) = (world.sign_in("olga").await, world.sign_in("carla").await);
    let theirs = world.get(&address, &carla).await;
    assert!(!theirs.body.contains("SECRET-1") && theirs.body.contains("not shown to you"), "{}", theirs.body);
    let seen = || world.engine.read(|state| state.approval(id).unwrap().seen.clone());
    assert!(seen().is_empty());
    let page = world.get(&address, &olga).await;
    assert!(page.body.contains("SECRET-1"), "{}", page.body);
    let on_record = seen();
    assert_eq!(on_record.len(), 1);
    let head = world.engine.head();
    world.get(&address, &olga).await;
    assert_eq!((seen(), world.engine.head()), (on_record.clone(), head), "looking again at the same is no news");
    let shown = &on_record[&world.viewer("olga").person].shown;
    assert_eq!(page.field("shown"), shown.to_string());
}

/// Signs what the page asks, as the console's script does.
fn signed(page: &crate::world::Page, passkey: &mut remit_testkit::Authenticator, note: &str) -> String {
    let mut said: Value = serde_json::from_str(&page.attribute("data-answer")).unwrap();
    said["note"] = json!(note);
    let mut options = page.options();
    let challenge = Digest::of_bytes(said.to_string().as_bytes());
    options["challenge"] = json!(remit_identity::base64url::encode(challenge.as_bytes()));
    passkey.get(&options).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_with_a_passkey_is_over_exactly_what_was_shown_and_said() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let other = world.ask(json!({"order": "A-2"})).await;
    let mut passkey = world.authenticator();
    world.enrol(&world.sign_in("olga").await, &mut passkey).await;
    let cookie = world.sign_in_with(&mut passkey).await;
    let address = format!("/approvals/{id}");
    let page = world.get(&address, &cookie).await;
    assert!(page.body.contains("Approve exactly this, with your passkey"), "{}", page.body);
    let credential = signed(&page, &mut passkey, "fine");
    let elsewhere = world.get(&format!("/approvals/{other}"), &cookie).await;
    let [token, digest, shown] = ["form_token", "digest", "shown"].map(|name| page.field(name));
    let sent = |note: &'static str, digest: &str, shown: &str, credential: &str| {
        [
            ("form_token", token.clone()),
            ("note", note.to_owned()),
            ("digest", digest.to_owned()),
            ("shown", shown.to_owned()),
            ("credential", credential.to_owned()),
        ]
    };
    let refused = [
        (&address, sent("fine", &digest, &shown, "")),
        (&address, sent("other words", &digest, &shown, &credential)),
        (&address, sent("fine", &digest, &elsewhere.field("shown"), &credential)),
        (&address, sent("fine", &digest, "", &credential)),
        (&address, sent("fine", &digest, &shown, "{}")),
    ];
    for (address, fields) in refused {
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = world.post(&format!("{address}/approve"), &cookie, &fields).await;
        assert!(page.status.is_client_error(), "{} {}", page.status, page.body);
        assert!(world.engine.read(|state| state.approval(id).unwrap().is_pending()));
    }
    // Swapped between show and sign: what was signed for one question says nothing about another.
    let (digest_other, shown_other) = (elsewhere.field("digest"), elsewhere.field("shown"));
    let swapped = sent("fine", &digest_other, &shown_other, &credential);
    let swapped = swapped.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = world.post(&format!("/approvals/{other}/approve"), &cookie, &swapped).await;
    assert!(page.status.is_client_error(), "{}", page.body);
    let fields = sent("fine", &digest, &shown, &credential);
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answered = world.post(&format!("{address}/approve"), &cookie, &fields).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
    let after = world.get(&address, &cookie).await;
    assert!(after.body.contains("signed") && after.body.contains("A-1"), "{}", after.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn restricted_data_takes_a_while_of_looking_which_the_page_says() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let mut state = Realm::clone(&world.engine.state());
    let approval = state.approval(id).unwrap().clone();
    let olga = world.viewer("olga").person;
    assert_eq!(wait_seconds(&state, &approval, olga, NOW), 0, "internal data takes none");
    let mut operation = remit_domain::Operation::clone(&state.operations[&approval.facts.operation]);
    operation.data = DataClass::D3;
    state.operations.insert(approval.facts.operation.clone(), operation.into());
    assert_eq!(wait_seconds(&state, &approval, olga, NOW), rules::DWELL_SECONDS_D3);
    assert_eq!(wait_seconds(&state, &approval, olga, NOW.plus_seconds(14)), 1);
    assert_eq!(wait_seconds(&state, &approval, olga, NOW.plus_seconds(15)), 0);
}
