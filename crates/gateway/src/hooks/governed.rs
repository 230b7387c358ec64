//! What a message of MCP is to whoever decides: an action like at Remit's own doors, or something that nobody decides on there either.

use serde_json::{Map, Value};

use super::denial::Denial;
use crate::call::Call;
use crate::door::Door;
use crate::mcp;

/// Requests that Remit's own doors answer every known caller: a greeting, a sign of life, and a list of what there is.
const PASSING: [&str; 4] = ["initialize", "ping", "server/discover", "tools/list"];

/// Notifications that only say how a client goes on with what it began.
const NOTIFICATIONS: [&str; 4] = [
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];

/// What is to be done about a message.
#[derive(Debug)]
pub(super) enum Meant {
    /// It is an action, and has to be decided.
    Action(Box<Call>),
    /// It goes on for everybody who could use something of its server.
    Passing,
}

/// What a request to the server of `connector` is.
///
/// # Errors
/// If nobody here knows what it does.
pub(super) fn request(connector: &str, method: &str, params: Map<String, Value>) -> Result<Meant, Denial> {
    let Some(governed) = mcp::governed(method) else {
        return if PASSING.contains(&method) { Ok(Meant::Passing) } else { Err(unknown(method)) };
    };
    let mut call = Call::read(&Door::One(connector.to_owned()), governed, params)?;
    // Here nothing can be left out of what goes on: what a person was not shown, they did not approve.
    let unknown = std::mem::take(&mut call.unknown);
    if !unknown.is_empty() {
        call = call.with([("_meta".to_owned(), Value::Object(unknown))].into_iter().collect())?;
    }
    Ok(Meant::Action(Box::new(call)))
}

/// What a notification of a client is.
///
/// # Errors
/// If nobody here knows what it does.
pub(super) fn notification(method: &str) -> Result<Meant, Denial> {
    if NOTIFICATIONS.contains(&method) { Ok(Meant::Passing) } else { Err(unknown(method)) }
}

fn unknown(method: &str) -> Denial {
    let sentence = format!("nobody can decide here what `{method}` does");
    Denial::doubt("method_unknown", sentence, "use Remit's own gateway for it")
}
