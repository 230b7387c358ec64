//! A browser as far as it is needed: a session, and one connection on which pages come.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use remit_domain::{Command, Digest, PersonId};
use remit_identity::code::OneTimeCode;

use super::estate::Estate;
use crate::bench::door::wire::{Answer, Wire};

/// How long a sign-in code may be used here, in seconds.
const CODE_SECONDS: u64 = 60;

/// Somebody who is signed in.
#[derive(Debug)]
pub struct Visitor {
    address: SocketAddr,
    cookie: String,
    wire: Wire,
}

impl Visitor {
    /// Signs `person` in, by a one-time code of the administrator's.
    ///
    /// # Errors
    /// If the console does not let them in.
    pub async fn sign_in(estate: &Estate, address: SocketAddr, person: PersonId) -> anyhow::Result<Self> {
        let code = OneTimeCode::generate("signin_")?;
        let digest = Digest::of_bytes(code.expose().as_bytes());
        let offer = Command::OfferSignIn { person, code: digest, ttl_seconds: CODE_SECONDS };
        estate.submit(estate.root, offer).await?;
        let body = format!("code={}", code.expose());
        let request = format!(
            "POST /sign-in HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut wire = Wire::open(address).await?;
        let answer = wire.ask(request.as_bytes()).await?;
        ensure!(answer.status == 303, "the console lets nobody in: {}", answer.shown());
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.context("there is no cookie")?.to_owned();
        Ok(Self { address, cookie, wire })
    }

    /// The page at `path`.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer<'_>> {
        let request = self.request(path);
        self.wire.ask(request.as_bytes()).await
    }

    /// Where the console is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a browser sends for `path`. It takes compressed answers, if there are any.
    pub fn request(&self, path: &str) -> String {
        let (address, cookie) = (self.address, &self.cookie);
        format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\naccept-encoding: gzip, br, zstd\r\nsec-fetch-site: same-origin\r\n\r\n"
        )
    }
}
