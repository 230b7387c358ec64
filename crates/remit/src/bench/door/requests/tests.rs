use super::*;

async fn target(generation: Generation) -> Target {
    let url = Url::parse("http://127.0.0.1:7480/mcp/echo").unwrap();
    Target::at("remit", &url, generation, Some("TOKEN".to_owned())).await.unwrap()
}

/// Head and message of a request whose length is as it says.
fn parts(bytes: &[u8]) -> (String, Value) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn each_call_has_a_number_of_its_own() {
    let mut call = target(Generation::Modern).await.call();
    for number in [1_000_000_000, 1_234_567_890] {
        let digits = call.number(number);
        let (_, message) = parts(call.bytes());
        assert_eq!(message["id"], number);
        assert_eq!(message["params"]["arguments"]["text"], number.to_string());
        assert_eq!(digits, number.to_string().as_bytes());
    }
}

#[tokio::test]
async fn the_newest_generation_says_all_in_the_head_and_again_in_the_body() {
    let (head, message) = parts(target(Generation::Modern).await.call().bytes());
    for line in
        ["POST /mcp/echo HTTP/1.1", "mcp-protocol-version: 2026-07-28", "mcp-method: tools/call", "mcp-name: echo"]
    {
        assert!(head.lines().any(|known| known == line), "{line}");
    }
    assert!(head.contains("authorization: Bearer TOKEN"));
    assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
}

#[tokio::test]
async fn the_generation_with_a_handshake_does_not_describe_itself() {
    let mut target = target(Generation::Handshake).await;
    target.session = Some("s1".to_owned());
    let (head, message) = parts(target.call().bytes());
    assert!(head.contains("mcp-session-id: s1") && head.contains("mcp-protocol-version: 2025-11-25"));
    assert!(!head.contains("mcp-method") && message["params"].get("_meta").is_none());
    assert!(target.with_token("OTHER").session.is_none());
    let (_, message) = parts(&target.list(Some("next")));
    assert_eq!(message["params"]["cursor"], "next");
}

#[test]
fn only_the_very_text_is_a_result() {
    let answer = |status, body| Answer { status, head: "", body };
    let digits = b"1000000007";
    assert!(is_result(&answer(200, br#"{"text":"1000000007"}"#), digits));
    assert!(!is_result(&answer(200, br#"{"id":1000000007}"#), digits));
    assert!(!is_result(&answer(500, br#"{"text":"1000000007"}"#), digits));
}
