//! What a connector's processes say to their operator.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::limits;

/// Lines that are shown with a fault.
const LAST_WORDS: usize = 5;

/// The last lines of a connector's standard error, over all processes that it has had.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    /// How many of them the latest process wrote.
    of_latest: usize,
}

impl Stderr {
    /// Another process is about to write.
    pub fn begin(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).of_latest = 0;
    }

    /// Keeps one line, and lets go of the oldest beyond [`limits::STDERR_LINES_KEPT`].
    pub fn push(&self, line: String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.lines.len() >= limits::STDERR_LINES_KEPT {
            kept.lines.pop_front();
        }
        kept.lines.push_back(line);
        kept.of_latest = kept.of_latest.saturating_add(1).min(limits::STDERR_LINES_KEPT);
    }

    /// All lines that are kept, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).lines.iter().cloned().collect()
    }

    /// The last lines of the latest process.
    pub fn last_words(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let said = kept.of_latest.min(LAST_WORDS);
        let words = kept.lines.iter().skip(kept.lines.len().saturating_sub(said));
        words.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
