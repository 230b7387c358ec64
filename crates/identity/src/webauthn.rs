//! Passkeys: registrations and assertions of Web Authentication (W3C, level 3), verified strictly.
//!
//! What is verified: the origin, the relying party, the challenge, that a person was there and was verified (by a PIN, a
//! finger, a face), and the signature. What an authenticator says of its own make (attestation, section 6.5) is read past and
//! never believed: any passkey of the person will do, and the one that they enrolled is the only one that counts afterwards.

mod assertion;
mod authenticator_data;
mod cbor;
mod client_data;
mod key;
mod registration;
#[cfg(test)]
mod tests;

pub use assertion::{Assertion, Used, check, check_signature};
pub use client_data::ClientData;
pub use key::PasskeyKey;
pub use registration::{Enrolled, Registration, register};

/// What a ceremony was begun with.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    pub challenge: &'a [u8],
    /// Where the page may be, exactly: scheme, host and port.
    pub origins: &'a [String],
    /// The relying party: the host that passkeys are for.
    pub rp_id: &'a str,
}

/// Why a passkey's answer was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebauthnError {
    #[error("the client data of the passkey's answer cannot be read")]
    ClientData,
    #[error("this is the answer to another kind of question")]
    Ceremony,
    #[error("this answers another challenge")]
    Challenge,
    #[error("this was made on the page of another site, `{0}`")]
    Origin(String),
    #[error("this was made inside a page of another site")]
    CrossOrigin,
    #[error("what the authenticator says cannot be read")]
    AuthenticatorData,
    #[error("this passkey is for another site")]
    RelyingParty,
    #[error("nobody touched the authenticator")]
    NotPresent,
    #[error("the authenticator did not verify who is there")]
    NotVerified,
    #[error("the attestation cannot be read")]
    Attestation,
    #[error("the id of the credential is empty, too long or not the one that it was registered with")]
    Credential,
    #[error("the passkey's key is of a kind that is not used here, or is not sound")]
    Key,
    #[error("the signature is not that of this passkey")]
    Signature,
}

impl WebauthnError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Challenge => "reload the page and try again; each question is answered once",
            Self::Origin(_) | Self::RelyingParty | Self::CrossOrigin => "open the console at its own address",
            Self::NotPresent | Self::NotVerified => "use a passkey with a PIN, a finger or a face, and confirm with it",
            Self::Key => "use a passkey with ES256, EdDSA or RS256",
            _ => "try again, or use another passkey",
        }
    }
}
