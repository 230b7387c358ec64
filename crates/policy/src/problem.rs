//! What is wrong with policies, in sentences for the person who wrote them.

use std::fmt;

use serde::Serialize;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The policies cannot be used.
    Error,
    /// The policies can be used, but somebody should look.
    Warning,
}

/// Something wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The source that it stands in.
    pub source: String,
    /// The policy's `@id`, if it is about one that has one.
    pub policy: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub sentence: String,
    /// What to do next.
    pub help: Option<String>,
}

impl Problem {
    /// An error in `source`, not yet anywhere in particular.
    pub(crate) fn error(source: &str, sentence: impl Into<String>) -> Self {
        Self {
            source: source.to_owned(),
            policy: None,
            line: None,
            column: None,
            severity: Severity::Error,
            sentence: sentence.into(),
            help: None,
        }
    }

    pub(crate) fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub(crate) fn of(self, policy: &str) -> Self {
        Self { policy: Some(policy.to_owned()), ..self }
    }

    pub(crate) fn help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// Places the problem at the byte `offset` of `text`.
    pub(crate) fn at(self, text: &str, offset: Option<usize>) -> Self {
        let Some(before) = offset.and_then(|offset| text.get(..offset)) else { return self };
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line: Some(line), column: Some(column), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text that nobody has named yet has no source.
        if !self.source.is_empty() {
            write!(f, "{}:", self.source)?;
        }
        for place in [self.line, self.column].into_iter().flatten() {
            write!(f, "{place}:")?;
        }
        let space = if self.source.is_empty() && self.line.is_none() { "" } else { " " };
        write!(f, "{space}{}: ", if self.severity == Severity::Error { "error" } else { "warning" })?;
        if let Some(policy) = &self.policy {
            write!(f, "`{policy}`: ")?;
        }
        f.write_str(&self.sentence)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}
