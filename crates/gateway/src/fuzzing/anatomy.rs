//! What texts are made of, found without the readers that are tested by it: as plainly as can be, and slowly.

use std::collections::HashSet;

use crate::limits;

/// What a JSON text has that readers could disagree about. Where the text is not JSON it means nothing.
#[derive(Debug, Default)]
pub(super) struct Anatomy {
    levels: usize,
    /// A member is there twice, however its name is written.
    twice: bool,
    /// A number lies outside of what all readers keep; the message's own id aside.
    rounded: bool,
    /// A member has a name that the JSON library keeps for itself.
    private: bool,
}

impl Anatomy {
    /// Whether there is nothing of the kind.
    pub fn is_plain(&self) -> bool {
        self.levels <= limits::JSON_DEPTH_MAX && !self.twice && !self.rounded && !self.private
    }

    pub fn of(text: &str) -> Self {
        let mut found = Self::default();
        // The names in each object that is open; nothing for an array.
        let mut open: Vec<Option<HashSet<String>>> = Vec::new();
        let mut is_id = false;
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let token = match next {
                '"' => string(rest),
                '-' | '0'..='9' => number(rest),
                _ => next.len_utf8(),
            };
            let (token, after) = rest.split_at_checked(token).unwrap_or((rest, ""));
            match next {
                '{' | '[' => {
                    open.push((next == '{').then(HashSet::new));
                    found.levels = found.levels.max(open.len());
                }
                '}' | ']' => drop(open.pop()),
                '"' if after.trim_start().starts_with(':') => {
                    let name: String = serde_json::from_str(token).unwrap_or_default();
                    is_id = open.len() == 1 && name == "id";
                    found.private |= name.starts_with("$serde_json::private::");
                    let names = open.last_mut().and_then(Option::as_mut);
                    found.twice |= names.is_some_and(|names| !names.insert(name));
                }
                '-' | '0'..='9' if !is_id || open.len() > 1 => {
                    let value = token.parse::<f64>().unwrap_or(f64::INFINITY);
                    found.rounded |= value.abs() > limits::SAFE_INTEGER_MAX as f64;
                }
                _ => {}
            }
            rest = after;
        }
        found
    }
}

/// The length of the string that `text` begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The length of the number that `text` begins with.
fn number(text: &str) -> usize {
    let of_number = |each: char| matches!(each, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
    text.find(|each| !of_number(each)).unwrap_or(text.len())
}

/// The messages of a stream that is whole (WHATWG HTML, section 9.2.6), without the last event where it is not finished.
pub(super) fn events(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut before = b' ';
    for byte in stream {
        match (before, byte) {
            (b'\r', b'\n') => {}
            (_, b'\r' | b'\n') => lines.push(Vec::new()),
            _ => lines.iter_mut().next_back().into_iter().for_each(|line| line.push(*byte)),
        }
        before = *byte;
    }
    lines.pop();
    let mut messages = Vec::new();
    let (mut data, mut kind): (Option<Vec<u8>>, Vec<u8>) = (None, Vec::new());
    for line in lines {
        if line.is_empty() {
            let data = data.take().filter(|data| !data.is_empty());
            let is_message = [b"".as_slice(), b"message"].contains(&std::mem::take(&mut kind).as_slice());
            messages.extend(data.filter(|_| is_message));
            continue;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (field, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => kind = value.to_vec(),
            b"data" => match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => data = Some(value.to_vec()),
            },
            _ => {}
        }
    }
    messages
}
