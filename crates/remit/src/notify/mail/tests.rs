use remit_domain::{Moment, Timestamp};
use serde_json::Value;

use super::super::notice::shown;
use super::*;
use crate::config::Config;

const SETTINGS: &str = "[notify.smtp]\nserver = \"127.0.0.1\"\ntls = \"none\"\nfrom = \"Remit <remit@remit.example>\"\n\
                        [notify.smtp.addresses]\nana = \"ana@people.example\"\n";

fn mail(text: &str) -> Mail {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    Mail::new(&Config::parse(text).unwrap().notify.smtp.unwrap()).unwrap()
}

fn written(headline: &str, fact: &str) -> String {
    let person = Moment::new(Timestamp::from_millis(0), 1).fresh_id();
    let to = Recipient { person, name: "ana".to_owned() };
    let notice = Notice {
        id: "rlm-7".to_owned(),
        kind: "approval_requested",
        at: Timestamp::from_millis(1_800_000_000_000),
        headline: shown(headline),
        facts: vec![("Operation", shown(fact))],
        page: "http://127.0.0.1:7470/approvals/apr_1".to_owned(),
        to: vec![to.clone()],
        document: Value::Null,
    };
    let message = mail(SETTINGS).message(&notice, &to, &"ana@people.example".parse().unwrap()).unwrap();
    String::from_utf8(message.formatted()).unwrap()
}

#[test]
fn a_mail_says_who_it_is_from_and_leads_to_the_page() {
    let mail = written("The agent support waits for an answer", "desk/refund_order");
    for line in [
        "From: Remit <remit@remit.example>",
        "To: ana@people.example",
        "Subject: Remit: The agent support waits for an answer",
        "Auto-Submitted: auto-generated",
        "Operation: desk/refund_order",
        "http://127.0.0.1:7470/approvals/apr_1",
        "Nothing can be answered by this mail.",
    ] {
        assert!(mail.lines().any(|own| own.trim_end() == line), "{line} in {mail}");
    }
    assert!(mail.contains("Message-ID: <rlm-7.prs_"), "{mail}");
}

#[test]
fn no_header_is_smuggled_in() {
    let mail = written("x\r\nBcc: all@evil.example", "y\r\n.\r\nMAIL FROM:<z@evil.example>");
    let (headers, body) = mail.split_once("\r\n\r\n").unwrap();
    assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
    assert!(!body.lines().any(|line| line.starts_with('.') || line.starts_with("MAIL")), "{body}");
}

#[test]
fn a_password_goes_to_nobody_who_could_be_anybody() {
    let remote = SETTINGS.replace("127.0.0.1", "mail.example");
    let refused = Config::parse(&remote).unwrap_err().to_string();
    assert!(refused.contains("anybody on the way"), "{refused}");
    let encrypted = remote.replace("tls = \"none\"\n", "");
    let settings = Config::parse(&encrypted).unwrap().notify.smtp.unwrap();
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    assert!(matches!(tls(&settings).unwrap(), Tls::Required(_)), "left out by nobody");
    let implicit = Config::parse(&remote.replace("\"none\"", "\"implicit\"")).unwrap().notify.smtp.unwrap();
    assert!(matches!(tls(&implicit).unwrap(), Tls::Wrapper(_)));
}
