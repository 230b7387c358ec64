//! Texts of policies line by line: one with its numbers, or two beside each other.

use maud::{Markup, html};
use remit_review::{Line, Wording, lines};

use crate::parts::text::shown;

#[cfg(test)]
mod tests;

/// Lines around a difference that are shown with it.
const CONTEXT_LINES: usize = 3;

/// The text, each line with its number and an address of its own.
pub(crate) fn numbered(text: &str) -> Markup {
    html! {
        ol .source {
            @for (number, line) in (1..).zip(text.lines()) {
                li #{ "L" (number) } { a .number href={ "#L" (number) } { (number) } (shown(line)) }
            }
        }
    }
}

/// What a difference shows in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row<'a> {
    /// A line, with its number in the text before and in the one after.
    Line { before: Option<usize>, after: Option<usize>, line: Line<'a> },
    /// So many lines that both have, too far from any difference to be shown.
    Alike(usize),
}

/// Two texts as one, with what is added and removed marked by a sign too, for those who do not see colours.
pub(crate) fn compared(before: &str, after: &str) -> Markup {
    let rows = rows(before, after);
    html! {
        @if rows.is_empty() {
            p .quiet { "Both have the same lines." }
        } @else {
            ol .source .diff aria-label="The difference, line by line: first the number before, then the number after" {
                @for row in &rows { li { (row_of(row)) } }
            }
        }
    }
}

fn row_of(row: &Row<'_>) -> Markup {
    let number = |number: &Option<usize>| html! { span .n { @if let Some(number) = number { (number) } } };
    match row {
        Row::Alike(1) => html! { span .n { "…" } span .n { "…" } span .quiet { "  1 line alike" } },
        Row::Alike(count) => html! { span .n { "…" } span .n { "…" } span .quiet { "  " (count) " lines alike" } },
        Row::Line { before, after, line } => html! {
            (number(before)) (number(after))
            @match line.wording {
                Wording::Kept => { "  " (shown(line.text)) }
                Wording::Removed => del { "- " (shown(line.text)) },
                Wording::Added => ins { "+ " (shown(line.text)) },
            }
        },
    }
}

/// The rows of a difference; none if both have the same lines.
fn rows<'a>(before: &'a str, after: &'a str) -> Vec<Row<'a>> {
    let lines = lines(before, after);
    let changed: Vec<usize> =
        (0..).zip(&lines).filter(|(_, line)| line.wording != Wording::Kept).map(|(at, _)| at).collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let is_near = |at: usize| {
        let next = changed.partition_point(|changed| *changed < at);
        let near = |nth: Option<usize>| {
            nth.and_then(|nth| changed.get(nth)).is_some_and(|changed| changed.abs_diff(at) <= CONTEXT_LINES)
        };
        near(Some(next)) || near(next.checked_sub(1))
    };
    let mut rows = Vec::new();
    // The next line of each side, counted from 1, and lines alike that are not shown.
    let (mut old, mut new, mut alike) = (1, 1, 0);
    for (at, line) in lines.into_iter().enumerate() {
        let (in_old, in_new) = (line.wording != Wording::Added, line.wording != Wording::Removed);
        let (before, after) = (in_old.then_some(old), in_new.then_some(new));
        (old, new) = (old + usize::from(in_old), new + usize::from(in_new));
        if !is_near(at) {
            alike += 1;
            continue;
        }
        if alike > 0 {
            rows.push(Row::Alike(alike));
            alike = 0;
        }
        rows.push(Row::Line { before, after, line });
    }
    if alike > 0 {
        rows.push(Row::Alike(alike));
    }
    rows
}
