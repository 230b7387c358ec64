use std::io::Write;

use super::*;

fn oidc(more: &str) -> anyhow::Result<OidcSettings> {
    let text = format!("[sign_in.oidc]\nissuer = 'https://idp.example'\nclient_id = 'remit'\n{more}");
    oidc_settings(Config::parse(&text).unwrap().sign_in.oidc.as_ref().unwrap())
}

#[test]
fn the_secret_and_the_authorities_are_read_from_their_files() {
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    secret.write_all(b"hush\n").unwrap();
    let path = secret.path().display();
    let settings = oidc(&format!("client_secret_file = '{path}'\nroots = '{path}'\n")).unwrap();
    assert_eq!(settings.client_secret.unwrap().as_str(), "hush");
    assert_eq!((settings.roots.as_slice(), settings.name.as_str()), (b"hush\n".as_slice(), "your organisation"));
    assert_eq!(oidc("").unwrap().client_secret, None);
}

#[test]
fn what_cannot_be_read_is_named() {
    for (more, named) in [
        ("client_secret_file = '/nowhere'\n", "/nowhere"),
        ("client_secret_variable = 'REMIT_TEST_UNSET'\n", "REMIT_TEST_UNSET"),
        ("roots = '/nowhere'\n", "sign_in.oidc.roots"),
    ] {
        let error = format!("{:#}", oidc(more).unwrap_err());
        assert!(error.contains(named), "{error}");
    }
}
