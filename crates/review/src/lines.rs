//! Two texts side by side, line by line: a unified diff.

use crate::wording::{Wording, common};

#[cfg(test)]
mod tests;

/// Lines around a difference that are shown with it.
const CONTEXT_LINES: usize = 3;

/// What became of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub wording: Wording,
    /// Without the break at its end.
    pub text: &'a str,
}

/// Every line of `before` and of `after`, once where both have it.
pub fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let (kept, before) = before.split_at_checked(head).unwrap_or((&[], &[]));
    let after = after.get(head..).unwrap_or_default();
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let (before, ending) = before.split_at_checked(before.len() - tail).unwrap_or((before, &[]));
    let after = after.get(..after.len() - tail).unwrap_or(after);
    let whole = |text: &&'a str| Line { wording: Wording::Kept, text };
    let mut lines: Vec<Line<'a>> = kept.iter().map(whole).collect();
    lines.extend(common(before, after).into_iter().map(|(wording, text)| Line { wording, text }));
    lines.extend(ending.iter().map(whole));
    lines
}

/// A unified diff of two texts; empty if they have the same lines.
pub fn unified(before: &str, after: &str) -> String {
    let lines = lines(before, after);
    let mut text = String::new();
    // The next line of each side, counted from 1.
    let (mut old, mut new) = (1_usize, 1_usize);
    let mut at = 0;
    while at < lines.len() {
        let Some(first) = lines.iter().skip(at).position(is_changed).map(|ahead| at + ahead) else { break };
        let from = first.saturating_sub(CONTEXT_LINES).max(at);
        let to = end_of_hunk(&lines, first);
        old += from - at;
        new += from - at;
        let hunk = lines.get(from..to).unwrap_or_default();
        let count = |gone: Wording| hunk.iter().filter(|line| line.wording != gone).count();
        let (of_old, of_new) = (count(Wording::Added), count(Wording::Removed));
        text.push_str(&format!("@@ -{},{of_old} +{},{of_new} @@\n", start(old, of_old), start(new, of_new)));
        for line in hunk {
            let mark = match line.wording {
                Wording::Kept => ' ',
                Wording::Removed => '-',
                Wording::Added => '+',
            };
            text.push(mark);
            text.push_str(line.text);
            text.push('\n');
        }
        old += of_old;
        new += of_new;
        at = to;
    }
    text
}

fn is_changed(line: &Line<'_>) -> bool {
    line.wording != Wording::Kept
}

/// Where the hunk that begins with the change at `first` ends: changes that are close to each other are one hunk.
fn end_of_hunk(lines: &[Line<'_>], first: usize) -> usize {
    let mut last = first;
    for (index, line) in lines.iter().enumerate().skip(first) {
        if is_changed(line) {
            last = index;
        } else if index - last > 2 * CONTEXT_LINES {
            break;
        }
    }
    (last + 1 + CONTEXT_LINES).min(lines.len())
}

/// A side without lines stands before its first one.
fn start(next: usize, lines: usize) -> usize {
    if lines == 0 { next.saturating_sub(1) } else { next }
}
