//! The client of one call while the call is under way: what it is told and asked, and whether it is still there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::{ActionId, ApprovalId, Feature};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, RpcError};
use crate::upstream::Following;
use crate::{limits, refuse};

/// The extension with which a client takes a long answer later (SEP-2663).
pub(crate) const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// What happens during a call, in order. Small, since each call has room for many.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is decided, and will take an unknown time: a person is asked, or the upstream may report progress.
    Waiting { decision: ActionId },
    /// A person is asked, and the client may go meanwhile and ask for the answer later.
    Held { decision: ActionId, approval: ApprovalId },
    /// How far it is, as the upstream says.
    Progress(Box<Map<String, Value>>),
    /// A log message of the upstream.
    Log(Box<Map<String, Value>>),
    /// The upstream, or a rule, asks something of the client.
    Ask(Box<Question>),
    /// A notification for the client, whole.
    Notice(Box<Value>),
    /// The end.
    Done(Box<Answer>),
}

/// A request to the client in the middle of its call.
#[derive(Debug)]
pub(crate) struct Question {
    pub method: String,
    pub params: Map<String, Value>,
    pub answer: oneshot::Sender<Result<Value, RpcError>>,
}

/// What of a client's capabilities means anything here. Nothing else that it says of itself is kept or said to anybody.
pub(crate) fn known_capabilities(declared: &Map<String, Value>) -> Map<String, Value> {
    let mut known = Map::new();
    for (name, flags) in [
        ("sampling", ["tools", "context"].as_slice()),
        ("elicitation", &["form", "url"]),
        ("roots", &["listChanged"]),
        ("extensions", &[TASKS_EXTENSION]),
    ] {
        let Some(Value::Object(members)) = declared.get(name) else { continue };
        let kept = flags.iter().filter_map(|flag| {
            let value = match members.get(*flag)? {
                Value::Bool(on) => Value::Bool(*on),
                Value::Object(_) => Value::Object(Map::new()),
                _ => return None,
            };
            Some(((*flag).to_owned(), value))
        });
        known.insert(name.to_owned(), Value::Object(kept.collect()));
    }
    known
}

/// How a client speaks, as far as the path of a call has to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// 2026-07-28: requests of the server come as a result, and leaving the stream cancels.
    pub modern: bool,
    /// What it can do, as it declared (`ClientCapabilities`).
    pub capabilities: Arc<Map<String, Value>>,
    /// Whether a request can reach it while its call is open.
    pub can_be_asked: bool,
    pub wants_progress: bool,
    /// The least severe log messages that it wants, if any.
    pub log_level: Option<String>,
}

impl Manner {
    /// Whether the client declared that it does what `feature` is about.
    pub fn offers(&self, feature: Feature) -> bool {
        let declared = |name: &str| self.capabilities.get(name).is_some_and(Value::is_object);
        self.can_be_asked
            && match feature {
                Feature::Sampling => declared("sampling"),
                Feature::Elicitation => declared("elicitation"),
                Feature::Roots => declared("roots"),
                _ => false,
            }
    }

    /// Whether it answers a question of a server with these `params`.
    pub fn answers(&self, feature: Feature, params: &Map<String, Value>) -> bool {
        let elicitation = || self.capabilities.get("elicitation").and_then(Value::as_object);
        self.offers(feature)
            && match (feature, params.get("mode").map(|mode| mode.as_str().unwrap_or_default())) {
                // An empty capability means forms, as it did before there was anything else (2025-06-18).
                (Feature::Elicitation, None | Some("form")) => {
                    elicitation().is_some_and(|can| can.contains_key("form") || !can.contains_key("url"))
                }
                (Feature::Elicitation, Some("url")) => self.opens_addresses(),
                (Feature::Elicitation, Some(_)) => false,
                _ => true,
            }
    }

    /// Whether it can lead its person to an address (elicitation in URL mode).
    pub fn opens_addresses(&self) -> bool {
        self.can_be_asked
            && self.capabilities.get("elicitation").is_some_and(|elicitation| elicitation["url"].is_object())
    }

