//! What can go wrong on the way, as the client's program and the person at it are told.

use bytes::Bytes;
use reqwest::StatusCode;
use serde_json::json;
use serde_json::value::RawValue;

use super::envelope::{Id, Unreadable};
use super::limits;

/// Codes of JSON-RPC 2.0, section 5.1.
const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
/// As the gateway says that nothing can be decided.
const UNAVAILABLE: i64 = -32041;

/// Why a message was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("the line is longer than {} bytes", limits::LINE_BYTES_MAX)]
    LineTooLong,
    #[error("the line is not one JSON-RPC message: {}", .0.reason)]
    Unreadable(Unreadable),
    #[error("a request with this id is still under way")]
    IdInUse,
    #[error("{} requests are under way already", limits::REQUESTS_MAX)]
    TooMany,
    #[error("no gateway answers at `{place}`: {cause}")]
    Unreachable { place: String, cause: String },
    #[error("the connection to the gateway broke before the answer: {0}")]
    Broken(String),
    #[error("the stream of the gateway ended before the answer")]
    Ended,
    #[error("the answer is larger than {} bytes", limits::MESSAGE_BYTES_MAX)]
    TooLarge,
    #[error("the address answers with status {} and not as a gateway does", .0.as_u16())]
    Foreign(StatusCode),
    #[error("the token cannot be used: {0}")]
    Token(String),
}

impl Problem {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::LineTooLong | Self::TooLarge => "send and ask for less at a time",
            Self::Unreadable(_) => "standard input carries one JSON-RPC message a line, and nothing else",
            Self::IdInUse => "give every request an id of its own",
            Self::TooMany => "wait for answers before asking more",
            Self::Unreachable { .. } => {
                "check that Remit runs there, and the address in `--mcp-url` or `REMIT_MCP_URL`"
            }
            Self::Broken(_) | Self::Ended => "whether it took effect is in the record: `remit ledger query`",
            Self::Foreign(_) => "check the address in `--mcp-url` or `REMIT_MCP_URL`; the gateway serves `/mcp`",
            Self::Token(_) => "check `--token-file`, `--token-env`, `REMIT_TOKEN_FILE` or `REMIT_TASK_TOKEN`",
        }
    }

    fn code(&self) -> (i64, &'static str) {
        match self {
            Self::Unreadable(unreadable) if !unreadable.is_json => (PARSE_ERROR, "malformed"),
            Self::LineTooLong | Self::Unreadable(_) | Self::IdInUse => (INVALID_REQUEST, "malformed"),
            Self::TooMany => (UNAVAILABLE, "overloaded"),
            Self::Unreachable { .. } => (UNAVAILABLE, "gateway_unreachable"),
            Self::Broken(_) | Self::Ended => (UNAVAILABLE, "gateway_broke_off"),
            Self::TooLarge => (UNAVAILABLE, "answer_too_large"),
            Self::Foreign(_) => (UNAVAILABLE, "not_a_gateway"),
            Self::Token(_) => (UNAVAILABLE, "token_unusable"),
        }
    }

    /// The answer to request `id`, or to a message whose id cannot be read.
    pub fn answer(&self, id: Option<&Id>) -> Bytes {
        let (code, name) = self.code();
        let error = json!({
            "code": code,
            "message": format!("{self}; {}", self.help()),
            "data": {"remit/refusal": {"code": name, "sentence": self.to_string(), "help": self.help()}},
        });
        answer_with(id, &error.to_string())
    }
}

/// An error that does not say whom it answers, as the answer to request `id`.
pub fn addressed(id: &Id, error: &RawValue) -> Bytes {
    answer_with(Some(id), error.get())
}

fn answer_with(id: Option<&Id>, error: &str) -> Bytes {
    let id = id.map_or("null", Id::as_json);
    Bytes::from(one_line(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into_bytes()))
}

/// JSON as one line: a line break can only stand where a space can.
pub fn one_line(mut json: Vec<u8>) -> Vec<u8> {
    json.iter_mut().filter(|byte| matches!(**byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    json
}
