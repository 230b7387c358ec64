//! Names in policies of what does not exist.

use std::collections::BTreeSet;

use serde_json::Value;

use super::read::{Entity, path, words};
use super::{Known, Part};
use crate::{Attribution, Problem, Verb, nearest};

/// The words of `principal.attribution`.
pub(super) fn attributions() -> BTreeSet<String> {
    let all = [Attribution::Proven, Attribution::Asserted, Attribution::Shared, Attribution::Unknown];
    all.iter().map(|grade| grade.as_str().to_owned()).collect()
}

/// What the rule names that is not there. A word of a closed list is an error: a rule with a wrong one silently never applies. A person, an
/// agent or a group may still come.
pub(super) fn unknown(part: &Part<'_>, known: &Known) -> Vec<Problem> {
    let mut search = Search { part, known, problems: Vec::new(), told: BTreeSet::new() };
    for name in ["principal", "action", "resource", "conditions"] {
        if let Some(node) = part.document.get(name) {
            search.walk(node);
        }
    }
    search.problems
}

/// The roles that somebody can have for every agent.
pub(super) const ROLES: [&str; 2] = ["approver", "owner"];

struct Search<'a> {
    part: &'a Part<'a>,
    known: &'a Known,
    problems: Vec<Problem>,
    told: BTreeSet<(String, String)>,
}

impl Search<'_> {
    fn walk(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(members) => {
                for (name, operand) in members {
                    match name.as_str() {
                        "__entity" | "entity" => self.entity(operand),
                        "entities" => operand.as_array().into_iter().flatten().for_each(|entity| self.entity(entity)),
                        "==" | "!=" | "contains" | "containsAll" | "containsAny" => self.comparison(operand),
                        _ => {}
                    }
                    self.walk(operand);
                }
            }
            _ => {}
        }
    }

    fn entity(&mut self, node: &Value) {
        let Some(Entity { kind, id }) = Entity::read(node) else { return };
        let Known { agents, people, groups, classes, .. } = self.known;
        let needle = format!("{kind}::{}", Value::from(id));
        match kind {
            "Class" => self.closed("class of agents", id, classes, &needle),
            "Agent" => self.open("agent", id, agents, &needle),
            "Person" => self.open("person", id, people, &needle),
            "Group" if !groups.is_empty() && !groups.contains_key(id) => {
                self.warn(format!("nobody is in the group `{id}`"), groups.keys().map(String::as_str), id, &needle);
            }
            _ => {}
        }
    }

    /// A fact that is compared with words.
    fn comparison(&mut self, operand: &Value) {
        let (Some(left), Some(right)) = (operand.get("left"), operand.get("right")) else { return };
        let (fact, value) = match (path(left), path(right)) {
            (Some(fact), None) => (fact, right),
            (None, Some(fact)) => (fact, left),
            _ => return,
        };
        let one = value.get("Value").and_then(Value::as_str).map(|word| BTreeSet::from([word.to_owned()]));
        for word in one.or_else(|| words(value)).unwrap_or_default() {
            let needle = Value::from(word.as_str()).to_string();
            let verbs = || Verb::ALL.iter().map(|verb| verb.as_str().to_owned()).collect();
            match fact.as_str() {
                "principal.class" => self.closed("class of agents", &word, &self.known.classes, &needle),
                "principal.environment" => self.closed("environment", &word, &self.known.environments, &needle),
                "principal.attribution" => self.closed("grade of attribution", &word, &attributions(), &needle),
                "resource.verb" => self.closed("verb", &word, &verbs(), &needle),
                "principal.task.labels" => self.open("label", &word, &self.known.labels, &needle),
                "context.approval.roles" => self.role(&word, &needle),
                _ => {}
            }
        }
    }

    fn role(&mut self, word: &str, needle: &str) {
        let groups = &self.known.groups;
        if groups.is_empty() || groups.contains_key(word) || ROLES.contains(&word) {
            return;
        }
        // If the rule asks for this role, that is told as an error.
        let asked = self.part.rule.asks.as_ref().is_some_and(|asks| asks.roles.iter().any(|role| role == word));
        if !asked {
            let roles = groups.keys().map(String::as_str).chain(ROLES);
            self.warn(format!("nobody has the role `{word}`: it is no group that somebody is in"), roles, word, needle);
        }
    }

    fn closed(&mut self, what: &str, word: &str, known: &BTreeSet<String>, needle: &str) {
        if known.is_empty() || known.contains(word) || !self.told.insert((what.to_owned(), word.to_owned())) {
            return;
        }
        let all: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        let help = match nearest(word, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write one of {}", all.join(", ")),
        };
        let problem = self.part.error(format!("there is no {what} `{word}`"), help, Some(needle));
        self.problems.push(problem);
    }

    fn open(&mut self, what: &str, word: &str, known: &BTreeSet<String>, needle: &str) {
        if !known.is_empty() && !known.contains(word) {
            self.warn(format!("there is no {what} `{word}`"), known.iter().map(String::as_str), word, needle);
        }
    }

    fn warn<'a>(&mut self, sentence: String, known: impl Iterator<Item = &'a str>, word: &str, needle: &str) {
        if !self.told.insert((sentence.clone(), word.to_owned())) {
            return;
        }
        let help = match nearest(word, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "the policy begins to apply once there is one".to_owned(),
        };
        let problem = self.part.warning(sentence, help, Some(needle));
        self.problems.push(problem);
    }
}
