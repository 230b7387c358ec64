//! Workflows behind one shared secret.

use std::collections::BTreeMap;

use remit_domain::{AgentId, Attribution, Command, Digest, Event, LegacyAccount, OpenLegacyAccount};
use remit_identity::{base64url, digest};
use serde_json::json;

use super::world::{Answered, World, read};

const SECRET: &str = "legacy_everybody-knows-it";

/// Opens the account `crm` with two workflows, of which `intake` is a simple agent that may use `echo`.
async fn open(world: &World, header_key: bool) -> AgentId {
    let agent = world
        .agent("intake", "ada", |profile| {
            profile.class = Some(remit_domain::Class::Read);
            profile.autonomy = Some(1);
            profile.data_classes = vec![remit_domain::DataClass::D0];
        })
        .await;
    world.grant("intake", &["desk/echo"], 3_600).await;
    let workflows = BTreeMap::from([("post".to_owned(), agent)]);
    let open = OpenLegacyAccount {
        name: "crm".to_owned(),
        secret: Digest::of_bytes(SECRET.as_bytes()),
        workflows,
        header_key,
        due_at: world.engine.now().plus_seconds(3_600),
        reason: "the old platform has one account".to_owned(),
    };
    world.submit(&world.root(), Command::OpenLegacyAccount(Box::new(open))).await;
    agent
}

async fn call(world: &World, path: &str, secret: &str, workflow: Option<&str>) -> Answered {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let request = world.http.post(format!("{}{path}", world.url)).bearer_auth(secret).body(body.to_string());
    let request = workflow.into_iter().fold(request, |request, workflow| request.header("remit-workflow", workflow));
    read(request.header("content-type", "application/json").send().await.unwrap()).await
}

#[tokio::test]
async fn a_workflow_is_who_its_address_says() {
    let world = World::new().await;
    let agent = open(&world, false).await;
    assert_eq!(call(&world, "/legacy/crm/post/mcp/desk", SECRET, None).await.text(), "{}");
    let facts = world.wait_for(|event| match event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.clone()),
        _ => None,
    });
    let facts = facts.await;
    assert_eq!((facts.agent, facts.attribution), (agent, Attribution::Shared));
    let refused = [
        ("/legacy/crm/other/mcp/desk", SECRET, (403, "workflow_unknown")),
        ("/legacy/erp/post/mcp/desk", SECRET, (401, "legacy_unknown")),
        ("/legacy/crm/post/mcp/desk", "legacy_guessed", (401, "legacy_unknown")),
        ("/legacy/crm/post/mcp/desk", world.token.as_str(), (401, "token_audience")),
        ("/mcp/desk", SECRET, (401, "workflow_unsigned")),
    ];
    for (path, secret, expected) in refused {
        assert_eq!(call(&world, path, secret, None).await.kept_out(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_workflow_is_who_its_signed_header_says() {
    let world = World::new().await;
    open(&world, true).await;
    let purpose = LegacyAccount::header_purpose("crm", &Digest::of_bytes(SECRET.as_bytes()));
    let key = world.engine.key_for(&purpose);
    let now = world.engine.now().as_seconds();
    let signed = |workflow: &str, seconds: i64| {
        let signed = format!("{workflow};{seconds}");
        let signature = digest::hmac_sha256(key.expose(), signed.as_bytes());
        format!("{signed};{}", base64url::encode(signature))
    };
    let good = signed("post", now);
    assert_eq!(call(&world, "/mcp/desk", SECRET, Some(&good)).await.text(), "{}");
    let cases = [
        (None, (401, "workflow_unsigned")),
        (Some(signed("post", now - 120)), (401, "workflow_late")),
        (Some(good.replace("post;", "other;")), (401, "workflow_unsigned")),
        (Some(signed("other", now)), (403, "workflow_unknown")),
        (Some("post".to_owned()), (401, "workflow_unsigned")),
    ];
    for (header, expected) in cases {
        let answered = call(&world, "/mcp/desk", SECRET, header.as_deref()).await;
        assert_eq!(answered.kept_out(), expected, "{header:?}");
    }
    let by_address = call(&world, "/legacy/crm/post/mcp/desk", SECRET, None).await;
    assert_eq!(by_address.kept_out(), (401, "workflow_unsigned"));
}

#[tokio::test]
async fn a_debt_is_due() {
    let world = World::new().await;
    let agent = open(&world, false).await;
    world.submit(&world.root(), Command::CloseLegacyAccount { name: "crm".to_owned(), reason: "due".to_owned() }).await;
    assert_eq!(call(&world, "/legacy/crm/post/mcp/desk", SECRET, None).await.kept_out(), (401, "legacy_unknown"));
    let open = OpenLegacyAccount {
        name: "crm".to_owned(),
        secret: Digest::of_bytes(SECRET.as_bytes()),
        workflows: BTreeMap::from([("post".to_owned(), agent)]),
        header_key: false,
        due_at: world.engine.now().plus_seconds(1),
        reason: "a day more".to_owned(),
    };
    world.submit(&world.root(), Command::OpenLegacyAccount(Box::new(open))).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(call(&world, "/legacy/crm/post/mcp/desk", SECRET, None).await.kept_out(), (403, "debt_overdue"));
}
