use proptest::prelude::*;

use super::*;

fn read(pieces: &[&[u8]]) -> Vec<String> {
    let mut reader = Reader::new(1_000);
    let messages = pieces.iter().flat_map(|piece| reader.feed(piece).unwrap());
    messages.map(|message| String::from_utf8(message).unwrap()).collect()
}

#[test]
fn messages_are_read_as_servers_write_them() {
    let stream = "\u{feff}id: 1\nretry: 3000\ndata: \n\n: ping\n\nevent: message\r\ndata: {\"a\":1}\r\n\r\ndata:two\rdata: lines\r\r\
                  event: other\ndata: no\n\nevent: message\n\ndata: last\n\n";
    assert_eq!(read(&[stream.as_bytes()]), ["{\"a\":1}", "two\nlines", "last"]);
}

#[test]
fn what_is_written_can_be_read() {
    let written = [comment("waiting"), message(b"{\"x\":\"y\"}")].concat();
    assert_eq!(read(&[&written]), ["{\"x\":\"y\"}"]);
}

#[test]
fn an_event_has_a_largest_size() {
    let mut reader = Reader::new(10);
    assert_eq!(reader.feed(b"data: 0123456789abc"), Err(EventTooLarge(10)));
    let mut reader = Reader::new(10);
    assert!(reader.feed(b"data:12345\ndata:67890\n\n").is_err());
}

#[test]
fn an_unfinished_event_is_none() {
    assert!(read(&[b"data: {}\n"]).is_empty());
}

proptest! {
    #[test]
    fn cuts_do_not_matter(stream in "[a:d \r\n]{0,60}", cut in 0_usize..60) {
        let stream = format!("data: x\n{stream}\n\ndata: y\n\n");
        let whole = read(&[stream.as_bytes()]);
        let (first, second) = stream.as_bytes().split_at(cut.min(stream.len()));
        prop_assert_eq!(read(&[first, second]), whole.clone());
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        prop_assert_eq!(read(&bytes), whole);
    }
}

#[test]
fn where_a_stream_broke_off_is_known() {
    let mut reader = Reader::new(1_000);
    assert_eq!(reader.feed(b"id: 1\nretry: 250\ndata: \n\nid: 2\ndata: {\"a\"").unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(reader.last_event_id(), Some("1"), "the second event is not complete");
    assert_eq!(reader.retry_milliseconds(), Some(250));
    reader.restart();
    assert_eq!(reader.feed(b"data: {}\n\n").unwrap(), [b"{}"]);
    assert_eq!(reader.last_event_id(), Some("1"), "an event without an id leaves it as it is");
    reader.feed(b"id\nretry: soon\n\n").unwrap();
    assert_eq!((reader.last_event_id(), reader.retry_milliseconds()), (None, Some(250)));
}
