use proptest::prelude::*;

use super::*;
use crate::hpack::Reader;
use crate::hpack::tests::{Manner, Writer, any_field, field};

/// A frame as it lies on the wire.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    FrameHeader { length: payload.len(), kind, flags, stream }.write(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes.to_vec()
}

/// What the server gets, whole frames only.
fn frames(mut bytes: BytesMut) -> Vec<(FrameHeader, BytesMut)> {
    assert_eq!(bytes.split_to(PREFACE.len()), PREFACE);
    let mut frames = Vec::new();
    while let Some(header) = FrameHeader::take(&mut bytes) {
        let payload = bytes.split_to(header.length);
        frames.push((header, payload));
    }
    assert!(bytes.is_empty());
    frames
}

/// Rewrites `parts` as one connection's bytes, in pieces of `piece` bytes.
fn rewritten(parts: &[Vec<u8>], piece: usize) -> Result<BytesMut, Malformed> {
    let (mut rewriter, mut output) = (Rewriter::default(), BytesMut::new());
    for piece in [PREFACE, &parts.concat()].concat().chunks(piece) {
        rewriter.push(piece, &mut output)?;
    }
    Ok(output)
}

fn block(writer: &mut Writer, fields: &[Field]) -> BytesMut {
    let mut block = BytesMut::new();
    fields.iter().for_each(|field| writer.write(field, Manner::Indexed { huffman: true }, &mut block));
    block
}

fn request(authority: &str) -> Vec<Field> {
    vec![
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", "/SpiffeWorkloadAPI/FetchX509SVID"),
        field(":authority", authority),
        field("workload.spiffe.io", "true"),
    ]
}

#[test]
fn the_path_of_a_socket_becomes_a_host() {
    let mut writer = Writer::default();
    let first = block(&mut writer, &request("run%2Fremit%2Fworkload.sock"));
    let second = block(&mut writer, &request("run%2Fremit%2Fworkload.sock"));
    assert!(second.len() < 8, "the second request refers to the first");
    let settings = frame(4, 0, 0, &[0; 6]);
    let parts = [
        settings.clone(),
        frame(HEADERS, END_HEADERS, 1, &first),
        frame(0, END_STREAM, 1, b"body"),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &second),
    ];
    for piece in [1, 7, 4_096] {
        let frames = frames(rewritten(&parts, piece).unwrap());
        let kinds: Vec<u8> = frames.iter().map(|(header, _)| header.kind).collect();
        assert_eq!(kinds, [4, HEADERS, 0, HEADERS]);
        assert_eq!(frames[0].1, &settings[9..]);
        assert_eq!(frames[2].1, b"body".as_slice());
        for (at, flags, stream) in [(1, END_HEADERS, 1), (3, END_HEADERS | END_STREAM, 3)] {
            assert_eq!((frames[at].0.flags, frames[at].0.stream), (flags, stream));
            // Each can be read without the other.
            assert_eq!(Reader::default().read(&frames[at].1).unwrap(), request("localhost"));
        }
    }
}

#[test]
fn a_request_without_a_host_gets_none() {
    let fields = vec![field(":method", "POST"), field("te", "trailers")];
    let payload = block(&mut Writer::default(), &fields);
    let frames = frames(rewritten(&[frame(HEADERS, END_HEADERS, 1, &payload)], 64).unwrap());
    assert_eq!(Reader::default().read(&frames[0].1).unwrap(), fields);
}

#[test]
fn padding_goes_and_priority_stays() {
    let payload = block(&mut Writer::default(), &request("x"));
    let priority = [0x80, 0, 0, 1, 200];
    let padded = [&[3][..], &priority, &payload, &[0; 3]].concat();
    let frames = frames(rewritten(&[frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 5, &padded)], 64).unwrap());
    assert_eq!(frames[0].0.flags, END_HEADERS | PRIORITY);
    let (kept, block) = frames[0].1.split_at(5);
    assert_eq!(kept, priority);
    assert_eq!(Reader::default().read(block).unwrap(), request("localhost"));
}

#[test]
fn a_block_comes_in_parts_and_goes_in_as_many_as_it_needs() {
    // In the Huffman code it fits one frame, written out it does not.
    let mut fields = request("x");
    fields.extend((0..5).map(|at| field(&format!("name-{at}"), &"a".repeat(3_100))));
    let payload = block(&mut Writer::default(), &fields);
    let cut = |from: usize, to: usize| &payload[from..to];
    let parts = [
        frame(HEADERS, END_STREAM, 1, cut(0, 10)),
        frame(CONTINUATION, 0, 1, cut(10, 10)),
        frame(CONTINUATION, END_HEADERS, 1, cut(10, payload.len())),
    ];
    let output = frames(rewritten(&parts, 1_000).unwrap());
    let (first, rest) = output.split_first().unwrap();
    assert_eq!(first.0.flags & END_STREAM, END_STREAM);
    assert!(output.iter().all(|(header, _)| header.length <= limits::FRAME_BYTES_MAX && header.stream == 1));
    assert!(rest.iter().all(|(header, _)| header.kind == CONTINUATION));
    let ends: Vec<bool> = output.iter().map(|(header, _)| header.has(END_HEADERS)).collect();
    assert_eq!(ends.iter().filter(|ends| **ends).count(), 1);
    assert_eq!(ends.last(), Some(&true));
    let whole: Vec<u8> = output.iter().flat_map(|(_, payload)| payload.to_vec()).collect();
    fields[3] = field(":authority", "localhost");
    assert_eq!(Reader::default().read(&whole).unwrap(), fields);
}

