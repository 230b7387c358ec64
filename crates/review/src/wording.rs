//! Two texts side by side, word by word.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits;

#[cfg(test)]
mod tests;

/// What became of a run of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    Kept,
    Removed,
    Added,
}

/// A run of words with one fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub wording: Wording,
    pub text: String,
}

/// How `before` became `after`: the kept and the removed runs together are `before`, the kept and the added are `after`.
pub fn wording(before: &str, after: &str) -> Vec<Run> {
    let (before, after) = (tokens(before), tokens(after));
    let head = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let (kept, before, after) = match (before.split_at_checked(head), after.split_at_checked(head)) {
        (Some((kept, before)), Some((_, after))) => (kept, before, after),
        _ => return Vec::new(),
    };
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let (before, ending) = before.split_at_checked(before.len() - tail).unwrap_or((before, &[]));
    let after = after.get(..after.len() - tail).unwrap_or(after);
    let mut runs = Vec::new();
    push(&mut runs, Wording::Kept, kept);
    middle(&mut runs, before, after);
    push(&mut runs, Wording::Kept, ending);
    gathered(runs)
}

/// The same with changes that only a word or a blank parts put together: people read phrases, not the shortest script.
fn gathered(runs: Vec<Run>) -> Vec<Run> {
    let last = runs.len().saturating_sub(1);
    let mut gathered: Vec<Run> = Vec::new();
    let (mut removed, mut added) = (String::new(), String::new());
    for (index, run) in runs.into_iter().enumerate() {
        let between = index > 0 && index < last;
        let letters = run.text.chars().filter(|character| character.is_alphanumeric()).count();
        match run.wording {
            Wording::Removed => removed.push_str(&run.text),
            Wording::Added => added.push_str(&run.text),
            Wording::Kept if between && letters <= limits::KEPT_LETTERS_MIN => {
                removed.push_str(&run.text);
                added.push_str(&run.text);
            }
            Wording::Kept => {
                flush(&mut gathered, &mut removed, &mut added);
                gathered.push(run);
            }
        }
    }
    flush(&mut gathered, &mut removed, &mut added);
    gathered
}

fn flush(runs: &mut Vec<Run>, removed: &mut String, added: &mut String) {
    for (wording, text) in [(Wording::Removed, removed), (Wording::Added, added)] {
        if !text.is_empty() {
            runs.push(Run { wording, text: std::mem::take(text) });
        }
    }
}

/// How many words two texts share, in hundredths of both, wherever they stand.
pub(crate) fn likeness_percent(before: &str, after: &str) -> usize {
    if before == after {
        return 100;
    }
    let words = |text| tokens(text).into_iter().filter(|token: &&str| !token.trim().is_empty());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words(before).for_each(|word| *counts.entry(word).or_default() += 1);
    let (total, mut shared, mut other) = (words(before).count(), 0_usize, 0_usize);
    for word in words(after) {
        match counts.get_mut(word).filter(|count| **count > 0) {
            Some(count) => (*count, shared) = (*count - 1, shared + 1),
            None => other += 1,
        }
    }
    (200 * shared).checked_div(total + shared + other).unwrap_or(0)
}

fn push(runs: &mut Vec<Run>, wording: Wording, tokens: &[&str]) {
    let text = tokens.concat();
    if text.is_empty() {
        return;
    }
    match runs.last_mut().filter(|last| last.wording == wording) {
        Some(last) => last.text.push_str(&text),
        None => runs.push(Run { wording, text }),
    }
}

/// Words, blanks and marks, each for itself.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |character: char| match character {
        character if character.is_alphanumeric() || character == '_' => 0,
        character if character.is_whitespace() => 1,
        _ => 2,
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, character) in text.char_indices() {
        let now = kind(character);
        if before.is_some_and(|before| before != now || now == 2) {
            tokens.extend(text.get(start..at));
            start = at;
        }
        before = Some(now);
    }
    tokens.extend(text.get(start..).filter(|last| !last.is_empty()));
    tokens
}

/// What lies between a common beginning and a common end.
fn middle(runs: &mut Vec<Run>, before: &[&str], after: &[&str]) {
    common(before, after).into_iter().for_each(|(wording, token)| push(runs, wording, &[token]));
}

/// What became of each token, by the longest common subsequence; where that would take too long, all is replaced.
pub(crate) fn common<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(Wording, &'a str)> {
    let all = |wording, tokens: &[&'a str]| tokens.iter().map(|token| (wording, *token)).collect::<Vec<_>>();
    if before.len().saturating_mul(after.len()) > limits::COMPARED_PAIRS_MAX {
        return [all(Wording::Removed, before), all(Wording::Added, after)].concat();
    }
    let lengths = common_lengths(before, after);
    let length = |row: usize, column: usize| lengths.get(row).and_then(|line| line.get(column)).copied().unwrap_or(0);
    let mut found = Vec::with_capacity(before.len().max(after.len()));
    let (mut row, mut column) = (0, 0);
    loop {
        match (before.get(row), after.get(column)) {
            (None, None) => return found,
            (Some(one), Some(other)) if one == other => {
                found.push((Wording::Kept, *one));
                (row, column) = (row + 1, column + 1);
            }
            (Some(one), other) if other.is_none() || length(row + 1, column) >= length(row, column + 1) => {
                found.push((Wording::Removed, *one));
                row += 1;
            }
            (_, Some(other)) => {
                found.push((Wording::Added, *other));
                column += 1;
            }
            (Some(_), None) => return found,
        }
    }
}

/// For each pair of places, how many tokens the two endings from there share in order.
fn common_lengths(before: &[&str], after: &[&str]) -> Vec<Vec<u32>> {
    let mut lines: Vec<Vec<u32>> = vec![vec![0; after.len() + 1]];
    for one in before.iter().rev() {
        let below = lines.last().cloned().unwrap_or_default();
        let mut line = vec![0; after.len() + 1];
        let mut right = 0;
        for (column, other) in after.iter().enumerate().rev() {
            let at = |column: usize| below.get(column).copied().unwrap_or(0);
            right = if one == other { at(column + 1) + 1 } else { right.max(at(column)) };
            if let Some(cell) = line.get_mut(column) {
                *cell = right;
            }
        }
        lines.push(line);
    }
    lines.reverse();
    lines
}
