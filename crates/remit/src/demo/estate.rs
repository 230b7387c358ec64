//! The estate of the story: an agent, a real MCP server, a rule and a grant.

use serde_json::{Value, json};

use super::people::People;
use super::step::Steps;
use super::{Broken, Story};
use crate::command::{Client, Failure};

/// The rule that the story is about.
const RULE: &str = r#"// Large refunds need a person.
@id("large-refunds-ask")
@reason("a refund over 50.00 needs somebody who leads support to look at it")
@approvers("support-leads")
@within("15m")
forbid (principal, action == Action::"helpdesk/refund_order", resource)
when { context.arguments.amount_cents > 5000 }
unless { context has approval && context.approval.roles.contains("support-leads") };
"#;

/// What the story needs of the estate later on.
#[derive(Debug)]
pub struct Estate {
    pub agent: String,
    pub mcp_url: String,
}

pub async fn build(story: &Story<'_>, people: &People, steps: &mut Steps) -> Result<Estate, Failure> {
    register(people, steps).await?;
    connect(people, steps).await?;
    rule(story, people, steps).await?;
    grant(story, people, steps).await?;
    Ok(Estate { agent: "support".to_owned(), mcp_url: format!("{}/mcp/helpdesk", story.server.addresses.gateway) })
}

/// An agent cannot act before somebody answers for it and its boundary is known.
async fn register(people: &People, steps: &mut Steps) -> Result<(), Failure> {
    people.root.post("/v1/agents", json!({"name": "support"})).await?;
    steps.refused(
        "incomplete agent",
        "agent_incomplete",
        people.root.post("/v1/agents/support/activate", json!({})).await,
    );
    let profile = json!({
        "owner": "ana",
        "approvers": ["ben"],
        "purpose": "answers customers' questions about their orders and refunds what broke",
        "class": "act",
        "autonomy": 3,
        "data_classes": ["D1", "D2"],
        "environment": "production",
        "review_in_seconds": 90 * 24 * 3600,
    });
    people.root.put("/v1/agents/support", profile).await?;
    let active = people.ana.post("/v1/agents/support/activate", json!({})).await?;
    let status = text(&active, "status");
    steps.note(
        "agent",
        "its owner activates it once its record is complete",
        format!("`support` is {status}"),
        status == "active",
    );
    Ok(())
}

/// Puts the help desk behind the gateway; every tool is pinned to the definition that was shown.
async fn connect(people: &People, steps: &mut Steps) -> Result<(), Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::fault(format!("cannot find this program: {error}"), "run it by its path"))?;
    let spec = json!({"kind": "stdio", "command": program, "arguments": ["sample", "helpdesk"]});
    let proposed = people.root.post("/v1/connectors", json!({"name": "helpdesk", "spec": spec})).await?;
    let approve = approval_of(&proposed);
    steps.refused("own connector", "self_approval", people.root.post(&approve, json!({})).await);
    let active = people.mia.post(&approve, json!({})).await?;
    let status = text(&active, "status");
    let happened = format!("root proposed `helpdesk`, mia approved it: it is {status}");
    steps.note(
        "change control",
        "what root adds waits for mia",
        happened,
        text(&proposed, "status") == "pending" && status == "active",
    );
    let offered = people.root.get("/v1/connectors/helpdesk/tools").await?;
    let tools = offered.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    // The story is about tools; what the server may ask of its caller stays unapproved.
    let choices: Vec<Value> = tools.iter().filter(|tool| !text(tool, "tool").starts_with('@')).map(choice).collect();
    let proposed = people.root.post("/v1/connectors/helpdesk/approve-tools", json!({"choices": choices})).await?;
    people.mia.post(&approval_of(&proposed), json!({})).await?;
    let pinned = people.mia.get("/v1/operations?connector=helpdesk").await?;
    let pinned = pinned.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    let happened = format!("{pinned} tools of a real MCP server are pinned");
    steps.note("connector", "two people agree on each tool as it is now", happened, pinned == 9);
    Ok(())
}

/// Where somebody else says yes to what was proposed.
fn approval_of(proposed: &Value) -> String {
    format!("/v1/changes/{}/approve", text(proposed, "change"))
}

/// What is proposed, except that a refund is for the story's own rule to ask about: the starter set would ask about each.
fn choice(tool: &Value) -> Value {
    let is_refund = text(tool, "tool") == "refund_order";
    let proposed =
        |name: &str| tool.get("proposed").and_then(|proposed| proposed.get(name)).cloned().unwrap_or_default();
    json!({
        "tool": tool.get("tool"),
        "verb": proposed("verb"),
        "risk": if is_refund { json!(2) } else { proposed("risk") },
        "data": "D1",
        "external": if is_refund { json!(false) } else { proposed("external") },
        "digest": tool.get("digest"),
    })
}

/// A rule is proposed by one person and activated by another.
async fn rule(story: &Story<'_>, people: &People, steps: &mut Steps) -> Result<(), Failure> {
    let propose = json!({"edits": [{"name": "refunds", "text": RULE}], "reason": "large refunds went out by mistake"});
    let change = people.root.post("/v1/policies", propose).await?;
    let approve = approval_of(&change);
    steps.refused("own change", "self_approval", people.root.post(&approve, json!({})).await);
    if story.broken == Broken::Approval {
        return Ok(());
    }
    let active = people.mia.post(&approve, json!({})).await?;
    let status = text(&active, "status");
    steps.note(
        "policy",
        "another administrator activates the rule",
        format!("`large-refunds-ask` is {status}"),
        status == "active",
    );
    Ok(())
}

/// A grant is asked for by one person and approved by another, and has an end.
async fn grant(story: &Story<'_>, people: &People, steps: &mut Steps) -> Result<(), Failure> {
    let mut operations = vec![
        "helpdesk/find_customer",
        "helpdesk/show_customer",
        "helpdesk/list_orders",
        "helpdesk/show_order",
        "helpdesk/refund_order",
    ];
    if story.broken == Broken::Boundary {
        operations.push("helpdesk/close_account");
    }
    let request = json!({"agent": "support", "operations": operations, "reason": "first line of support", "ttl_seconds": 30 * 24 * 3600});
    let requested = people.ana.post("/v1/grants", request).await?;
    let approve = format!("/v1/grants/{}/approve", text(&requested, "id"));
    steps.refused("own grant", "self_approval", people.ana.post(&approve, json!({})).await);
    let given = approve_grant(&people.ben, &approve).await?;
    steps.note(
        "grant",
        "ben approves what ana asked for, for 30 days",
        format!("given until {given}"),
        !given.is_empty(),
    );
    Ok(())
}

async fn approve_grant(ben: &Client, path: &str) -> Result<String, Failure> {
    Ok(text(&ben.post(path, json!({})).await?, "expires_at"))
}

/// A text member of an answer.
pub fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
