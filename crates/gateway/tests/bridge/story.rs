//! What happens in a run, drawn from its choices: what servers answer, and what a client sends.

use super::choices::Choices;
use super::server::Scripted;

/// The methods of a client, the most telling first.
const METHODS: [&str; 20] = [
    "tools/call",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "tools/list",
    "resources/list",
    "prompts/list",
    "resources/templates/list",
    "resources/subscribe",
    "resources/unsubscribe",
    "ping",
    "initialize",
    "server/discover",
    "logging/setLevel",
    "notifications/cancelled",
    "tasks/get",
    "tasks/cancel",
    "subscriptions/unknown",
    "sampling/createMessage",
    "",
];

/// What one client sends.
#[derive(Debug, Clone)]
pub struct Sent {
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub method: &'static str,
    /// JSON text.
    pub params: String,
    pub body: Vec<u8>,
}

/// What the servers answer in turn.
pub fn answers(choices: &mut Choices<'_>) -> Vec<Scripted> {
    (0..1 + choices.below(3)).map(|_| answer(choices)).collect()
}

fn answer(choices: &mut Choices<'_>) -> Scripted {
    const STATUSES: [u16; 10] = [200, 200, 200, 200, 200, 202, 400, 404, 500, 502];
    const KINDS: [&str; 4] = ["application/json", "text/event-stream", "text/plain", "TEXT/Event-Stream; charset=x"];
    let mut scripted = Scripted { status: choices.pick(&STATUSES), kind: KINDS[0], pieces: Vec::new() };
    match choices.below(8) {
        0 | 1 => scripted.pieces.push(envelope("@ID@", "result", &result(choices))),
        2 => {
            let error =
                format!("{{\"code\":{},\"message\":{}}}", choices.pick(&["-32601", "-32020", "1"]), choices.text());
            scripted.pieces.push(envelope("@ID@", "error", &error));
        }
        3 => {
            scripted.kind = choices.pick(&KINDS);
            let length = choices.below(40);
            scripted.pieces.push(choices.raw(length).to_vec());
        }
        _ => {
            scripted.kind = KINDS[1];
            scripted.pieces.push(Vec::new());
            for _ in 0..1 + choices.below(4) {
                event(choices, &mut scripted.pieces);
            }
            if !choices.one_in(4) {
                let last = envelope("@ID@", "result", &result(choices));
                piece(&mut scripted.pieces, &streamed(choices, &last));
            }
        }
    }
    scripted
}

fn piece(pieces: &mut [Vec<u8>], bytes: &[u8]) {
    pieces.last_mut().unwrap().extend_from_slice(bytes);
}

fn envelope(id: &str, member: &str, value: &str) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"{member}\":{value}}}").into_bytes()
}

fn result(choices: &mut Choices<'_>) -> String {
    match choices.below(6) {
        0 => "{\"content\":[],\"resultType\":\"complete\"}".to_owned(),
        1 => format!(
            "{{\"content\":[{{\"type\":\"text\",\"text\":{}}}],\"isError\":{}}}",
            choices.text(),
            choices.value(1)
        ),
        2 => {
            let asked = choices.pick(&["elicitation/create", "sampling/createMessage", "roots/list", "tools/call"]);
            let (params, state) = (choices.object(2), choices.text());
            format!(
                "{{\"resultType\":\"input_required\",\"inputRequests\":{{\"q\":{{\"method\":\"{asked}\",\"params\":{params}}}}},\"requestState\":{state}}}"
            )
        }
        3 => format!(
            "{{\"resultType\":{},\"_meta\":{},\"contents\":[{}]}}",
            choices.text(),
            choices.value(2),
            choices.value(2)
        ),
        _ => choices.value(4),
    }
}

/// Adds one event to the last piece, or begins a new piece after it.
fn event(choices: &mut Choices<'_>, pieces: &mut Vec<Vec<u8>>) {
    let note =
        |method: &str, params: &str| format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}");
    let message = match choices.below(10) {
        0 => note("notifications/progress", "{\"progressToken\":@TOKEN@,\"progress\":1}"),
        1 => note("notifications/message", &format!("{{\"level\":\"error\",\"data\":{}}}", choices.value(2))),
        2 => note(
            choices.pick(&["notifications/tools/list_changed", "notifications/resources/updated"]),
            &choices.object(2),
        ),
        3 | 4 => {
            let method =
                choices.pick(&["elicitation/create", "sampling/createMessage", "roots/list", "ping", "tools/call"]);
            let (id, params) = (choices.id(), choices.object(2));
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}")
        }
        5 => String::from_utf8_lossy(&envelope(&choices.id(), "result", "{\"content\":[]}")).into_owned(),
        6 => choices.message("tools/call", "{}"),
        7 => choices.value(4),
        8 => {
            let length = choices.below(16);
            let raw = choices.raw(length).to_vec();
            piece(pieces, &raw);
            return;
        }
        _ => {
            piece(pieces, choices.pick(&[": ping\n\n", "retry: 50\nid: e1\n\n", "retry: 50\n\n"]).as_bytes());
            return;
        }
    };
    let written = streamed(choices, message.as_bytes());
    piece(pieces, &written);
    if choices.one_in(2) {
        pieces.push(Vec::new());
    }
}

