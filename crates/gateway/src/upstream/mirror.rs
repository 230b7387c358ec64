//! Arguments that a server of 2026-07-28 wants repeated in headers (`x-mcp-header`), for whatever routes between.
//!
//! What the gateway lists to agents has no such marks: the gateway is the server's client, and sends these headers itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

#[cfg(test)]
mod tests;

const MARK: &str = "x-mcp-header";

/// One argument and the header that repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    /// The names of the properties that lead to it.
    path: Vec<String>,
    header: HeaderName,
}

/// Why a tool cannot be called over HTTP: one of its marks is not as they have to be (2026-07-28, Streamable HTTP, "Custom
/// headers from tool parameters").
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadMark {
    #[error("a mark is no token that a header's name can end with")]
    NoToken,
    #[error("two marks give the same header")]
    Twice,
    #[error("a mark is on an argument that is not a string, an integer or a boolean")]
    NotPrimitive,
    #[error("a mark is where no one argument can be found by its path")]
    OutOfReach,
}

/// The arguments of a tool that are repeated, from its definition.
pub(super) fn marked(definition: &Value) -> Result<Vec<Mirror>, BadMark> {
    let mut mirrors = Vec::new();
    if let Some(schema) = definition.get("inputSchema") {
        collect(schema, &mut Vec::new(), &mut mirrors)?;
    }
    Ok(mirrors)
}

/// Collects the marks of a schema that a chain of `properties` leads to.
fn collect(schema: &Value, path: &mut Vec<String>, mirrors: &mut Vec<Mirror>) -> Result<(), BadMark> {
    let Some(members) = schema.as_object() else { return Ok(()) };
    for (name, member) in members {
        match (name.as_str(), member) {
            (MARK, mark) => mirrors.push(mirror(schema, mark, path, mirrors)?),
            ("properties", Value::Object(properties)) => {
                for (property, schema) in properties {
                    path.push(property.clone());
                    collect(schema, path, mirrors)?;
                    path.pop();
                }
            }
            _ => must_be_unmarked(name, member)?,
        }
    }
    Ok(())
}

fn mirror(schema: &Value, mark: &Value, path: &[String], before: &[Mirror]) -> Result<Mirror, BadMark> {
    if path.is_empty() {
        return Err(BadMark::OutOfReach);
    }
    let token =
        mark.as_str().filter(|token| !token.is_empty() && token.bytes().all(is_token)).ok_or(BadMark::NoToken)?;
    let primitive = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "boolean"));
    let fits = match schema.get("type") {
        // What may also be null is left out of the headers when it is.
        Some(Value::Array(kinds)) => {
            kinds.iter().all(|kind| primitive(kind) || kind == "null") && kinds.iter().any(primitive)
        }
        Some(kind) => primitive(kind),
        None => false,
    };
    if !fits {
        return Err(BadMark::NotPrimitive);
    }
    let name = format!("mcp-param-{}", token.to_ascii_lowercase());
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadMark::NoToken)?;
    if before.iter().any(|mirror| mirror.header == header) {
        return Err(BadMark::Twice);
    }
    Ok(Mirror { path: path.to_vec(), header })
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A mark anywhere else, such as in the items of a list or behind a condition, makes the definition invalid.
fn must_be_unmarked(name: &str, member: &Value) -> Result<(), BadMark> {
    match (name, member) {
        // Values, not schemas.
        ("enum" | "const" | "default" | "examples", _) => Ok(()),
        ("properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas", Value::Object(schemas)) => {
            schemas.values().try_for_each(|schema| must_be_unmarked("", schema))
        }
        (_, Value::Object(members)) if members.contains_key(MARK) => Err(BadMark::OutOfReach),
        (_, Value::Object(members)) => members.iter().try_for_each(|(name, member)| must_be_unmarked(name, member)),
        (_, Value::Array(items)) => items.iter().try_for_each(|item| must_be_unmarked("", item)),
        _ => Ok(()),
    }
}

/// Puts the headers for `arguments` into `headers`.
pub(super) fn repeat(mirrors: &[Mirror], arguments: &Value, headers: &mut HeaderMap) {
    for mirror in mirrors {
        let found = mirror.path.iter().try_fold(arguments, |value, name| value.get(name));
        let text = match found {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => continue,
        };
        headers.insert(mirror.header.clone(), header_value(&text));
    }
}

/// `text` as a header's value: as it is, or in base64 where a header could not carry it, or would be read otherwise.
pub(super) fn header_value(text: &str) -> HeaderValue {
    let plain =
        text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text && !text.starts_with("=?base64?");
    let encoded = || format!("=?base64?{}?=", STANDARD.encode(text));
    let value = if plain { HeaderValue::from_str(text) } else { HeaderValue::from_str(&encoded()) };
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}
