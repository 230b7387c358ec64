use super::super::Config;
use super::*;

const TABLE: &str = "[sign_in.oidc]\nissuer = 'https://idp.example/tenant'\nclient_id = 'remit'\n";

#[test]
fn nobody_signs_in_elsewhere_unless_it_is_said_where() {
    assert_eq!(Config::parse("").unwrap().sign_in.oidc, None);
    let table = Config::parse(TABLE).unwrap().sign_in.oidc.unwrap();
    assert_eq!((table.name.as_str(), table.client_secret().unwrap()), ("your organisation", None));
    let named = Config::parse(&format!("{TABLE}name = 'Acme'\nclient_secret_variable = 'S'\n")).unwrap();
    let table = named.sign_in.oidc.unwrap();
    assert_eq!(table.client_secret().unwrap(), Some(SecretSource::Variable("S".to_owned())));
    Config::parse(&TABLE.replace("https://idp.example/tenant", "http://127.0.0.1:9000")).unwrap();
}

#[test]
fn what_could_be_forged_or_cannot_be_meant_is_refused() {
    let issuer = |issuer: &str| TABLE.replace("https://idp.example/tenant", issuer);
    let wrong = [
        (issuer("http://idp.example"), "anybody on the way could change"),
        (issuer("https://u:p@idp.example"), "anybody on the way could change"),
        (issuer("idp.example"), "not the address of an issuer"),
        (issuer("https://idp.example?tenant=1"), "not the address of an issuer"),
        (TABLE.replace("'remit'", "''"), "`client_id`"),
        (format!("{TABLE}name = ' '\n"), "`name`"),
        (format!("{TABLE}name = '{}'\n", "n".repeat(65)), "`name`"),
        (format!("{TABLE}client_secret_file = 'a'\nclient_secret_variable = 'B'\n"), "two places"),
        (format!("{TABLE}client_secret = 'hush'\n"), "unknown field `client_secret`"),
    ];
    for (text, why) in wrong {
        let error = Config::parse(&text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn passkeys_are_required_where_it_is_said() {
    assert_eq!(Config::parse("").unwrap().sign_in.passkeys, PasskeysWanted::Optional);
    let wanted = Config::parse("[sign_in]\npasskeys = 'required'\n").unwrap().sign_in.passkeys;
    assert_eq!(wanted, PasskeysWanted::Required);
    let error = Config::parse("[sign_in]\npasskeys = 'sometimes'\n").unwrap_err().to_string();
    assert!(error.contains("passkeys"), "{error}");
}
