//! Rules that say nothing which another rule does not say already.

use std::collections::{BTreeMap, BTreeSet};

use super::Part;
use super::normal::{CONNECTOR, Normal, OPERATION, VERB};
use super::range::Range;
use crate::set::Effect;
use crate::{Problem, Schema};

/// Rules that one rule is compared with: what is left out goes untold, never wrong.
const COMPARED_MAX: usize = 256;

/// Each rule that another one covers, told once.
pub(super) fn covered(rows: &[(&Part<'_>, Normal)], schema: &Schema) -> Vec<Problem> {
    let mut anchored: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, (_, row)) in rows.iter().enumerate() {
        anchored.entry(anchor(row)).or_default().push(position);
    }
    let mut gone = BTreeSet::new();
    let mut problems = Vec::new();
    // Of two that cover each other, the later one goes.
    for (position, (part, row)) in rows.iter().enumerate().rev() {
        let candidates = anchors_above(row, schema).into_iter().filter_map(|anchor| anchored.get(&anchor)).flatten();
        let candidates = candidates.filter(|other| **other != position && !gone.contains(*other)).take(COMPARED_MAX);
        let by = candidates
            .filter_map(|other| rows.get(*other))
            .find(|(other, theirs)| covers(other, part) && row.implies(theirs, schema));
        if let Some((other, _)) = by {
            gone.insert(position);
            problems.push(sentence(part, other));
        }
    }
    problems
}

fn sentence(part: &Part<'_>, other: &Part<'_>) -> Problem {
    let does = match (other.rule.effect, &part.rule.asks, &other.rule.asks) {
        (Effect::Permit, ..) => "permits",
        (Effect::Forbid, Some(_), None) => "forbids without asking",
        (Effect::Forbid, Some(_), Some(_)) => "asks about",
        (Effect::Forbid, None, _) => "forbids",
    };
    let by = &other.rule.id;
    let help = format!("remove it, or narrow `{by}` in `{}`", other.rule.source);
    part.warning(format!("`{by}` already {does} everything that the policy matches"), help, None)
}

/// Whether the other rule, where it applies, does all that this one would do.
fn covers(other: &Part<'_>, part: &Part<'_>) -> bool {
    other.rule.effect == part.rule.effect
        && match (&other.rule.asks, &part.rule.asks) {
            // A plain forbid is the stronger.
            (None, _) => true,
            (Some(_), None) => false,
            (Some(theirs), Some(own)) => theirs == own,
        }
}

/// The one thing that a rule is surely about, to find those that could cover it.
fn anchor(row: &Normal) -> String {
    for fact in ["principal", OPERATION, CONNECTOR, "principal.class", VERB] {
        let words = row.alternatives.iter().map(|alternative| match alternative.range(fact) {
            Some(Range::Words(words)) if words.len() == 1 => words.first(),
            _ => None,
        });
        let words: Option<BTreeSet<&String>> = words.collect();
        if let Some(word) = words.filter(|words| words.len() == 1).and_then(|words| words.first().copied()) {
            return format!("{fact} {word}");
        }
    }
    String::new()
}

/// The anchors of all rules that could cover this one: theirs is a thing that this one is about as well, or none.
fn anchors_above(row: &Normal, schema: &Schema) -> BTreeSet<String> {
    let mut anchors = BTreeSet::from([String::new()]);
    for alternative in &row.alternatives {
        for fact in ["principal", OPERATION, CONNECTOR, "principal.class", VERB] {
            if let Some(Range::Words(words)) = alternative.range(fact) {
                anchors.extend(words.iter().map(|word| format!("{fact} {word}")));
            }
        }
        if let Some(Range::Words(operations)) = alternative.range(OPERATION) {
            for known in operations.iter().filter_map(|id| schema.operation(id)) {
                anchors.insert(format!("{VERB} {}", known.verb));
                anchors.insert(format!("{CONNECTOR} {}", known.connector));
            }
        }
    }
    anchors
}
