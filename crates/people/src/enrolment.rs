//! A person's new passkey.

use remit_domain::{Actor, Command, EnrolPasskey, Passkey, PersonId, SessionId};
use remit_engine::Receipt;
use remit_identity::webauthn::{Registration, register};

use crate::ceremony::{Ceremony, Purpose};
use crate::pace::Origin;
use crate::{People, PeopleError, options};

impl People {
    /// Begins to enrol a passkey of `person`, who is signed in by `session`. What they have is kept from being enrolled twice, except
    /// after a recovery: that replaces all of it, and the same authenticator may well be the one that is there.
    ///
    /// # Errors
    /// If there is no such person.
    pub fn begin_enrolment(&self, person: PersonId, session: Option<SessionId>) -> Result<Ceremony, PeopleError> {
        let (id, challenge) = self.ceremonies.begin(Purpose::Enrol(person), self.engine.now())?;
        let state = self.engine.state();
        let recovers = session.and_then(|session| state.sessions.get(&session)).is_some_and(|session| session.recovery);
        let own = if recovers { Vec::new() } else { state.passkeys_of(person) };
        let known: Vec<&Passkey> = own.into_iter().map(AsRef::as_ref).collect();
        let options = options::creation(&self.settings, state.person(person)?, &known, &challenge);
        Ok(Ceremony { id, options })
    }

    /// Enrols the passkey that `registration` brings, for whoever acts in `session`.
    ///
    /// # Errors
    /// If it was not made for this ceremony and person; if they have to show another passkey first; if they have too many.
    pub async fn enrol(
        &self,
        actor: Actor,
        session: Option<SessionId>,
        id: &str,
        registration: &Registration,
        label: &str,
    ) -> Result<Receipt, PeopleError> {
        let (person, now) = (actor.person()?, self.engine.now());
        let origin = Some(Origin::Person(person));
        let verified = || {
            let begun = self.ceremonies.find(id, Purpose::Enrol(person), now)?;
            let enrolled = register(registration, &self.expect(&begun.challenge()?))?;
            self.ceremonies.use_up(&begun, person, now)?;
            Ok(enrolled)
        };
        let enrolled = self.pace.count(origin, verified(), now)?;
        let enrol = EnrolPasskey {
            credential: enrolled.credential,
            key: enrolled.key.to_jwk(),
            label: label.trim().to_owned(),
            sign_count: enrolled.sign_count,
            backed_up: enrolled.backed_up,
            rp_id: self.settings.rp_id.clone(),
            session,
        };
        Ok(self.engine.submit(actor, Command::EnrolPasskey(Box::new(enrol))).await?)
    }
}
