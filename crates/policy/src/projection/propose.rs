//! Projections that the names and formats of a tool's arguments suggest, for a person to accept, change or leave.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Projection;
use crate::shape::Shape;

/// Proposes projections for the tool named `tool` from the JSON schema of its arguments; none for a schema that is not usable.
///
/// Nothing is declared by this: what a name suggests (`to` may be a telephone number) is for a person to judge.
pub fn propose(tool: &str, schema: &Value) -> Vec<Projection> {
    let Ok(shape) = Shape::from_json_schema(schema) else { return Vec::new() };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let tool = words(tool);
    let mut proposed: Vec<Projection> = Vec::new();
    // Sorted, so that the order in which a server writes its schema does not matter.
    for (name, property) in properties.iter().collect::<BTreeMap<_, _>>() {
        for alternatives in suggestions(&tool, name, property) {
            // What the schema does not bear out, or what would take a name twice, is not proposed.
            let fits = alternatives.iter().find_map(|text| {
                let mut with = proposed.clone();
                with.push(text.parse().ok()?);
                shape.clone().projecting(schema, &with).ok().map(|_| with)
            });
            proposed = fits.unwrap_or(proposed);
        }
    }
    proposed
}

/// The texts of projections for one argument; of several for one value, the first that the schema bears out is meant.
fn suggestions(tool: &str, name: &str, property: &Value) -> Vec<Vec<String>> {
    let plain = words(name);
    let last = plain.rsplit('_').next().unwrap_or_default();
    let is = |known: &[&str]| known.contains(&plain.as_str()) || known.contains(&last);
    let object = property.as_object();
    let format = object.map_or("", format_of);
    let mut texts = Vec::new();
    // Where one value or a list of them fits, the list does: it takes both.
    let mut each = |value: String, function: &str| {
        texts.push(vec![format!("{value}s = {function}({name}[])"), format!("{value} = {function}({name})")]);
    };
    if format.ends_with("email") || is(&["to", "cc", "bcc", "recipient", "recipients", "email", "emails"]) {
        let base = if plain == "to" { "recipient" } else { singular(&plain) };
        each(format!("{base}_domain"), "email_domain");
    } else if matches!(format, "uri" | "url" | "iri") || is(&["url", "urls", "uri", "uris", "webhook", "link"]) {
        each(format!("{}_host", singular(&plain)), "url_host");
    } else if is(&["path", "paths", "file", "files", "filename", "filepath", "directory", "folder"]) {
        let base = singular(&plain);
        each(if last.starts_with("path") { base.to_owned() } else { format!("{base}_path") }, "path");
    } else if is(&["amount", "price", "total", "sum", "cents"]) {
        texts.push(vec![format!("{plain} = amount({name})")]);
    } else if is(&["sql"]) || is(&["query", "statement"]) && tool.split('_').any(|word| word.ends_with("sql")) {
        texts.push(vec![format!("sql_verb = sql_verb({name})")]);
    }
    texts.push(vec![format!("{plain}_count = count({name})")]);
    texts
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').filter(|singular| !singular.ends_with('s')).unwrap_or(name)
}

fn format_of(property: &Map<String, Value>) -> &str {
    let own = property.get("format");
    let of_items = || property.get("items").and_then(|items| items.get("format"));
    own.or_else(of_items).and_then(Value::as_str).unwrap_or_default()
}

/// `filePath` and `File-Path` as `file_path`.
fn words(name: &str) -> String {
    let mut words = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            words.push('_');
        }
        after_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        words.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
    }
    words
}
