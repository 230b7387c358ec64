use super::{parse, text, within};
use crate::oauth::target::Target;

fn at(connector: &str) -> Target {
    Target::connector_at("http://gateway/mcp", connector)
}

#[test]
fn a_scope_is_operations() {
    let scope = parse(Some("helpdesk/read_ticket crm/* crm/* offline_access")).unwrap();
    assert_eq!(text(&scope).unwrap(), "helpdesk/read_ticket crm/*");
    assert!(parse(None).unwrap().is_empty());
    assert_eq!(text(&[]), None);
    for bad in ["openid", "*", "a/b*", "/x", "x/"] {
        assert_eq!(parse(Some(bad)).unwrap_err().error, "invalid_scope", "{bad}");
    }
}

#[test]
fn a_token_for_one_connector_never_leads_to_another() {
    let scope = |text| parse(Some(text)).unwrap();
    assert_eq!(within(&at("crm"), Vec::new(), &[]).unwrap(), scope("crm/*"));
    assert_eq!(within(&at("crm"), Vec::new(), &scope("crm/read helpdesk/*")).unwrap(), scope("crm/read"));
    assert_eq!(within(&at("crm"), Vec::new(), &scope("helpdesk/*")).unwrap_err().error, "invalid_scope");
    assert_eq!(within(&at("crm"), scope("helpdesk/read"), &[]).unwrap_err().error, "invalid_scope");
    assert_eq!(within(&at("crm"), scope("crm/read"), &[]).unwrap(), scope("crm/read"));
    assert!(within(&Target::whole("http://gateway/mcp"), Vec::new(), &[]).unwrap().is_empty());
}
