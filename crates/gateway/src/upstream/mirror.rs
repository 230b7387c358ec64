//! Arguments that a server of 2026-07-28 wants repeated in headers (`x-mcp-header`), for whatever routes between.
//!
//! What the gateway lists to agents has no such marks: the gateway is the server's client, and sends these headers itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// One argument and the header that repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    property: String,
    header: HeaderName,
}

/// The arguments of a tool that are repeated, from its definition. Marks that give no header name mean nothing.
pub(super) fn marked(definition: &Value) -> Vec<Mirror> {
    let properties =
        definition.get("inputSchema").and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let mirror = |(property, schema): (&String, &Value)| {
        let token = schema.get("x-mcp-header")?.as_str()?;
        let header = HeaderName::from_bytes(format!("mcp-param-{}", token.to_ascii_lowercase()).as_bytes()).ok()?;
        Some(Mirror { property: property.clone(), header })
    };
    properties.into_iter().flatten().filter_map(mirror).collect()
}

/// The headers for `arguments`.
pub(super) fn headers(mirrors: &[Mirror], arguments: &Value) -> Vec<(HeaderName, HeaderValue)> {
    let value = |mirror: &Mirror| {
        let text = match arguments.get(&mirror.property)? {
            Value::String(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((mirror.header.clone(), header_value(&text)))
    };
    mirrors.iter().filter_map(value).collect()
}

/// `text` as a header's value: as it is, or in base64 where a header could not carry it, or would be read otherwise.
pub(super) fn header_value(text: &str) -> HeaderValue {
    let plain =
        text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text && !text.starts_with("=?base64?");
    let encoded = || format!("=?base64?{}?=", STANDARD.encode(text));
    let value = if plain { HeaderValue::from_str(text) } else { HeaderValue::from_str(&encoded()) };
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}
