//! The certificate of a listener that asks for certificates: an X.509-SVID of the realm's own, renewed before it ends.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use remit_engine::Engine;
use remit_identity::x509::{self, SvidRequest};
use remit_identity::{KeyRing, SpiffeId};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::tls;

/// How long a certificate of ours is good. Short, since it can only be taken back with the authority that issued it.
const SVID_SECONDS: i64 = 3600;

/// Issues the door's certificate, and the next one at half its life or when the realm's keys have changed.
#[derive(Debug)]
pub struct OwnCertificate {
    engine: Engine,
    request: SvidRequest,
    current: Mutex<Issued>,
}

#[derive(Debug)]
struct Issued {
    certified: Arc<CertifiedKey>,
    /// The keys of the realm at that time.
    ring: Arc<KeyRing>,
    renew_at: i64,
}

impl OwnCertificate {
    /// For the door `door`, `spiffe://DOMAIN/remit/DOOR`, which ordinary clients call by `names`.
    pub fn issue(engine: Engine, door: &str, names: Vec<String>) -> anyhow::Result<Self> {
        let id = SpiffeId::parse(&format!("spiffe://{}/remit/{door}", engine.realm().trust_domain))?;
        let mut request = SvidRequest::new(id, SVID_SECONDS);
        for name in names {
            match name.trim_matches(['[', ']']).parse() {
                Ok(address) => request.ip_addresses.push(address),
                Err(_) => request.dns_names.push(name),
            }
        }
        let current = Mutex::new(issue(&engine, &request)?);
        Ok(Self { engine, request, current })
    }

    /// The certificate to show now: the next one, if it is time.
    fn current(&self) -> Arc<CertifiedKey> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.engine.now().as_seconds();
        if now < current.renew_at && Arc::ptr_eq(&current.ring, &self.engine.keys()) {
            return Arc::clone(&current.certified);
        }
        match issue(&self.engine, &self.request) {
            Ok(next) => *current = next,
            Err(error) => tracing::error!(id = %self.request.id, error = format!("{error:#}"), "no next certificate"),
        }
        Arc::clone(&current.certified)
    }
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn issue(engine: &Engine, request: &SvidRequest) -> anyhow::Result<Issued> {
    let (ring, now) = (engine.keys(), engine.now().as_seconds());
    let svid = x509::issue(&ring, request, now).context("the realm cannot issue its own certificate")?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(svid.key_pkcs8.as_bytes().to_vec()));
    let chain = svid.chain.into_iter().map(CertificateDer::from).collect();
    let certified = Arc::new(CertifiedKey::from_der(chain, key, &tls::provider())?);
    // It ends with its authority, if that is earlier than it would end by itself.
    let renew_at = now.saturating_add(svid.not_after.saturating_sub(now) / 2);
    Ok(Issued { certified, ring, renew_at })
}
