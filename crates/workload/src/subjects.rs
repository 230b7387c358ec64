//! What the streams are about: SVIDs with their bundle, and bundles alone.

use std::collections::HashMap;

use bytes::Bytes;
use remit_engine::Engine;
use remit_identity::Bundle;
use remit_identity::x509::X509Svid;
use tonic::Status;

use crate::entitled::Identity;
use crate::issue::Document;
use crate::proto::{JwtBundlesResponse, X509BundlesResponse, X509svid, X509svidResponse};
use crate::shared::{Seen, Shared, nobody};
use crate::subscribe::{Composed, Subject};

/// X.509-SVIDs for every identity of the caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct X509Svids;

/// Authorities of X.509-SVIDs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct X509Bundles;

/// Keys of JWT-SVIDs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JwtBundles;

impl Subject for X509Svids {
    type Message = X509svidResponse;

    async fn compose(&self, shared: &Shared, seen: &Seen) -> Result<Composed<X509svidResponse>, Status> {
        let (mut svids, mut renew_at) = (Vec::new(), None);
        let mut issued = Vec::new();
        for identity in &seen.identities {
            issued.push((identity, shared.issuer.x509(&seen.attested, identity).await?));
        }
        // After the SVIDs: their authority is in it, whatever was rotated meanwhile.
        let bundle = concatenated(&bundle(&shared.engine)?);
        for (identity, issued) in issued {
            let Document::X509(svid) = &issued.document else { return Err(nobody()) };
            renew_at = renew_at.into_iter().chain([issued.renew_at]).min();
            svids.push(message(identity, svid, &bundle));
        }
        let message = X509svidResponse { svids, crl: Vec::new(), federated_bundles: HashMap::new() };
        Ok(Composed { message, renew_at })
    }
}

impl Subject for X509Bundles {
    type Message = X509BundlesResponse;

    async fn compose(&self, shared: &Shared, _: &Seen) -> Result<Composed<X509BundlesResponse>, Status> {
        let bundle = bundle(&shared.engine)?;
        let bundles = HashMap::from([(domain_id(&bundle), concatenated(&bundle))]);
        Ok(Composed { message: X509BundlesResponse { crl: Vec::new(), bundles }, renew_at: None })
    }
}

impl Subject for JwtBundles {
    type Message = JwtBundlesResponse;

    async fn compose(&self, shared: &Shared, _: &Seen) -> Result<Composed<JwtBundlesResponse>, Status> {
        let bundle = bundle(&shared.engine)?;
        let bundles = HashMap::from([(domain_id(&bundle), Bytes::from(bundle.to_jwt_jwks().to_string()))]);
        Ok(Composed { message: JwtBundlesResponse { bundles }, renew_at: None })
    }
}

fn message(identity: &Identity, svid: &X509Svid, bundle: &Bytes) -> X509svid {
    X509svid {
        spiffe_id: identity.id.clone(),
        x509_svid: svid.chain.concat().into(),
        x509_svid_key: Bytes::copy_from_slice(svid.key_pkcs8.as_bytes()),
        bundle: bundle.clone(),
        hint: identity.hint.clone(),
    }
}

/// The realm's own bundle as it is now.
pub(crate) fn bundle(engine: &Engine) -> Result<Bundle, Status> {
    let bundle = engine.keys().bundle(engine.now().as_seconds());
    bundle.map_err(|error| Status::unavailable(format!("the realm has no bundle: {error}")))
}

fn concatenated(bundle: &Bundle) -> Bytes {
    bundle.x509_authorities_der().concat().into()
}

fn domain_id(bundle: &Bundle) -> String {
    format!("spiffe://{}", bundle.trust_domain())
}
