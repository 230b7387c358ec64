//! Every text of a definition, with its place.

use serde_json::Value;

use crate::difference::pointer;
use crate::limits;

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// JSON pointer of the value; of the member, if the text is a member's name.
    pub pointer: String,
    pub text: String,
    pub is_name: bool,
    /// Whether the text is for reading: a description, a title, instructions.
    pub is_prose: bool,
    /// The name of the member that holds the text.
    pub member: String,
}

impl Place {
    pub fn prose(pointer: &str, text: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            text: text.to_owned(),
            is_name: false,
            is_prose: true,
            member: String::new(),
        }
    }
}

/// The texts of `definition`, and whether these are all of them.
pub(super) fn of(definition: &Value) -> (Vec<Place>, bool) {
    let mut walk = Walk { found: Vec::new(), bytes: 0, is_whole: true };
    walk.value(&mut Vec::new(), definition);
    (walk.found, walk.is_whole)
}

struct Walk {
    found: Vec<Place>,
    bytes: usize,
    is_whole: bool,
}

impl Walk {
    fn value(&mut self, place: &mut Vec<String>, value: &Value) {
        match value {
            Value::String(text) => self.text(place, text, false),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    place.push(index.to_string());
                    self.value(place, item);
                    place.pop();
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    place.push(name.clone());
                    self.text(place, name, true);
                    self.value(place, member);
                    place.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, place: &[String], text: &str, is_name: bool) {
        self.bytes += text.len();
        if self.found.len() >= limits::STRINGS_MAX || self.bytes > limits::EXAMINED_BYTES_MAX {
            self.is_whole = false;
            return;
        }
        let mut from_the_end = place.iter().rev();
        let member = from_the_end.next().cloned().unwrap_or_default();
        // A property may be called `description`; what it is called is no prose.
        let under_properties = from_the_end.next().is_some_and(|above| above == "properties");
        let is_prose = !is_name
            && !under_properties
            && (matches!(member.as_str(), "description" | "title" | "$comment") || text.contains(' '));
        self.found.push(Place { pointer: pointer(place), text: text.to_owned(), is_name, is_prose, member });
    }
}
