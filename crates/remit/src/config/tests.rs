use std::io::Write;
use std::process::ExitCode;

use super::*;

#[test]
fn an_unknown_key_is_an_error_with_the_nearest_name() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"[gateway]\nlisen = \"127.0.0.1:1\"\n").unwrap();
    let failure = Config::read(Some(file.path())).unwrap_err();
    assert_eq!(failure.exit_code(), ExitCode::from(2));
    let Failure::Configuration(refusal) = failure else { panic!("{failure:?}") };
    assert_eq!(refusal.help.as_deref(), Some("did you mean `listen`?"));
    assert!(refusal.sentence.contains("cannot be used: TOML parse error at line 2"), "{refusal}");
    assert!(refusal.sentence.contains("\n2 | lisen"), "the place is shown as it stands: {refusal}");
}

#[test]
fn nothing_listens_beyond_this_machine_without_tls() {
    let error = Config::parse("[gateway]\nlisten = \"0.0.0.0:7480\"\n").unwrap_err().to_string();
    assert!(error.contains("loopback"), "{error}");
}

#[test]
fn the_defaults_are_what_the_schema_says() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    let schema = Config::schema();
    assert_eq!(schema["properties"]["gateway"]["properties"]["listen"]["default"], "127.0.0.1:7480");
}

#[test]
fn one_source_for_the_key() {
    assert!(Config::parse("[keys]\nfile = \"a\"\nvariable = \"B\"\n").is_err());
}

#[test]
fn a_sandbox_listens_on_this_machine_only() {
    assert_eq!(Config::default().sandbox.listen.to_string(), "127.0.0.1:7489");
    let error = Config::parse("[sandbox]\nlisten = \"0.0.0.0:7489\"\n").unwrap_err().to_string();
    assert!(error.contains("`sandbox.listen`"), "{error}");
}

#[test]
fn a_realm_is_for_production_only_if_it_says_so() {
    assert!(!Config::default().realm.production);
    assert!(Config::parse("[realm]\nproduction = true\n").unwrap().realm.production);
    assert_eq!(Config::schema()["properties"]["realm"]["properties"]["production"]["type"], "boolean");
}

#[test]
fn with_tls_anybody_may_be_listened_to() {
    let tls = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
    Config::parse(&format!("{tls}[gateway]\nlisten = \"192.0.2.1:7480\"\n")).unwrap();
    let named = "[gateway]\nlisten = \"0.0.0.0:7480\"\npublic_url = \"https://remit.example:7480\"\n";
    Config::parse(&format!("{tls}{named}")).unwrap();
    let error = Config::parse("[tls]\ncertificate = \"a\"\n").unwrap_err().to_string();
    assert!(error.contains("without its key"), "{error}");
    let error = Config::parse(&format!("{tls}[sandbox]\nlisten = \"192.0.2.1:1\"\n")).unwrap_err().to_string();
    assert!(error.contains("`sandbox.listen`"), "{error}");
}

#[test]
fn whoever_listens_everywhere_has_a_name() {
    let tls = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
    let refused = Config::parse(&format!("{tls}[control]\nlisten = \"0.0.0.0:7470\"\n")).unwrap_err();
    assert!(refused.help.as_deref().is_some_and(|help| help.contains("control.public_url")), "{refused}");
    let refused = Config::parse("[control]\nmtls_listen = \"[::]:7471\"\n").unwrap_err();
    assert!(refused.to_string().contains("every address"), "{refused}");
    let refused = Config::parse(&format!("{tls}[control]\npublic_url = \"http://remit.example\"\n")).unwrap_err();
    assert!(refused.to_string().contains("https only"), "{refused}");
    assert!(Config::parse("[control]\npublic_url = \"remit.example\"\n").is_err());
}

#[test]
fn certificates_are_asked_for_at_any_address() {
    let config = Config::parse("[gateway]\nmtls_listen = \"192.0.2.1:7481\"\n").unwrap();
    assert_eq!(config.gateway.mtls_listen, Some("192.0.2.1:7481".parse().unwrap()));
    assert_eq!(Config::default().gateway.mtls_listen, None);
}

