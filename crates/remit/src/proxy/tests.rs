//! The proxy between a client that is a list of lines and a gateway that does what a test needs.

mod gateway;

use serde_json::{Value, json};

use super::*;
use gateway::FakeGateway;

struct World {
    proxy: Arc<Proxy>,
    said: mpsc::Receiver<Bytes>,
    gateway: FakeGateway,
    token: tempfile::NamedTempFile,
}

impl World {
    async fn new() -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let gateway = FakeGateway::start().await;
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "first\n").unwrap();
        let endpoint = Endpoint::new(gateway.address(), Token::File(token.path().to_owned())).unwrap();
        let (output, said) = mpsc::channel(64);
        Self { proxy: Arc::new(Proxy::new(endpoint, output)), said, gateway, token }
    }

    async fn write(&self, line: &str) {
        self.proxy.take(Line::Whole(line.as_bytes().to_vec())).await;
    }

    async fn next(&mut self) -> Value {
        let said = tokio::time::timeout(Duration::from_secs(20), self.said.recv()).await;
        let line = said.expect("nothing was said in time").expect("the proxy ended");
        assert!(!line.contains(&b'\n'), "not one line: {line:?}");
        serde_json::from_slice(&line).unwrap()
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.write(&message.to_string()).await;
        self.next().await
    }

    async fn initialize(&mut self) {
        let opened = self.ask(json!({"id": 0, "method": "initialize", "params": {}})).await;
        assert_eq!(opened["result"]["protocolVersion"], "2025-11-25", "{opened}");
        self.write(r#"{"method":"notifications/initialized"}"#).await;
    }

    /// Whatever else is said, `id` is not answered before the answer to another request.
    async fn is_never_answered(&mut self, id: u64) {
        let other = self.ask(modern(99, "echo")).await;
        assert_eq!(other["id"], 99, "request {id} was answered: {other}");
    }
}

fn modern(id: u64, method: &str) -> Value {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    json!({"id": id, "method": method, "params": {"name": "größe", "_meta": meta}})
}

#[tokio::test]
async fn a_request_without_a_handshake_carries_its_headers_and_its_bytes() {
    let mut world = World::new().await;
    let line = r#"{"params":{"name":"größe","x":1.0,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}, "method":"tools/call","id":"a"}"#;
    world.write(line).await;
    assert_eq!(world.next().await["id"], "a");
    let heard = world.gateway.heard().pop().unwrap();
    assert_eq!(heard.body, line);
    assert_eq!(heard.header("authorization"), "Bearer first");
    assert_eq!(heard.header("mcp-protocol-version"), "2026-07-28");
    assert_eq!(heard.header("mcp-method"), "tools/call");
    assert_eq!(heard.header("mcp-name"), "=?base64?Z3LDtsOfZQ==?=");
    assert_eq!(heard.header("mcp-session-id"), "");
}

#[tokio::test]
async fn a_handshake_is_kept_and_what_follows_comes_in_order() {
    let mut world = World::new().await;
    world.initialize().await;
    assert_eq!(world.ask(json!({"id": 1, "method": "tools/list"})).await["id"], 1);
    let heard = world.gateway.heard();
    let methods: Vec<&str> =
        heard.iter().map(|heard| heard.method.as_str()).filter(|method| *method != "GET").collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list"]);
    let last = heard.iter().rfind(|heard| heard.method == "tools/list").unwrap();
    assert_eq!((last.header("mcp-session-id"), last.header("mcp-protocol-version")), ("s1", "2025-11-25"));
    assert_eq!(last.header("mcp-method"), "");
    world.proxy.close(End::OfInput).await;
    assert_eq!(world.gateway.heard().pop().map(|heard| heard.method).as_deref(), Some("DELETE"));
}

#[tokio::test]
async fn a_session_that_was_lost_is_begun_again_behind_the_client() {
    let mut world = World::new().await;
    world.initialize().await;
    world.gateway.forget_sessions();
    let answer = world.ask(json!({"id": 1, "method": "tools/list"})).await;
    assert_eq!((&answer["id"], &answer["result"]["tools"]), (&json!(1), &json!([])), "{answer}");
    let last = world.gateway.heard().into_iter().rfind(|heard| heard.method == "tools/list").unwrap();
    assert_eq!(last.header("mcp-session-id"), "s2");
}

#[tokio::test]
async fn a_renewed_token_is_used_and_a_refused_one_is_said_to_who_asked() {
    let mut world = World::new().await;
    world.gateway.accept_token("second");
    let refused = world.ask(modern(1, "echo")).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32040)), "{refused}");
    std::fs::write(world.token.path(), "second").unwrap();
    assert_eq!(world.ask(modern(2, "echo")).await["result"]["resultType"], "complete");
}

