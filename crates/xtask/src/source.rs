//! Rust source as the checks read it: without comments, and with the inside of literals hidden.
//!
//! Not a parser: enough of the lexical grammar (Rust Reference, "Tokens" and "Comments") that a word in a string or a
//! comment is never mistaken for code.

#[cfg(test)]
mod tests;

/// What stands for a character inside a literal, so that the line still counts as code.
const HIDDEN: char = '·';

/// A named item as declared in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// From 1.
    pub line: usize,
    pub keyword: String,
    pub name: String,
    /// Whether the line that declares it starts with `pub`.
    pub public: bool,
}

/// The source with comments replaced by spaces and literals' characters hidden; every line keeps its number.
pub fn code(text: &str) -> String {
    let mut scanner = Scanner { rest: text, code: String::with_capacity(text.len()), previous: ' ' };
    while let Some(next) = scanner.rest.chars().next() {
        match scanner.literal_or_comment(next) {
            Some((bytes, fill)) => scanner.replace(bytes, fill),
            None => scanner.keep(next),
        }
    }
    scanner.code
}

/// Every item declared in `code`, which is the outcome of [`code`].
pub fn declarations(code: &str) -> Vec<Declaration> {
    let mut found = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let words = words(text);
        for (keyword, name) in words.iter().zip(words.iter().skip(1)) {
            if declares(text, keyword, name) {
                found.push(Declaration {
                    line: line + 1,
                    keyword: keyword.text.to_owned(),
                    name: name.text.to_owned(),
                    public: text.trim_start().starts_with("pub"),
                });
            }
        }
    }
    found
}

struct Word<'a> {
    start: usize,
    text: &'a str,
}

fn declares(line: &str, keyword: &Word<'_>, name: &Word<'_>) -> bool {
    let is_item = matches!(keyword.text, "fn" | "struct" | "enum" | "trait" | "type" | "mod" | "const" | "static");
    let between = line.get(keyword.start + keyword.text.len()..name.start).unwrap_or_default();
    // `*const T` is a type and `const fn` is one declaration, not two.
    let is_pointer = line.get(..keyword.start).is_some_and(|before| before.ends_with('*'));
    let is_modifier = matches!(name.text, "fn" | "mut" | "unsafe" | "async" | "extern");
    is_item && !is_pointer && !is_modifier && between.trim().is_empty() && !between.is_empty()
}

fn words(line: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, next) in line.char_indices().chain([(line.len(), ' ')]) {
        match (start, is_word(next)) {
            (None, true) => start = Some(at),
            (Some(begin), false) => {
                found.push(Word { start: begin, text: line.get(begin..at).unwrap_or_default() });
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn is_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
    previous: char,
}

impl Scanner<'_> {
    /// How many bytes from here are a comment or a literal, and what is to stand in their place.
    fn literal_or_comment(&self, next: char) -> Option<(usize, char)> {
        match next {
            '/' if self.rest.starts_with("//") => Some((self.rest.find('\n').unwrap_or(self.rest.len()), ' ')),
            '/' if self.rest.starts_with("/*") => Some((block_comment(self.rest), ' ')),
            '"' => Some((quoted(self.rest, '"'), HIDDEN)),
            '\'' => character(self.rest).map(|bytes| (bytes, HIDDEN)),
            'r' | 'b' | 'c' if !is_word(self.previous) => raw_string(self.rest).map(|bytes| (bytes, HIDDEN)),
            _ => None,
        }
    }

    fn replace(&mut self, bytes: usize, fill: char) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.code.extend(taken.chars().map(|each| if each.is_whitespace() { each } else { fill }));
        self.rest = rest;
        self.previous = fill;
    }

    fn keep(&mut self, next: char) {
        self.code.push(next);
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        self.previous = next;
    }
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a literal that starts with `quote` and ends with the next one that is not escaped.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, next) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if next == '\\' {
            escaped = true;
        } else if next == quote {
            return at + next.len_utf8();
        }
    }
    text.len()
}

/// A character literal; None where the quote begins a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.chars().skip(1);
    let first = inside.next()?;
    (first == '\\' || inside.next() == Some('\'')).then(|| quoted(text, '\''))
}

/// `r"…"`, `r#"…"#` and the same behind `b` or `c`; None for an ordinary word.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = if text.starts_with('r') { 1 } else { 2 };
    let behind = text.get(prefix..)?;
    if prefix == 2 && text.chars().nth(1) != Some('r') {
        return None;
    }
    let inside = behind.trim_start_matches('#');
    let hashes = behind.len() - inside.len();
    let close = format!("\"{}", "#".repeat(hashes));
    let body = inside.strip_prefix('"')?;
    Some(body.find(&close).map_or(text.len(), |end| prefix + hashes + 1 + end + close.len()))
}
