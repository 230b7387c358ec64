//! Words every refusal for the protocol, and nothing else does.
//!
//! To a caller that is known, a refusal is a tool's result with `isError`: every client shows it to its model, which can then
//! act on it. Only who is unknown, and a ledger that cannot be written, are answered by the transport.

use http::StatusCode;
use remit_domain::{ActionId, ApprovalId, Refusal, Verdict};
use remit_engine::{Receipt, SubmitError};
use serde_json::{Map, Value, json};

use crate::Settings;
use crate::answer::{Answer, Body, RpcError};
use crate::caller::{Challenge, Unknown};
use crate::hold::Question;
use crate::upstream::{FaultKind, UpstreamFault};

/// The member of a result's `_meta` that says why it was refused, for programs.
pub(crate) const REFUSAL_MEMBER: &str = "remit/refusal";

/// JSON-RPC codes (JSON-RPC 2.0 section 5.1; MCP 2026-07-28 for the last three).
pub(crate) const PARSE_ERROR: i64 = -32700;
pub(crate) const INVALID_REQUEST: i64 = -32600;
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
pub(crate) const INVALID_PARAMS: i64 = -32602;
pub(crate) const INTERNAL_ERROR: i64 = -32603;
pub(crate) const HEADER_MISMATCH: i64 = -32020;
pub(crate) const MISSING_CAPABILITY: i64 = -32021;
/// MCP 2025-11-25: a person has to be led to an address first.
pub(crate) const ADDRESS_NEEDED: i64 = -32042;
pub(crate) const UNSUPPORTED_VERSION: i64 = -32022;
/// Ours, from the range for servers: nobody is known, or nothing can be decided. Clients use -32000 and -32001 for faults of
/// their own.
pub(crate) const REFUSED: i64 = -32040;
const UNAVAILABLE: i64 = -32041;

/// What the engine said to an attempt that was not decided.
pub(crate) fn submit_error(error: SubmitError) -> Answer {
    match error {
        SubmitError::Refused(refusal) => as_result(&refusal, None, None),
        SubmitError::Unavailable(refusal) => Answer { body: Body::Unavailable(refusal), decision: None },
    }
}

/// A refusal before anything was decided.
pub(crate) fn refusal(refusal: &Refusal) -> Answer {
    as_result(refusal, None, None)
}

/// A refusal about something that was decided before.
pub(crate) fn refused(refusal: &Refusal, decision: Option<ActionId>) -> Answer {
    as_result(refusal, decision, None)
}

/// A refusal as an error of the protocol, for what is no call.
pub(crate) fn error(code: i64, refusal: &Refusal) -> RpcError {
    RpcError { code, ..as_error(refusal) }
}

/// The person at the client does not want the action that needs an approval.
pub(crate) fn declined(question: Question) -> Answer {
    let Question { approval, decision } = question;
    as_result(&declined_at_client(approval), Some(decision), Some(approval))
}

/// The same, as a refusal.
pub(crate) fn declined_at_client(approval: ApprovalId) -> Refusal {
    Refusal::new("approval_declined", format!("the person at the client did not want to open `{approval}`"))
        .help("do something else; the same call again asks again")
}

/// What was decided, where it was no.
pub(crate) fn verdict(receipt: &Receipt) -> Answer {
    match Verdict::among(&receipt.events) {
        Some(Verdict::Denied(denied)) => as_result(&denied.refusal, Some(denied.action), denied.approval),
        Some(Verdict::Asked(requested)) => {
            let refusal = Refusal::new(
                "approval_pending",
                format!("a person has to approve this action first: `{}`", requested.approval),
            );
            as_result(&refusal, Some(requested.action), Some(requested.approval))
        }
        // Neither can be: an allow makes a permit, and every attempt has a verdict. Refusing is right whatever happened.
        Some(Verdict::Allowed(_)) | None => as_result(&Refusal::new("undecided", "nothing was decided"), None, None),
    }
}

