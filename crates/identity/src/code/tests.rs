use super::*;

#[test]
fn a_code_matches_its_own_digest_only() {
    let code = OneTimeCode::generate("signin_").unwrap();
    let kept = code.digest();
    assert!(code.expose().starts_with("signin_"));
    assert_eq!(code.expose().len(), "signin_".len() + 43);
    assert!(matches(code.expose(), &kept));
    assert!(!matches(&code.expose()["signin_".len()..], &kept), "the prefix counts");
    assert!(!matches(OneTimeCode::generate("signin_").unwrap().expose(), &kept));
    assert!(!matches("", &kept));
    assert!(!matches(code.expose(), ""));
}

#[test]
fn the_digest_is_plain_sha_256() {
    assert_eq!(digest_of("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

#[test]
fn nothing_secret_is_shown() {
    assert_eq!(format!("{:?}", OneTimeCode::generate("s_").unwrap()), "OneTimeCode(secret)");
}
