use std::io::Write as _;

use super::*;
use crate::config::SecretSource;

/// The secret, message and signature that the libraries of Standard Webhooks are tested with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECONDS: i64 = 1_614_265_330;
const BODY: &str = r#"{"test": 2432232314}"#;

fn secret(text: &str) -> Secret {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Secret::read(&SecretSource::File(file.path().to_owned()), "the secret").unwrap()
}

#[test]
fn a_notice_is_signed_as_the_specification_says() {
    let keys = keys(&secret(SECRET)).unwrap();
    assert_eq!(signatures(&keys, ID, SECONDS, BODY), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn the_signature_is_over_the_id_the_time_and_every_byte() {
    let keys = keys(&secret(SECRET)).unwrap();
    let genuine = signatures(&keys, ID, SECONDS, BODY);
    assert_ne!(signatures(&keys, "msg_other", SECONDS, BODY), genuine);
    assert_ne!(signatures(&keys, ID, SECONDS + 1, BODY), genuine);
    assert_ne!(signatures(&keys, ID, SECONDS, r#"{"test": 2432232315}"#), genuine);
}

#[test]
fn while_secrets_change_both_sign() {
    let newer = format!("whsec_{}", STANDARD.encode([7; 32]));
    let both = keys(&secret(&format!("{newer}\n{SECRET}\n"))).unwrap();
    let signed = signatures(&both, ID, SECONDS, BODY);
    assert_eq!(signed.split(' ').nth(1), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    assert_eq!(signed.split(' ').count(), 2);
}

#[test]
fn a_secret_that_cannot_be_used_is_refused_and_not_shown() {
    let short = format!("whsec_{}", STANDARD.encode([7; 23]));
    let long = format!("whsec_{}", STANDARD.encode([7; 65]));
    let many = [SECRET; KEYS_MAX + 1].join("\n");
    for wrong in ["hunter2hunter2hunter2hunter2", "whsec_not base64 hunter2", &short, &long, &many] {
        let error = format!("{:?}", keys(&secret(wrong)).unwrap_err());
        assert!(!error.contains("hunter2") && !error.contains("whsec_MfK") && !error.contains("BwcH"), "{error}");
    }
    assert_eq!(format!("{:?}", secret(SECRET)), "Secret(..)");
}
