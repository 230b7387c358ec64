use remit_domain::State;

use super::Target;
use crate::oauth::form::Form;

const GATEWAY: &str = "http://gateway/mcp";

impl Target {
    /// The connector `name`, known or not.
    pub(crate) fn connector_at(gateway: &str, name: &str) -> Self {
        Self { address: format!("{gateway}/{name}"), connector: Some(name.to_owned()) }
    }
}

#[test]
fn a_target_is_compared_byte_for_byte() {
    let state = State::default();
    assert_eq!(Target::parse(&state, GATEWAY, GATEWAY).unwrap(), Target::whole(GATEWAY));
    for other in [
        "http://gateway/mcp/",
        "http://gateway",
        "http://GATEWAY/mcp",
        "http://gateway/mcpx",
        "http://gateway/mcp/crm",
        "",
    ] {
        assert_eq!(Target::parse(&state, GATEWAY, other).unwrap_err().error, "invalid_target", "{other}");
    }
}

#[test]
fn resource_and_audience_are_one_place() {
    let state = State::default();
    let asked = |text: &str| Target::asked(&state, GATEWAY, &Form::parse(text.as_bytes()).unwrap());
    let gateway = "http%3A%2F%2Fgateway%2Fmcp";
    assert_eq!(asked("").unwrap(), None);
    assert!(asked(&format!("resource={gateway}&audience={gateway}")).unwrap().is_some());
    assert_eq!(asked(&format!("resource={gateway}&audience=other")).unwrap_err().error, "invalid_target");
}

#[test]
fn one_connector_is_within_the_gateway_and_not_the_other_way_round() {
    let (whole, crm) = (Target::whole(GATEWAY), Target::connector_at(GATEWAY, "crm"));
    assert!(crm.is_within(&whole) && crm.is_within(&crm) && whole.is_within(&whole));
    assert!(!whole.is_within(&crm) && !Target::connector_at(GATEWAY, "helpdesk").is_within(&crm));
}
