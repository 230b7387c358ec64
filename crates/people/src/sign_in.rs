//! Signing in with a passkey. Nobody says who they are: the passkey does.

use std::net::IpAddr;

use remit_domain::{Actor, Command, Digest, Event, OpenPasskeySession, PasskeyUse, PersonId, Timestamp};
use remit_engine::Receipt;
use remit_identity::code::OneTimeCode;
use remit_identity::webauthn::{Assertion, Expect, PasskeyKey, Used, WebauthnError, check};

use crate::ceremony::{Ceremony, Purpose};
use crate::pace::Origin;
use crate::{People, PeopleError, options};

/// A session that has begun.
#[derive(Debug)]
pub struct Opened {
    /// What the person's side keeps. It is shown once.
    pub token: OneTimeCode,
    pub person: PersonId,
    pub expires_at: Timestamp,
    pub receipt: Receipt,
}

impl People {
    /// Begins to sign somebody in.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn begin_sign_in(&self) -> Result<Ceremony, PeopleError> {
        let (id, challenge) = self.ceremonies.begin(Purpose::SignIn, self.engine.now())?;
        Ok(Ceremony { id, options: options::request(&self.settings, &[], &challenge) })
    }

    /// Signs in whoever `assertion` proves, who asks from the address `from`.
    ///
    /// # Errors
    /// If it proves nobody, or not for this ceremony; if the passkey counts backwards; if it proves nothing, as too many from there did before.
    pub async fn sign_in(&self, from: Option<IpAddr>, id: &str, assertion: &Assertion) -> Result<Opened, PeopleError> {
        let (origin, now) = (Origin::of(from), self.engine.now());
        let shown = self.pace.count(origin, self.show_to_sign_in(id, assertion, now), now)?;
        let token = OneTimeCode::generate("ses_")?;
        let digest = Digest::of_bytes(token.expose().as_bytes());
        // The passkey says who it is; until it is accepted there is nobody to name, so the realm itself records it.
        let open = Command::OpenPasskeySession(Box::new(OpenPasskeySession { shown, token: digest }));
        let receipt = self.engine.submit(Actor::Remit, open).await?;
        let opened = receipt.events.iter().find_map(|event| match event {
            Event::SessionOpened(opened) => Some((opened.person, opened.expires_at)),
            _ => None,
        });
        let (person, expires_at) = opened.ok_or(PeopleError::Ceremony)?;
        Ok(Opened { token, person, expires_at, receipt })
    }

    fn show_to_sign_in(&self, id: &str, assertion: &Assertion, now: Timestamp) -> Result<PasskeyUse, PeopleError> {
        let begun = self.ceremonies.find(id, Purpose::SignIn, now)?;
        let (person, used) = self.verify(assertion, &begun.challenge()?)?;
        self.ceremonies.use_up(&begun, person, now)?;
        Ok(PasskeyUse { credential: assertion.credential.clone(), sign_count: used.sign_count })
    }

    /// Whose passkey signed `challenge` on a page of ours.
    pub(crate) fn verify(&self, assertion: &Assertion, challenge: &[u8]) -> Result<(PersonId, Used), PeopleError> {
        // An unknown passkey is no more than a wrong signature to whoever counts failures.
        let known = self.engine.read(|state| state.passkey(&assertion.credential).cloned());
        let passkey = known.map_err(|_| PeopleError::Passkey(WebauthnError::Credential))?;
        let key = PasskeyKey::parse(&passkey.key)?;
        let used = check(&key, assertion, &self.expect(challenge))?;
        Ok((passkey.person, used))
    }

    /// As [`People::verify`], by a passkey of `person` and nobody else's.
    pub(crate) fn verify_of(
        &self,
        person: PersonId,
        assertion: &Assertion,
        challenge: &[u8],
    ) -> Result<PasskeyUse, PeopleError> {
        let (holder, used) = self.verify(assertion, challenge)?;
        if holder != person {
            return Err(WebauthnError::Credential.into());
        }
        Ok(PasskeyUse { credential: assertion.credential.clone(), sign_count: used.sign_count })
    }

    pub(crate) fn expect<'a>(&'a self, challenge: &'a [u8]) -> Expect<'a> {
        Expect { challenge, origins: &self.settings.origins, rp_id: &self.settings.rp_id }
    }
}
