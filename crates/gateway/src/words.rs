//! What an upstream says while a call runs: passed on only as far as it is recorded.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::client::Client;
use crate::limits;
use crate::upstream::Notice;

#[cfg(test)]
mod tests;

/// The words that reached the client of one call, for its record.
///
/// INVARIANT: words of an upstream reach an agent only if the record of the call will hold them. Where a result is released only after its
/// record is durable, or there are too many of them, progress goes on in numbers and log messages stay here.
#[derive(Debug)]
pub(crate) struct Words {
    /// Whether words may pass at all.
    pass: bool,
    /// Whether log messages may.
    logs: bool,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    words: Vec<Value>,
    bytes: usize,
}

impl Words {
    pub fn new(pass: bool, logs: bool) -> Self {
        Self { pass, logs: pass && logs, said: Mutex::default() }
    }

    /// Whether log messages are worth listening to.
    pub fn logs(&self) -> bool {
        self.logs
    }

    /// Passes on a notice as far as it may be.
    pub fn hear(&self, notice: Notice, client: &Client) {
        match notice {
            Notice::Progress(params) => {
                let numbers = |name: &str, value: &Value| match name {
                    "progress" | "total" => value.is_number(),
                    _ => name == "progressToken",
                };
                let wordy = params.iter().any(|(name, value)| !numbers(name, value));
                match wordy && !self.keep("notifications/progress", &params) {
                    true => client.progress(in_numbers(params)),
                    false => client.progress(params),
                }
            }
            Notice::Log(params) => {
                if self.logs && self.keep("notifications/message", &params) {
                    client.log(params);
                }
            }
        }
    }

    fn keep(&self, method: &str, params: &Map<String, Value>) -> bool {
        if !self.pass {
            return false;
        }
        let mut kept = params.clone();
        kept.remove("progressToken");
        let bytes = serde_json::to_vec(&kept).map_or(usize::MAX, |bytes| bytes.len());
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let after = said.bytes.saturating_add(bytes);
        if said.words.len() >= limits::WORDS_PER_CALL_MAX || after > limits::WORDS_BYTES_MAX {
            return false;
        }
        said.bytes = after;
        said.words.push(serde_json::json!({"method": method, "params": kept}));
        true
    }

    /// All of them, in order.
    pub fn into_kept(self) -> Vec<Value> {
        self.said.into_inner().unwrap_or_else(PoisonError::into_inner).words
    }
}

/// How far a call is, in numbers only.
fn in_numbers(mut progress: Map<String, Value>) -> Map<String, Value> {
    progress.retain(|name, value| matches!(name.as_str(), "progress" | "total") && value.is_number());
    progress
}
