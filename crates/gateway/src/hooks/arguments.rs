//! The arguments of an HTTP request, as policies read them: of all that is known of it, what the operation's schema names.

use http::HeaderMap;
use remit_domain::{ConnectorSpec, Digest, Thing};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::denial::Denial;
use super::reported::{Body, Reported, body_unknown};
use crate::mcp::strict;

#[cfg(test)]
mod tests;

/// Headers that policies read where a schema names `headers` without saying which.
const HEADERS: [&str; 4] = ["accept", "content-type", "origin", "user-agent"];

/// Headers that nobody reads: they hold secrets, and what policies read is kept.
const SECRETS: [&str; 5] = ["authorization", "cookie", "dpop", "proxy-authorization", "set-cookie"];

/// Who makes a request, as far as it is known.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    /// The name of the agent.
    pub agent: &'a str,
    pub principal: Option<&'a str>,
}

/// What is decided and recorded of a request.
#[derive(Debug, PartialEq)]
pub(super) struct Arguments {
    /// What policies read.
    pub named: Map<String, Value>,
    /// Who it is of and what it is about, as far as policies do not read it: an approval is for exactly that all the same.
    pub beside: Map<String, Value>,
}

/// What says who a request is of and what it is about.
const ESSENTIAL: [(&str, &str); 4] =
    [("subject", "id"), ("subject", "principal"), ("resource", "id"), ("context", "host")];

/// What stands beside the arguments in place of a body that may not be all there.
const UNKNOWN: &str = "unknown";

/// The arguments of `reported`, cut down to what `schema` names. What it does not name of the surroundings is not decided on; host, query and body
/// stand beside the arguments then, and headers are not recorded.
///
/// # Errors
/// If something that it names is not known, or could be read in two ways.
pub(super) fn of(
    reported: &Reported,
    subject: &Subject<'_>,
    spec: Option<&ConnectorSpec>,
    schema: &Value,
) -> Result<Arguments, Denial> {
    let (subjects, resources) = match spec {
        Some(ConnectorSpec::Elsewhere { subjects, resources, .. }) => (subjects.as_slice(), resources.as_slice()),
        _ => (&[][..], &[][..]),
    };
    let mut who = known(subjects, subject.agent);
    who.insert("id".to_owned(), subject.agent.into());
    who.insert("type".to_owned(), "agent".into());
    if let Some(principal) = subject.principal {
        who.insert("principal".to_owned(), principal.into());
    }
    let mut what = known(resources, &reported.path);
    what.insert("id".to_owned(), reported.path.clone().into());
    what.insert("type".to_owned(), reported.connector.clone().into());
    let mut offered = Map::new();
    offered.insert("subject".to_owned(), Value::Object(who));
    offered.insert("action".to_owned(), json!({"name": reported.method}));
    offered.insert("resource".to_owned(), Value::Object(what));
    offered.insert("context".to_owned(), Value::Object(context(reported, schema)?));
    let offered = Value::Object(offered);
    let named = match cut(schema, offered.clone()) {
        Value::Object(named) if schema.get("properties").is_some_and(Value::is_object) => named,
        _ => Map::new(),
    };
    let beside = beside(reported, &offered, &named);
    Ok(Arguments { named, beside })
}

/// What policies do not read and an approval is for all the same.
///
/// INVARIANT: a request with another host, path, query or body is another action, whatever the schema names.
fn beside(reported: &Reported, offered: &Value, named: &Map<String, Value>) -> Map<String, Value> {
    let mut beside = Map::new();
    let mut keep = |entity: &str, member: &str, value: Value| {
        if let Some(kept) = beside.entry(entity).or_insert_with(|| json!({})).as_object_mut() {
            kept.insert(member.to_owned(), value);
        }
    };
    for (entity, member) in ESSENTIAL {
        let unnamed = named.get(entity).is_none_or(|named| named.get(member).is_none());
        if let Some(value) = offered.get(entity).and_then(|offered| offered.get(member)).filter(|_| unnamed) {
            keep(entity, member, value.clone());
        }
    }
    let read = |member: &str| named.get("context").and_then(|context| context.get(member));
    // Parameters lose their order and how they are written; only the text is all of it.
    if let Some(query) = reported.query.as_deref().filter(|query| read("query").and_then(Value::as_str) != Some(query))
    {
        keep("context", "query", query.into());
    }
    let whole = offered.get("context").and_then(|context| context.get("body"));
    match &reported.body {
        Body::Whole(bytes) if whole.is_none() || read("body") != whole => {
            keep("context", "body_sha256", Digest::of_bytes(bytes).to_string().into());
            keep("context", "body_size_bytes", bytes.len().into());
        }
        Body::Unknown => keep("context", "body", UNKNOWN.into()),
        Body::Whole(_) | Body::None => {}
    }
    beside
}

