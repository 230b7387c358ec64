use remit_domain::Moment;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn sent(session: u128, value: &str) -> Sent {
    let fields = vec![("reason".to_owned(), value.to_owned())];
    Sent { session: Moment::new(NOW, session).fresh_id(), fields }
}

#[test]
fn a_form_is_given_back_to_whoever_sent_it_for_a_while() {
    let (forms, own, other) = (KeptForms::default(), sent(1, "done"), sent(2, "done"));
    let id = forms.keep(&own, "/tasks/tsk_1/end", NOW).unwrap();
    let kept = forms.find(&id, own.session, NOW).unwrap();
    assert_eq!((kept.address.as_str(), &kept.fields), ("/tasks/tsk_1/end", &own.fields));
    assert_eq!(forms.find(&id, other.session, NOW), None, "another session");
    assert_eq!(forms.find("", own.session, NOW), None);
    assert_eq!(forms.find(&id, own.session, NOW.plus_seconds(limits::FORM_SECONDS_KEPT)), None, "too late");
}

#[test]
fn nothing_is_kept_that_leads_elsewhere_or_counts_once() {
    let forms = KeptForms::default();
    for address in ["//evil.example/tasks", "https://evil.example/", "/\\evil.example", ""] {
        assert_eq!(forms.keep(&sent(1, "done"), address, NOW), None, "{address}");
    }
    let mut signed = sent(1, "laptop");
    signed.fields.push(("ceremony".to_owned(), "1.2.3".to_owned()));
    assert_eq!(forms.keep(&signed, "/passkeys", NOW), None);
}

#[test]
fn many_forms_take_bounded_memory_and_crowd_out_their_own_first() {
    let forms = KeptForms::default();
    let others = forms.keep(&sent(2, "mine"), "/agents", NOW).unwrap();
    let ids: Vec<String> = (0..=limits::FORMS_KEPT_EACH_MAX)
        .map(|nth| forms.keep(&sent(1, &nth.to_string()), "/agents", NOW).unwrap())
        .collect();
    let session = sent(1, "").session;
    assert_eq!(forms.find(&ids[0], session, NOW), None, "the oldest of the same session went");
    assert!(ids[1..].iter().all(|id| forms.find(id, session, NOW).is_some()));
    assert!(forms.find(&others, sent(2, "").session, NOW).is_some());

    let large = "x".repeat(limits::FORMS_KEPT_BYTES_MAX / 4);
    for session in 10..20 {
        forms.keep(&sent(session, &large), "/agents", NOW).unwrap();
    }
    let held: usize = forms.0.lock().unwrap().iter().map(|kept| kept.bytes()).sum();
    assert!(held <= limits::FORMS_KEPT_BYTES_MAX);
    let too_large = "x".repeat(limits::FORMS_KEPT_BYTES_MAX);
    assert_eq!(forms.keep(&sent(30, &too_large), "/agents", NOW), None);
}
