//! Who may come where everybody has to show a certificate: workloads of this realm and of trust domains that it federates with.

use std::sync::Arc;

use remit_engine::Engine;
use remit_identity::Bundle;
use remit_identity::ring::RingError;
use remit_identity::x509::{PeerSvid, UnverifiedSvid, X509Error};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::foreign::Kept;
use super::tls;

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

    /// The same question, as TLS asks it.
    pub fn verifier(&self) -> PeerVerifier {
        let algorithms = tls::provider().signature_verification_algorithms;
        PeerVerifier { peers: self.clone(), algorithms }
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
