//! Whether a tool's structured result is what its approved definition says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use remit_domain::{Digest, Operation};
use serde_json::{Map, Value};

use crate::limits;

#[cfg(test)]
mod tests;

/// The output schemas of approved definitions, read once each. A handle: clones share everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outputs {
    read: Arc<Mutex<HashMap<Digest, Arc<Output>>>>,
}

#[derive(Debug)]
enum Output {
    /// The definition does not say.
    Anything,
    Schema(Box<Validator>),
    /// The definition has a schema that cannot be read, so nothing can be said to fit it.
    Unreadable,
}

impl Outputs {
    /// Holds a result against the definition of its operation (MCP 2025-11-25, tools, output schema).
    ///
    /// # Errors
    ///
    /// Why it is not what was approved, in our words.
    pub fn must_fit(&self, operation: &Operation, result: &Map<String, Value>) -> Result<(), String> {
        let output = self.of(operation);
        match (output.as_ref(), result.get("structuredContent")) {
            (Output::Anything, _) => Ok(()),
            (Output::Unreadable, _) => Err("the tool's approved output schema cannot be read".to_owned()),
            (Output::Schema(_), None) => {
                Err("the result lacks the structured content that its approved definition promises".to_owned())
            }
            (Output::Schema(validator), Some(content)) if validator.is_valid(content) => Ok(()),
            (Output::Schema(_), Some(_)) => Err("the result is not what its approved definition says".to_owned()),
        }
    }

    fn of(&self, operation: &Operation) -> Arc<Output> {
        let known = |read: &HashMap<_, _>| read.get(&operation.digest).map(Arc::clone);
        if let Some(output) = known(&self.read.lock().unwrap_or_else(PoisonError::into_inner)) {
            return output;
        }
        let output = Arc::new(match operation.definition.document.get("outputSchema") {
            None => Output::Anything,
            Some(schema) => match jsonschema::validator_for(schema) {
                Ok(validator) => Output::Schema(Box::new(validator)),
                Err(_) => Output::Unreadable,
            },
        });
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= limits::OUTPUTS_KEPT_MAX {
            read.clear();
        }
        read.insert(operation.digest, Arc::clone(&output));
        output
    }
}
