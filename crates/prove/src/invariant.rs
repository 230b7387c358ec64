//! Invariants: what holds of the policies whatever anybody changes, as data that people review beside the policies.

use serde::Deserialize;

use crate::never::NeverText;
use crate::{Never, NeverError, SentenceError, limits};

#[cfg(test)]
mod tests;

/// A property of all policies together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invariant {
    /// Its name, unique in its text.
    pub name: String,
    /// What it says, for people.
    pub sentence: String,
    /// The calls that are never allowed.
    pub never: Never,
}

/// Why a text holds no invariants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvariantError {
    /// Longer than [`limits::INVARIANTS_TEXT_BYTES_MAX`], or more than [`limits::INVARIANTS_MAX`] invariants.
    #[error(
        "the text is too long: at most {} bytes and {} invariants",
        limits::INVARIANTS_TEXT_BYTES_MAX,
        limits::INVARIANTS_MAX
    )]
    TooLong,
    /// It is not such a text.
    #[error("the text cannot be read: {0}")]
    Text(String),
    /// Two invariants have one name.
    #[error("two invariants are named `{0}`")]
    Twice(String),
    /// What never happens cannot be understood.
    #[error("the invariant `{name}`: {error}")]
    Never {
        /// The invariant.
        name: String,
        /// What is wrong.
        error: NeverError,
    },
    /// There is no `never`, and the sentence is none of the forms that are understood.
    #[error("the invariant `{name}` has no `never`, and its sentence is not understood: {error}")]
    Sentence {
        /// The invariant.
        name: String,
        /// What is wrong.
        error: SentenceError,
    },
    /// The sentence is understood, and is about other calls than `never`.
    #[error("the sentence of the invariant `{name}` says something else than its `never`")]
    Contradiction {
        /// The invariant.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvariantsText {
    #[serde(default)]
    invariant: Vec<InvariantText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvariantText {
    name: String,
    sentence: String,
    never: Option<NeverText>,
}

impl Invariant {
    /// Reads a text of invariants: TOML, one `[[invariant]]` each.
    ///
    /// # Errors
    /// If the text is too long, is not such a text, or says something that cannot be meant.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, InvariantError> {
        if text.len() > limits::INVARIANTS_TEXT_BYTES_MAX {
            return Err(InvariantError::TooLong);
        }
        let text: InvariantsText = toml::from_str(text).map_err(|error| InvariantError::Text(error.to_string()))?;
        if text.invariant.len() > limits::INVARIANTS_MAX {
            return Err(InvariantError::TooLong);
        }
        let mut invariants: Vec<Self> = Vec::new();
        for text in text.invariant {
            let invariant = Self::read(text)?;
            if invariants.iter().any(|other| other.name == invariant.name) {
                return Err(InvariantError::Twice(invariant.name));
            }
            invariants.push(invariant);
        }
        Ok(invariants)
    }

    /// The invariant that is one sentence.
    ///
    /// # Errors
    /// If the sentence is none of the [`FORMS`](crate::FORMS).
    pub fn from_sentence(sentence: &str) -> Result<Self, SentenceError> {
        let sentence = sentence.trim();
        Ok(Self { name: "sentence".to_owned(), sentence: sentence.to_owned(), never: Never::from_sentence(sentence)? })
    }

    fn read(InvariantText { name, sentence, never }: InvariantText) -> Result<Self, InvariantError> {
        let said = Never::from_sentence(&sentence);
        let Some(never) = never else {
            let never = said.map_err(|error| InvariantError::Sentence { name: name.clone(), error })?;
            return Ok(Self { name, sentence, never });
        };
        let never = Never::try_from(never).map_err(|error| InvariantError::Never { name: name.clone(), error })?;
        // Any sentence will do beside a `never`; but one that is understood must not mislead.
        match said {
            Ok(said) if said != never => Err(InvariantError::Contradiction { name }),
            _ => Ok(Self { name, sentence, never }),
        }
    }
}
