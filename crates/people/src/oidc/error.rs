//! Why somebody was not signed in by way of the identity provider.

use remit_domain::Refusal;
use remit_engine::SubmitError;
use remit_identity::RandomnessError;
use remit_identity::foreign::ForeignError;
use remit_identity::seal::SealError;

/// Longest error code of a provider that is repeated, in bytes.
const ERROR_BYTES_MAX: usize = 64;

/// Why a sign-in did not begin, or did not end well.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OidcError {
    #[error("nobody signs in by way of an identity provider here")]
    NotConfigured,
    #[error("too many people are being signed in at this moment")]
    Busy,
    /// No binding, not ours, too old, or of another sign-in.
    #[error("this answer is not to a sign-in that this browser began, or it took too long")]
    NotBegun,
    #[error("this sign-in has been used already")]
    Used,
    #[error("this answer comes from another identity provider than the one that was asked")]
    OtherIssuer,
    #[error("the identity provider said no: `{0}`")]
    Declined(String),
    #[error("the identity provider answered without a code")]
    NoCode,
    #[error("the identity provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("what the identity provider publishes cannot be used: {0}")]
    Unusable(String),
    #[error("the identity provider did not take the code: `{0}`")]
    CodeRefused(String),
    #[error("the identity provider's word cannot be believed: {0}")]
    IdToken(#[from] ForeignError),
    #[error("the identity provider's word is for another application")]
    OtherParty,
    #[error("the identity provider's word is not for this sign-in")]
    Nonce,
    #[error("the identity provider's word is older than this sign-in")]
    Old,
    #[error("the identity provider names nobody, or names them in a way that cannot be used")]
    Subject,
    #[error("the operating system gives no randomness")]
    Randomness,
    /// The domain says no, or nothing could be recorded.
    #[error(transparent)]
    Submit(SubmitError),
}

impl OidcError {
    /// The provider's `error`, as far as it is one (RFC 6749 section 4.1.2.1): whoever made the link wrote it.
    pub(super) fn declined(error: &str) -> Self {
        Self::Declined(plain(error))
    }

    /// The provider's `error` at its token endpoint.
    pub(super) fn code_refused(error: &str) -> Self {
        Self::CodeRefused(plain(error))
    }

    /// A refusal of the domain. Who is linked to nobody is told what an administrator has to type.
    pub(super) fn submit(error: SubmitError, issuer: &str, subject: &str) -> Self {
        // It will be pasted into a shell: what could mean something there is not repeated.
        let tame = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@|+=,".contains(&byte);
        match error {
            SubmitError::Refused(refusal) if refusal.code == "person_unlinked" && subject.bytes().all(tame) => {
                let command = format!("remit person link NAME --issuer '{issuer}' --subject '{subject}'");
                Self::Submit(SubmitError::Refused(
                    refusal.help(format!("an administrator can say who you are here: `{command}`")),
                ))
            }
            other => Self::Submit(other),
        }
    }
}

fn plain(error: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let known = !error.is_empty() && error.len() <= ERROR_BYTES_MAX && error.bytes().all(is_plain);
    if known { error } else { "unknown_error" }.to_owned()
}

impl From<RandomnessError> for OidcError {
    fn from(_: RandomnessError) -> Self {
        Self::Randomness
    }
}

impl From<SealError> for OidcError {
    fn from(_: SealError) -> Self {
        Self::Randomness
    }
}

impl From<OidcError> for SubmitError {
    fn from(error: OidcError) -> Self {
        let sentence = error.to_string();
        let unavailable = |help: &str| Self::Unavailable(Refusal::new("provider_unavailable", &sentence).help(help));
        let refused = |help: &str| Self::Refused(Refusal::new("sign_in_refused", &sentence).help(help));
        match &error {
            OidcError::Submit(error) => error.clone(),
            OidcError::NotConfigured => Self::Refused(
                Refusal::new("not_found", &sentence).help("the operator sets it up: `[sign_in.oidc]` in `remit.toml`"),
            ),
            OidcError::Busy => unavailable("try again in a moment"),
            OidcError::Unreachable(_) => unavailable("try again, or sign in with a passkey"),
            OidcError::Randomness => unavailable("try again; if it stays, look at the machine"),
            OidcError::Unusable(_) => unavailable("the operator compares `[sign_in.oidc]` with what the provider says"),
            OidcError::NotBegun | OidcError::Used => {
                refused("begin at the sign-in page, and finish within ten minutes in the same browser")
            }
            OidcError::Declined(_) => refused("sign in there with an account that may use Remit, or ask who runs it"),
            OidcError::CodeRefused(_) | OidcError::NoCode => {
                refused("sign in again; if it stays, the operator compares the client with what the provider knows")
            }
            OidcError::IdToken(_) => refused("sign in again; if it stays, the operator looks at the provider"),
            OidcError::OtherIssuer | OidcError::OtherParty | OidcError::Nonce | OidcError::Old | OidcError::Subject => {
                refused("sign in again, from the sign-in page")
            }
        }
    }
}
