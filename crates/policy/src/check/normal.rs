//! A rule as alternatives of plain demands: it matches if all demands of some alternative hold.

use std::collections::{BTreeMap, BTreeSet};

use super::range::Range;
use crate::Schema;

/// The facts that a rule's scope is about, by the names that they have here.
pub(super) const OPERATION: &str = "operation";
pub(super) const VERB: &str = "resource.verb";
pub(super) const CONNECTOR: &str = "resource.connector";

/// All demands of one alternative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Demands {
    /// By fact, in the order of their names.
    ranges: BTreeMap<String, Range>,
    /// What is not understood: Cedar's JSON form of it, and whether it must hold.
    opaque: BTreeMap<String, bool>,
    /// Why they cannot all hold.
    contradiction: Option<String>,
}

/// A rule's alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Normal {
    pub(super) alternatives: Vec<Demands>,
}

impl Demands {
    pub(super) fn of(fact: &str, range: Range, bounds: Option<Range>) -> Self {
        let mut demands = Self::default();
        if let Some(bounds) = bounds {
            if bounds.and(&range).is_some_and(|both| both.is_empty()) {
                demands.contradiction = Some(format!(
                    "`{fact}` is always {}, and would have to be {}",
                    bounds.in_words(),
                    range.in_words()
                ));
            }
            demands.ranges.insert(fact.to_owned(), bounds);
        }
        demands.demand(fact, range);
        demands
    }

    pub(super) fn opaque(text: String, holds: bool) -> Self {
        Self { opaque: BTreeMap::from([(text, holds)]), ..Self::default() }
    }

    pub(super) fn impossible(why: &str) -> Self {
        Self { contradiction: Some(why.to_owned()), ..Self::default() }
    }

    fn demand(&mut self, fact: &str, range: Range) {
        let Some(before) = self.ranges.get(fact) else {
            self.ranges.insert(fact.to_owned(), range);
            return;
        };
        // Two demands on one fact that are of different kinds: one of them is passed over, which never makes a claim stronger.
        let Some(both) = before.and(&range) else { return };
        if both.is_empty() && self.contradiction.is_none() {
            let (one, other) = (before.in_words(), range.in_words());
            self.contradiction = Some(format!("`{fact}` would have to be {one}, and also {other}"));
        }
        self.ranges.insert(fact.to_owned(), both);
    }

    /// These and the others.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.contradiction = self.contradiction.or(other.contradiction);
        for (fact, range) in other.ranges {
            self.demand(&fact, range);
        }
        for (text, holds) in other.opaque {
            if self.opaque.get(&text).is_some_and(|before| *before != holds) && self.contradiction.is_none() {
                self.contradiction = Some("one of its conditions would have to hold, and also not".to_owned());
            }
            self.opaque.insert(text, holds);
        }
        self
    }

    pub(super) fn range(&self, fact: &str) -> Option<&Range> {
        self.ranges.get(fact)
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = (&str, &Range)> {
        self.ranges.iter().map(|(fact, range)| (fact.as_str(), range))
    }

    /// The conditions that are not understood, and whether each must hold.
    pub(super) fn unknowns(&self) -> &BTreeMap<String, bool> {
        &self.opaque
    }

    /// Those of them whose fact, or whose form where they are not understood, is `wanted`.
    pub(super) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let ranges =
            self.ranges.iter().filter(|(fact, _)| wanted(fact)).map(|(fact, range)| (fact.clone(), range.clone()));
        let opaque = self.opaque.iter().filter(|(text, _)| wanted(text)).map(|(text, holds)| (text.clone(), *holds));
        Self { ranges: ranges.collect(), opaque: opaque.collect(), contradiction: self.contradiction.clone() }
    }

    /// Why no call fulfils all of them.
    pub(super) fn impossible_for(&self, schema: &Schema) -> Option<String> {
        if self.contradiction.is_some() {
            return self.contradiction.clone();
        }
        let fits = |fact: &str, word: &str| self.ranges.get(fact).is_none_or(|range| Range::word(word).within(range));
        match self.ranges.get(OPERATION) {
            Some(Range::Words(operations)) => {
                let possible = operations.iter().any(|id| {
                    schema
                        .operation(id)
                        .is_some_and(|known| fits(VERB, known.verb.as_str()) && fits(CONNECTOR, &known.connector))
                });
                (!possible).then(|| "none of the operations that it names is what its condition asks for".to_owned())
            }
            _ => {
                let Some(Range::Words(connectors)) = self.ranges.get(CONNECTOR) else { return None };
                let possible =
                    schema.operations().filter_map(|id| Some((id, schema.operation(id)?))).any(|(id, known)| {
                        fits(OPERATION, id) && fits(VERB, known.verb.as_str()) && connectors.contains(&known.connector)
                    });
                let named: Vec<String> = connectors.iter().map(|connector| format!("`{connector}`")).collect();
                (!possible).then(|| format!("no operation of {} is what its condition asks for", named.join(" or ")))
            }
        }
    }

    /// Whether whatever fulfils these fulfils `other`.
    pub(super) fn implies(&self, other: &Self, schema: &Schema) -> bool {
        let opaque = other.opaque.iter().all(|(text, holds)| self.opaque.get(text) == Some(holds));
        opaque && other.ranges.iter().all(|(fact, range)| self.lies_within(fact, range, schema))
    }

    fn lies_within(&self, fact: &str, range: &Range, schema: &Schema) -> bool {
        if self.ranges.get(fact).is_some_and(|own| own.within(range)) {
            return true;
        }
        // The operations that are named have their verbs and connectors.
        let Some(Range::Words(operations)) = self.ranges.get(OPERATION) else { return false };
        let what = |id: &String| {
            let known = schema.operation(id)?;
            match fact {
                VERB => Some(known.verb.as_str()),
                CONNECTOR => Some(known.connector.as_str()),
                _ => None,
            }
        };
        operations.iter().all(|id| what(id).is_some_and(|word| Range::word(word).within(range)))
    }
}

impl Normal {
    /// Why no alternative can hold, if none can.
    pub(super) fn impossible(&self, schema: &Schema) -> Option<String> {
        let mut reasons = BTreeSet::new();
        let mut first = None;
        for alternative in &self.alternatives {
            let why = alternative.impossible_for(schema)?;
            first = first.or_else(|| Some(why.clone()));
            reasons.insert(why);
        }
        if reasons.len() > 1 {
            first.map(|first| format!("{first}; and so on for each of its alternatives"))
        } else {
            first
        }
    }

    /// Whether whatever this matches is matched by `other`.
    pub(super) fn implies(&self, other: &Self, schema: &Schema) -> bool {
        let mut possible = self.alternatives.iter().filter(|own| own.impossible_for(schema).is_none());
        possible.all(|own| other.alternatives.iter().any(|theirs| own.implies(theirs, schema)))
    }
}
