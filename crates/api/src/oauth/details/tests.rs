use remit_domain::State;
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
