//! Showing a passkey again in a session that is under way, before what is grave.

use remit_domain::{Actor, Command, Passkey, PersonId, Refusal, SessionId};
use remit_engine::Receipt;
use remit_identity::webauthn::Assertion;
use serde_json::Value;

use crate::ceremony::{Ceremony, Purpose};
use crate::pace::Origin;
use crate::{People, PeopleError, options};

impl People {
    /// Asks `person` for one of their passkeys.
    ///
    /// # Errors
    /// If they have none.
    pub fn begin_step_up(&self, person: PersonId) -> Result<Ceremony, PeopleError> {
        let (id, challenge) = self.ceremonies.begin(Purpose::StepUp(person), self.engine.now())?;
        Ok(Ceremony { id, options: self.request_of(person, &challenge)? })
    }

    /// Makes `session` fresh, since whoever acts in it has just shown a passkey of theirs.
    ///
    /// # Errors
    /// If they have not; if the passkey counts backwards; if the session has ended.
    pub async fn step_up(
        &self,
        actor: Actor,
        session: SessionId,
        id: &str,
        assertion: &Assertion,
    ) -> Result<Receipt, PeopleError> {
        let (person, now) = (actor.person()?, self.engine.now());
        let origin = Some(Origin::Person(person));
        let verified = || {
            let begun = self.ceremonies.find(id, Purpose::StepUp(person), now)?;
            let shown = self.verify_of(person, assertion, &begun.challenge()?)?;
            self.ceremonies.use_up(&begun, person, now)?;
            Ok(shown)
        };
        let shown = self.pace.count(origin, verified(), now)?;
        Ok(self.engine.submit(actor, Command::RaiseSession { session, shown }).await?)
    }

    /// Options for `navigator.credentials.get()` by one of the passkeys of `person`, over `challenge` (base64url).
    pub(crate) fn request_of(&self, person: PersonId, challenge: &str) -> Result<Value, PeopleError> {
        let state = self.engine.state();
        let known: Vec<&Passkey> = state.passkeys_of(person).into_iter().map(AsRef::as_ref).collect();
        if known.is_empty() {
            let refusal = Refusal::new("passkey_needed", "you have no passkey yet");
            return Err(refusal.help("enrol one on the console's page of passkeys").into());
        }
        Ok(options::request(&self.settings, &known, challenge))
    }
}
