use remit_domain::limits::PATTERNS_MAX;
use remit_domain::{ConnectorSpec, DataClass, State, Verb};
use serde_json::json;

use super::{Meaning, parse};
use crate::oauth::target::Target;

const GATEWAY: &str = "http://gateway/mcp";

#[test]
fn an_entry_about_another_place_is_refused() {
    let (state, target) = (State::default(), Target::whole(GATEWAY));
    let meaning = Meaning { state: &state, gateway: GATEWAY, target: &target };
    for resource in
        ["https://other.example/mcp", "http://gateway/mcp", "http://gateway/mcp/nothing", "http://gateway/mcpx"]
    {
        let entries = json!([{"type": "mission_resource_access", "resource": resource, "actions": ["*"]}]);
        let entries = parse(Some(&entries.to_string())).unwrap();
        assert_eq!(meaning.of(&entries).unwrap_err().error, "invalid_authorization_details", "{resource}");
    }
}

#[test]
fn what_is_no_entry_is_refused() {
    assert!(parse(None).unwrap().is_empty());
    for text in ["", "[]", "{}", "[{}]", r#"[{"type": "other"}]"#, r#"[{"type": "a", "type": "b"}]"#] {
        assert_eq!(parse(Some(text)).unwrap_err().error, "invalid_authorization_details", "{text}");
    }
}

#[tokio::test]
async fn a_family_that_is_too_large_is_refused() {
    let world = remit_testkit::World::new().await;
    let tool = |number| remit_testkit::operation(&format!("t.{number}"), Verb::Read, 0, DataClass::D0, &json!({}));
    let spec = ConnectorSpec::Http { url: "http://localhost:1/mcp".to_owned() };
    world.connector("crm", spec, (0..=PATTERNS_MAX).map(tool).collect()).await;
    let (state, target) = (world.engine.state(), Target::whole(GATEWAY));
    let meaning = Meaning { state: &state, gateway: GATEWAY, target: &target };
    let of = |action: &str| {
        let resource = format!("{GATEWAY}/crm");
        let entries = json!([{"type": "mission_resource_access", "resource": resource, "actions": [action]}]);
        meaning.of(&parse(Some(&entries.to_string())).unwrap())
    };
    assert_eq!(of("t.*").unwrap_err().code(), "bad_authority");
    assert_eq!(of("t.1").unwrap()[0].operations.len(), 1);
}
