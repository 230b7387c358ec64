//! What people and programs see: tables or JSON, refusals on standard error, colour on a terminal only.

use std::io::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use owo_colors::{OwoColorize, Stream};
use remit_domain::Refusal;
use serde_json::{Value, json};

use super::Failure;

#[cfg(test)]
mod tests;

/// A column of a table: its head, and where in each item its value stands.
pub type Column = (&'static str, &'static str);

/// Where answers go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads this.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// One line. A reader that went away has seen what it wanted.
    pub fn line(&self, text: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// A whole document.
    pub fn document(&self, value: &Value) {
        self.line(&serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// `value` for programs; for people the sentence that says what happened.
    pub fn done(&self, value: &Value, sentence: &str) {
        if self.json { self.document(value) } else { self.line(&plain(sentence)) }
    }

    /// A sentence for people only.
    pub fn note(&self, sentence: &str) {
        if !self.json {
            self.line(&plain(sentence));
        }
    }

    /// How far something is that takes long, beside the answer: on standard error, and for people only.
    pub fn progress(&self, sentence: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr().lock(), "{}", plain(sentence));
        }
    }

    /// `value` for programs; for people its `items` as a table, or the sentence for none.
    pub fn table(&self, value: &Value, columns: &[Column], none: &str) {
        if self.json {
            return self.document(value);
        }
        let empty = Vec::new();
        let items = value.get("items").or(Some(value)).and_then(Value::as_array).unwrap_or(&empty);
        if items.is_empty() {
            return self.line(none);
        }
        self.line(&table_of(items, columns));
    }

    /// `value` for programs; for people its members one below the other.
    pub fn card(&self, value: &Value, rows: &[Column]) {
        if self.json {
            return self.document(value);
        }
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        for (name, pointer) in rows {
            let text = text_at(value, pointer);
            if !text.is_empty() {
                table.add_row([(*name).to_owned(), text]);
            }
        }
        self.line(table.trim_fmt().trim_end());
    }

    /// Says on standard error why `command`, such as `remit policy check`, did not do what was asked.
    pub fn failure(&self, failure: &Failure, command: &str) {
        let mut to = std::io::stderr().lock();
        let (word, refusal) = match failure {
            Failure::Refused(refusal) => ("refused", refusal.clone()),
            Failure::Fault(refusal) => ("fault", refusal.clone()),
            Failure::Configuration(refusal) => ("usage", refusal.clone()),
            Failure::Usage(sentence) => {
                ("usage", Refusal::new("usage", sentence).help(format!("`{command} --help` shows how")))
            }
        };
        if self.json {
            let mut document = json!(refusal);
            if let Some(members) = document.as_object_mut() {
                members.insert("kind".to_owned(), word.into());
            }
            let _ = writeln!(to, "{document}");
            return;
        }
        let head = format!("{word}:");
        let head = head.if_supports_color(Stream::Stderr, |text| text.red().to_string());
        let _ = writeln!(to, "{head} {}", indented(&refusal.sentence));
        for field in &refusal.fields {
            let _ = writeln!(to, "  {}: {}", plain(&field.field), plain(&field.sentence));
        }
        if let Some(help) = &refusal.help {
            let head = "help:".if_supports_color(Stream::Stderr, |text| text.cyan().to_string());
            let _ = writeln!(to, "{head} {}", plain(help));
        }
    }
}

fn table_of(items: &[Value], columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(name, _)| name.to_uppercase()));
    for item in items {
        table.add_row(columns.iter().map(|(_, pointer)| text_at(item, pointer)));
    }
    table.trim_fmt()
}

/// The value at `pointer` as people read it.
pub fn text_at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).map(text_of).unwrap_or_default()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => plain(&time_of(text)),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let name = members.get("name").filter(|name| !name.is_null()).or_else(|| members.get("id"));
            name.map_or_else(|| plain(&value.to_string()), text_of)
        }
    }
}

/// Times without milliseconds, which nobody reads.
fn time_of(text: &str) -> String {
    let is_time = text.len() == 24 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    match text.split_once('.').filter(|_| is_time) {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text.to_owned(),
    }
}

/// `text` with the breaks between its lines, as a parser needs them to point at a place. All but the first are set in, so that
/// none passes for a line of ours.
fn indented(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n    ")
}

/// `text` without what a terminal would obey: names and descriptions come from servers that nobody vouches for.
pub fn plain(text: &str) -> String {
    let hidden = |character: char| {
        // Marks that turn the direction of writing make text look like other text.
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|character| {
            if character == '\n' {
                ' '
            } else if hidden(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}