#[test]
fn issuers_elsewhere_are_named_with_their_keys() {
    let config = Config::parse(
        r#"
        [[identity.federation]]
        trust_domain = "partner.example"
        bundle_url = "https://partner.example/bundle"
        [[identity.oidc]]
        issuer = "https://builds.example"
        jwks_file = "/etc/remit/builds.json"
        audience = "remit"
        claims = { repository = "acme/shop", ref = ["refs/heads/main", "refs/tags/*"] }
        agent = "releaser"
        [[signals.transmitter]]
        issuer = "https://idp.example"
        jwks_url = "https://idp.example/jwks"
        audience = "https://remit.example"
        [[signals.receiver]]
        url = "http://127.0.0.1:9000/events"
        bearer_variable = "SOC_TOKEN"
        [oauth]
        metadata_networks = ["10.0.0.0/8", "fd00::/8"]
        "#,
    )
    .unwrap();
    assert_eq!(
        config.identity.federation[0].source().unwrap(),
        Source::Url("https://partner.example/bundle".parse().unwrap())
    );
    assert_eq!(config.identity.oidc[0].source().unwrap(), Source::File("/etc/remit/builds.json".into()));
    assert_eq!(config.identity.oidc[0].subject_claim, "sub");
    assert_eq!(config.oauth.metadata_networks.len(), 2);
    assert_eq!(config.signals.receiver[0].bearer_variable.as_deref(), Some("SOC_TOKEN"));
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_sentence() {
    let federation = "[[identity.federation]]\ntrust_domain = \"partner.example\"\n";
    let oidc = "[[identity.oidc]]\nissuer = \"https://builds.example\"\n";
    let transmitter = "[[signals.transmitter]]\nissuer = \"https://idp.example\"\naudience = \"a\"\n";
    let cases = [
        (federation.to_owned(), "one source"),
        (format!("{federation}bundle_url = \"http://partner.example/\"\n"), "on the way"),
        (format!("{federation}bundle_url = \"https://u:p@partner.example/\"\n"), "on the way"),
        (format!("{federation}bundle_file = \"a\"\nbundle_url = \"https://b.example\"\n"), "one source"),
        (format!("{federation}bundle_file = \"a\"\n{federation}bundle_file = \"b\"\n"), "two tables"),
        (format!("{federation}bundle_fil = \"a\"\n"), "unknown field"),
        ("[[identity.federation]]\ntrust_domain = \"remit.local\"\nbundle_file = \"a\"\n".to_owned(), "itself"),
        ("[[identity.federation]]\ntrust_domain = \"Remit\"\nbundle_file = \"a\"\n".to_owned(), "no trust domain"),
        ("[[identity.federation]]\ntrust_domain = \"a.b/c\"\nbundle_file = \"a\"\n".to_owned(), "no trust domain"),
        (format!("{oidc}jwks_file = \"a\"\naudience = \"\"\nclaims = {{ a = \"b\" }}\n"), "`audience`"),
        (format!("{oidc}jwks_file = \"a\"\naudience = \"r\"\nclaims = {{}}\n"), "rules on claims"),
        (format!("{oidc}jwks_file = \"a\"\naudience = \"r\"\nclaims = {{ a = \"*\" }}\n"), "claim `a`"),
        (format!("{oidc}jwks_file = \"a\"\n"), "missing field `audience`"),
        (
            "[[identity.oidc]]\nissuer = \"builds\"\njwks_file = \"a\"\naudience = \"r\"\nclaims = {}\n".to_owned(),
            "not an address",
        ),
        (format!("{transmitter}jwks_url = \"http://idp.example/\"\n"), "on the way"),
        (format!("{transmitter}jwks_file = \"a\"\n{transmitter}jwks_file = \"a\"\n"), "two tables"),
        ("[[signals.receiver]]\nurl = \"http://soc.example/\"\n".to_owned(), "on the way"),
        ("[oauth]\nmetadata_networks = [\"10.0.0.1/8\"]\n".to_owned(), "range of addresses"),
        ("[identity]\nsvid_seconds = 5\n".to_owned(), "`identity.svid_seconds`"),
        ("[identity]\nrotate_keys_days = 0\n".to_owned(), "`identity.rotate_keys_days`"),
        ("[workload]\nsocket = \"workload.sock\"\n".to_owned(), "absolute"),
    ];
    for (text, expected) in cases {
        let error = Config::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn hooks_are_closed_unless_an_address_is_given() {
    assert_eq!(Config::default().hooks.listen, None);
    let config = Config::parse("hooks.listen = '127.0.0.1:7484'").unwrap();
    assert_eq!(config.hooks.listen, Some("127.0.0.1:7484".parse().unwrap()));
    let error = Config::parse("hooks.listen = '192.0.2.1:7484'").unwrap_err().to_string();
    assert!(error.contains("`hooks.listen` is `192.0.2.1:7484`"), "{error}");
    let error = Config::parse("hooks.mtls_listen = '0.0.0.0:7484'").unwrap_err().to_string();
    assert!(error.contains("every address of this machine"), "{error}");
    assert!(Config::parse("hooks.mtls_listen = '192.0.2.1:7484'").is_ok());
}

#[test]
fn the_schema_knows_tables_that_come_more_than_once() {
    let schema = Config::schema();
    let federation = &schema["properties"]["identity"]["properties"]["federation"];
    assert_eq!(federation["type"], "array");
    assert_eq!(federation["items"]["additionalProperties"], false);
    assert_eq!(federation["items"]["required"], serde_json::json!(["trust_domain"]));
    assert_eq!(schema["properties"]["identity"]["properties"]["svid_seconds"]["default"], 3600);
    assert_eq!(schema["properties"]["workload"]["properties"]["enabled"]["default"], true);
    assert_eq!(schema["additionalProperties"], false);
}
