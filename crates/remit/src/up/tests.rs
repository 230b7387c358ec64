use super::*;

fn arguments(listen: Option<&str>) -> UpArgs {
    UpArgs { config: None, dev: true, sandbox_listen: listen.map(|listen| listen.parse().unwrap()) }
}

#[test]
fn a_sandbox_is_opened_only_when_asked_for() {
    let config = Config::default();
    assert_eq!(sandbox(&UpArgs { dev: false, ..arguments(None) }, &config).unwrap(), None);
    assert_eq!(sandbox(&arguments(None), &config).unwrap(), Some(config.sandbox.listen));
    assert_eq!(sandbox(&arguments(Some("[::1]:0")), &config).unwrap(), Some("[::1]:0".parse().unwrap()));
}

#[test]
fn a_production_realm_has_no_sandbox() {
    let mut config = Config::default();
    config.realm.production = true;
    let Failure::Refused(refusal) = sandbox(&arguments(None), &config).unwrap_err() else { panic!("not a refusal") };
    assert_eq!(refusal.code, "production_realm");
}

#[test]
fn a_sandbox_is_not_for_other_machines() {
    assert!(matches!(sandbox(&arguments(Some("0.0.0.0:7489")), &Config::default()), Err(Failure::Usage(_))));
    assert!(matches!(sandbox(&arguments(Some("192.0.2.1:7489")), &Config::default()), Err(Failure::Usage(_))));
}
