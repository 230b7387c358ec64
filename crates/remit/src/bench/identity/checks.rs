//! What it costs to check what a caller shows, on one thread.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use remit_domain::Digest;
use remit_identity::dpop::{self, Expect};
use remit_identity::token::Expected;
use remit_identity::x509::{self, SvidRequest};
use remit_identity::{Bundle, KeyRing, SigningKey, TaskClaims, UnverifiedTaskToken, jwt_svid};
use serde::Serialize;

use super::issuing::{AUDIENCE, JWT_SECONDS, X509_SECONDS};
use super::{pace, work};
use crate::bench::progress;
use crate::bench::world::World;

/// Different tokens that are checked in turn.
const TOKENS: usize = 1_000;
/// Where a proof is for.
const METHOD: &str = "POST";
const ADDRESS: &str = "http://127.0.0.1:7480/mcp";

/// In microseconds each.
#[derive(Debug, Serialize)]
pub struct Checks {
    /// A task token that was not seen before: parsed, its signature and its claims checked.
    pub token_us: f64,
    /// One that was checked a moment ago: its digest taken and found, as the gateway does.
    pub token_known_us: f64,
    /// A proof of possession (DPoP) for one request with such a token.
    pub proof_us: f64,
    /// An X.509-SVID that the realm's authority has signed.
    pub x509_us: f64,
    pub jwt_svid_us: f64,
}

/// Measures with documents of a realm of its own in `data`.
pub async fn measure(data: &Path, time: Duration, quiet: bool) -> anyhow::Result<Checks> {
    progress(quiet, "checks");
    let world = World::open(data).await?;
    let shown = Arc::new(Shown::gather(&world).await?);
    let time_of = |check: fn(&Shown) -> anyhow::Result<()>| {
        let shown = Arc::clone(&shown);
        pace::micros(time, move || check(&shown))
    };
    let checks = Checks {
        token_us: time_of(Shown::check_token).await?,
        token_known_us: time_of(Shown::check_known).await?,
        proof_us: time_of(Shown::check_proof).await?,
        x509_us: time_of(Shown::check_x509).await?,
        jwt_svid_us: time_of(Shown::check_jwt_svid).await?,
    };
    world.engine.close().await;
    Ok(checks)
}

/// What callers show, and what it is held against.
#[derive(Debug)]
struct Shown {
    tokens: Vec<String>,
    next: AtomicUsize,
    known: Mutex<HashMap<Digest, Arc<TaskClaims>>>,
    /// A proof for the first token, and the thumbprint of its key.
    proof: String,
    thumbprint: String,
    chain: Vec<Vec<u8>>,
    jwt_svid: String,
    ring: Arc<KeyRing>,
    bundle: Bundle,
    issuer: String,
    audience: String,
    /// The moment at which all of it is checked, in seconds since 1970.
    now: i64,
}

impl Shown {
    async fn gather(world: &World) -> anyhow::Result<Self> {
        let tokens = work::tokens(world, world.task, TOKENS).await?;
        let (ring, id) = (world.engine.keys(), work::spiffe_id(world)?);
        let now = world.engine.now().as_seconds();
        let (key, _) = SigningKey::generate()?;
        let proof = dpop::make_proof(&key, METHOD, ADDRESS, now, "proof-1", tokens.first().map(String::as_str))?;
        let shown = Self {
            tokens,
            next: AtomicUsize::default(),
            known: Mutex::default(),
            proof,
            thumbprint: key.kid().to_owned(),
            chain: x509::issue(&ring, &SvidRequest::new(id.clone(), X509_SECONDS), now)?.chain,
            jwt_svid: jwt_svid::mint(&ring, &id, AUDIENCE, JWT_SECONDS, now)?.token,
            bundle: ring.bundle(now)?,
            ring,
            issuer: world.engine.realm().issuer,
            audience: world.engine.audience().to_owned(),
            now,
        };
        for token in &shown.tokens {
            let claims = Arc::new(shown.claims(token)?);
            let mut known = shown.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(Digest::of_bytes(token.as_bytes()), claims);
        }
        Ok(shown)
    }

    fn claims(&self, token: &str) -> anyhow::Result<TaskClaims> {
        let expected = Expected { issuer: &self.issuer, audience: &self.audience, environment: None };
        Ok(UnverifiedTaskToken::parse(token)?.verify(&self.ring, &expected, self.now)?)
    }

    fn next_token(&self) -> anyhow::Result<&str> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.tokens.len().max(1);
        Ok(self.tokens.get(next).context("there are no tokens")?)
    }

    fn check_token(&self) -> anyhow::Result<()> {
        self.claims(self.next_token()?).map(|_| ())
    }

    fn check_known(&self) -> anyhow::Result<()> {
        let digest = Digest::of_bytes(self.next_token()?.as_bytes());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).map(Arc::clone);
        let claims = known.context("the token is not known")?;
        anyhow::ensure!(claims.aud == self.audience && self.now < claims.exp, "the token does not hold");
        Ok(())
    }

    fn check_proof(&self) -> anyhow::Result<()> {
        let expect = Expect {
            htm: METHOD,
            htu: ADDRESS,
            access_token: self.tokens.first().map(String::as_str),
            jkt: Some(&self.thumbprint),
            now: self.now,
        };
        dpop::verify_proof(&self.proof, &expect)?;
        Ok(())
    }

    fn check_x509(&self) -> anyhow::Result<()> {
        x509::verify(&self.chain, &self.bundle, self.now)?;
        Ok(())
    }

    fn check_jwt_svid(&self) -> anyhow::Result<()> {
        jwt_svid::verify(&self.jwt_svid, &self.bundle, AUDIENCE, self.now)?;
        Ok(())
    }
}
