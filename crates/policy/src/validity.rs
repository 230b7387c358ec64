//! The JSON schema of a tool's arguments, held against arguments as they are.
//!
//! The shape says what policies can see; this says all the rest: lengths, patterns, bounds, enumerations, combinations (JSON Schema 2020-12).

use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::Value;

use crate::arguments::ArgumentError;

#[cfg(test)]
mod tests;

/// A schema, read when it is first needed. Cheap to clone. Nothing is ever fetched for it.
#[derive(Clone)]
pub(crate) struct Validity {
    inner: Arc<Inner>,
}

struct Inner {
    schema: Value,
    /// Nothing if the schema cannot be read.
    validator: OnceLock<Option<Validator>>,
}

impl Validity {
    pub fn of(schema: Value) -> Self {
        Self { inner: Arc::new(Inner { schema, validator: OnceLock::new() }) }
    }

    /// Checks `arguments`.
    ///
    /// # Errors
    /// The first thing that does not fit: where, and by which keyword. Never the value itself, since refusals are recorded for ever.
    pub fn check(&self, arguments: &Value) -> Result<(), ArgumentError> {
        let validator = self.inner.validator.get_or_init(|| jsonschema::validator_for(&self.inner.schema).ok());
        let Some(validator) = validator else { return Err(ArgumentError::SchemaUnreadable) };
        let Some(error) = validator.iter_errors(arguments).next() else { return Ok(()) };
        let path = error.instance_path().to_string();
        let path = path.trim_start_matches('/').replace('/', ".");
        let keyword = error.schema_path().to_string();
        let keyword = keyword.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default().to_owned();
        Err(ArgumentError::NotAllowed { path: if path.is_empty() { "arguments".to_owned() } else { path }, keyword })
    }
}

impl fmt::Debug for Validity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.schema.fmt(formatter)
    }
}

impl PartialEq for Validity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.inner.schema == other.inner.schema
    }
}

impl Eq for Validity {}
