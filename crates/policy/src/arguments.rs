//! From a call's JSON arguments to typed Cedar values, strictly by the operation's shape.
//!
//! Nothing is guessed: what is missing, unknown, of another type or not exactly representable is refused, since a value that a
//! rule cannot see is a rule that does not apply.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use crate::limits;
use crate::nearest::nearest;
use crate::reads::Reads;
use crate::shape::{Field, Kind, Record, Scalar, Shape, join};
use crate::typed::{self, Typed};

#[cfg(test)]
mod tests;

/// Why arguments do not fit their operation's shape. Each is a reason to deny the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// A required argument is not there.
    #[error("the argument `{path}` is missing")]
    Missing {
        /// The argument, as a dotted path.
        path: String,
    },
    /// An argument is there that the schema does not know.
    #[error("the argument `{path}` is not one that the schema knows")]
    Unknown {
        /// The argument, as a dotted path.
        path: String,
        /// The argument that was probably meant.
        suggestion: Option<String>,
    },
    /// An argument has another type than the schema says.
    #[error("the argument `{path}` must be {expected}, but is {found}")]
    WrongType {
        /// The argument, as a dotted path; `arguments` for all of them.
        path: String,
        /// What the schema says.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// A number cannot be compared exactly.
    #[error("the number in the argument `{path}` cannot be compared exactly")]
    NotExact {
        /// The argument, as a dotted path.
        path: String,
    },
    /// An argument is not what its schema allows, by a keyword that policies do not see.
    #[error("the argument `{path}` is not what its schema allows (`{keyword}`)")]
    NotAllowed {
        /// The argument, as a dotted path; `arguments` for all of them.
        path: String,
        /// The keyword of JSON Schema.
        keyword: String,
    },
    /// The schema refers to something elsewhere or contradicts itself, so nothing can be said to fit it.
    #[error("the schema of these arguments cannot be read")]
    SchemaUnreadable,
    /// An argument is one that a declared projection can make nothing of.
    #[error("the argument `{path}` gives no `{projection}`: it {problem}")]
    Projection {
        /// The argument, as the projection's path.
        path: String,
        /// The projection's name.
        projection: String,
        /// What is wrong, to stand after "it".
        problem: &'static str,
    },
    /// More than [`limits::ARGUMENT_VALUES_MAX`] values.
    #[error("the arguments hold more than {} values", limits::ARGUMENT_VALUES_MAX)]
    TooMany,
}

impl ArgumentError {
    /// What to do next.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::Unknown { suggestion: None, .. } => Some("leave it out, or have the tool describe it".to_owned()),
            Self::NotExact { .. } => {
                Some("use at most four digits after the point, and a size that fits in 64 bits with them".to_owned())
            }
            Self::Projection { projection, .. } => Some(format!(
                "policies decide by `{projection}`; write the argument so that only one reading is possible"
            )),
            Self::SchemaUnreadable => Some("ask the connector's owner for a tool whose schema stands alone".to_owned()),
            Self::Missing { .. } | Self::NotAllowed { .. } | Self::WrongType { .. } | Self::TooMany => None,
        }
    }
}

impl Shape {
    /// Checks that `arguments` fit, and that every projection gives a value that policies can see.
    ///
    /// # Errors
    /// The first thing that does not fit, with its path.
    pub fn check(&self, arguments: &Value) -> Result<(), ArgumentError> {
        self.typed(arguments, &Reads::everything())?;
        self.typed_projections(arguments).map(|_| ())
    }

    /// What the declared projections give for `arguments`, by name; a set is an array.
    ///
    /// # Errors
    /// The first projection that can make nothing of its argument.
    pub fn projected(&self, arguments: &Value) -> Result<BTreeMap<String, Value>, ArgumentError> {
        let mut values = BTreeMap::new();
        for drawn in &self.projected {
            if let Some(value) = drawn.draw(arguments)? {
                values.insert(drawn.name().to_owned(), value);
            }
        }
        Ok(values)
    }

    /// The values of the declared projections as a Cedar record.
    pub(crate) fn typed_projections(&self, arguments: &Value) -> Result<Typed, ArgumentError> {
        let mut pairs = Vec::with_capacity(self.projected.len());
        for drawn in &self.projected {
            let typed = match drawn.draw(arguments)? {
                None => continue,
                Some(Value::Array(values)) => {
                    let each = values.iter().map(|value| scalar(drawn.scalar(), value, &drawn.path()));
                    typed::set(each.collect::<Result<Vec<_>, _>>()?)
                }
                Some(value) => scalar(drawn.scalar(), &value, &drawn.path())?,
            };
            pairs.push((drawn.name(), typed));
        }
        Ok(typed::record(pairs))
    }

    /// The arguments as a Cedar record, for policies that read `reads`.
    pub(crate) fn typed(&self, arguments: &Value, reads: &Reads) -> Result<Typed, ArgumentError> {
        let typed = Reader { values: 0, reads }.record(&self.root, arguments, "")?;
        // Afterwards, because the shape's sentences say more.
        self.validity.as_ref().map_or(Ok(()), |validity| validity.check(arguments))?;
        Ok(typed)
    }
}

struct Reader<'a> {
    values: usize,
    reads: &'a Reads,
}

