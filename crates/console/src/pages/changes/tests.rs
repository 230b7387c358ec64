use http::StatusCode;
use remit_domain::{ChangeId, Command, Edit, PolicyEdit};
use remit_testkit::proposed;

use crate::world::World;

const RULE: &str =
    "@id(\"probe\")\n@reason(\"never <b>\")\nforbid (principal, action, resource) when { resource.risk > 3 };\n";

/// Root proposes a policy; mia, the second administrator, may answer.
async fn proposal(world: &World) -> ChangeId {
    world.join("mia", &["administrators"]).await;
    let edits = vec![Edit::Policy(PolicyEdit { name: "probe".to_owned(), text: Some(RULE.to_owned()) })];
    let propose = Command::ProposeChange { edits, reason: "what <b>nobody</b> needs".to_owned(), revert_of: None };
    let receipt = world.engine.submit(world.root(), propose).await.unwrap();
    proposed(&receipt).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_somebody_else_and_is_shown_with_what_it_does() {
    let world = World::new().await;
    let change = proposal(&world).await;
    let (root, mia) = (world.sign_in("root").await, world.sign_in("mia").await);
    let list = world.get("/changes", &mia).await.body;
    assert!(list.contains("your answer") && list.contains("<code>policy:probe</code>"), "{list}");
    let own = world.get("/changes", &root).await.body;
    assert!(own.contains("Nothing waits for your answer.") && own.contains("you proposed it"), "{own}");
    assert!(world.get("/", &mia).await.body.contains(&format!("href=\"/changes/{change}\"")), "it waits for her");
    let address = format!("/changes/{change}");
    let page = world.get(&address, &mia).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for part in
        ["<ins>+@id(&quot;probe&quot;)</ins>", "what &lt;b&gt;nobody", "Approve: active at once", "In the ledger"]
    {
        assert!(page.body.contains(part), "`{part}` is not on {}", page.body);
    }
    assert!(!page.body.contains("<b>"));
    let own = world.get(&address, &root).await;
    assert!(own.body.contains("cannot be approved by its author") && own.body.contains("Take it back"), "{}", own.body);
    let token = own.field("form_token");
    let refused = world.post(&format!("{address}/approve"), &root, &[("form_token", &token)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_approved_reverted_and_remembered() {
    let world = World::new().await;
    let change = proposal(&world).await;
    let (root, mia) = (world.sign_in("root").await, world.sign_in("mia").await);
    let address = format!("/changes/{change}");
    let token = world.get(&address, &mia).await.field("form_token");
    // A form of somebody else's session counts for nothing.
    let stolen = world.post(&format!("{address}/approve"), &root, &[("form_token", &token)]).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    let approved = world.post(&format!("{address}/approve"), &mia, &[("form_token", &token)]).await;
    assert_eq!((approved.status, approved.header("location")), (StatusCode::SEE_OTHER, address.as_str()));
    assert!(world.engine.read(|state| state.policies.sources.contains_key("probe")));
    let page = world.get(&address, &root).await;
    for part in ["This change is settled", "approved", "Propose to revert it", "<ins>"] {
        assert!(page.body.contains(part), "`{part}` is not on {}", page.body);
    }
    let token = page.field("form_token");
    let reverted = world.post(&format!("{address}/revert"), &root, &[("form_token", &token), ("note", "")]).await;
    let back = reverted.header("location").to_owned();
    assert!(reverted.status == StatusCode::SEE_OTHER && back != address, "{}", reverted.body);
    let page = world.get(&back, &mia).await.body;
    assert!(page.contains("revert: what") && page.contains("<del>-@id"), "{page}");
    let history = world.get("/history?artefact=policy:probe", &mia).await.body;
    assert!(history.contains("activated") && history.contains("approved"), "{history}");
    assert_eq!(world.get("/history?artefact=nonsense", &mia).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_what_is_found_about_it_who_may_answer_and_what_it_would_have_done() {
    let world = World::new().await;
    world.ask(serde_json::json!({"order": "A-1"})).await;
    let seq = world.engine.head() - 1;
    world.join("mia", &["administrators"]).await;
    let text = "@id(\"probe\")\n@reason(\"x\")\nforbid (principal, action, resource == Operation::\"helpdesk/refund\");\n\
        @id(\"probe-2\")\n@reason(\"x\")\nforbid (principal, action, resource == Operation::\"helpdesk/refund\");\n";
    let edits = vec![Edit::Policy(PolicyEdit { name: "probe".to_owned(), text: Some(text.to_owned()) })];
    let propose = Command::ProposeChange { edits, reason: "no more refunds".to_owned(), revert_of: None };
    let change = proposed(&world.engine.submit(world.root(), propose).await.unwrap()).unwrap();
    let (root, mia, olga) = (world.sign_in("root").await, world.sign_in("mia").await, world.sign_in("olga").await);
    let address = format!("/changes/{change}");
    let page = world.get(&address, &root).await.body;
    for part in [
        "already forbids everything that the policy matches",
        "href=\"/people/mia\"",
        "cannot be approved by its author",
    ] {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
    assert!(!world.get(&address, &mia).await.body.contains("href=\"/people/root\""), "its author may not answer it");
    let head = world.engine.head();
    for query in ["", "?calls=all"] {
        let replay = world.get(&format!("{address}/replay{query}"), &mia).await;
        assert_eq!(replay.status, StatusCode::OK, "{}", replay.body);
        for part in
            ["Of 1 recorded calls", "support-bot", "<code>helpdesk/refund</code>", "<code>high-risk-asks</code>"]
        {
            assert!(replay.body.contains(part), "`{part}` is not on {}", replay.body);
        }
        assert!(replay.body.contains(&format!("/records/{seq}\"")), "{}", replay.body);
    }
    assert_eq!(world.engine.head(), head, "looking records nothing");
    // What everybody's agents did is for those who read records.
    assert_eq!(world.get(&format!("{address}/replay"), &olga).await.status, StatusCode::FORBIDDEN);
    assert!(world.get(&address, &olga).await.body.contains("Trying it on recorded calls: "));
    let mine = world.viewer("mia").actor();
    world.engine.submit(mine, Command::RejectChange { change, note: String::new() }).await.unwrap();
    assert_eq!(world.get(&format!("{address}/replay"), &mia).await.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_that_has_to_be_shown_first_switches_no_answer_off() {
    let world = World::new().await;
    let change = proposal(&world).await;
    let mut passkey = world.authenticator();
    world.enrol(&world.sign_in("mia").await, &mut passkey).await;
    let mia = world.sign_in_with(&mut passkey).await;
    world.pass_seconds(remit_domain::limits::FRESH_SECONDS + 1);
    let page = world.get(&format!("/changes/{change}"), &mia).await.body;
    assert!(page.contains("<button class=\"primary\" type=\"submit\" aria-describedby=\"approve-why\">"), "{page}");
    let fields = [("form_token", world.get("/changes", &mia).await.field("form_token"))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let led = world.post(&format!("/changes/{change}/approve"), &mia, &fields).await;
    assert!(led.header("location").starts_with("/step-up"), "{} {}", led.status, led.body);
    assert!(world.engine.read(|state| state.changes.contains_key(&change)), "nothing was approved without it");
}
