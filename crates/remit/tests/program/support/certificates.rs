//! Certificates as others make them, and TLS as clients speak it.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use remit_identity::x509::{self, SvidRequest};
use remit_identity::{Bundle, Kek, KeyRing, Purpose, SpiffeId, base64url};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Place;

/// An ordinary authority, such as a company has.
pub struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("no key");
        let mut params = CertificateParams::new(Vec::new()).expect("an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// Writes a certificate for `address` and its key beside `place`'s configuration, and has it used there.
    pub fn certify(&self, place: &Place, address: IpAddr) {
        let key = KeyPair::generate().expect("no key");
        let mut params = CertificateParams::new(Vec::new()).expect("a server");
        params.subject_alt_names = vec![SanType::IpAddress(address)];
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let (certificate_file, key_file) = (place.root().join("cert.pem"), place.root().join("key.pem"));
        fs::write(&certificate_file, certificate.pem()).expect("the certificate cannot be written");
        fs::write(&key_file, key.serialize_pem()).expect("the key cannot be written");
        place.configure(&format!("[tls]\ncertificate = {certificate_file:?}\nkey = {key_file:?}\n"));
    }
}

/// The keys of a trust domain, and the certificates that it gives its workloads.
pub struct Realm {
    ring: KeyRing,
}

impl Realm {
    /// The realm of a running program, by the files that only the operator may read.
    pub fn of(place: &Place) -> Self {
        let kek = fs::read_to_string(place.data().join("kek")).expect("there is no key");
        let kek = Kek::from_bytes(&base64url::decode_exactly(kek.trim()).expect("a key"));
        let sealed = fs::read(place.data().join("keys.sealed")).expect("there are no keys");
        Self { ring: KeyRing::open(&kek, &sealed).expect("the keys cannot be opened") }
    }

    /// A realm that runs elsewhere.
    pub fn elsewhere(trust_domain: &str) -> Self {
        let mut ring = KeyRing::new(now()).expect("no keys");
        ring.ensure_ca(trust_domain, now()).expect("no authority");
        Self { ring }
    }

    pub fn bundle(&self) -> Bundle {
        self.ring.bundle(now()).expect("no bundle")
    }

    /// The name of the key that signs certificates.
    pub fn authority(&self) -> String {
        self.ring.active(Purpose::Ca).expect("no authority").kid().to_owned()
    }

    /// Writes the bundle, as others fetch it, into a file beside `place`'s configuration.
    pub fn publish(&self, place: &Place) -> PathBuf {
        let file = place.root().join("bundle.json");
        fs::write(&file, self.bundle().to_spiffe_jwks().to_string()).expect("the bundle cannot be written");
        file
    }

    /// The certificate of an agent of the realm, for `ttl_seconds`.
    pub fn agent(&self, ttl_seconds: i64) -> Shown {
        let domain = self.ring.trust_domain().expect("a trust domain");
        let id = SpiffeId::agent(domain, "triage", "production").expect("a name");
        let svid = x509::issue(&self.ring, &SvidRequest::new(id, ttl_seconds), now()).expect("no certificate");
        let chain = svid.chain.into_iter().map(CertificateDer::from).collect();
        Shown { chain, key: PrivatePkcs8KeyDer::from(svid.key_pkcs8.as_bytes().to_vec()).into() }
    }
}

/// What a client shows.
pub struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// A client that believes servers whose certificates lead to `roots`, and shows what it has.
pub fn trusting(roots: impl IntoIterator<Item = CertificateDer<'static>>, shown: Option<Shown>) -> ClientConfig {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root).expect("an authority that clients can use");
    }
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build();
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("no version").with_webpki_verifier(verifier.expect("no authority"));
    match shown {
        Some(Shown { chain, key }) => builder.with_client_auth_cert(chain, key).expect("a certificate and its key"),
        None => builder.with_no_client_auth(),
    }
}

/// A TLS connection to `address`, called by it.
///
/// # Errors
///
/// If the handshake fails. With TLS 1.3 the client's part may have succeeded when the server refuses its certificate: then
/// the first reading fails.
pub async fn connect(config: &Arc<ClientConfig>, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::clone(config)).connect(ServerName::IpAddress(address.ip().into()), stream).await
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
