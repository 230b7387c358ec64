//! Licence expressions, as packages state them: SPDX 2.3, Annex D, and the older `A/B` for `A OR B`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

/// Brackets deeper than this are no licence but an attempt on the parser's stack.
const DEPTH_MAX: usize = 16;

/// What may be done under which licences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    Licence {
        /// Without the `+` of "or any later version": a later version may be chosen, never has to be.
        id: String,
        /// An additional permission (`WITH`).
        exception: Option<String>,
    },
    /// All of them hold.
    All(Vec<Expression>),
    /// One of them may be chosen.
    Any(Vec<Expression>),
}

impl Expression {
    /// Whether the licences that `accepts` (by id and exception) are enough to use the package.
    pub fn is_met(&self, accepts: &impl Fn(&str, Option<&str>) -> bool) -> bool {
        match self {
            Expression::Licence { id, exception } => accepts(id, exception.as_deref()),
            Expression::All(parts) => parts.iter().all(|part| part.is_met(accepts)),
            Expression::Any(parts) => parts.iter().any(|part| part.is_met(accepts)),
        }
    }
}

/// Why a text is not a licence expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionError {
    Ended,
    Unexpected(String),
    TooDeep,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpressionError::Ended => write!(f, "the licence expression ends too early"),
            ExpressionError::Unexpected(word) => write!(f, "`{word}` is not expected there in a licence expression"),
            ExpressionError::TooDeep => {
                write!(f, "the licence expression has more than {DEPTH_MAX} brackets inside each other")
            }
        }
    }
}

impl std::error::Error for ExpressionError {}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Expression, ExpressionError> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let mut parser = Parser { words: spaced.split_whitespace().peekable(), depth: 0 };
        let expression = parser.any()?;
        match parser.words.next() {
            None => Ok(expression),
            Some(word) => Err(ExpressionError::Unexpected(word.to_owned())),
        }
    }
}

/// Binds from weak to strong: `OR`, `AND`, `WITH`.
struct Parser<'a, Words: Iterator<Item = &'a str>> {
    words: std::iter::Peekable<Words>,
    depth: usize,
}

impl<'a, Words: Iterator<Item = &'a str>> Parser<'a, Words> {
    fn any(&mut self) -> Result<Expression, ExpressionError> {
        let first = self.all()?;
        let mut parts = vec![first];
        while self.words.next_if_eq(&"OR").is_some() {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, ExpressionError> {
        let first = self.single()?;
        let mut parts = vec![first];
        while self.words.next_if_eq(&"AND").is_some() {
            parts.push(self.single()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn single(&mut self) -> Result<Expression, ExpressionError> {
        if self.words.next_if_eq(&"(").is_none() {
            let id = self.id()?;
            let id = id.strip_suffix('+').unwrap_or(id).to_owned();
            let has_exception = self.words.next_if_eq(&"WITH").is_some();
            let exception = if has_exception { Some(self.id()?.to_owned()) } else { None };
            return Ok(Expression::Licence { id, exception });
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ExpressionError::TooDeep);
        }
        let inside = self.any()?;
        self.depth -= 1;
        match self.words.next() {
            Some(")") => Ok(inside),
            Some(word) => Err(ExpressionError::Unexpected(word.to_owned())),
            None => Err(ExpressionError::Ended),
        }
    }

    /// The id of a licence or of an exception: letters, digits, `-`, `.` and `:`, and a `+` behind it.
    fn id(&mut self) -> Result<&'a str, ExpressionError> {
        let word = self.words.next().ok_or(ExpressionError::Ended)?;
        let is_operator = matches!(word, "AND" | "OR" | "WITH");
        let in_alphabet = word.chars().all(|next| next.is_ascii_alphanumeric() || "-.:+".contains(next));
        if is_operator || !in_alphabet { Err(ExpressionError::Unexpected(word.to_owned())) } else { Ok(word) }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}
