//! Lists of what there is, cut down to what the caller could use: the same function decides calls.

use remit_domain::{Feature, Onlooker, OperationName, Reachable, State, Timestamp};
use serde_json::{Map, Value};

use super::acting::Acting;
use crate::mcp::{self, features, tools};
use crate::upstream::Governed;

#[cfg(test)]
mod tests;

/// A server behind a gateway of others.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// How that gateway names it.
    pub name: String,
    /// How it is named here.
    pub connector: String,
}

impl Server {
    pub fn new((name, connector): (String, String)) -> Self {
        Self { name, connector }
    }
}

/// A list that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Tools,
    /// Of resources, their templates, or prompts.
    Feature(Governed),
}

impl List {
    /// The list that `method` asks for, if it asks for one.
    pub fn of(method: &str) -> Option<Self> {
        if method == "tools/list" {
            return Some(Self::Tools);
        }
        mcp::governed(method).filter(|governed| governed.is_list()).map(Self::Feature)
    }

    /// What of the result `page` of `servers` the one who acts may see: what its task could use, and the agent that is named as well.
    pub fn cut(
        self,
        state: &State,
        acting: &Acting,
        servers: &[Server],
        mut page: Map<String, Value>,
        now: Timestamp,
    ) -> Map<String, Value> {
        let member = match self {
            Self::Tools => "tools",
            Self::Feature(governed) => features::entries_of(governed),
        };
        let entries = match page.get_mut(member) {
            Some(Value::Array(entries)) => std::mem::take(entries),
            // What is no list has nothing that could be seen.
            _ => Vec::new(),
        };
        let seen: Vec<Value> = match self {
            Self::Tools => entries.into_iter().filter_map(|entry| tool(state, acting, servers, &entry, now)).collect(),
            Self::Feature(governed) => {
                let seen = |entry: &Value| has_use(state, acting, servers, governed, entry, now);
                entries.into_iter().filter(seen).collect()
            }
        };
        page.insert(member.to_owned(), Value::Array(seen));
        page
    }
}

/// The definition that a person approved of the tool that `entry` names, if some call of the one who acts could be allowed or asked for.
/// Whatever the server says of it now is left out: agents read it.
fn tool(state: &State, acting: &Acting, servers: &[Server], entry: &Value, now: Timestamp) -> Option<Value> {
    let name = entry.get("name").and_then(Value::as_str)?;
    let (connector, own) = place(servers, name)?;
    let operation = state.operations.get(&OperationName::new(connector, own))?;
    if operation.withdrawn.is_some() || Feature::of_tool(own).is_some() {
        return None;
    }
    let listing = remit_domain::listing(state, onlooker(state, acting)?, operation, now);
    let shown = listing.reachable != Reachable::Never;
    shown.then(|| tools::with_listing(tools::named(operation, name.to_owned()), &listing))
}

/// The connector and the server's own name behind the name of a tool. Where the gateway puts several servers together it writes
/// `SERVER_TOOL`; a name that could be of two of them is of neither.
fn place<'a>(servers: &'a [Server], name: &'a str) -> Option<(&'a str, &'a str)> {
    if let [server] = servers {
        return Some((&server.connector, name));
    }
    let mut places = servers.iter().filter_map(|server| {
        let own = name.strip_prefix(server.name.as_str())?.strip_prefix('_')?;
        Some((server.connector.as_str(), own))
    });
    let found = places.next()?;
    if places.next().is_some() { None } else { Some(found) }
}

/// Who looks at a list: what is seen has to be of use to the agent that is named as well.
fn onlooker<'a>(state: &'a State, acting: &Acting) -> Option<Onlooker<'a>> {
    Some(Onlooker { task: state.task(acting.caller.task).ok()?, named: acting.named })
}

/// Whether `feature` of `connector` is approved, and some use of it could be allowed to whoever acts.
fn reaches(state: &State, acting: &Acting, connector: &str, feature: Feature, now: Timestamp) -> bool {
    let operation = state.operations.get(&OperationName::new(connector, feature.name()));
    let operation = operation.filter(|operation| operation.withdrawn.is_none()).zip(onlooker(state, acting));
    operation
        .is_some_and(|(operation, onlooker)| remit_domain::reach(state, onlooker, operation, now) != Reachable::Never)
}

/// Whether the one who acts could use what `entry` names. Where several servers are put together, whatever could be of all of them. Of an
/// agent that is named only what it could use of the feature counts, not the name or address itself.
fn has_use(
    state: &State,
    acting: &Acting,
    servers: &[Server],
    governed: Governed,
    entry: &Value,
    now: Timestamp,
) -> bool {
    let (member, asks) = match governed {
        Governed::ListPrompts => ("name", Some("prompts/get")),
        Governed::ListTemplates => ("uriTemplate", None),
        _ => ("uri", Some("resources/read")),
    };
    let (Some(own), Some(feature)) = (entry.get(member).and_then(Value::as_str), governed.feature()) else {
        return false;
    };
    servers.iter().all(|server| {
        let connector = server.connector.as_str();
        let itself = match (asks, servers) {
            (Some(asks), [_]) => features::could_use(state, &acting.caller, connector, asks, member, own, now),
            _ => true,
        };
        itself && reaches(state, acting, connector, feature, now)
    })
}
