//! Carries what happens during a call to its client, in the form that the client's generation has for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use remit_domain::ActionId;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::envelope::RequestId;
use super::handles::Handles;
use super::parked::Parked;
use super::{Generation, features, reply, sse};
use crate::answer::{Answer, Body, InputRequired};
use crate::call::{Call, severity};
use crate::caller::Caller;
use crate::client::{Question, Step};
use crate::door::Door;
use crate::lives::Held;
use crate::request_state::{Binding, Continues};
use crate::upstream::Governed;
use crate::{Gateway, limits, metadata, refuse};

/// Under what name a client of 2026-07-28 answers what the upstream of an open call asked.
pub(super) const INPUT_REQUEST: &str = "input";

/// One request of a client and everything that answers it.
pub(super) struct Carrier {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub call: Arc<Call>,
    pub generation: Generation,
    pub id: RequestId,
    pub accepts_stream: bool,
    /// The session in which the client can be asked, before 2026-07-28.
    pub session: Option<String>,
    pub progress_token: Option<Value>,
    pub log_level: Option<String>,
    /// Ends when the caller's task does.
    pub life: Held,
    /// When the client is answered without the call, once the task has ended.
    pub cut_at: Option<Instant>,
    /// Gone when the call is handed on: parked, or kept for later.
    pub steps: Option<mpsc::Receiver<Step>>,
}

/// What comes next for the client.
pub(super) enum Next {
    /// The answer takes longer: from now on it is a stream.
    Opens(ActionId),
    /// A message on the stream.
    Message(Vec<u8>),
    /// Nothing that this client is told.
    Nothing,
    End(End),
}

/// The answer.
pub(super) struct End {
    pub status: StatusCode,
    pub body: Vec<u8>,
    pub decision: Option<ActionId>,
    /// The challenge for a token that reaches further, where that would change the answer.
    pub wider: Option<String>,
}

impl Carrier {
    /// The next thing that happens.
    pub async fn next(&mut self) -> Next {
        let Some(steps) = &mut self.steps else { return Next::End(self.end(broken())) };
        let step = tokio::select! {
            biased;
            step = steps.recv() => step,
            () = cut(&self.life, &mut self.cut_at) => return Next::End(self.end(refuse::ended_meanwhile(None))),
        };
        match step {
            None => Next::End(self.end(broken())),
            Some(Step::Progress(_) | Step::Log(_) | Step::Notice(_) | Step::Ask(_)) if self.life.has_ended() => {
                Next::Nothing
            }
            // What a call brought is for nobody once its task has ended; the record has it.
            Some(Step::Done(answer)) if answer.succeeded() && self.life.has_ended() => {
                Next::End(self.end(refuse::ended_meanwhile(answer.decision)))
            }
            Some(Step::Done(answer)) => Next::End(self.end(*answer)),
            Some(Step::Waiting { decision }) => Next::Opens(decision),
            Some(Step::Held { decision, approval }) => match self.steps.take() {
                Some(steps) => {
                    let handle = Handles::keep(&self.gateway, &self.caller, approval, steps);
                    Next::End(self.handed(handle, decision))
                }
                None => Next::End(self.end(broken())),
            },
            Some(Step::Progress(params)) => self.progress(*params),
            Some(Step::Log(params)) => self.log(*params),
            Some(Step::Notice(notice)) => Next::Message(notice.to_string().into_bytes()),
            Some(Step::Ask(question)) => self.ask(*question),
        }
    }

    /// Progress, under the client's own name for it.
    fn progress(&self, mut params: Map<String, Value>) -> Next {
        let Some(token) = &self.progress_token else { return Next::Nothing };
        params.insert("progressToken".to_owned(), token.clone());
        Next::Message(notification("notifications/progress", &params))
    }

    /// A log message, if it is severe enough for this client. One of 2026-07-28 that did not ask for any gets none.
    fn log(&self, params: Map<String, Value>) -> Next {
        let said = params.get("level").and_then(Value::as_str).and_then(severity);
        let wanted = match (&self.log_level, self.generation) {
            (Some(level), _) => severity(level),
            (None, Generation::Modern) => return Next::Nothing,
            (None, Generation::Legacy) => Some(0),
        };
        match said.zip(wanted) {
            Some((said, wanted)) if said >= wanted => Next::Message(notification("notifications/message", &params)),
            _ => Next::Nothing,
        }
    }

