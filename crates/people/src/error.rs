//! Why somebody has not proved who they are.

use remit_domain::Refusal;
use remit_engine::SubmitError;
use remit_identity::RandomnessError;
use remit_identity::json::JsonError;
use remit_identity::webauthn::WebauthnError;

/// Why a ceremony did not end well.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PeopleError {
    /// The domain says no, or nothing could be recorded.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("the passkey was not accepted: {0}")]
    Passkey(#[from] WebauthnError),
    /// Begun too long ago, used already, begun for something else, or before Remit was started again.
    #[error("this was begun too long ago, or has been used already")]
    Ceremony,
    #[error("what the browser sent is not a credential: {0}")]
    Credential(#[from] JsonError),
    /// Too many failures from one place.
    #[error("too many attempts failed; wait {seconds} seconds")]
    Wait { seconds: u64 },
    #[error("the operating system gives no randomness")]
    Randomness,
}

impl PeopleError {
    /// The code, the sentence and the help.
    pub fn refusal(&self) -> Refusal {
        let sentence = self.to_string();
        match self {
            Self::Submit(error) => error.refusal().clone(),
            Self::Passkey(error) => Refusal::new("passkey_refused", sentence).help(error.help()),
            Self::Ceremony => Refusal::new("ceremony_ended", sentence).help("reload the page and try again"),
            Self::Credential(_) => {
                Refusal::new("bad_credential", sentence).help("send what `PublicKeyCredential.toJSON()` gives")
            }
            Self::Wait { .. } => Refusal::new("wait", sentence)
                .help("others are not held up by this, nor is the socket on the machine that Remit runs on"),
            Self::Randomness => Refusal::new("fault", sentence).help("check the machine"),
        }
    }
}

impl From<Refusal> for PeopleError {
    fn from(refusal: Refusal) -> Self {
        Self::Submit(refusal.into())
    }
}

impl From<RandomnessError> for PeopleError {
    fn from(_: RandomnessError) -> Self {
        Self::Randomness
    }
}