impl Reader<'_> {
    fn record(&mut self, record: &Record, value: &Value, path: &str) -> Result<Typed, ArgumentError> {
        let Value::Object(members) = value else { return Err(wrong_type(path, "an object", value)) };
        refuse_unknown(record, members, path)?;
        let mut pairs = Vec::with_capacity(record.fields.len());
        for (name, field) in &record.fields {
            let path = join(path, name);
            if let Some(typed) = self.member(field, members.get(name), &path)? {
                pairs.push((name.as_str(), typed));
            }
        }
        Ok(typed::record(pairs))
    }

    fn member(&mut self, field: &Field, value: Option<&Value>, path: &str) -> Result<Option<Typed>, ArgumentError> {
        self.count()?;
        match (value, &field.kind) {
            (None, _) if field.required => Err(ArgumentError::Missing { path: path.to_owned() }),
            (None, _) => Ok(None),
            (Some(Value::Null), _) if field.nullable => Ok(None),
            (Some(_), Kind::Opaque) => Ok(None),
            (Some(value), Kind::Scalar(kind)) => self.scalar(*kind, value, path).map(Some),
            (Some(value), Kind::Record(record)) => self.record(record, value, path).map(Some),
            (Some(value), Kind::Set(kind)) => {
                let Value::Array(elements) = value else { return Err(wrong_type(path, "a list", value)) };
                let mut typed = Vec::new();
                for element in elements {
                    self.count()?;
                    typed.push(self.scalar(*kind, element, path)?);
                }
                Ok(Some(typed::set(typed)))
            }
        }
    }

    /// One value. A number that cannot be compared exactly is refused where a policy could look at it, and nothing where none can.
    fn scalar(&self, kind: Scalar, value: &Value, path: &str) -> Result<Typed, ArgumentError> {
        match scalar(kind, value, path) {
            Err(ArgumentError::NotExact { .. }) if !self.reads.could_see(path) => Ok(match kind {
                Scalar::Decimal => typed::decimal("0.0".to_owned()).ok_or(ArgumentError::TooMany)?,
                _ => typed::long(0),
            }),
            typed => typed,
        }
    }

    fn count(&mut self) -> Result<(), ArgumentError> {
        self.values += 1;
        if self.values > limits::ARGUMENT_VALUES_MAX { Err(ArgumentError::TooMany) } else { Ok(()) }
    }
}

fn refuse_unknown(record: &Record, members: &Map<String, Value>, path: &str) -> Result<(), ArgumentError> {
    if record.open {
        return Ok(());
    }
    match members.keys().find(|name| !record.fields.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(ArgumentError::Unknown {
            path: join(path, name),
            suggestion: nearest(name, record.fields.keys().map(String::as_str)).map(|known| join(path, known)),
        }),
    }
}

fn scalar(kind: Scalar, value: &Value, path: &str) -> Result<Typed, ArgumentError> {
    let not_exact = || ArgumentError::NotExact { path: path.to_owned() };
    match (kind, value) {
        (Scalar::String, Value::String(text)) => Ok(typed::text(text)),
        (Scalar::Bool, Value::Bool(truth)) => Ok(typed::truth(*truth)),
        (Scalar::Long, Value::Number(number)) if is_fraction(number) => Err(wrong_type(path, "a whole number", value)),
        (Scalar::Long, Value::Number(number)) => whole(number).map(typed::long).ok_or_else(not_exact),
        (Scalar::Decimal, Value::Number(number)) => decimal(number).and_then(typed::decimal).ok_or_else(not_exact),
        (Scalar::String, _) => Err(wrong_type(path, "a text", value)),
        (Scalar::Bool, _) => Err(wrong_type(path, "true or false", value)),
        (Scalar::Long, _) => Err(wrong_type(path, "a whole number", value)),
        (Scalar::Decimal, _) => Err(wrong_type(path, "a number", value)),
    }
}

fn is_fraction(number: &Number) -> bool {
    number.as_i64().is_none() && number.as_u64().is_none() && number.as_f64().is_some_and(|float| float.fract() != 0.0)
}

/// The number as a whole one. `5.0` is one for JSON Schema, as long as a double holds it exactly.
pub(crate) fn whole(number: &Number) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| number.as_u64().is_none() && float.abs() <= EXACT_MAX)?;
        (float.fract() == 0.0).then(|| format!("{float:.0}").parse().ok())?
    })
}

/// The number in Cedar's decimal form: at most four digits after the point, and 64 bits in ten-thousandths.
pub(crate) fn decimal(number: &Number) -> Option<String> {
    let text = match (number.as_i64(), number.as_u64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(whole)) => whole.to_string(),
        // The shortest digits that mean this double, never with an exponent.
        (None, None) => format!("{}", number.as_f64()?),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), "0"));
    if fraction.len() > 4 {
        return None;
    }
    let in_ten_thousandths: i128 = format!("{whole}{fraction:0<4}").parse().ok()?;
    i64::try_from(in_ten_thousandths).ok().map(|_| format!("{whole}.{fraction}"))
}

fn wrong_type(path: &str, expected: &'static str, value: &Value) -> ArgumentError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if is_fraction(number) => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let path = if path.is_empty() { "arguments" } else { path };
    ArgumentError::WrongType { path: path.to_owned(), expected, found }
}
