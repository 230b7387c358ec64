//! The same powers as the API, as pages for people. No power of its own.
//!
//! Architecture invariant: nothing is decided and nothing is stored here. Pages are functions of the committed state; every
//! change is a [`remit_domain::Command`] that the engine decides, and whether a button is offered is asked of the same
//! function. Proofs of who somebody is are `remit-people`'s. No page holds a script or a style, only the addresses of our two files, so that
//! nothing that a page shows can ever run.

mod answers;
mod assets;
mod csrf;
mod errors;
mod headers;
mod home;
mod kept_forms;
mod layout;
mod limits;
mod live;
mod names;
mod pages;
mod parts;
mod router;
mod session;
#[cfg(test)]
mod world;

use std::sync::Arc;

use remit_engine::Engine;
use remit_identity::RandomnessError;
use remit_people::People;
use remit_review::ToolSource;

pub use router::router;

/// What every page is made from. Cheap to clone.
#[derive(Clone)]
pub struct Console {
    engine: Engine,
    tools: Arc<dyn ToolSource>,
    people: People,
    tokens: csrf::Tokens,
    forms: kept_forms::KeptForms,
    directory: Option<Arc<str>>,
}

impl Console {
    /// A console over `engine` that asks `tools` what servers offer, and `people` who somebody is. Forms handed out by another process, or before a restart,
    /// are refused and asked for again.
    ///
    /// # Errors
    /// If the system gives no randomness for the forms' key.
    pub fn new(engine: Engine, tools: Arc<dyn ToolSource>, people: People) -> Result<Self, RandomnessError> {
        let (tokens, forms) = (csrf::Tokens::generate()?, kept_forms::KeptForms::default());
        Ok(Self { engine, tools, people, tokens, forms, directory: None })
    }

    /// The same for a realm that only people on its own machine reach: settings for their clients name its data directory, in which its
    /// socket is.
    #[must_use]
    pub fn on_this_machine(self, directory: &str) -> Self {
        Self { directory: Some(directory.into()), ..self }
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Console")
    }
}
