use remit_domain::{ConnectorSpec, DataClass, Event, Verb};
use remit_testkit::operation;
use serde_json::{Value, json};

use super::{Answered, House};

/// A house whose enforcer stands before a server of tools, for an agent of its own.
async fn house() -> House {
    let house = House::of("certification").await;
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() };
    let properties = json!({"id": {"type": "string"}});
    let choices = ["show_order", "refund_order"].map(|tool| operation(tool, Verb::Read, 0, DataClass::D1, &properties));
    house.world.connector("helpdesk", spec, choices.to_vec()).await;
    house.world.grant("enforcer", &["helpdesk/*"], 3_600).await;
    house.world.agent("triage", "ana", |_| {}).await;
    house.world.grant("triage", &["helpdesk/show_order", "record/read"], 3_600).await;
    house
}

fn call(tool: &str, context: Value) -> Value {
    json!({
        "subject": {"type": "identity", "id": "ben"},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": tool},
        "context": context,
    })
}

async fn ask(house: &House, tool: &str, context: Value) -> Answered {
    house.evaluate(&call(tool, context)).await
}

#[tokio::test]
async fn a_tool_of_another_gateway_is_decided_as_at_our_own_door() {
    let house = house().await;
    let params = json!({"name": "show_order", "arguments": {"id": "O-1"}});
    let named = |mut context: Value| {
        context["agent"] = json!("triage");
        context["params"] = params.clone();
        context
    };
    let permitted = ask(&house, "helpdesk/show_order", named(json!({}))).await;
    assert!(permitted.decision(), "{}", permitted.body);
    assert!(ask(&house, "show_order", named(json!({"connector": "helpdesk"}))).await.decision());
    let as_properties = json!({
        "subject": {"type": "identity", "id": "ben"},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": "helpdesk/show_order", "properties": {"id": "O-1"}},
    });
    assert!(house.evaluate(&as_properties).await.decision());
    let records = house.world.records().await;
    let facts = records.iter().find_map(|committed| match &committed.record.event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.clone()),
        _ => None,
    });
    let facts = facts.unwrap();
    assert_eq!(facts.operation.as_str(), "helpdesk/show_order");
    assert_eq!(facts.named, Some(house.world.agent_named("triage")));
    assert_eq!(facts.acting_for, Some(house.world.person_named("ben")));
    let arguments = house.world.engine.content(&facts.arguments, facts.task).await.unwrap().unwrap();
    assert_eq!(arguments, br#"{"id":"O-1"}"#);
}

#[tokio::test]
async fn what_cannot_be_told_apart_or_is_not_known_is_denied() {
    let house = house().await;
    let arguments = json!({"params": {"arguments": {"id": "O-1"}}});
    for (question, code) in [
        // The agent has no grant of its own for it, whatever its gateway has.
        (call("helpdesk/refund_order", json!({"agent": "triage", "params": arguments["params"]})), "denied_by_policy"),
        (call("helpdesk/show_order", json!({"agent": "nobody", "params": arguments["params"]})), "agent_unknown"),
        (call("helpdesk/show_order", json!({"agent": 7})), "agent_unknown"),
        (call("show_order", arguments.clone()), "tool_unnamed"),
        (call("record/read", arguments.clone()), "asked_as_tool"),
        (call("helpdesk/none", arguments.clone()), "operation_unknown"),
        (call("helpdesk/show_order", json!({"params": {"arguments": {"id": 7}}})), "bad_arguments"),
        (call("helpdesk/show_order", json!({"params": {"arguments": []}})), "bad_arguments"),
        // A method that the binding does not know, and a tool that is asked about as if it were somebody else's resource.
        (with_action("tools/invent", "tool", "helpdesk/show_order"), "operation_unknown"),
        (with_action("show_order", "helpdesk", "O-1"), "asked_as_tool"),
        (with_action("order", "helpdesk/show", "O-1"), "operation_unknown"),
    ] {
        let answered = house.evaluate(&question).await;
        assert_eq!((answered.decision(), answered.reason()), (false, code), "{question}");
    }
}

fn with_action(action: &str, kind: &str, id: &str) -> Value {
    json!({
        "subject": {"type": "identity", "id": "ben"},
        "action": {"name": action},
        "resource": {"type": kind, "id": id},
    })
}

#[tokio::test]
async fn an_agent_that_is_named_must_be_allowed_it_as_well() {
    let house = house().await;
    let question = |subject: Value, action: &str| json!({"subject": subject, "action": {"name": action}, "resource": {"type": "record", "id": "record-1"}});
    let agent = json!({"type": "agent", "id": "triage"});
    // The fixture's rule is about people; an agent is none of them.
    let answered = house.evaluate(&question(agent.clone(), "read")).await;
    assert_eq!((answered.decision(), answered.reason()), (false, "denied_by_policy"), "{}", answered.body);
    let alice = json!({"type": "user", "id": "alice"});
    let mut through = question(alice.clone(), "read");
    through["context"] = json!({"agent": "triage"});
    assert!(house.evaluate(&through).await.decision());
    through["action"]["name"] = json!("write");
    let answered = house.evaluate(&through).await;
    assert_eq!((answered.decision(), answered.reason()), (false, "denied_by_policy"));
    let spiffe = house.world.engine.read(|state| {
        let domain = state.realm.as_ref().unwrap().trust_domain.clone();
        state.agent_named("triage").unwrap().spiffe_id(&domain)
    });
    let mut named = question(alice, "read");
    named["context"] = json!({"agent": spiffe});
    assert!(house.evaluate(&named).await.decision());
    let mut two = question(agent, "read");
    two["context"] = json!({"agent": "enforcer"});
    assert_eq!(house.evaluate(&two).await.reason(), "two_agents");
}
