//! What changed between two definitions, member by member, in words and with its place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::limits;
use crate::wording::{Run, wording};

#[cfg(test)]
mod tests;

/// What happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed,
}

/// One member that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// JSON pointer (RFC 6901) into the definition; empty for the definition as a whole.
    pub place: String,
    pub change: Change,
    /// In words, as in "the argument `to` is now required".
    pub sentence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// For texts: how one became the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wording: Vec<Run>,
}

/// Every difference between two definitions; none exactly if they are equal. Beyond [`limits::DIFFERENCES_MAX`] the last one
/// says how many are not listed.
pub fn compare(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), before, after, &mut found);
    let beyond = found.len().saturating_sub(limits::DIFFERENCES_MAX);
    if beyond > 0 {
        found.truncate(limits::DIFFERENCES_MAX);
        found.push(Difference {
            place: String::new(),
            change: Change::Changed,
            sentence: format!("{beyond} more differences are not listed"),
            before: None,
            after: None,
            wording: Vec::new(),
        });
    }
    found
}

/// A JSON pointer of `segments`.
pub(crate) fn pointer<S: AsRef<str>>(segments: &[S]) -> String {
    segments.iter().map(|segment| format!("/{}", segment.as_ref().replace('~', "~0").replace('/', "~1"))).collect()
}

fn walk(place: &mut Vec<String>, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(before), Value::Object(after)) => members(place, before, after, found),
        (Value::Array(before), Value::Array(after)) if are_plain(before) && are_plain(after) => {
            choices(place, before, after, found);
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                place.push(index.to_string());
                either(place, before.get(index), after.get(index), found);
                place.pop();
            }
        }
        (before, after) => found.push(difference(place, Some(before), Some(after))),
    }
}

fn members(
    place: &mut Vec<String>,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        place.push(name.clone());
        either(place, before.get(name), after.get(name), found);
        place.pop();
    }
}

fn either(place: &mut Vec<String>, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    match (before, after) {
        (Some(before), Some(after)) => walk(place, before, after, found),
        // A list that comes or goes as a whole says more item by item.
        (None, Some(Value::Array(after))) if is_required(place) => choices(place, &[], after, found),
        (Some(Value::Array(before)), None) if is_required(place) => choices(place, before, &[], found),
        (None, None) => {}
        (before, after) => found.push(difference(place, before, after)),
    }
}

fn is_required(place: &[String]) -> bool {
    let in_properties = place.iter().rev().nth(1).is_some_and(|above| above == "properties");
    place.last().is_some_and(|last| last == "required") && !in_properties
}

fn are_plain(items: &[Value]) -> bool {
    items.iter().all(|item| !item.is_object() && !item.is_array())
}

/// Lists in which only what is in them matters: `required`, `enum`, `type`, examples.
fn choices(place: &[String], before: &[Value], after: &[Value], found: &mut Vec<Difference>) {
    let known = found.len();
    let (gone, new) =
        (before.iter().filter(|item| !after.contains(item)), after.iter().filter(|item| !before.contains(item)));
    let of = subject(place);
    let required = is_required(place);
    let name = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    let each = |item: &Value, change: Change| Difference {
        place: pointer(place),
        change,
        sentence: match (required, change) {
            (true, Change::Added) => format!("{} is now required", member(place, &name(item))),
            (true, _) => format!("{} is no longer required", member(place, &name(item))),
            (false, Change::Added) => format!("{of} now has `{}`", name(item)),
            (false, _) => format!("{of} no longer has `{}`", name(item)),
        },
        before: (change == Change::Removed).then(|| item.clone()),
        after: (change == Change::Added).then(|| item.clone()),
        wording: Vec::new(),
    };
    found.extend(gone.map(|item| each(item, Change::Removed)));
    found.extend(new.map(|item| each(item, Change::Added)));
    if found.len() == known {
        found.push(Difference {
            place: pointer(place),
            change: Change::Changed,
            sentence: format!("{of} names the same in another order or number"),
            before: Some(Value::Array(before.to_vec())),
            after: Some(Value::Array(after.to_vec())),
            wording: Vec::new(),
        });
    }
}

fn difference(place: &[String], before: Option<&Value>, after: Option<&Value>) -> Difference {
    let of = subject(place);
    let (change, verb) = match (before, after) {
        (None, _) => (Change::Added, "is new"),
        (_, None) => (Change::Removed, "is gone"),
        _ => (Change::Changed, "changed"),
    };
    let words = match (before, after) {
        (Some(Value::String(before)), Some(Value::String(after))) => wording(before, after),
        _ => Vec::new(),
    };
    Difference {
        place: pointer(place),
        change,
        sentence: format!("{of} {verb}"),
        before: before.cloned(),
        after: after.cloned(),
        wording: words,
    }
}

/// What stands at `place`, in words.
fn subject(place: &[String]) -> String {
    let (owner, rest) = owner(place);
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (owner, rest.as_slice()) {
        (None, []) => "the definition".to_owned(),
        (None, ["annotations", hint]) => format!("the hint `{hint}`"),
        (None, ["name"]) => "the tool's name".to_owned(),
        (None, [one @ ("title" | "description")]) => format!("the tool's {one}"),
        (None, rest) => format!("`{}`", rest.join(".")),
        (Some(owner), []) => owner,
        (Some(owner), [one @ ("title" | "description" | "type" | "format" | "default" | "enum")]) => {
            format!("the {one} of {owner}")
        }
        (Some(owner), rest) => format!("`{}` of {owner}", rest.join(".")),
    }
}

/// The argument or result member that `place` is in, and what is left of the place from there.
fn owner(place: &[String]) -> (Option<String>, &[String]) {
    let Some((root, mut rest)) = place.split_first() else { return (None, place) };
    let kind = match root.as_str() {
        "inputSchema" => "the argument",
        "outputSchema" => "the result's member",
        _ => return (None, place),
    };
    let mut names: Vec<&str> = Vec::new();
    let mut from = None;
    while let Some((segment, after)) = rest.split_first() {
        rest = after;
        if segment == "properties"
            && let Some((name, after)) = rest.split_first()
        {
            names.push(name);
            (rest, from) = (after, Some(after));
        }
    }
    match from {
        Some(from) => (Some(format!("{kind} `{}`", names.join("."))), from),
        None => (None, place),
    }
}

/// The member `name` of the schema whose `required` stands at `place`.
fn member(place: &[String], name: &str) -> String {
    let above = place.get(..place.len().saturating_sub(1)).unwrap_or_default();
    let whole = [above, &["properties".to_owned(), name.to_owned()]].concat();
    subject(&whole)
}