/// What the connector's catalogue knows of the thing `id`.
fn known(things: &[Thing], id: &str) -> Map<String, Value> {
    things.iter().find(|thing| thing.id == id).map(|thing| thing.properties.clone()).unwrap_or_default()
}

fn context(reported: &Reported, schema: &Value) -> Result<Map<String, Value>, Denial> {
    let mut context = Map::new();
    context.insert("host".to_owned(), reported.host.clone().into());
    context.insert("scheme".to_owned(), reported.scheme.clone().into());
    if let (Some(wanted), Some(query)) = (at(schema, &["context", "query"]), &reported.query) {
        context.insert("query".to_owned(), read_query(query, wanted)?);
    }
    if let Some(wanted) = at(schema, &["context", "headers"]) {
        context.insert("headers".to_owned(), Value::Object(read_headers(&reported.headers, wanted)));
    }
    if at(schema, &["context", "body"]).is_some()
        && let Some(body) = read_body(reported)?
    {
        context.insert("body".to_owned(), body);
    }
    Ok(context)
}

/// The schema of what stands at `path`, if `schema` names it: by its name, or with everything above it.
fn at<'a>(schema: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let mut here = schema;
    for (depth, name) in path.iter().enumerate() {
        match here.get("properties") {
            Some(Value::Object(properties)) => here = properties.get(*name)?,
            _ if depth == 0 => return None,
            _ => return Some(&Value::Null),
        }
    }
    Some(here)
}

/// A value without the members that its schema does not name. A schema that names none takes the whole value.
fn cut(schema: &Value, value: Value) -> Value {
    match (schema.get("properties"), value) {
        (Some(Value::Object(properties)), Value::Object(members)) => {
            let kept = members.into_iter().filter_map(|(name, member)| {
                let cut = cut(properties.get(&name)?, member);
                Some((name, cut))
            });
            Value::Object(kept.collect())
        }
        (_, value) => value,
    }
}

/// The query: its text, or its parameters where the schema says that it is an object.
fn read_query(query: &str, wanted: &Value) -> Result<Value, Denial> {
    let named = wanted.get("properties").and_then(Value::as_object);
    if named.is_none() && wanted.get("type").is_none_or(|kind| kind != "object") {
        return Ok(query.into());
    }
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if named.is_some_and(|named| !named.contains_key(name.as_ref())) {
            continue;
        }
        if parameters.insert(name.into_owned(), value.into_owned().into()).is_some() {
            return Err(Denial::doubt(
                "query_ambiguous",
                "a parameter that this decision may depend on is there twice",
                "send each parameter once",
            ));
        }
    }
    Ok(Value::Object(parameters))
}

fn read_headers(headers: &HeaderMap, wanted: &Value) -> Map<String, Value> {
    let named = wanted.get("properties").and_then(Value::as_object);
    let names: Vec<&str> = match named {
        Some(named) => named.keys().map(String::as_str).collect(),
        None => HEADERS.to_vec(),
    };
    let readable = names.into_iter().filter(|name| !SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret)));
    let read = readable.filter_map(|name| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (!values.is_empty()).then(|| (name.to_owned(), values.join(", ").into()))
    });
    read.collect()
}

/// The body, if the request has one: a document where it is JSON, else its text.
fn read_body(reported: &Reported) -> Result<Option<Value>, Denial> {
    let doubt = |code: &str, sentence: &str, help: &str| Err(Denial::doubt(code, sentence, help));
    let bytes = match &reported.body {
        Body::None => return Ok(None),
        Body::Whole(bytes) => bytes,
        Body::Unknown => {
            return Err(Denial::forbidden(body_unknown("this decision may depend on the body")));
        }
    };
    if reported.is_json() {
        let document = strict::read(bytes);
        return document.map(Some).or_else(|error| {
            doubt(
                "body_malformed",
                &format!("the body says that it is JSON and cannot be read as such: {error}"),
                "send JSON",
            )
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if reported.is_plain() => Ok(Some(text.into())),
        _ => doubt(
            "body_unreadable",
            "this decision may depend on the body, which is no text",
            "send JSON or text, uncoded",
        ),
    }
}
