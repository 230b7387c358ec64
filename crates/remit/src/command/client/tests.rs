use bytes::Bytes;
use http::StatusCode;

use super::{Lines, base_of, refusal_of};
use crate::command::Failure;
use crate::command::address::{path, with_query};

#[test]
fn an_address_is_plain_and_bare() {
    assert_eq!(base_of("http://127.0.0.1:7470/").unwrap(), "http://127.0.0.1:7470");
    for url in
        ["127.0.0.1:7470", "ftp://host", "http://user:secret@host", "http://host/v1", "http://host?x=1", "", "http://"]
    {
        assert!(matches!(base_of(url), Err(Failure::Usage(_))), "{url}");
    }
}

#[test]
fn what_people_type_stays_one_segment() {
    assert_eq!(path(&["agents", "triage", "card"]), "/v1/agents/triage/card");
    assert_eq!(path(&["agents", "../people?x=1#y", "ä"]), "/v1/agents/..%2Fpeople%3Fx%3D1%23y/%C3%A4");
    assert_eq!(
        with_query("/v1/tasks", &[("agent", Some("a&b".to_owned())), ("status", None)]),
        "/v1/tasks?agent=a%26b"
    );
}

#[test]
fn events_are_read_however_they_are_cut() {
    let text = b"id: 1\nevent: record\ndata: {\"seq\":1}\n\n: quiet\n\ndata: {\"seq\":2}\n\n";
    for size in 1..text.len() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in text.chunks(size) {
            seen.extend(lines.push(&Bytes::copy_from_slice(piece)).unwrap());
        }
        let seen: Vec<u64> = seen.iter().filter_map(|event| event["seq"].as_u64()).collect();
        assert_eq!(seen, [1, 2], "{size}");
    }
}

#[test]
fn a_line_without_end_is_not_collected_for_ever() {
    let mut lines = Lines::default();
    let piece = Bytes::from(vec![b'x'; 300 * 1024]);
    assert!((0..10).any(|_| lines.push(&piece).is_err()));
}

#[test]
fn a_problem_becomes_a_refusal_and_a_fault_stays_one() {
    let body = br#"{"code":"not_found","detail":"there is no agent `x`","help":"look","status":404,"fields":[{"field":"a","sentence":"b"}]}"#;
    let Failure::Refused(refusal) = refusal_of(StatusCode::NOT_FOUND, body) else { panic!("a refusal") };
    assert_eq!((refusal.code.as_str(), refusal.fields.len()), ("not_found", 1));
    assert!(matches!(refusal_of(StatusCode::SERVICE_UNAVAILABLE, body), Failure::Fault(_)));
    assert!(matches!(refusal_of(StatusCode::BAD_GATEWAY, b"<html>"), Failure::Fault(_)));
}
