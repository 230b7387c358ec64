//! The realm's keys in step with the ledger: a key signs once its record says so, and never after its record says otherwise.
//!
//! INVARIANT: a new private key is sealed on disk before its first record, and a key's step in the ring follows its record.
//! So a crash at any moment leaves a ring that the ledger puts right when the directory is opened again.

use std::path::Path;
use std::sync::Arc;

use remit_domain::{Actor, Command, KeyPurpose, KeyStep, Refusal, State, StepKey};
use remit_identity::{Kek, KeyRing, KeyState, Purpose};
use serde_json::Value;

use crate::engine::{Engine, Receipt};
use crate::error::{OpenError, SubmitError};
use crate::keys;

/// How long a key stays prepared before it signs when keys are rotated by time, in seconds: as long as verifiers may keep a
/// key set that does not have it yet.
const PREPARED_SECONDS: i64 = 3_600;

const PURPOSES: [Purpose; 2] = [Purpose::Token, Purpose::Ca];

/// Brings a ring that was just opened in line with the ledger, gives it the authority of `trust_domain`, and keeps at `path`
/// what that changed.
pub(crate) fn reconcile(
    ring: &mut KeyRing,
    (path, kek): (&Path, &Kek),
    state: &State,
    trust_domain: &str,
    now_seconds: i64,
) -> Result<(), OpenError> {
    let followed = ring.apply_steps(steps(state));
    let made = ring.ensure_ca(trust_domain, now_seconds);
    let made = made.map_err(|error| OpenError::Keys { path: path.to_owned(), reason: error.to_string() })?;
    if followed || made.is_some() { keys::save(path, kek, ring) } else { Ok(()) }
}

/// Every key that the ledger knows, as the ring takes it.
fn steps(state: &State) -> impl Iterator<Item = (&str, Purpose, KeyState, i64)> {
    state.realm_keys.iter().map(|(key, known)| {
        let purpose = match known.purpose {
            KeyPurpose::Token => Purpose::Token,
            KeyPurpose::Ca => Purpose::Ca,
        };
        let step = match known.step {
            KeyStep::Prepared => KeyState::Prepared,
            KeyStep::Active => KeyState::Active,
            KeyStep::Retired => KeyState::Retired,
            KeyStep::Revoked => KeyState::Revoked,
        };
        (key.as_str(), purpose, step, known.since.as_seconds())
    })
}

impl Engine {
    /// Makes a new key of `purpose` and records it as prepared: published, and not signing yet. Where one is prepared
    /// already, that one stands. Returns its name.
    ///
    /// # Errors
    ///
    /// If `actor` does not administer the realm, or the key could not be made, kept or recorded.
    pub async fn prepare_key(&self, actor: Actor, purpose: Purpose) -> Result<String, SubmitError> {
        let _one_at_a_time = self.inner.rotating.lock().await;
        self.prepare(actor, purpose).await
    }

    /// Lets a new key of `purpose`, or the one that is prepared, sign from now on, and returns its name. What the former one
    /// signed is good until it ends.
    ///
    /// # Errors
    ///
    /// As [`Engine::prepare_key`].
    pub async fn rotate_keys(&self, actor: Actor, purpose: Purpose) -> Result<String, SubmitError> {
        let _one_at_a_time = self.inner.rotating.lock().await;
        self.rotate(actor, purpose).await
    }

    /// Ends the realm key `kid`: nothing that it signed is good any more, from the moment that its record is durable. Where it
    /// was the one that signs, another takes its place at once.
    ///
    /// # Errors
    ///
    /// `not_found` if the ledger knows no such key; otherwise as [`Engine::prepare_key`].
    pub async fn revoke_key(&self, actor: Actor, kid: &str) -> Result<Receipt, SubmitError> {
        let _one_at_a_time = self.inner.rotating.lock().await;
        let known = self.read(|state| state.realm_keys.get(kid).map(|known| (known.purpose, known.step)));
        let (purpose, step) = known.ok_or_else(|| {
            Refusal::new("not_found", format!("there is no key `{kid}`")).help("`remit key list` shows what there is")
        })?;
        let revoke = StepKey { key: kid.to_owned(), purpose, step: KeyStep::Revoked, public: Value::Null };
        let receipt = self.submit(actor.clone(), Command::StepKey(Box::new(revoke))).await?;
        self.follow_ledger()?;
        if step == KeyStep::Active {
            let purpose = if purpose == KeyPurpose::Ca { Purpose::Ca } else { Purpose::Token };
            // The revocation stands whatever becomes of this, so its receipt is given out in any case.
            if let Err(error) = self.rotate(actor, purpose).await {
                tracing::error!(%error, purpose = purpose.as_str(), "a key was revoked, and nothing signs in its place");
            }
        }
        Ok(receipt)
    }