/// What was decided, where the agent can do something about it itself: the record keeps what it says to people.
pub(crate) fn lacking(receipt: &Receipt, help: String) -> Answer {
    match Verdict::among(&receipt.events) {
        Some(Verdict::Denied(denied)) => {
            as_result(&denied.refusal.clone().help(help), Some(denied.action), denied.approval)
        }
        _ => verdict(receipt),
    }
}

/// What was decided, where a wider token for `scope` would change it.
pub(crate) fn step_up(answer: Answer, scope: String) -> Answer {
    match answer.body {
        Body::Result(result) => Answer { body: Body::StepUp { result, scope }, ..answer },
        _ => answer,
    }
}

/// The task has ended while its call was under way.
pub(crate) fn ended_meanwhile(decision: Option<ActionId>) -> Answer {
    let refusal = Refusal::new("task_ended", "the task ended while this call was under way");
    as_result(&refusal.help("the record says what became of it; start a new task"), decision, None)
}

/// The time to hold the call is over and nobody has answered yet.
pub(crate) fn still_waiting(settings: &Settings, question: Question) -> Answer {
    let Question { approval, decision } = question;
    let sentence = format!("a person has to approve this action first: `{approval}` waits for an answer");
    let help = format!(
        "it can be approved at {}/approvals/{approval}; repeat the same call to continue",
        settings.console_url
    );
    as_result(&Refusal::new("approval_pending", sentence).help(help), Some(decision), Some(approval))
}

/// Nobody answered in the time that the rule gave.
pub(crate) fn expired(question: Question) -> Answer {
    let Question { approval, decision } = question;
    let refusal = Refusal::new("approval_expired", format!("nobody answered `{approval}` in time"))
        .help("repeat the same call to ask again");
    as_result(&refusal, Some(decision), Some(approval))
}

/// Too many calls are under way.
pub(crate) fn no_room() -> Answer {
    let refusal = Refusal::new("overloaded", "too many calls are under way").help("try again in a moment");
    Answer { body: Body::Unavailable(refusal), decision: None }
}

/// The gateway is closing.
pub(crate) fn stopping() -> Answer {
    let refusal = Refusal::new("stopping", "Remit is stopping").help("try again when it is back");
    Answer { body: Body::Unavailable(refusal), decision: None }
}

/// A call that was allowed and gave no result.
pub(crate) fn fault(fault: &UpstreamFault, action: ActionId) -> Answer {
    let (code, help) = match fault.kind {
        FaultKind::NotSent => {
            ("upstream_not_reached", "nothing has happened; try again later, or ask the owner of the connector")
        }
        FaultKind::Failed => ("upstream_failed", "look at what it may have done before trying again"),
        FaultKind::Unknown => {
            ("outcome_unknown", "nobody knows whether it ran; look at what it may have done before trying again")
        }
    };
    as_result(&Refusal::new(code, fault.reason.clone()).help(help), Some(action), None)
}

/// The call ran, and that could not be recorded; its result is withheld.
pub(crate) fn not_recorded(error: &SubmitError, action: ActionId) -> Answer {
    let cause = error.refusal();
    let sentence =
        format!("the call ran, and its result is withheld because it cannot be recorded: {}", cause.sentence);
    let refusal = Refusal::new("outcome_not_recorded", sentence).help("look at what it did before trying again");
    as_result(&refusal, Some(action), None)
}

/// A refusal in the form of a tool's result. Without structured content, so that it never has to fit the tool's schema.
fn as_result(refusal: &Refusal, decision: Option<ActionId>, approval: Option<ApprovalId>) -> Answer {
    let text = match &refusal.help {
        Some(help) => format!("{refusal}\n{help}"),
        None => refusal.to_string(),
    };
    let mut result = Map::new();
    result.insert("content".to_owned(), json!([{"type": "text", "text": text}]));
    result.insert("isError".to_owned(), Value::Bool(true));
    result.insert("_meta".to_owned(), json!({REFUSAL_MEMBER: document(refusal, decision, approval)}));
    Answer { body: Body::Result(result), decision }
}

