//! JSON values as people read them: a row for each member, nothing cut, nothing run.

use maud::{Markup, html};
use serde_json::Value;

use crate::limits;
use crate::parts::text::shown;

#[cfg(test)]
mod tests;

/// The members of `value` as rows. Inner objects and lists stand as indented JSON.
pub(crate) fn table(value: &Value) -> Markup {
    let Value::Object(members) = value else { return single(value) };
    if members.is_empty() {
        return html! { p .quiet { "no members" } };
    }
    let beyond = members.len().saturating_sub(limits::VALUE_ROWS_MAX);
    html! {
        table .values {
            tbody {
                @for (name, member) in members.iter().take(limits::VALUE_ROWS_MAX) {
                    tr { th scope="row" { (shown(name)) } td { (single(member)) } }
                }
            }
        }
        @if beyond > 0 {
            p .notice .bad { (beyond) " more members stand only in the exact text" }
        }
    }
}

fn single(value: &Value) -> Markup {
    match value {
        Value::String(text) if text.is_empty() => html! { span .quiet { "empty text" } },
        Value::String(text) => html! { span .text { (shown(text)) } },
        Value::Null => html! { span .quiet { "null" } },
        Value::Bool(_) | Value::Number(_) => html! { code { (value) } },
        Value::Array(_) | Value::Object(_) => html! { pre { (shown(&format!("{value:#}"))) } },
    }
}

/// Exact bytes as text.
pub(crate) fn exact(bytes: &str) -> Markup {
    html! { pre .exact { (shown(bytes)) } }
}
