//! The certificate that the operator gave, and how TLS is spoken with any certificate.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// HTTP/2, as ALPN names it (RFC 9113 section 3.2).
pub const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// How often the files are looked at.
const LOOK_SECONDS: u64 = 60;

/// How a listener speaks TLS with the certificates of `certificate`. Everybody has to show one that `verifier` takes, if there
/// is a verifier.
///
/// No session is ever resumed: a resumed one skips the verification of certificates, and would outlive what it was given for.
pub fn config(
    certificate: Arc<dyn ResolvesServerCert>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> anyhow::Result<Arc<ServerConfig>> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificate);
    config.alpn_protocols = vec![H2.to_vec(), HTTP1.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The cryptography of every TLS connection.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A certificate and its key in files. When they change it changes, and stays as it is while they are of no use.
#[derive(Debug)]
pub struct FileCertificate {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
    read: Mutex<Files>,
}

/// What stood in both files, the key never shown.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl FileCertificate {
    /// Reads both files.
    pub fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let files = Files::read(certificate, key)?;
        let current = ArcSwap::from_pointee(files.parse(certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current, read: Mutex::new(files) })
    }

    /// Reads them again; whether something else is there, and is in use from now on.
    fn read_again(&self) -> anyhow::Result<bool> {
        let files = Files::read(&self.certificate, &self.key)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == files {
            return Ok(false);
        }
        // Both files change one after the other. In between they do not fit, and the next look finds both.
        self.current.store(Arc::new(files.parse(&self.certificate, &self.key)?));
        *read = files;
        Ok(true)
    }

    /// Looks every minute, until `stopping`.
    pub async fn keep_fresh(self: Arc<Self>, stopping: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
                () = stopping.cancelled() => return,
            }
            match self.read_again() {
                Ok(true) => tracing::info!(file = %self.certificate.display(), "the new certificate is in use"),
                Ok(false) => {}
                Err(error) => tracing::warn!(error = format!("{error:#}"), "the former certificate stays in use"),
            }
        }
    }
}

impl ResolvesServerCert for FileCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()));
        Ok(Self { certificate: read(certificate)?, key: Zeroizing::new(read(key)?) })
    }

    fn parse(&self, certificate: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
        let (certificate, key) = (certificate.display(), key.display());
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.with_context(|| format!("`{certificate}` is not a PEM file"))?;
        anyhow::ensure!(!chain.is_empty(), "`{certificate}` holds no certificate; it has to be a PEM file");
        let private = PrivateKeyDer::from_pem_slice(&self.key)
            .with_context(|| format!("`{key}` holds no private key; it has to be a PEM file, without a passphrase"))?;
        CertifiedKey::from_der(chain, private, &provider())
            .with_context(|| format!("`{certificate}` and `{key}` cannot be used together"))
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Files")
    }
}
