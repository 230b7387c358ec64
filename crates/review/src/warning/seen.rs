//! What a reader does not see, or sees as something else.

use super::{Place, Severity, Warning, WarningKind};
use crate::letters::{looks_like, spelled, unseen};
use crate::limits;

pub(super) fn look(place: &Place, warnings: &mut Vec<Warning>) {
    warnings.extend(invisible(place));
    warnings.extend(two_alphabets(place));
    warnings.extend(out_of_sight(place));
    // A pattern of a schema and a picture may be long and unreadable in all honesty.
    if !matches!(place.member.as_str(), "pattern" | "src") {
        warnings.extend(encoded(place));
    }
    if !matches!(place.member.as_str(), "$schema" | "$id" | "$ref" | "src") {
        warnings.extend(links(place));
    }
}

fn invisible(place: &Place) -> Option<Warning> {
    let found = unseen(&place.text);
    let (at, first) = found.first()?;
    let mut sentence = match found.len() {
        1 => format!("a character that cannot be seen (U+{:04X})", u32::from(*first)),
        count => format!("{count} characters that cannot be seen (U+{:04X} and others)", u32::from(*first)),
    };
    if let Some(spelled) = spelled(&place.text) {
        let shown: String = spelled.chars().take(limits::EXCERPT_CHARS_MAX).collect();
        sentence.push_str(&format!("; they spell “{shown}”"));
    }
    Some(Warning::at(Severity::Serious, WarningKind::Unseen, place, sentence, *at))
}

/// A word of ASCII letters with letters among them that only look like ASCII.
fn two_alphabets(place: &Place) -> Option<Warning> {
    let text = &place.text;
    let mut at = 0;
    for word in text.split(|character: char| !character.is_alphanumeric()) {
        let odd = word.chars().any(|character| !character.is_ascii() && looks_like(character) != character);
        if odd && word.chars().any(|character| character.is_ascii_alphabetic()) {
            let sentence = format!("`{word}` is written with letters that are not what they look like");
            return Some(Warning::at(Severity::Serious, WarningKind::Lookalike, place, sentence, at));
        }
        at += word.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    None
}

/// Comments of HTML and Markdown, and blanks that push what follows out of sight.
fn out_of_sight(place: &Place) -> Vec<Warning> {
    let text = &place.text;
    let warning = |sentence: &str, at: usize| Warning::at(Severity::Serious, WarningKind::Hidden, place, sentence, at);
    let comment = ["<!--", "[//]: #", "[comment]: #"].into_iter().find_map(|mark| text.find(mark));
    let mut found: Vec<Warning> =
        comment.map(|at| warning("a comment, which is not shown to people", at)).into_iter().collect();
    let (mut blanks, mut lines) = (0, 0);
    for (at, character) in text.char_indices() {
        if character.is_whitespace() {
            blanks += 1;
            lines += usize::from(character == '\n');
            continue;
        }
        if blanks >= limits::BLANK_RUN_CHARS || lines >= limits::LINE_RUN_CHARS {
            found.push(warning("a long gap that pushes what follows out of sight", at));
            break;
        }
        (blanks, lines) = (0, 0);
    }
    found
}

/// A long run of characters that only a machine reads.
fn encoded(place: &Place) -> Option<Warning> {
    let in_run =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=' | '-' | '_');
    let mut at = 0;
    for run in place.text.split(|character: char| !in_run(character)) {
        let has = |wanted: fn(&char) -> bool| run.chars().any(|character| wanted(&character));
        let mixed = has(char::is_ascii_digit)
            && has(char::is_ascii_lowercase)
            && (has(char::is_ascii_uppercase) || run.chars().all(|character| character.is_ascii_hexdigit()));
        // A path has separators every few letters; an encoded block does not.
        let is_path = run.split(['/', '-', '_']).all(|part| part.len() < limits::ENCODED_RUN_CHARS / 2);
        if run.len() >= limits::ENCODED_RUN_CHARS && mixed && !is_path {
            let sentence = "an encoded block, which nobody can read";
            return Some(Warning::at(Severity::Notice, WarningKind::Hidden, place, sentence, at));
        }
        at += run.len();
        at += place.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    None
}

/// The first address in a text, and what would run if somebody followed it.
fn links(place: &Place) -> Vec<Warning> {
    let text = place.text.to_ascii_lowercase();
    let mut found = Vec::new();
    let runs = ["javascript:", "data:text/", "vbscript:"].into_iter().find_map(|scheme| text.find(scheme));
    found.extend(
        runs.map(|at| {
            Warning::at(Severity::Serious, WarningKind::Link, place, "an address that carries a program", at)
        }),
    );
    if let Some(at) = text.find("://") {
        let host: String = text
            .get(at + 3..)
            .unwrap_or_default()
            .chars()
            .take_while(|character| character.is_alphanumeric() || matches!(character, '.' | '-' | ':' | '@'))
            .collect();
        let sentence = match host.as_str() {
            "" => "an address".to_owned(),
            host => format!("an address at `{host}`"),
        };
        found.push(Warning::at(Severity::Notice, WarningKind::Link, place, sentence, at));
    }
    found
}
