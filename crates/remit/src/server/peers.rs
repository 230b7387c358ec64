//! Who may come where everybody has to show a certificate: workloads of this realm and of trust domains that it federates with.

use std::sync::Arc;
use std::time::Duration;

use remit_domain::KeyStep;
use remit_engine::Engine;
use remit_identity::ring::{RealmKey, RingError};
use remit_identity::x509::{PeerSvid, UnverifiedSvid, X509Error};
use remit_identity::{Bundle, KeyRing, KeyState, Purpose};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::foreign::Kept;
use super::tls;

/// How long a request waits for the keys in use to follow a revocation that is on record, and how often it looks.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);
const CATCH_UP_PAUSE: Duration = Duration::from_millis(5);

/// Why nobody is behind a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    #[error("its trust domain `{0}` is neither this realm's nor one that this realm federates with")]
    TrustDomain(String),
    #[error(transparent)]
    Certificate(#[from] X509Error),
    #[error(transparent)]
    Ring(#[from] RingError),
}

/// Verifies certificates against the bundles as they are at that moment. Clones ask the same bundles.
#[derive(Debug, Clone)]
pub struct Peers {
    engine: Engine,
    foreign: Kept<Bundle>,
}

impl Peers {
    pub fn new(engine: Engine, foreign: Kept<Bundle>) -> Self {
        Self { engine, foreign }
    }

    /// The time by which certificates are judged, in seconds.
    pub fn now(&self) -> i64 {
        self.engine.now().as_seconds()
    }

    /// Who is behind `chain`, the leaf first.
    ///
    /// # Errors
    /// If it leads to no authority that the realm believes at this moment, or is no X.509-SVID.
    pub fn verify(&self, chain: &[CertificateDer<'_>]) -> Result<PeerSvid, Stranger> {
        let (svid, now) = (UnverifiedSvid::read(chain)?, self.now());
        let trust_domain = svid.claimed_id().trust_domain();
        let bundle = if trust_domain == self.engine.realm().trust_domain {
            Arc::new(self.engine.keys().bundle(now)?)
        } else {
            self.foreign.of(trust_domain).ok_or_else(|| Stranger::TrustDomain(trust_domain.to_owned()))?
        };
        Ok(svid.verify(&bundle, now)?)
    }

    /// What a certificate of `trust_domain` is judged by at this moment.
    pub fn basis(&self, trust_domain: &str) -> Basis {
        Basis { own: self.engine.keys(), foreign: self.foreign.of(trust_domain) }
    }

    /// Waits until the keys in use believe no authority whose revocation is on record: the keys follow the record a moment later.
    /// False if they do not follow in time.
    pub async fn in_step(&self) -> bool {
        let caught_up = async {
            while self.is_behind() {
                tokio::time::sleep(CATCH_UP_PAUSE).await;
            }
        };
        !self.is_behind() || tokio::time::timeout(CATCH_UP_MAX, caught_up).await.is_ok()
    }

    fn is_behind(&self) -> bool {
        let believed = |key: &&RealmKey| key.purpose() == Purpose::Ca && key.state() != KeyState::Revoked;
        self.engine.read(|state| {
            let is_revoked = |kid: &str| state.realm_keys.get(kid).is_some_and(|key| key.step == KeyStep::Revoked);
            self.engine.keys().keys().iter().filter(believed).any(|key| is_revoked(key.kid()))
        })
    }

    /// The same question, as TLS asks it.
    pub fn verifier(&self) -> PeerVerifier {
        let algorithms = tls::provider().signature_verification_algorithms;
        PeerVerifier { peers: self.clone(), algorithms }
    }
}

/// What a certificate was judged by. While it is the same, so is the judgement, but for time.
#[derive(Debug, Clone)]
pub struct Basis {
    own: Arc<KeyRing>,
    foreign: Option<Arc<Bundle>>,
}

impl Basis {
    pub fn is(&self, other: &Self) -> bool {
        let is_same_bundle = match (&self.foreign, &other.foreign) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        is_same_bundle && Arc::ptr_eq(&self.own, &other.own)
    }
}

/// Lets nobody through a handshake without a certificate that holds.
#[derive(Debug)]
pub struct PeerVerifier {
    peers: Peers,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for PeerVerifier {
    /// INVARIANT: a certificate is never optional here. What stands behind relies on it.
    fn client_auth_mandatory(&self) -> bool {
        true
    }

    /// No hints: the names of authorities mean nothing in SPIFFE, and would tell strangers with whom the realm federates.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chain: Vec<CertificateDer<'_>> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        match self.peers.verify(&chain) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(stranger) => Err(CertificateError::Other(OtherError(Arc::new(stranger))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
