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
