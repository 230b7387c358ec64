//! What an invariant is about: the calls that are never allowed.

use std::str::FromStr;

use remit_policy::{Attribution, Verb, nearest};
use serde::Deserialize;

#[cfg(test)]
mod tests;

/// The function classes of agents.
pub(crate) const CLASSES: [&str; 4] = ["read", "transform", "act", "code"];
/// Where agents run.
pub(crate) const ENVIRONMENTS: [&str; 4] = ["sandbox", "development", "test", "production"];
/// How surely the caller is the agent.
pub(crate) const ATTRIBUTIONS: [Attribution; 4] =
    [Attribution::Proven, Attribution::Asserted, Attribution::Shared, Attribution::Unknown];

/// Calls that are never allowed: those to which all that is said here applies. What is not said is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Never {
    /// The agent's function class is one of these; empty for any.
    pub classes: Vec<String>,
    /// The agent runs in one of these; empty for any.
    pub environments: Vec<String>,
    /// The agent is known no better or worse than one of these; empty for any.
    pub attributions: Vec<Attribution>,
    /// The agent's autonomy, 1 to 4.
    pub autonomy: Bounds,
    /// What the operation does to the world is one of these; empty for any.
    pub verbs: Vec<Verb>,
    /// The highest data class that the operation touches, 0 to 3.
    pub data: Bounds,
    /// The operation's risk, 0 to 3.
    pub risk: Bounds,
    /// Whether the operation reaches somebody outside.
    pub external: Option<bool>,
    /// Whether what the operation does cannot be undone.
    pub irreversible: Option<bool>,
    /// Whether the operation's connector is one for experiments.
    pub sandbox: Option<bool>,
    /// The operation touches data of a higher class than the agent is registered for.
    pub above_data_ceiling: Option<bool>,
    /// Whether a live grant covers the operation.
    pub grant: Option<bool>,
    /// Whether people have approved the call.
    pub approval: Option<bool>,
    /// Whether another agent passed the task on.
    pub delegated: Option<bool>,
    /// The task has all of these labels.
    pub labels: Vec<String>,
    /// The operation's connector.
    pub connector: Option<String>,
    /// The operation, `connector/tool`.
    pub operation: Option<String>,
    /// Whatever else has to be the case, as a Cedar expression.
    pub condition: Option<String>,
}

/// From, to, both inclusive; nothing for no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The lowest.
    pub at_least: Option<u8>,
    /// The highest.
    pub at_most: Option<u8>,
}

/// Why a table says no calls that could be proved never to happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NeverError {
    /// It is empty, and so would be about every call.
    #[error("`never` is empty; say which calls never happen, as in `never = {{ class = \"read\", verb = \"write\" }}`")]
    Empty,
    /// A word that is none of those there are.
    #[error("`{word}` is no {what}; there are `{}`{}", .choices.join("`, `"), meant(.suggestion.as_ref()))]
    Word {
        /// What it was meant to be.
        what: &'static str,
        /// The word.
        word: String,
        /// What there is.
        choices: Vec<&'static str>,
        /// What was probably meant.
        suggestion: Option<&'static str>,
    },
    /// A number out of range, or bounds that leave nothing between them.
    #[error("`{what}` lies between {lowest} and {highest}, and the lower bound is not above the upper one")]
    Range {
        /// What is bounded.
        what: &'static str,
        /// The lowest that there is.
        lowest: u8,
        /// The highest that there is.
        highest: u8,
    },
    /// `autonomy = 4` beside `autonomy_at_least = 2`.
    #[error("`{what}` is given as one number and as bounds; one of them is enough")]
    Twice {
        /// What is bounded.
        what: &'static str,
    },
}

fn meant(suggestion: Option<&&'static str>) -> String {
    suggestion.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// A word or several, as people write them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Several(Vec<String>),
}

/// The table as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NeverText {
    class: Option<Words>,
    environment: Option<Words>,
    attribution: Option<Words>,
    autonomy: Option<u8>,
    autonomy_at_least: Option<u8>,
    autonomy_at_most: Option<u8>,
    verb: Option<Words>,
    data: Option<u8>,
    data_at_least: Option<u8>,
    data_at_most: Option<u8>,
    risk: Option<u8>,
    risk_at_least: Option<u8>,
    risk_at_most: Option<u8>,
    external: Option<bool>,
    irreversible: Option<bool>,
    sandbox: Option<bool>,
    above_data_ceiling: Option<bool>,
    grant: Option<bool>,
    approval: Option<bool>,
    delegated: Option<bool>,
    labels: Option<Words>,
    connector: Option<String>,
    operation: Option<String>,
    condition: Option<String>,
}

impl Words {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word],
            Self::Several(words) => words,
        }
    }
}

impl TryFrom<NeverText> for Never {
    type Error = NeverError;

    fn try_from(text: NeverText) -> Result<Self, NeverError> {
        let words = |words: Option<Words>| words.map(Words::all).unwrap_or_default();
        let never = Self {
            classes: words(text.class).into_iter().map(|word| class(&word)).collect::<Result<_, _>>()?,
            environments: words(text.environment)
                .into_iter()
                .map(|word| environment(&word))
                .collect::<Result<_, _>>()?,
            attributions: words(text.attribution)
                .into_iter()
                .map(|word| attribution(&word))
                .collect::<Result<_, _>>()?,
            autonomy: Bounds::read("autonomy", [text.autonomy, text.autonomy_at_least, text.autonomy_at_most], 1, 4)?,
            verbs: words(text.verb).into_iter().map(|word| verb(&word)).collect::<Result<_, _>>()?,
            data: Bounds::read("data", [text.data, text.data_at_least, text.data_at_most], 0, 3)?,
            risk: Bounds::read("risk", [text.risk, text.risk_at_least, text.risk_at_most], 0, 3)?,
            external: text.external,
            irreversible: text.irreversible,
            sandbox: text.sandbox,
            above_data_ceiling: text.above_data_ceiling,
            grant: text.grant,
            approval: text.approval,
            delegated: text.delegated,
            labels: words(text.labels),
            connector: text.connector,
            operation: text.operation,
            condition: text.condition,
        };
        if never == Self::default() { Err(NeverError::Empty) } else { Ok(never) }
    }
}