/// A message as an event.
fn streamed(choices: &mut Choices<'_>, message: &[u8]) -> Vec<u8> {
    let end = choices.pick(&["\n\n", "\n\n", "\r\n\r\n", "\r\r"]);
    [b"data: ", message, end.as_bytes()].concat()
}

/// One request or notification of a client.
pub fn sent(choices: &mut Choices<'_>, session: &str) -> Sent {
    let modern = choices.one_in(2);
    let path = choices.pick(&["/mcp/old", "/mcp/new", "/mcp", "/mcp/none"]);
    let method = choices.pick(&METHODS);
    let params = params(choices, path, method, modern);
    let body = match choices.below(8) {
        7 => choices.message(method, &params),
        _ if method.starts_with("notifications/") => {
            format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}")
        }
        _ => format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"{method}\",\"params\":{params}}}", choices.id()),
    };
    let mut headers =
        vec![("accept", choices.pick(&["application/json, text/event-stream", "application/json", "*/*"]).to_owned())];
    if modern {
        headers.push(("mcp-protocol-version", "2026-07-28".to_owned()));
        headers.push(("mcp-method", method.to_owned()));
        headers.push(("mcp-name", named(&body).unwrap_or_default()));
    } else if !choices.one_in(4) {
        headers.push(("mcp-session-id", session.to_owned()));
        headers.push(("mcp-protocol-version", "2025-11-25".to_owned()));
    }
    match choices.below(12) {
        8 if headers.len() > 1 => drop(headers.remove(1)),
        9 => headers.push(headers[headers.len() - 1].clone()),
        10 => headers.push((
            choices.pick(&["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id"]),
            "x".to_owned(),
        )),
        11 => headers.push(("mcp-name", "=?base64?ZWNobw==?=".to_owned())),
        _ => {}
    }
    Sent { path, headers, method, params, body: body.into_bytes() }
}

/// What the header `Mcp-Name` has to say of a body.
pub fn named(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let params = &body["params"];
    let name = ["name", "uri", "taskId"].iter().find_map(|member| params[member].as_str())?;
    name.chars().all(|each| (' '..='~').contains(&each)).then(|| name.to_owned())
}

fn params(choices: &mut Choices<'_>, path: &str, method: &str, modern: bool) -> String {
    let all = path == "/mcp";
    let connector = choices.pick(&["old", "new", "none", "old/x"]);
    let tool = choices.pick(&["echo", "echo", "echo", "refund", "secret", "@resources", "x"]);
    let tool = if all { format!("{connector}__{tool}") } else { tool.to_owned() };
    let uri = if all { format!("{connector}+file:///a") } else { "file:///a".to_owned() };
    let mut members = match method {
        "tools/call" => vec![format!("\"name\":\"{tool}\""), format!("\"arguments\":{}", arguments(choices))],
        "prompts/get" => vec![format!("\"name\":\"{tool}\""), format!("\"arguments\":{{\"a\":{}}}", choices.text())],
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => vec![format!("\"uri\":\"{uri}\"")],
        "completion/complete" => vec![
            format!("\"ref\":{{\"type\":\"ref/prompt\",\"name\":\"{tool}\"}}"),
            format!("\"argument\":{{\"name\":\"a\",\"value\":{}}}", choices.text()),
        ],
        "notifications/cancelled" => vec![format!("\"requestId\":{}", choices.id())],
        "tasks/get" | "tasks/cancel" => vec![format!("\"taskId\":{}", choices.text())],
        _ => Vec::new(),
    };
    if choices.one_in(4) {
        members.push(format!("{}:{}", choices.name(), choices.value(3)));
    }
    let mut meta = Vec::new();
    if modern {
        meta.push("\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"".to_owned());
        meta.push(format!("\"io.modelcontextprotocol/clientCapabilities\":{}", super::capabilities()));
    }
    if choices.one_in(2) {
        meta.push(format!("\"progressToken\":{}", choices.id()));
    }
    if choices.one_in(4) {
        meta.push(format!("{}:{}", choices.name(), choices.value(2)));
    }
    if choices.one_in(8) {
        meta.push("\"io.modelcontextprotocol/logLevel\":\"debug\"".to_owned());
    }
    if !meta.is_empty() {
        members.push(format!("\"_meta\":{{{}}}", meta.join(",")));
    }
    format!("{{{}}}", members.join(","))
}

fn arguments(choices: &mut Choices<'_>) -> String {
    match choices.below(4) {
        0 => "{}".to_owned(),
        1 => format!("{{\"a\":{},\"b\":{}}}", choices.value(3), choices.value(0)),
        2 => format!("{{\"a\":{}}}", choices.value(6)),
        _ => choices.object(3),
    }
}