#[tokio::test]
async fn streams_pass_message_by_message_and_several_are_under_way() {
    let mut world = World::new().await;
    world.write(&modern(1, "slow").to_string()).await;
    let progress = world.ask(modern(2, "stream")).await;
    assert_eq!(progress["method"], "notifications/progress");
    assert_eq!(world.next().await["id"], 2);
    let taken = world.ask(modern(1, "echo")).await;
    assert_eq!((&taken["id"], &taken["error"]["code"]), (&json!(1), &json!(-32600)), "an id that is in use: {taken}");
}

#[tokio::test]
async fn what_the_gateway_asks_is_passed_on_and_the_answer_is_posted() {
    let mut world = World::new().await;
    world.initialize().await;
    let asked = world.ask(json!({"id": 1, "method": "asks"})).await;
    assert_eq!(asked["method"], "elicitation/create");
    world.write(r#"{"id":"e1","result":{"action":"accept"}}"#).await;
    assert_eq!(world.next().await["id"], 1);
    let heard = world.gateway.heard();
    let answer = heard.iter().find(|heard| heard.body.contains("accept")).unwrap();
    assert_eq!(answer.header("mcp-session-id"), "s1");
}

#[tokio::test]
async fn a_cancelled_request_is_dropped_and_gets_no_answer() {
    let mut world = World::new().await;
    world.write(&modern(1, "slow").to_string()).await;
    world.gateway.hears("slow").await;
    world.write(r#"{"method":"notifications/cancelled","params":{"requestId":1}}"#).await;
    world.gateway.notices_a_drop().await;
    world.is_never_answered(1).await;
    assert!(!world.gateway.heard().iter().any(|heard| heard.method == "notifications/cancelled"));
}

#[tokio::test]
async fn before_2026_a_cancellation_is_a_message() {
    let mut world = World::new().await;
    world.initialize().await;
    world.write(r#"{"id":1,"method":"slow"}"#).await;
    world.gateway.hears("slow").await;
    world.write(r#"{"method":"notifications/cancelled","params":{"requestId":1}}"#).await;
    world.gateway.notices_a_drop().await;
    world.is_never_answered(1).await;
    let heard = world.gateway.heard();
    let cancelled = heard.iter().find(|heard| heard.method == "notifications/cancelled").unwrap();
    assert_eq!(cancelled.header("mcp-session-id"), "s1");
}

#[tokio::test]
async fn a_stream_that_breaks_is_said_in_the_form_of_the_request() {
    let mut world = World::new().await;
    let broken = world.ask(modern(1, "cut")).await;
    assert_eq!((&broken["id"], &broken["error"]["code"]), (&json!(1), &json!(-32041)), "{broken}");
    let acknowledged = world.ask(modern(2, "subscriptions/listen")).await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    let ended = world.next().await;
    assert_eq!((&ended["method"], &ended["params"]["requestId"]), (&json!("notifications/cancelled"), &json!(2)));
}

#[tokio::test]
async fn what_is_no_gateway_is_named() {
    let mut world = World::new().await;
    let page = world.ask(modern(1, "page")).await;
    assert_eq!(page["error"]["data"]["remit/refusal"]["code"], "not_a_gateway", "{page}");
    world.gateway.stop().await;
    let gone = world.ask(modern(2, "echo")).await;
    assert_eq!(gone["error"]["data"]["remit/refusal"]["code"], "gateway_unreachable", "{gone}");
    assert!(gone["error"]["message"].as_str().unwrap().contains("--mcp-url"), "{gone}");
}

#[tokio::test]
async fn lines_that_are_no_messages_are_refused() {
    let mut world = World::new().await;
    for (line, code) in [("nothing", -32700), ("[]", -32600), (r#"{"id":1,"id":1,"method":"a"}"#, -32600)] {
        world.write(line).await;
        let refused = world.next().await;
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&Value::Null, &json!(code)), "{line}");
    }
    world.proxy.take(Line::TooLong).await;
    assert_eq!(world.next().await["error"]["code"], -32600);
    world.write("  ").await;
    assert!(world.gateway.heard().is_empty());
}

#[test]
fn a_token_does_not_travel_in_the_clear() {
    let open = |address: &str, token: Token| Endpoint::new(Url::parse(address).unwrap(), token);
    let token = || Token::Fixed("t".to_owned().into());
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    assert!(open("http://remit.example/mcp", token()).is_err());
    assert!(open("http://remit.example/mcp", Token::None).is_ok());
    assert!(open("https://remit.example/mcp", token()).is_ok());
    assert!(open("http://[::1]:7480/mcp", token()).is_ok());
    assert!(open("http://user:pass@localhost/mcp", token()).is_err());
    assert!(open("file:///mcp", token()).is_err());
}
