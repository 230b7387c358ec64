//! One question to the solver: a verb's operations as a whole, or one operation, and the policies that can concern it.

use remit_policy::{OperationShape, Verb};

use crate::estate::{Literals, Rule};
use crate::{Estate, Invariant, assumptions, limits};

#[cfg(test)]
mod tests;

/// What one question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// One operation, by name.
    Named(OperationShape),
    /// All operations of the verb that no policy singles out, also those that nobody has added yet.
    Others,
}

/// Whether the policies can allow a call that the invariant says never happens.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) verb: Verb,
    pub(crate) about: About,
    pub(crate) literals: &'a Literals,
    /// The policies whose scope such a call can fulfil.
    pub(crate) rules: Vec<&'a Rule>,
    /// The calls that the invariant speaks of, as clauses.
    never: Vec<String>,
    /// What must be possible to evaluate of a call that it speaks of.
    spoken_of: Vec<String>,
}

/// Why no questions can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoQuestion {
    #[error("there is no operation `{0}`")]
    UnknownOperation(String),
    #[error(
        "too many operations: {count} would have to be looked at one by one, and at most {max} are; let fewer policies read arguments \
         of operations that they do not name, or name one operation in the invariant",
        max = limits::QUESTIONS_MAX
    )]
    TooMany { count: usize },
}

impl<'a> Question<'a> {
    /// All that has to be asked to know whether `invariant` holds in `estate`.
    pub(crate) fn all(estate: &'a Estate, invariant: &Invariant) -> Result<Vec<Self>, NoQuestion> {
        let never = &invariant.never;
        let mut about: Vec<(Verb, About)> = Vec::new();
        match &never.operation {
            Some(id) => {
                let operation = estate.operation(id).ok_or_else(|| NoQuestion::UnknownOperation(id.clone()))?;
                about.push((operation.verb, About::Named(operation.clone())));
            }
            None => {
                for verb in never.verbs() {
                    about.push((*verb, About::Others));
                    let singled_out = estate.singled_out(*verb);
                    let fits =
                        |one: &&OperationShape| never.connector.as_ref().is_none_or(|name| *name == one.connector);
                    about.extend(singled_out.filter(fits).map(|one| (*verb, About::Named(one.clone()))));
                }
            }
        }
        if about.len() > limits::QUESTIONS_MAX {
            return Err(NoQuestion::TooMany { count: about.len() });
        }
        let clauses = never.clauses();
        let spoken_of: Vec<String> = never.evaluates().into_iter().collect();
        let ask = |(verb, about): (Verb, About)| {
            let action = about.action(verb);
            let rules = estate.rules.iter().filter(|rule| rule.concerns(&action, verb)).collect();
            Self {
                verb,
                about,
                literals: &estate.literals,
                rules,
                never: clauses.clone(),
                spoken_of: spoken_of.clone(),
            }
        };
        Ok(about.into_iter().map(ask).collect())
    }

    /// The id of the Cedar action that stands for the operation.
    pub(crate) fn action(&self) -> String {
        self.about.action(self.verb)
    }

    /// The clauses of the calls that are looked for: what the invariant says, within what Remit guarantees.
    pub(crate) fn clauses(&self) -> Vec<String> {
        assumptions::clauses(self).into_iter().chain(self.never.iter().cloned()).collect()
    }

    /// What must be possible to evaluate for a call to be one that the invariant speaks of, whatever the policies say.
    pub(crate) fn spoken_of(&self) -> Vec<String> {
        self.spoken_of.clone()
    }

    /// What must be possible to evaluate: every forbid, since one that cannot be evaluated denies.
    pub(crate) fn needed(&self) -> Vec<String> {
        self.rules.iter().filter(|rule| rule.is_forbid() && rule.may_fail()).map(|rule| rule.evaluates()).collect()
    }
}

impl About {
    fn action(&self, verb: Verb) -> String {
        match self {
            Self::Named(operation) => operation.id.clone(),
            // As `remit_policy` names the action that has no slash in it.
            Self::Others => format!("any {verb} operation"),
        }
    }
}
