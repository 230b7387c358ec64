use proptest::prelude::*;

use super::*;

#[test]
fn names_of_agents_and_runs_go_together_and_apart() {
    let agent = SpiffeId::agent("example.org", "triage", "production").unwrap();
    assert_eq!(agent.as_str(), "spiffe://example.org/agent/triage/production");
    assert_eq!(agent.trust_domain(), "example.org");
    assert_eq!(agent.agent_name(), Some(AgentName { name: "triage", environment: "production", run: None }));
    let run = SpiffeId::run("example.org", "triage", "production", "r1").unwrap();
    assert_eq!(run.to_string(), "spiffe://example.org/agent/triage/production/run/r1");
    assert_eq!(run.agent_name(), Some(AgentName { name: "triage", environment: "production", run: Some("r1") }));
}

#[test]
fn other_names_are_no_agents() {
    for text in [
        "spiffe://example.org",
        "spiffe://example.org/agent/a",
        "spiffe://example.org/service/a/b",
        "spiffe://example.org/agent/a/b/c",
        "spiffe://example.org/agent/a/b/run",
        "spiffe://example.org/agent/a/b/run/c/d",
    ] {
        assert_eq!(SpiffeId::parse(text).unwrap().agent_name(), None, "{text}");
    }
}

#[test]
fn odd_spellings_are_refused() {
    for (text, error) in [
        ("", SpiffeIdError::Scheme),
        ("https://example.org/a", SpiffeIdError::Scheme),
        ("SPIFFE://example.org/a", SpiffeIdError::Scheme),
        ("spiffe://", SpiffeIdError::TrustDomain),
        ("spiffe:///a", SpiffeIdError::TrustDomain),
        ("spiffe://Example.org/a", SpiffeIdError::TrustDomain),
        ("spiffe://example.org:8080/a", SpiffeIdError::TrustDomain),
        ("spiffe://user@example.org/a", SpiffeIdError::TrustDomain),
        ("spiffe://example.org?a", SpiffeIdError::TrustDomain),
        ("spiffe://example.org/", SpiffeIdError::Path),
        ("spiffe://example.org/a/", SpiffeIdError::Path),
        ("spiffe://example.org//a", SpiffeIdError::Path),
        ("spiffe://example.org/./a", SpiffeIdError::Path),
        ("spiffe://example.org/../a", SpiffeIdError::Path),
        ("spiffe://example.org/a%20b", SpiffeIdError::Path),
        ("spiffe://example.org/a?b", SpiffeIdError::Path),
        ("spiffe://example.org/a#b", SpiffeIdError::Path),
        ("spiffe://example.org/ä", SpiffeIdError::Path),
    ] {
        assert_eq!(SpiffeId::parse(text), Err(error), "{text}");
    }
    assert!(SpiffeId::parse("spiffe://example.org/.../..a").is_ok());
}

#[test]
fn lengths_are_bounded() {
    let domain = "a".repeat(limits::TRUST_DOMAIN_BYTES_MAX);
    assert!(SpiffeId::parse(&format!("spiffe://{domain}")).is_ok());
    assert_eq!(SpiffeId::parse(&format!("spiffe://{domain}a")), Err(SpiffeIdError::TrustDomain));
    let path = "a".repeat(limits::SPIFFE_ID_BYTES_MAX);
    assert_eq!(SpiffeId::parse(&format!("spiffe://b/{path}")), Err(SpiffeIdError::TooLong));
}

#[test]
fn one_part_cannot_pass_for_two() {
    assert_eq!(SpiffeId::agent("example.org", "a/b", "c"), Err(SpiffeIdError::Path));
    assert_eq!(SpiffeId::agent("example.org", "a", "b/run/c"), Err(SpiffeIdError::Path));
    assert_eq!(SpiffeId::agent("example.org", "", "b"), Err(SpiffeIdError::Path));
    assert_eq!(SpiffeId::agent("example.org/x", "a", "b"), Err(SpiffeIdError::TrustDomain));
    assert_eq!(SpiffeId::run("example.org", "a", "b", "c/d"), Err(SpiffeIdError::Path));
}

#[test]
fn serde_reads_only_good_names() {
    let id = SpiffeId::agent("example.org", "a", "b").unwrap();
    let text = serde_json::to_string(&id).unwrap();
    assert_eq!(serde_json::from_str::<SpiffeId>(&text).unwrap(), id);
    assert!(serde_json::from_str::<SpiffeId>("\"spiffe://\"").is_err());
}

proptest! {
    #[test]
    fn never_panics(text in "(spiffe://)?\\PC{0,60}") {
        if let Ok(id) = SpiffeId::parse(&text) {
            prop_assert_eq!(id.as_str(), text.as_str());
            let _: Option<AgentName<'_>> = id.agent_name();
        }
    }
}

#[test]
fn trust_domains_and_doors_have_names() {
    let domain = SpiffeId::domain("example.org").unwrap();
    assert_eq!((domain.as_str(), domain.has_path()), ("spiffe://example.org", false));
    let door = SpiffeId::door("example.org", "gateway").unwrap();
    assert_eq!((door.as_str(), door.has_path()), ("spiffe://example.org/remit/gateway", true));
    assert!(SpiffeId::domain("example.org/a").is_err());
    assert!(SpiffeId::door("example.org", "a/b").is_err());
    assert!(door.agent_name().is_none());
}
