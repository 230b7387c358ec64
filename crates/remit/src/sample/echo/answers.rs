//! What the echo answers: from the bytes of one message to the bytes of its answer, without a document in between.

use std::borrow::Cow;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The generation without a handshake.
pub(super) const MODERN: &str = "2026-07-28";

/// The generations with one, newest first.
const HANDSHAKE: [&str; 2] = ["2025-11-25", "2025-06-18"];

/// JSON-RPC 2.0 section 5.1.
const PARSE_ERROR: i32 = -32700;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;

/// What every tool here takes.
const SCHEMA: &str = r#"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#;

/// The server: the list of its tools, written once.
#[derive(Debug)]
pub(super) struct Echo {
    tools: String,
    numbered: usize,
}

/// The answer to one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// To a notification.
    Nothing,
    Document(StatusCode, String),
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow, default)]
    params: Params<'a>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Arguments<'a>,
    #[serde(borrow, default, rename = "protocolVersion")]
    version: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct Arguments<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

impl Echo {
    /// An echo with the tool `echo` and `numbered` further ones, `echo_0001` and on, which do the same.
    pub(super) fn new(numbered: usize) -> Self {
        let names = std::iter::once("echo".to_owned()).chain((1..=numbered).map(numbered_name));
        let tools: Vec<String> = names.map(|name| definition(&name)).collect();
        Self { tools: format!("[{}]", tools.join(",")), numbered }
    }

    /// Answers the message `body`. `modern` says that it came in the generation without a handshake.
    pub(super) fn answer(&self, modern: bool, body: &[u8]) -> Answer {
        let Ok(message) = serde_json::from_slice::<Message<'_>>(body) else {
            return error(StatusCode::BAD_REQUEST, "null", PARSE_ERROR, "Parse error");
        };
        let Some(id) = message.id.map(RawValue::get) else { return Answer::Nothing };
        let list = if modern { r#","ttlMs":0,"cacheScope":"private""# } else { "" };
        let result = match &*message.method {
            "tools/call" => match self.call(&message.params) {
                Ok(result) => result,
                Err(sentence) => return error(StatusCode::OK, id, INVALID_PARAMS, sentence),
            },
            "tools/list" => format!(r#""tools":{}{list}"#, self.tools),
            "server/discover" if modern => format!(
                r#""supportedVersions":["{MODERN}"],"capabilities":{{"tools":{{}}}},"serverInfo":{}{list}"#,
                server()
            ),
            "initialize" if !modern => {
                let version = HANDSHAKE.into_iter().find(|known| *known == message.params.version);
                let version = version.unwrap_or(HANDSHAKE[0]);
                format!(r#""protocolVersion":"{version}","capabilities":{{"tools":{{}}}},"serverInfo":{}"#, server())
            }
            "ping" if !modern => String::new(),
            _ => {
                let status = if modern { StatusCode::NOT_FOUND } else { StatusCode::OK };
                return error(status, id, METHOD_NOT_FOUND, "Method not found");
            }
        };
        let kind = match (modern, result.is_empty()) {
            (false, _) => "",
            (true, true) => r#""resultType":"complete""#,
            (true, false) => r#","resultType":"complete""#,
        };
        Answer::Document(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{{result}{kind}}}}}"#))
    }

    /// The members of a call's result. The text goes back as it was written, so nothing in it is read or escaped again.
    fn call(&self, params: &Params<'_>) -> Result<String, &'static str> {
        if !self.offers(&params.name) {
            // A result and not an error, as the reference servers say it.
            return Ok(r#""content":[{"type":"text","text":"Unknown tool"}],"isError":true"#.to_owned());
        }
        let text = params.arguments.text.map(RawValue::get).filter(|text| text.starts_with('"'));
        let text = text.ok_or("`text` must be a string")?;
        Ok(format!(r#""content":[{{"type":"text","text":{text}}}]"#))
    }

    fn offers(&self, name: &str) -> bool {
        let number = || name.strip_prefix("echo_")?.parse::<usize>().ok();
        name == "echo" || number().is_some_and(|at| (1..=self.numbered).contains(&at) && numbered_name(at) == name)
    }
}

fn numbered_name(number: usize) -> String {
    format!("echo_{number:04}")
}

fn definition(name: &str) -> String {
    let says = format!("{name} says what it was told, and does nothing else");
    format!(
        r#"{{"name":"{name}","description":"{says}","inputSchema":{SCHEMA},"annotations":{{"readOnlyHint":true,"openWorldHint":false}}}}"#
    )
}

fn server() -> String {
    format!(r#"{{"name":"echo","version":"{}"}}"#, env!("CARGO_PKG_VERSION"))
}

fn error(status: StatusCode, id: &str, code: i32, message: &str) -> Answer {
    let document = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#);
    Answer::Document(status, document)
}
