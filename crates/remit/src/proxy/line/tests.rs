use super::*;

#[test]
fn lines_end_at_line_feeds_and_at_the_end() {
    let mut input: &[u8] = b"one\n\ntwo\r\nthree";
    let mut next = || read(&mut input, 10).unwrap();
    assert_eq!(next(), Some(Line::Whole(b"one".to_vec())));
    assert_eq!(next(), Some(Line::Whole(Vec::new())));
    // White space to JSON.
    assert_eq!(next(), Some(Line::Whole(b"two\r".to_vec())));
    assert_eq!(next(), Some(Line::Whole(b"three".to_vec())));
    assert_eq!(next(), None);
}

#[test]
fn a_line_that_is_too_long_is_dropped_and_the_next_is_read() {
    let mut input = io::BufReader::with_capacity(2, b"123456\n12345\nend".as_slice());
    let mut next = || read(&mut input, 5).unwrap();
    assert_eq!(next(), Some(Line::TooLong));
    assert_eq!(next(), Some(Line::Whole(b"12345".to_vec())));
    assert_eq!(next(), Some(Line::Whole(b"end".to_vec())));
    assert_eq!(next(), None);
}