pub(crate) fn document(refusal: &Refusal, decision: Option<ActionId>, approval: Option<ApprovalId>) -> Value {
    let mut document = Map::new();
    document.insert("code".to_owned(), refusal.code.clone().into());
    document.insert("sentence".to_owned(), refusal.to_string().into());
    if let Some(help) = &refusal.help {
        document.insert("help".to_owned(), help.clone().into());
    }
    if let Some(decision) = decision {
        document.insert("decision_id".to_owned(), decision.to_string().into());
    }
    if let Some(approval) = approval {
        document.insert("approval".to_owned(), approval.to_string().into());
    }
    Value::Object(document)
}

/// A request of nobody, as it is answered.
pub(crate) struct Unanswered {
    pub status: StatusCode,
    /// For the `WWW-Authenticate` header, where another credential would help.
    pub challenge: Option<String>,
    /// The same in the protocol's own form, which is what some clients show.
    pub error: RpcError,
}

/// A request of nobody at an address that `metadata_url` is about, where a token needs `scope`.
pub(crate) fn unknown(unknown: &Unknown, metadata_url: &str, scope: Option<&str>) -> Unanswered {
    let scope = scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
    // RFC 6750 section 3.1: no error code where no credential came. Clients look for it all the same.
    let bearer = || format!("Bearer resource_metadata=\"{metadata_url}\", error=\"invalid_token\"{scope}");
    let (status, challenge) = match unknown.challenge {
        // Both kinds of tokens are taken (RFC 9449 section 7.1); clients that know one look for it by its name.
        Challenge::Token => (StatusCode::UNAUTHORIZED, Some(format!("{}, DPoP algs=\"ES256\"", bearer()))),
        Challenge::OtherToken => (StatusCode::UNAUTHORIZED, Some(bearer())),
        Challenge::Proof => {
            let challenge =
                format!("DPoP resource_metadata=\"{metadata_url}\", error=\"invalid_dpop_proof\", algs=\"ES256\"");
            (StatusCode::UNAUTHORIZED, Some(challenge))
        }
        Challenge::Nothing => (StatusCode::FORBIDDEN, None),
        Challenge::Patience => (StatusCode::SERVICE_UNAVAILABLE, None),
    };
    let error = match unknown.challenge {
        Challenge::Patience => unavailable(&unknown.refusal),
        _ => as_error(&unknown.refusal),
    };
    Unanswered { status, challenge, error }
}

/// The challenge for a caller whose token does not reach far enough (RFC 6750 section 3.1; MCP 2026-07-28, Scope Challenge Handling). It
/// names what this one call needs: clients add it to what they have.
pub(crate) fn step_up_challenge(metadata_url: &str, scope: &str) -> String {
    format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\", resource_metadata=\"{metadata_url}\"")
}

/// A caller whose task has ended, or whose agent is not active, asks for something else than a call.
pub(crate) fn ended(refusal: &Refusal) -> Unknown {
    Unknown { challenge: Challenge::OtherToken, refusal: refusal.clone() }
}

fn as_error(refusal: &Refusal) -> RpcError {
    let message = match &refusal.help {
        Some(help) => format!("{refusal}; {help}"),
        None => refusal.to_string(),
    };
    RpcError { code: REFUSED, message, data: Some(json!({REFUSAL_MEMBER: document(refusal, None, None)})) }
}

/// Nothing could be decided: the error, with a problem document (RFC 9457) as its data.
pub(crate) fn unavailable(refusal: &Refusal) -> RpcError {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": refusal.code,
        "detail": refusal.to_string(),
        "help": refusal.help,
        "retry_after_seconds": 1,
    });
    RpcError { code: UNAVAILABLE, message: refusal.to_string(), data: Some(problem) }
}

/// An error of the protocol itself.
pub(crate) fn protocol(code: i64, message: impl Into<String>) -> RpcError {
    RpcError { code, message: message.into(), data: None }
}
