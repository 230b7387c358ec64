//! Proves who a person is: the ceremonies of passkeys, and answers that are signed with one.
//!
//! Architecture invariant: no page is here, HTTP only towards the identity provider ([`oidc`]), and nothing is decided: what is verified becomes a
//! [`remit_domain::Command`], which the domain decides. Whatever is to be verified of a person is verified here and in no door.

mod answer;
mod ceremony;
mod credentials;
mod enrolment;
mod error;
pub mod limits;
pub mod oidc;
mod options;
mod pace;
mod settings;
mod sign_in;
mod step_up;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use remit_engine::Engine;
use remit_identity::RandomnessError;

pub use answer::Question;
pub use ceremony::Ceremony;
pub use credentials::{assertion, registration};
pub use error::PeopleError;
pub use oidc::OidcSettings;
pub use remit_identity::webauthn::{Assertion, Registration};
pub use settings::PeopleSettings;
pub use sign_in::Opened;

/// Proofs of who a person is, over one engine. Cheap to clone.
#[derive(Clone)]
pub struct People {
    engine: Engine,
    settings: Arc<PeopleSettings>,
    ceremonies: Arc<ceremony::Ceremonies>,
    pace: Arc<pace::Pace>,
    oidc: Option<Arc<oidc::Oidc>>,
}

impl People {
    /// # Errors
    /// If the system gives no randomness for the ceremonies' key.
    pub fn new(engine: Engine, settings: PeopleSettings) -> Result<Self, RandomnessError> {
        let ceremonies = ceremony::Ceremonies::generate(engine.now())?;
        let origin = settings.origins.first().map_or("", String::as_str);
        let oidc = settings.oidc.clone().map(|provider| oidc::Oidc::new(engine.clone(), provider, origin));
        let oidc = oidc.transpose()?.map(Arc::new);
        Ok(Self { engine, settings: Arc::new(settings), ceremonies: Arc::new(ceremonies), pace: Arc::default(), oidc })
    }

    /// Where passkeys are used.
    pub fn settings(&self) -> &PeopleSettings {
        &self.settings
    }
}

impl fmt::Debug for People {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("People").field("settings", &self.settings).finish_non_exhaustive()
    }
}
