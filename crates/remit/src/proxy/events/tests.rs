use super::*;

const STREAM: &str = ": ping\n\nid: 1\ndata:\n\nevent: message\r\ndata: {\"a\":1}\r\n\r\ndata: {\"b\":\ndata: 2}\n\nevent: other\ndata: {}\n\ndata: {\"c\":3}\n";

fn read(pieces: &[&[u8]]) -> Vec<String> {
    let mut events = Events::new(1_000);
    let messages = pieces.iter().flat_map(|piece| events.feed(piece).unwrap());
    messages.map(|message| String::from_utf8(message).unwrap()).collect()
}

#[test]
fn messages_are_read_however_the_stream_is_cut() {
    let expected = ["{\"a\":1}", "{\"b\": 2}"];
    assert_eq!(read(&[STREAM.as_bytes()]), expected);
    let single: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
    assert_eq!(read(&single), expected);
}

#[test]
fn an_event_without_an_end_is_bounded() {
    let mut events = Events::new(10);
    assert!(events.feed(b"data: 1234").is_ok());
    assert_eq!(events.feed(b"5678"), Err(EventTooLarge));
}
