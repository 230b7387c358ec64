use serde_json::json;

use super::*;
use crate::world::World;

#[test]
fn nothing_that_an_agent_chose_becomes_markup_or_hides() {
    let hostile = "<script>alert(1)</script>\u{202e}\"";
    let document = json!({
        "agent": {"id": "agt_1", "name": hostile, "owner": hostile},
        "task": {"purpose": hostile, "labels": [hostile]},
        "operation": {"name": hostile, "description": hostile, "verb": hostile, "risk": 9},
        "arguments": {hostile: hostile},
        "beside": hostile,
        "denied_before": [{"approval": "apr_1", "operation": hostile, "by": hostile, "note": hostile}],
    });
    let document = Document(&document);
    for part in [what_runs(document), who(document), operation(document), denials(document), document.agent("/agent")] {
        let part = part.into_string();
        assert!(!part.contains("<script") && !part.contains('\u{202e}'), "{part}");
        assert!(part.contains("&lt;script&gt;"), "{part}");
    }
    assert!(operation(document).into_string().contains("high risk"), "a risk that is none is told as the highest");
}

#[test]
fn what_is_not_in_the_document_is_told_as_not_so() {
    let document = json!({"agent": {"id": "agt_1"}});
    let page = who(Document(&document)).into_string();
    assert!(page.contains("nothing tells who asked") && page.contains("nobody"), "{page}");
}

/// Root makes `text` of the policy that asks about refunds; it is active at once, since root is alone.
async fn set(world: &World, name: &str, text: &str) {
    let edit = remit_domain::PolicyEdit { name: name.to_owned(), text: Some(text.to_owned()) };
    let edits = vec![remit_domain::Edit::Policy(edit)];
    let command = remit_domain::Command::ProposeChange { edits, reason: "a test".to_owned(), revert_of: None };
    world.engine.submit(world.root(), command).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_beside_a_rule_is_the_one_that_asked() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let olga = world.sign_in("olga").await;
    let address = format!("/approvals/{id}");
    let text = world.engine.read(|state| state.policies.sources["high-risk-asks"].clone());
    let before = world.get(&address, &olga).await.body;
    assert!(before.contains("policy <code>high-risk-asks</code></summary>"), "{before}");
    let state = world.engine.state();
    let document = remit_domain::shown(&state, state.approval(id).unwrap(), &json!({"order": "A-1"}), None);
    set(&world, "high-risk-asks", &format!("// softer now\n{text}")).await;
    // What the document names is found by its digest, in what the policy was before.
    let former = origins(&world.engine, Document(&document)).await.unwrap();
    let [Origin::Former(found, seq)] = former.as_slice() else { panic!("{former:?}") };
    assert_eq!(*found, text);
    let page = why(Document(&document), &former, &world.engine.state()).into_string();
    assert!(page.contains("as it was when it asked") && page.contains(&format!("/diff?from={seq}\"")), "{page}");
    assert!(!page.contains("softer now"), "{page}");
    // Where the document names no text, none is taken for it that only has the same name.
    let after = world.get(&address, &olga).await.body;
    assert!(after.contains("the rule has changed since this was asked") && !after.contains("softer now"), "{after}");
    let mut forged = document.clone();
    forged["rules"][0]["sha256"] = json!("0".repeat(64));
    assert!(matches!(origins(&world.engine, Document(&forged)).await.unwrap().as_slice(), [Origin::Unknown]));
}