impl Bounds {
    fn read(what: &'static str, numbers: [Option<u8>; 3], lowest: u8, highest: u8) -> Result<Self, NeverError> {
        let bounds = match numbers {
            [Some(exact), None, None] => Self { at_least: Some(exact), at_most: Some(exact) },
            [None, at_least, at_most] => Self { at_least, at_most },
            _ => return Err(NeverError::Twice { what }),
        };
        bounds.within(what, lowest, highest)
    }

    pub(crate) fn within(self, what: &'static str, lowest: u8, highest: u8) -> Result<Self, NeverError> {
        let range = lowest..=highest;
        let are_there = [self.at_least, self.at_most].into_iter().flatten().all(|bound| range.contains(&bound));
        let leave_some = self.at_least.unwrap_or(lowest) <= self.at_most.unwrap_or(highest);
        if are_there && leave_some { Ok(self) } else { Err(NeverError::Range { what, lowest, highest }) }
    }

    fn cedar(self, attribute: &str) -> impl Iterator<Item = String> {
        let lower = self.at_least.map(|bound| format!("{attribute} >= {bound}"));
        let upper = self.at_most.map(|bound| format!("{attribute} <= {bound}"));
        lower.into_iter().chain(upper)
    }
}

pub(crate) fn class(word: &str) -> Result<String, NeverError> {
    known("class of agents", word, &CLASSES).map(str::to_owned)
}

pub(crate) fn environment(word: &str) -> Result<String, NeverError> {
    known("environment", word, &ENVIRONMENTS).map(str::to_owned)
}

pub(crate) fn attribution(word: &str) -> Result<Attribution, NeverError> {
    let found = known("grade of attribution", word, &ATTRIBUTIONS.map(Attribution::as_str))?;
    Ok(ATTRIBUTIONS.into_iter().find(|grade| grade.as_str() == found).unwrap_or(Attribution::Unknown))
}

pub(crate) fn verb(word: &str) -> Result<Verb, NeverError> {
    let words = Verb::ALL.map(Verb::as_str);
    Verb::from_str(word).map_err(|error| NeverError::Word {
        what: "effect",
        word: error.word,
        choices: words.to_vec(),
        suggestion: error.suggestion,
    })
}

fn known(what: &'static str, word: &str, choices: &[&'static str]) -> Result<&'static str, NeverError> {
    choices.iter().find(|choice| **choice == word).copied().ok_or_else(|| NeverError::Word {
        what,
        word: word.to_owned(),
        choices: choices.to_vec(),
        suggestion: nearest(word, choices.iter().copied()),
    })
}

impl Never {
    /// The calls, as the clauses of one Cedar condition.
    pub(crate) fn clauses(&self) -> Vec<String> {
        let mut clauses = Vec::new();
        let among = |words: Vec<&str>, attribute: &str| {
            (!words.is_empty()).then(|| {
                let words: Vec<String> = words.into_iter().map(quoted).collect();
                format!("[{}].contains({attribute})", words.join(", "))
            })
        };
        clauses.extend(among(self.classes.iter().map(String::as_str).collect(), "principal.class"));
        clauses.extend(among(self.environments.iter().map(String::as_str).collect(), "principal.environment"));
        clauses.extend(among(self.attributions.iter().map(|grade| grade.as_str()).collect(), "principal.attribution"));
        clauses.extend(among(self.verbs.iter().map(|verb| verb.as_str()).collect(), "resource.verb"));
        clauses.extend(self.autonomy.cedar("principal.autonomy"));
        clauses.extend(self.data.cedar("resource.data"));
        clauses.extend(self.risk.cedar("resource.risk"));
        let stated = [
            (self.external, "resource.external"),
            (self.irreversible, "resource.irreversible"),
            (self.sandbox, "resource.sandbox"),
            (self.above_data_ceiling, "(resource.data > principal.data)"),
            (self.grant, "(principal has grant)"),
            (self.approval, "(context has approval)"),
            (self.delegated, "(principal.task.depth > 0)"),
        ];
        clauses.extend(
            stated.into_iter().filter_map(|(stated, fact)| {
                stated.map(|is_so| if is_so { fact.to_owned() } else { format!("!{fact}") })
            }),
        );
        clauses.extend(self.labels.iter().map(|label| format!("principal.task.labels.contains({})", quoted(label))));
        clauses.extend(self.connector.iter().map(|name| format!("resource.connector == Connector::{}", quoted(name))));
        clauses.extend(self.operation.iter().map(|id| format!("resource == Operation::{}", quoted(id))));
        clauses.extend(self.condition.as_deref().map(bracketed));
        clauses
    }

    /// A clause that is true wherever the condition can be evaluated. Nothing else in it can fail.
    pub(crate) fn evaluates(&self) -> Option<String> {
        self.condition.as_deref().map(|condition| format!("({} || true)", bracketed(condition)))
    }

    /// The verbs of the calls.
    pub(crate) fn verbs(&self) -> &[Verb] {
        if self.verbs.is_empty() { &Verb::ALL } else { &self.verbs }
    }
}

/// `condition` in lines of its own, so that a comment at its end ends there.
fn bracketed(condition: &str) -> String {
    format!("(\n{condition}\n)")
}

/// `text` as Cedar writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}
