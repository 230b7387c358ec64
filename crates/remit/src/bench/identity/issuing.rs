//! Tokens and SVIDs each second: with the record without which nobody gets one, and bare.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use remit_domain::{Actor, AgentId, Command, Digest, IssueSvid, SvidKind, Timestamp};
use remit_engine::{Engine, TOKEN_SECONDS_DEFAULT};
use remit_identity::x509::{self, SvidRequest};
use remit_identity::{KeyRing, SigningKey, SpiffeId, jwt_svid};
use serde::Serialize;

use super::{pace, work};
use crate::bench::submit::{self, Measured};
use crate::bench::world::World;
use crate::bench::{CALLERS, progress};

/// Lives of SVIDs as they are unless configured, in seconds.
pub const X509_SECONDS: i64 = 3_600;
pub const JWT_SECONDS: i64 = 300;
/// For whom JWT-SVIDs are.
pub const AUDIENCE: &str = "https://service.bench/";

#[derive(Debug, Serialize)]
pub struct Issuing {
    pub signatures: Bare,
    pub x509: Bare,
    pub jwt: Bare,
    pub rows: Vec<Row>,
}

/// Each second, with nothing decided and nothing recorded.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bare {
    pub one_thread_per_second: f64,
    pub two_threads_per_second: f64,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub callers: usize,
    pub tokens: Issued,
    /// Their rate beside bare signatures over as many bytes, on one thread and on two.
    pub tokens_to_one_thread: f64,
    pub tokens_to_two_threads: f64,
    pub x509: Issued,
    pub jwt: Issued,
}

/// Each issued once its record was durable.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Issued {
    pub per_second: f64,
    pub p99_ms: f64,
}

impl From<Measured> for Issued {
    fn from(measured: Measured) -> Self {
        Self { per_second: measured.per_second, p99_ms: measured.p99_ms }
    }
}

/// Measures on a realm of its own in `data`.
pub async fn measure(data: &Path, time: Duration, quiet: bool) -> anyhow::Result<Issuing> {
    let world = World::open(data).await?;
    let maker = Maker::of(&world)?;
    progress(quiet, "bare signatures and SVIDs");
    let signatures = signatures(&world, time).await?;
    let of = maker.clone();
    let x509 = bare(time, move || of.x509().map(|_| ())).await?;
    let of = maker.clone();
    let jwt = bare(time, move || of.jwt().map(|_| ())).await?;
    let mut rows = Vec::new();
    for callers in CALLERS {
        progress(quiet, &format!("tokens and SVIDs for {callers} waiting callers"));
        let tokens = tokens(&world, callers, time).await?;
        rows.push(Row {
            callers,
            tokens,
            tokens_to_one_thread: tokens.per_second / signatures.one_thread_per_second,
            tokens_to_two_threads: tokens.per_second / signatures.two_threads_per_second,
            x509: svids(&maker, SvidKind::X509, callers, time).await?,
            jwt: svids(&maker, SvidKind::Jwt, callers, time).await?,
        });
    }
    world.engine.close().await;
    Ok(Issuing { signatures, x509, jwt, rows })
}

async fn bare(time: Duration, work: impl Fn() -> anyhow::Result<()> + Send + Sync + 'static) -> anyhow::Result<Bare> {
    let work = Arc::new(work);
    let again = Arc::clone(&work);
    Ok(Bare {
        one_thread_per_second: pace::per_second(1, time, move || again()).await?,
        two_threads_per_second: pace::per_second(2, time, move || work()).await?,
    })
}

/// Bare signatures over what is signed in a task token.
async fn signatures(world: &World, time: Duration) -> anyhow::Result<Bare> {
    let token = work::tokens(world, world.task, 1).await?.pop().context("no token was issued")?;
    let (signed, _) = token.rsplit_once('.').context("a token has three parts")?;
    let (signed, (key, _)) = (signed.to_owned(), SigningKey::generate()?);
    bare(time, move || {
        key.sign(signed.as_bytes())?;
        Ok(())
    })
    .await
}

async fn tokens(world: &World, callers: usize, time: Duration) -> anyhow::Result<Issued> {
    let (engine, root, task) = (world.engine.clone(), world.root.clone(), world.task);
    let measured = submit::measure(callers, time, move |_| {
        let (engine, root) = (engine.clone(), root.clone());
        async move {
            engine.issue_token(root, task, TOKEN_SECONDS_DEFAULT).await?;
            Ok(1)
        }
    });
    Ok(measured.await?.into())
}

/// As the Workload API does it for a caller that it has looked at: made, put on record, and only then given out.
async fn svids(maker: &Maker, kind: SvidKind, callers: usize, time: Duration) -> anyhow::Result<Issued> {
    let maker = maker.clone();
    let measured = submit::measure(callers, time, move |_| {
        let maker = maker.clone();
        async move {
            maker.issue(kind).await?;
            Ok(1)
        }
    });
    Ok(measured.await?.into())
}

/// Makes SVIDs of one agent.
#[derive(Debug, Clone)]
struct Maker {
    engine: Engine,
    agent: AgentId,
    id: SpiffeId,
    ring: Arc<KeyRing>,
    now: i64,
    attested: Vec<String>,
}

impl Maker {
    fn of(world: &World) -> anyhow::Result<Self> {
        let digest = Digest::of_bytes(b"a program");
        let attested = ["uid:1000", "gid:1000", "path:/usr/bin/agent", &format!("sha256:{digest}"), "pid:4711"];
        Ok(Self {
            engine: world.engine.clone(),
            agent: world.agent,
            id: work::spiffe_id(world)?,
            ring: world.engine.keys(),
            now: world.engine.now().as_seconds(),
            attested: attested.map(|selector| format!("unix:{selector}")).to_vec(),
        })
    }

    /// Serial number and end of a fresh certificate.
    fn x509(&self) -> anyhow::Result<(String, i64)> {
        let svid = x509::issue(&self.ring, &SvidRequest::new(self.id.clone(), X509_SECONDS), self.now)?;
        Ok((svid.serial, svid.not_after))
    }

    /// Digest and end of a fresh token.
    fn jwt(&self) -> anyhow::Result<(String, i64)> {
        let svid = jwt_svid::mint(&self.ring, &self.id, AUDIENCE, JWT_SECONDS, self.now)?;
        Ok((Digest::of_bytes(svid.token.as_bytes()).to_string(), svid.expires_at))
    }

    async fn issue(&self, kind: SvidKind) -> anyhow::Result<()> {
        let ((serial, expires_at), audience) = match kind {
            SvidKind::X509 => (self.x509()?, Vec::new()),
            SvidKind::Jwt => (self.jwt()?, vec![AUDIENCE.to_owned()]),
        };
        let issue = IssueSvid {
            agent: self.agent,
            task: None,
            kind,
            serial,
            audience,
            expires_at: Timestamp::from_millis(expires_at.saturating_mul(1_000)),
            attested: self.attested.clone(),
        };
        self.engine.submit(Actor::Remit, Command::IssueSvid(Box::new(issue))).await?;
        Ok(())
    }
}