    /// Whether it takes a handle of a long-running task for an answer.
    pub fn takes_handles(&self) -> bool {
        let extensions = self.capabilities.get("extensions");
        self.modern && extensions.is_some_and(|extensions| extensions[TASKS_EXTENSION].is_object())
    }
}

/// The other side of a call.
#[derive(Debug)]
pub(crate) struct Client {
    steps: mpsc::Sender<Step>,
    pub manner: Manner,
    /// Cancelled when the client says that it no longer wants the answer.
    pub cancelled: CancellationToken,
    /// Whether it has gone and asks for the answer later.
    later: AtomicBool,
    /// The resource that it follows now, where following it has to be undone.
    following: Mutex<Option<Following>>,
}

impl Client {
    /// A client, and the steps that it is to be told.
    pub fn new(manner: Manner, cancelled: CancellationToken) -> (Self, mpsc::Receiver<Step>) {
        let (steps, receiver) = mpsc::channel(limits::STEPS_MAX);
        (Self { steps, manner, cancelled, later: AtomicBool::new(false), following: Mutex::default() }, receiver)
    }

    /// Tells it that the answer may take long.
    pub async fn waiting(&self, decision: ActionId) {
        // Whoever has left is not told; the call goes on or ends by other means.
        let _ = self.steps.send(Step::Waiting { decision }).await;
    }

    /// Tells it that a person is asked and that it need not wait here.
    pub async fn held(&self, decision: ActionId, approval: ApprovalId) {
        self.later.store(true, Ordering::Relaxed);
        let _ = self.steps.send(Step::Held { decision, approval }).await;
    }

    /// Passes on what the upstream says meanwhile. Dropped where the client does not keep up.
    pub fn progress(&self, params: Map<String, Value>) {
        let _ = self.steps.try_send(Step::Progress(Box::new(params)));
    }

    pub fn log(&self, params: Map<String, Value>) {
        let _ = self.steps.try_send(Step::Log(Box::new(params)));
    }

    pub fn notice(&self, method: &str, params: &Value) {
        let notice = serde_json::json!({"jsonrpc": "2.0", "method": method, "params": params});
        let _ = self.steps.try_send(Step::Notice(Box::new(notice)));
    }

    /// Asks it something and waits for what it says.
    pub async fn ask(&self, method: &str, params: Map<String, Value>) -> Result<Value, RpcError> {
        let gone = || refuse::protocol(refuse::INTERNAL_ERROR, "the client did not answer");
        let (answer, answered) = oneshot::channel();
        let question = Question { method: method.to_owned(), params, answer };
        self.steps.send(Step::Ask(Box::new(question))).await.map_err(|_| gone())?;
        tokio::select! {
            answered = answered => answered.unwrap_or_else(|_| Err(gone())),
            () = self.gone() => Err(gone()),
        }
    }

    /// Keeps what its call began to follow.
    pub fn follow(&self, following: Following) {
        *self.following.lock().unwrap_or_else(PoisonError::into_inner) = Some(following);
    }

    /// Gives up what it keeps of that, to whoever keeps it from now on.
    pub fn take_following(&self) -> Option<Following> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether it makes a request again by itself to answer what was asked.
    pub fn repeats(&self) -> bool {
        self.manner.modern && !self.later.load(Ordering::Relaxed)
    }

    /// Gives it the answer.
    pub async fn done(self, answer: Answer) {
        let _ = self.steps.send(Step::Done(Box::new(answer))).await;
    }

    /// Resolves when nobody waits for the answer: it said so, or it has left.
    pub async fn gone(&self) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = self.steps.closed() => {}
        }
    }

    /// Resolves when the call itself should be given up. Before 2026-07-28 leaving the stream means nothing.
    pub async fn gave_up(&self) {
        if self.manner.modern {
            self.gone().await;
        } else {
            self.cancelled.cancelled().await;
        }
    }
}
