//! One question to an upstream and its answer, over whatever wire.

use std::sync::Arc;

use ::http::HeaderMap;
use remit_domain::Feature;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::message::Meta;
use crate::Permit;
use crate::answer::RpcError;

/// What is sent upstream only with a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Governed {
    CallTool,
    ReadResource,
    ListResources,
    ListTemplates,
    Subscribe,
    Unsubscribe,
    GetPrompt,
    ListPrompts,
    Complete,
}

impl Governed {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::CallTool,
        Self::ReadResource,
        Self::ListResources,
        Self::ListTemplates,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::GetPrompt,
        Self::ListPrompts,
        Self::Complete,
    ];

    /// The protocol's method.
    pub const fn method(self) -> &'static str {
        match self {
            Self::CallTool => "tools/call",
            Self::ReadResource => "resources/read",
            Self::ListResources => "resources/list",
            Self::ListTemplates => "resources/templates/list",
            Self::Subscribe => "resources/subscribe",
            Self::Unsubscribe => "resources/unsubscribe",
            Self::GetPrompt => "prompts/get",
            Self::ListPrompts => "prompts/list",
            Self::Complete => "completion/complete",
        }
    }

    /// The feature that it is about, unless it is about a tool.
    pub const fn feature(self) -> Option<Feature> {
        match self {
            Self::CallTool => None,
            Self::ReadResource | Self::ListResources | Self::ListTemplates | Self::Subscribe | Self::Unsubscribe => {
                Some(Feature::Resources)
            }
            Self::GetPrompt | Self::ListPrompts => Some(Feature::Prompts),
            Self::Complete => Some(Feature::Completions),
        }
    }

    /// Whether its result is a page of what there is.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::ListResources | Self::ListTemplates | Self::ListPrompts)
    }

    /// Whether it is no request of 2026-07-28 any more.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Subscribe | Self::Unsubscribe)
    }

    /// Whether its result may ask for input first (2026-07-28, multi round-trip requests).
    pub const fn may_ask(self) -> bool {
        matches!(self, Self::CallTool | Self::ReadResource | Self::GetPrompt)
    }

    /// The member of the params that is repeated in the header `Mcp-Name` (2026-07-28, Streamable HTTP).
    pub(super) const fn named_by(self) -> Option<&'static str> {
        match self {
            Self::CallTool | Self::GetPrompt => Some("name"),
            Self::ReadResource => Some("uri"),
            _ => None,
        }
    }
}

/// What is sent upstream beside the permit that says for which operation.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamRequest {
    pub method: Governed,
    /// Complete, without `_meta`.
    pub params: Arc<Map<String, Value>>,
    /// The members of `_meta` that go upstream; those of the hop are added.
    pub meta: Map<String, Value>,
    /// What the client can be asked for, as it is said to a server of 2026-07-28 in this request.
    pub capabilities: Map<String, Value>,
    /// The least severe log messages that are wanted from a server of 2026-07-28.
    pub log_level: Option<String>,
}

/// What can be asked of an upstream.
///
/// INVARIANT: what is governed is asked for with a permit; there is no other way to have it sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    Discover,
    Initialize,
    Tools,
    Listen,
    SetLevel,
    Governed(&'a Permit, Governed),
}

impl Ask<'_> {
    pub fn method(&self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Initialize => "initialize",
            Self::Tools => "tools/list",
            Self::Listen => "subscriptions/listen",
            Self::SetLevel => "logging/setLevel",
            Self::Governed(_, governed) => governed.method(),
        }
    }
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    pub ask: Ask<'a>,
    pub params: &'a Map<String, Value>,
    pub meta: Meta<'a>,
    /// Headers besides those of the protocol, where the wire has headers.
    pub headers: HeaderMap,
    pub watch: Watch,
}

/// How whoever asks follows what he asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// Takes what the server says meanwhile, if it is wanted. What finds no room is dropped.
    pub notices: Option<mpsc::Sender<Notice>>,
    /// Takes what the server asks of its client meanwhile (before 2026-07-28), if the client can be asked.
    pub asks: Option<mpsc::Sender<AskedBack>>,
    /// Cancelled to give the question up; the upstream is told.
    pub cut: CancellationToken,
}

/// Something that a server says during a call, as the params of its notification.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    Progress(Map<String, Value>),
    Log(Map<String, Value>),
}

/// Something that a server asks of its client during a call. Dropping `answer` is a refusal.
#[derive(Debug)]
pub(crate) struct AskedBack {
    /// `sampling/createMessage`, `elicitation/create` or `roots/list`.
    pub method: String,
    pub params: Map<String, Value>,
    pub answer: oneshot::Sender<Result<Value, RpcError>>,
}

/// What an upstream answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Result(Map<String, Value>),
    Error(RpcError),
}
