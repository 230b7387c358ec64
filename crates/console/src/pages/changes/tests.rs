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
    assert!(world.get("/", &mia).await.body.contains("1 change waits"));
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
