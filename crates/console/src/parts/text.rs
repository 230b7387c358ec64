//! Text that others wrote, shown so that it cannot pretend to be something else.

use maud::{Markup, html};

#[cfg(test)]
mod tests;

enum Piece<'a> {
    Plain(&'a str),
    Unseen(char),
}

/// `text` with every character made visible that would otherwise hide or reorder what a person reads.
///
/// Escaping keeps text from becoming markup; this keeps it from lying. An approver must see what is there.
pub(crate) fn shown(text: &str) -> Markup {
    html! {
        @for piece in pieces(text) {
            @match piece {
                Piece::Plain(run) => (run),
                Piece::Unseen(character) => span .unseen title="a character that cannot be seen" {
                    (format!("U+{:04X}", u32::from(character)))
                },
            }
        }
    }
}

/// A sentence of Remit's own, as [`shown`], with what stands in backticks set as code.
pub(crate) fn told(sentence: &str) -> Markup {
    let parts: Vec<&str> = sentence.split('`').collect();
    // With an odd backtick nobody knows what was meant as code.
    if parts.len().is_multiple_of(2) {
        return shown(sentence);
    }
    html! {
        @for (index, part) in parts.iter().enumerate() {
            @if index % 2 == 1 { code { (shown(part)) } } @else { (shown(part)) }
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((at, unseen)) = rest.char_indices().find(|(_, character)| is_unseen(*character)) {
        let (plain, from_unseen) = rest.split_at(at);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        pieces.push(Piece::Unseen(unseen));
        rest = from_unseen.get(unseen.len_utf8()..).unwrap_or_default();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

/// Controls, invisible and bidirectional format characters, fillers, tags and the variation selectors that smuggle bytes.
fn is_unseen(character: char) -> bool {
    if matches!(character, '\n' | '\t') {
        return false;
    }
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
