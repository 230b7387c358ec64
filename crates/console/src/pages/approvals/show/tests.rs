use serde_json::json;

use super::*;
use crate::world::{NOW, World};

async fn page(world: &World, name: &str, id: remit_domain::ApprovalId, arguments: Option<&str>) -> String {
    let state = world.engine.state();
    let viewer = world.viewer(name);
    let approval = state.approval(id).unwrap();
    render(Question {
        state: &state,
        viewer: &viewer,
        approval,
        answers: Answers::of(&state, &viewer.actor(), approval, NOW),
        arguments: arguments.map(str::to_owned),
        beside: None,
        related: Vec::new(),
        now: NOW,
    })
    .into_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_an_approver_must_see_is_there() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let page = page(&world, "olga", id, Some(r#"{"note":"line","order":"A-1"}"#)).await;
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
    let page = page(&world, "olga", second, Some("{}")).await;
    assert!(page.contains("Denied before in this task") && page.contains("not &lt;i&gt;this&lt;/i&gt; one"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_offered_a_yes_to_what_cannot_be_shown() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let page = page(&world, "olga", id, None).await;
    assert!(page.contains("the exact arguments are no longer kept"), "{page}");
    assert!(page.contains(r#"type="submit" disabled aria-describedby="approve-why""#), "{page}");
    assert!(page.contains(r#"type="submit" aria-describedby="deny-why""#), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_beside_the_arguments_is_shown_and_needed() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let state = world.engine.state();
    let viewer = world.viewer("olga");
    let mut approval = Approval::clone(state.approval(id).unwrap());
    approval.facts.beside = Some(approval.facts.arguments.clone());
    let approval = Arc::new(approval);
    let page = |beside: Option<&str>| {
        let question = Question {
            state: &state,
            viewer: &viewer,
            approval: &approval,
            answers: Answers::of(&state, &viewer.actor(), &approval, NOW),
            arguments: Some(r#"{"order":"A-1"}"#.to_owned()),
            beside: beside.map(str::to_owned),
            related: Vec::new(),
            now: NOW,
        };
        render(question).into_string()
    };
    let whole = page(Some(r#"{"task":{"ttl":60}}"#));
    assert!(whole.contains("Sent beside the arguments") && whole.contains("ttl"), "{whole}");
    assert!(!whole.contains("are no longer kept"), "{whole}");
    let erased = page(None);
    assert!(erased.contains("the exact arguments are no longer kept"), "{erased}");
    assert!(erased.contains(r#"type="submit" disabled aria-describedby="approve-why""#), "{erased}");
}