    /// Rotates each key that has signed for `rotate_seconds`: the next one is prepared a while before and then activated.
    /// Whoever keeps the time calls this every few minutes.
    ///
    /// # Errors
    ///
    /// As [`Engine::prepare_key`].
    pub async fn rotate_due_keys(&self, rotate_seconds: i64) -> Result<(), SubmitError> {
        let now = self.now().as_seconds();
        let prepare_at = rotate_seconds.saturating_sub(PREPARED_SECONDS);
        for purpose in PURPOSES {
            let ring = self.keys();
            let active_for = ring.active(purpose).map(|key| now.saturating_sub(key.since()));
            let prepared =
                |key: &&remit_identity::ring::RealmKey| key.purpose() == purpose && key.state() == KeyState::Prepared;
            let prepared_for = ring.keys().iter().find(prepared).map(|key| now.saturating_sub(key.since()));
            match (active_for, prepared_for) {
                (None, _) => drop(self.rotate_keys(Actor::Remit, purpose).await?),
                (Some(active), None) if active >= prepare_at => drop(self.prepare_key(Actor::Remit, purpose).await?),
                (Some(active), Some(prepared)) if active >= rotate_seconds && prepared >= PREPARED_SECONDS => {
                    drop(self.rotate_keys(Actor::Remit, purpose).await?);
                }
                (Some(_), _) => {}
            }
        }
        Ok(())
    }

    /// Records the keys that signed before the ledger knew of keys, and sees to it that something signs for each purpose: the
    /// sealed keys may come from a backup that is older than the ledger.
    pub(crate) async fn begin_keys(&self) -> Result<(), SubmitError> {
        let _one_at_a_time = self.inner.rotating.lock().await;
        let ring = self.keys();
        for key in ring.keys().iter().filter(|key| key.state() == KeyState::Active) {
            if !self.read(|state| state.realm_keys.contains_key(key.kid())) {
                self.record_step(Actor::Remit, key.kid(), key.purpose(), KeyStep::Active, key.to_public_value())
                    .await?;
            }
        }
        for purpose in PURPOSES {
            if ring.active(purpose).is_none() {
                self.rotate(Actor::Remit, purpose).await?;
            }
        }
        Ok(())
    }

    async fn prepare(&self, actor: Actor, purpose: Purpose) -> Result<String, SubmitError> {
        let mut ring = self.ring_to_change()?;
        let kid = ring.prepare(purpose, self.now().as_seconds()).map_err(|error| unavailable(&error))?;
        let public = ring.key(&kid).map(remit_identity::ring::RealmKey::to_public_value).unwrap_or_default();
        // On disk before it is on record: a recorded key that nobody has could never sign.
        self.save(&ring)?;
        self.record_step(actor, &kid, purpose, KeyStep::Prepared, public).await?;
        self.inner.ring.store(Arc::new(ring));
        Ok(kid)
    }

    async fn rotate(&self, actor: Actor, purpose: Purpose) -> Result<String, SubmitError> {
        let kid = self.prepare(actor.clone(), purpose).await?;
        self.record_step(actor, &kid, purpose, KeyStep::Active, Value::Null).await?;
        self.follow_ledger()?;
        Ok(kid)
    }

    async fn record_step(
        &self,
        actor: Actor,
        kid: &str,
        purpose: Purpose,
        step: KeyStep,
        public: Value,
    ) -> Result<(), SubmitError> {
        let purpose = match purpose {
            Purpose::Token => KeyPurpose::Token,
            Purpose::Ca => KeyPurpose::Ca,
        };
        let step = StepKey { key: kid.to_owned(), purpose, step, public };
        self.submit(actor, Command::StepKey(Box::new(step))).await.map(drop)
    }

    /// Takes over what the ledger says. In memory first: what is durable in the ledger holds from now on, and a file that could
    /// not be written is put right at the next start, so that is no failure of whoever asked.
    fn follow_ledger(&self) -> Result<(), SubmitError> {
        let mut ring = self.ring_to_change()?;
        if self.read(|state| ring.apply_steps(steps(state))) {
            let ring = Arc::new(ring);
            self.inner.ring.store(Arc::clone(&ring));
            if let Err(error) = self.save(&ring) {
                tracing::error!(%error, "the realm's keys changed, and the file that keeps them could not be written");
            }
        }
        Ok(())
    }

    /// A ring like the one in use: private keys have no other way to be copied than sealed.
    fn ring_to_change(&self) -> Result<KeyRing, SubmitError> {
        let sealed = self.keys().seal(&self.inner.kek).map_err(|error| unavailable(&error))?;
        KeyRing::open(&self.inner.kek, &sealed).map_err(|error| unavailable(&error))
    }

    fn save(&self, ring: &KeyRing) -> Result<(), SubmitError> {
        keys::save(&self.inner.ring_path, &self.inner.kek, ring).map_err(|error| unavailable(&error))
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> SubmitError {
    SubmitError::ledger(&error.to_string())
}