    /// Before 2026-07-28 a request on the stream; since then a result, while the call stays open.
    fn ask(&mut self, question: Question) -> Next {
        match self.generation {
            Generation::Legacy => {
                let Question { method, params, answer } = question;
                // Whoever cannot be asked has not answered; the asker learns it when `answer` is dropped.
                let id = self.session.as_deref().and_then(|session| self.gateway.sessions.ask(session, answer));
                let Some(id) = id else { return Next::Nothing };
                let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
                Next::Message(request.to_string().into_bytes())
            }
            Generation::Modern => Next::End(self.park(question)),
        }
    }

    /// Lets the call wait for the request that brings the answer to `question`.
    pub fn park(&mut self, question: Question) -> End {
        let request = json!({"method": question.method, "params": question.params});
        let parked = self
            .steps
            .take()
            .and_then(|steps| self.gateway.parked.park(Parked { task: self.caller.task, question, steps }));
        let Some(call) = parked else {
            let refusal = remit_domain::Refusal::new("overloaded", "too many calls wait for their clients");
            return self.end(refuse::refusal(&refusal.help("try again later")));
        };
        let mut requests = Map::new();
        requests.insert(INPUT_REQUEST.to_owned(), request);
        self.end(Answer::ask(InputRequired { requests, continues: Some(Continues::Parked { call }) }, None))
    }

    /// The answer as it is sent.
    pub fn end(&self, answer: Answer) -> End {
        // A refusal has the shape of a tool's result; a result of another shape is refused by an error that says the same.
        let mut answer = features::as_error(self.call.method, answer);
        if let (Generation::Modern, Governed::ReadResource, Body::Result(result)) =
            (self.generation, self.call.method, &mut answer.body)
        {
            reply::uncached(result);
        }
        if let (true, Body::Result(result)) = (self.call.joined, &mut answer.body) {
            features::locate(result, self.call.operation.connector());
        }
        let decision = answer.decision;
        let wider = match &answer.body {
            Body::StepUp { scope, .. } => {
                let door =
                    if self.call.joined { Door::All } else { Door::One(self.call.operation.connector().to_owned()) };
                Some(refuse::step_up_challenge(&metadata::address(&self.gateway, &door), scope))
            }
            _ => None,
        };
        let (status, body) = match answer.body {
            Body::InputRequired(asks) if self.generation == Generation::Modern => self.asks(asks, decision),
            body => reply::document(self.generation, &self.id, Answer { body, decision }),
        };
        End { status, body, decision, wider }
    }

    fn asks(&self, asks: InputRequired, decision: Option<ActionId>) -> (StatusCode, Vec<u8>) {
        let mut result = Map::new();
        if let Some(continues) = asks.continues {
            let binding = self.gateway.engine.read(|state| Binding::of(state, &self.caller, &self.call));
            let now = self.gateway.engine.now().as_seconds();
            let Some(state) = self.gateway.request_states.seal(binding, continues, now) else {
                return reply::document(self.generation, &self.id, broken());
            };
            result.insert("requestState".to_owned(), state.into());
        }
        if !asks.requests.is_empty() {
            result.insert("inputRequests".to_owned(), Value::Object(asks.requests));
        }
        reply::asking(&self.id, result, decision)
    }

    fn handed(&self, handle: Option<Map<String, Value>>, decision: ActionId) -> End {
        match handle {
            Some(handle) => {
                let (status, body) = reply::handle(&self.id, handle, decision);
                End { status, body, decision: Some(decision), wider: None }
            }
            None => self.end(refuse::no_room()),
        }
    }

    /// The next bytes of the stream, and whether they are its last.
    pub async fn event(&mut self) -> (Bytes, bool) {
        let pause = Duration::from_secs(limits::KEEPALIVE_SECONDS);
        match tokio::time::timeout(pause, self.next()).await {
            Err(_) | Ok(Next::Opens(_) | Next::Nothing) => (sse::comment("waiting"), false),
            Ok(Next::Message(message)) => (sse::message(&message), false),
            Ok(Next::End(end)) => (sse::message(&end.body), true),
        }
    }
}

/// Resolves when the task has ended and its call has had time to say so by itself, which puts the reason on record first.
async fn cut(life: &Held, at: &mut Option<Instant>) {
    life.ended().await;
    let at = at.get_or_insert_with(|| Instant::now() + Duration::from_millis(limits::CUT_GRACE_MILLISECONDS));
    tokio::time::sleep_until(*at).await;
}

fn notification(method: &str, params: &Map<String, Value>) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string().into_bytes()
}

/// The call's task ended without an answer, which only a fault of ours does.
fn broken() -> Answer {
    refuse::refusal(
        &remit_domain::Refusal::new("fault", "Remit failed while it handled this call")
            .help("tell the operator; the log says more"),
    )
}
