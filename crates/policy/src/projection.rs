//! Projections: named values drawn from arguments, for what Cedar cannot look into (parts of texts, paths, lists of objects).
//!
//! A person declares them for an operation when approving it, as `recipient_domain = email_domain(to)`; policies read them as
//! `context.projected.recipient_domain`. INVARIANT: what a projection cannot make sense of is refused, never passed over: a
//! rule over a value that is not there would be a rule that does not apply.

mod function;
mod path;
mod propose;
mod source;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits;
use crate::shape::Shape;

pub use function::Function;
pub use propose::propose;

pub(crate) use source::Drawn;

use path::Path;

#[cfg(test)]
mod tests;

/// One declared value: `name = function(path)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Projection {
    name: String,
    function: Function,
    path: Path,
}

/// Why a projection cannot be declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// The text is not of the form `name = function(path)`.
    #[error("`{text}` is not a projection")]
    Form {
        /// What was written, cut short.
        text: String,
    },
    /// The name is not one that policies can write after a dot.
    #[error("`{name}` cannot be a projection's name")]
    Name {
        /// The name.
        name: String,
    },
    /// There is no such function.
    #[error("there is no function `{function}` for projections")]
    Function {
        /// The function.
        function: String,
    },
    /// The path is not written as one.
    #[error("`{path}` is not a path to an argument")]
    Path {
        /// The path.
        path: String,
    },
    /// The schema describes no such argument.
    #[error("the projection `{name}` reads `{path}`, which the schema does not describe")]
    Unknown {
        /// The projection.
        name: String,
        /// The path as far as it could not be followed.
        path: String,
        /// The argument that was probably meant.
        suggestion: Option<String>,
        /// What the schema describes at that place, at most [`limits::ARGUMENTS_NAMED_MAX`] of it.
        known: Vec<String>,
    },
    /// The argument has a type that the function does not take.
    #[error("the projection `{name}` applies `{function}` to `{path}`, which is not {expected}")]
    Type {
        /// The projection.
        name: String,
        /// The function.
        function: Function,
        /// The path.
        path: String,
        /// What the function takes.
        expected: &'static str,
    },
    /// Two projections of one operation have one name.
    #[error("the projection `{name}` is declared twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// More than [`limits::PROJECTIONS_MAX`] projections for one operation.
    #[error("an operation has at most {} projections", limits::PROJECTIONS_MAX)]
    TooMany,
}

impl ProjectionError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Form { .. } => {
                Some("write `name = function(path)`, as in `recipient_domain = email_domain(to)`".to_owned())
            }
            Self::Name { .. } => Some(format!(
                "use up to {} lower-case letters, digits and `_`, a letter first",
                limits::PROJECTION_NAME_BYTES_MAX
            )),
            Self::Function { .. } => Some(format!("choose one of {}", Function::in_words())),
            Self::Path { .. } => Some("write `to`, `customer.email`, or `to[]` for each item of a list".to_owned()),
            Self::Unknown { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::Type { function: Function::Count, .. } => Some("write the list without `[]`".to_owned()),
            Self::Type { .. } => Some("for each item of a list, write `[]` after its name".to_owned()),
            Self::Unknown { suggestion: None, known, .. } if known.is_empty() => {
                Some("it describes no argument there; leave the projection out".to_owned())
            }
            Self::Unknown { suggestion: None, known, .. } => {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("it describes {}", known.join(", ")))
            }
            Self::Twice { .. } | Self::TooMany => None,
        }
    }
}

impl Projection {
    /// What policies call it: `context.projected.<name>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is made of the argument.
    pub fn function(&self) -> Function {
        self.function
    }

    /// The argument, as `to`, `customer.email` or `to[]`.
    pub fn path(&self) -> String {
        self.path.to_string()
    }
}

impl FromStr for Projection {
    type Err = ProjectionError;

    fn from_str(text: &str) -> Result<Self, ProjectionError> {
        let form = || ProjectionError::Form { text: text.chars().take(limits::PROJECTION_NAME_BYTES_MAX).collect() };
        if text.len() > limits::PROJECTION_BYTES_MAX {
            return Err(form());
        }
        let (name, call) = text.split_once('=').ok_or_else(form)?;
        let (function, path) = call.trim().strip_suffix(')').and_then(|call| call.split_once('(')).ok_or_else(form)?;
        let name = name.trim();
        if !is_name(name) {
            return Err(ProjectionError::Name { name: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), function: function.trim().parse()?, path: path.trim().parse()? })
    }
}

/// Lower case only, so that two projections never differ by case alone; Cedar reads any of these after a dot but its own words.
fn is_name(name: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "if", "then", "else", "in", "is", "like", "has"];
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.len() <= limits::PROJECTION_NAME_BYTES_MAX
        && name.bytes().all(plain)
        && !WORDS.contains(&name)
}

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}({})", self.name, self.function, self.path)
    }
}

impl TryFrom<String> for Projection {
    type Error = ProjectionError;

    fn try_from(text: String) -> Result<Self, ProjectionError> {
        text.parse()
    }
}

impl From<Projection> for String {
    fn from(projection: Projection) -> Self {
        projection.to_string()
    }
}

impl Shape {
    /// The shape with `projections` declared, each checked against the JSON schema that the shape was derived from.
    ///
    /// # Errors
    /// If one reads what the schema does not describe or cannot be applied to it, if a name is there twice, or if there are too
    /// many.
    pub fn projecting(mut self, schema: &Value, projections: &[Projection]) -> Result<Self, ProjectionError> {
        if projections.len() > limits::PROJECTIONS_MAX {
            return Err(ProjectionError::TooMany);
        }
        let mut names = BTreeSet::new();
        for projection in projections {
            if !names.insert(&projection.name) {
                return Err(ProjectionError::Twice { name: projection.name.clone() });
            }
        }
        self.projected = projections.iter().map(|one| Drawn::from_schema(one, schema)).collect::<Result<_, _>>()?;
        self.projected.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(self)
    }
}