#[test]
fn what_is_not_http_is_refused() {
    let push = |bytes: &[u8]| Rewriter::default().push(bytes, &mut BytesMut::new());
    assert_eq!(push(b"GET / HTTP/1.1\r\n"), Err(Malformed::Preface));
    assert_eq!(push(b"PRI * HTTP/2"), Ok(()));
    let refused = |parts: &[Vec<u8>]| rewritten(parts, 64).unwrap_err();
    let payload = block(&mut Writer::default(), &request("x"));
    let begun = frame(HEADERS, 0, 1, &payload);
    assert_eq!(refused(&[frame(CONTINUATION, END_HEADERS, 1, &payload)]), Malformed::OutOfPlace);
    assert_eq!(refused(&[begun.clone(), frame(CONTINUATION, END_HEADERS, 3, b"")]), Malformed::OutOfPlace);
    assert_eq!(refused(&[begun.clone(), frame(6, 0, 0, &[0; 8])]), Malformed::OutOfPlace);
    assert_eq!(refused(&[begun.clone(), begun.clone()]), Malformed::OutOfPlace);
    assert_eq!(refused(&[frame(PUSH_PROMISE, END_HEADERS, 1, &[0; 4])]), Malformed::Push);
    assert_eq!(refused(&[frame(HEADERS, END_HEADERS, 1, &vec![0; 16_385])]), Malformed::FrameTooLong);
    assert_eq!(refused(&[frame(HEADERS, END_HEADERS | PADDED, 1, &[9, 0x82])]), Malformed::FrameTooShort);
    assert_eq!(refused(&[frame(HEADERS, END_HEADERS | PADDED, 1, &[])]), Malformed::FrameTooShort);
    assert_eq!(refused(&[frame(HEADERS, END_HEADERS | PRIORITY, 1, &[0; 4])]), Malformed::FrameTooShort);
    let unknown = refused(&[frame(HEADERS, END_HEADERS, 1, &[0xff, 0])]);
    assert_eq!(unknown, Malformed::Hpack(HpackError::UnknownEntry(127)));
    let mut endless = vec![begun];
    endless.extend((0..limits::CONTINUATIONS_MAX).map(|_| frame(CONTINUATION, 0, 1, b"")));
    assert_eq!(refused(&endless), Malformed::TooManyParts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn connections_are_rewritten_alike_however_they_are_cut(
        requests in prop::collection::vec(
            (prop::collection::vec(any_field(), 0..8), 0_usize..4, prop::collection::vec(any::<u8>(), 0..64)), 1..8),
        piece in 1_usize..200,
    ) {
        let mut writer = Writer::default();
        let (mut parts, mut meant) = (Vec::new(), Vec::new());
        for (stream, (fields, cuts, body)) in (1_u32..).step_by(2).zip(requests) {
            let mut block = BytesMut::new();
            fields.iter().for_each(|(field, manner)| writer.write(field, *manner, &mut block));
            let length = block.len() / (cuts + 1) + 1;
            let mut pieces: Vec<&[u8]> = block.chunks(length).collect();
            if pieces.is_empty() {
                pieces.push(&[]);
            }
            let last = pieces.len() - 1;
            for (at, piece) in pieces.into_iter().enumerate() {
                let kind = if at == 0 { HEADERS } else { CONTINUATION };
                parts.push(frame(kind, if at == last { END_HEADERS } else { 0 }, stream, piece));
            }
            parts.push(frame(0, END_STREAM, stream, &body));
            meant.push((fields.into_iter().map(|(field, _)| localised(field)).collect::<Vec<_>>(), body));
        }
        let mut output = frames(rewritten(&parts, piece).unwrap()).into_iter();
        for (fields, body) in meant {
            let (header, block) = output.next().unwrap();
            prop_assert_eq!((header.kind, header.flags), (HEADERS, END_HEADERS));
            prop_assert_eq!(Reader::default().read(&block).unwrap(), fields);
            prop_assert_eq!(output.next().unwrap().1.to_vec(), body);
        }
        prop_assert!(output.next().is_none());
    }

    #[test]
    fn whatever_comes_is_rewritten_or_refused(
        kinds in prop::collection::vec((0_u8..12, any::<u8>(), 0_u32..4, prop::collection::vec(any::<u8>(), 0..80)), 0..12),
        garbage in prop::collection::vec(any::<u8>(), 0..200),
        piece in 1_usize..64,
    ) {
        let mut parts: Vec<Vec<u8>> =
            kinds.iter().map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
        parts.push(garbage);
        let _ = rewritten(&parts, piece);
    }

    #[test]
    fn where_no_headers_come_nothing_changes(
        kinds in prop::collection::vec((prop::sample::select(vec![0_u8, 2, 3, 4, 6, 7, 8, 10, 200]), any::<u8>(), 0_u32..9,
            prop::collection::vec(any::<u8>(), 0..300)), 0..12),
        piece in 1_usize..64,
    ) {
        let parts: Vec<Vec<u8>> =
            kinds.iter().map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
        prop_assert_eq!(rewritten(&parts, piece).unwrap().to_vec(), [PREFACE.to_vec(), parts.concat()].concat());
    }
}
