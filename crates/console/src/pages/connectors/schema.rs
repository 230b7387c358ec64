//! The arguments of an operation as its definition describes them: a row for each.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::limits;
use crate::parts::properties::none;
use crate::parts::text::shown;

#[cfg(test)]
mod tests;

/// The arguments that `schema`, a JSON schema of an object, names. The definition beside it is always whole.
pub(super) fn arguments(schema: &Value) -> Markup {
    let properties = schema.get("properties").and_then(Value::as_object).filter(|members| !members.is_empty());
    let Some(properties) = properties else { return html! { p .quiet { "It names no arguments." } } };
    let beyond = properties.len().saturating_sub(limits::VALUE_ROWS_MAX);
    html! {
        div .scroll tabindex="0" role="region" aria-label="Arguments" {
            table .list {
                thead { tr { th { "Argument" } th { "Type" } th { "Needed" } th { "What its server says" } } }
                tbody {
                    @for (name, member) in properties.iter().take(limits::VALUE_ROWS_MAX) {
                        tr {
                            td { code { (shown(name)) } }
                            td { (kind(member)) }
                            td { @if is_required(schema, name) { "yes" } @else { (none("no")) } }
                            td { (said(member)) }
                        }
                    }
                }
            }
        }
        @if beyond > 0 { p .quiet { (beyond) " more stand only in the definition" } }
        @if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            p .quiet { "It does not say that there are no other arguments." }
        }
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|one| one.as_str() == Some(name)))
}

/// Its type, and what bounds it, in the words of the schema.
fn kind(member: &Value) -> Markup {
    let text = |name: &str| member.get(name).and_then(Value::as_str);
    let types = match member.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    let items = member.pointer("/items/type").and_then(Value::as_str);
    let nested = member.get("properties").and_then(Value::as_object).map(Map::len);
    html! {
        (shown(&types))
        @if let Some(items) = items { " of " (shown(items)) }
        @if let Some(format) = text("format") { " " span .quiet { (shown(format)) } }
        @if let Some(members) = nested { " " span .quiet { "with " (members) " members" } }
    }
}

fn said(member: &Value) -> Markup {
    const BOUNDS: [(&str, &str); 7] = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("maxItems", "items at most"),
        ("pattern", "of the pattern"),
        ("default", "if left out"),
    ];
    let bounds = BOUNDS.iter().filter_map(|(name, words)| Some((words, member.get(name)?)));
    html! {
        @if let Some(description) = member.get("description").and_then(Value::as_str) { span .text { (shown(description)) } " " }
        @if let Some(choices) = member.get("enum").and_then(Value::as_array) {
            span .quiet { "one of " }
            @for choice in choices.iter().take(limits::ANSWERERS_SHOWN_MAX) { code { (shown(&choice.to_string())) } " " }
            @if choices.len() > limits::ANSWERERS_SHOWN_MAX { span .quiet { "and more" } }
        }
        @for (words, bound) in bounds { span .quiet { (words) " " } code { (shown(&bound.to_string())) } " " }
    }
}
