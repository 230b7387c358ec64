//! The fuzz targets of this crate's parsers in short: on seeds, on texts that are nearly right, and on what was found before.

use proptest::prelude::*;

use super::*;

#[path = "../../tests/bridge/choices.rs"]
mod choices;

use choices::Choices;

/// What real clients send.
const SENT: [&str; 5] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"probe","version":"0.1"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{},"url":{}}}}}}"#,
    r#"{"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2.5},"_meta":{"progressToken":0,"traceparent":"00-1-2-03"}},"jsonrpc":"2.0","id":0}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"timed out after 1.5s"}}"#,
    r#"{"jsonrpc":"2.0","id":"remit-1","result":{"action":"accept","content":{"ok":true}}}"#,
    r#"{"jsonrpc":"2.0","id":"server-discover-probe-1","method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"who","value":"a"}}}"#,
];

/// What real servers send.
const STREAMED: [&str; 3] = [
    "id: 0\r\nretry: 3000\r\ndata: \r\n\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}\r\nid: 1/0\r\n\r\n",
    ": ping\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\ndata: \"params\":{\"progressToken\":1,\"progress\":0.5}}\n\n",
    "event: message\rdata: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"elicitation/create\",\"params\":{}}\r\rdata: {\"id\":null,\"error\":{\"code\":1}}\n\n",
];

/// What the targets ended on before it was repaired: kept so that it stays so.
const FOUND: [&str; 4] = [
    // A name that the JSON library keeps for itself: its own values would have been read as what stands in the string.
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"to":{"$serde_json::private::RawValue":"\"ada\""}}}}"#,
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"\u0024serde_json::private::RawValue":"{"}}}"#,
    r#"{"jsonrpc":"2.0","id":1,"result":{"$serde_json::private::RawValue":"[1]"}}"#,
    // An upstream's message is an object; a list of what would be in it is none.
    "\ndata: [7,null,null,{}]\n\n",
];

fn both(bytes: &[u8]) {
    envelope(bytes);
    events(bytes);
}

#[test]
fn what_was_found_before_stays_repaired() {
    FOUND.iter().for_each(|found| both(found.as_bytes()));
    for found in &FOUND[..3] {
        assert!(envelope::parse(found.as_bytes()).is_err(), "{found}");
    }
    upstream::message(b"[7,null,null,{}]");
}

#[test]
fn every_piece_of_a_real_message_is_read_rightly() {
    for text in SENT.iter().chain(&STREAMED) {
        let bytes = text.as_bytes();
        both(bytes);
        for place in 0..bytes.len() {
            both(&bytes[..place]);
            both(&bytes[place..]);
            for other in [0, b'"', b'\\', b'{', b',', b'9', b'\n', b'\r', 0xff] {
                let mut changed = bytes.to_vec();
                changed[place] = other;
                both(&changed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn messages_that_are_nearly_right_are_read_rightly(bytes in proptest::collection::vec(any::<u8>(), 0..120), which in 0..Governed::ALL.len()) {
        let mut choices = Choices::of(&bytes);
        let params = choices.object(5);
        envelope(choices.message(Governed::ALL[which].method(), &params).as_bytes());
        let inside = format!(r#"{{"name":"echo","uri":"u","ref":{{"name":"n"}},"arguments":{params}}}"#);
        envelope(choices.message(Governed::ALL[which].method(), &inside).as_bytes());
    }

    #[test]
    fn streams_that_are_nearly_right_are_read_rightly(cut in any::<u8>(), pieces in proptest::collection::vec("(data|event|id|retry|\\PC{0,3})?:? ?(message|[\\[{]\"id\":7,\"result\":[{\\[][}\\]][}\\]]|7|\\PC{0,9})?(\r|\n|\r\n)", 0..12)) {
        let stream = [vec![cut], pieces.concat().into_bytes()].concat();
        events(&stream);
    }

    #[test]
    fn any_bytes_are_read_rightly(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        both(&bytes);
        upstream::message(&bytes);
    }
}
