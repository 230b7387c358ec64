//! `remit up`: runs the server until it is told to stop.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use remit_domain::{Actor, Command, Digest, Refusal, SignInMethod};
use remit_engine::Engine;
use remit_identity::code::OneTimeCode;
use remit_people::PeopleSettings;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::command::up::UpArgs;
use crate::command::{Failure, Global};
use crate::config::Config;
use crate::server::{Addresses, Server};

/// How long everything is still refused with a reason after the ledger failed, before the process ends.
const REFUSING_SECONDS: u64 = 10;
/// How long the sign-in link that `up` prints can be used.
const LINK_SECONDS: u64 = 900;

#[cfg(test)]
mod tests;

/// Runs Remit on `data`. Ends with an error if the ledger can no longer be written: a supervisor starts it again, and it
/// recovers by reading back what was committed.
pub async fn up(arguments: UpArgs, global: &Global) -> Result<(), Failure> {
    let config = Config::read(arguments.config.as_deref())?;
    let sandbox = sandbox(&arguments, &config)?;
    serve(&config, sandbox, &global.data, global.json).await.map_err(Failure::from)
}

/// Where the sandbox is to listen, if it is to be opened.
fn sandbox(arguments: &UpArgs, config: &Config) -> Result<Option<SocketAddr>, Failure> {
    if !arguments.dev {
        return Ok(None);
    }
    if config.realm.production {
        let refusal = Refusal::new("production_realm", "a production realm has no sandbox");
        return Err(refusal
            .help("use a realm of its own for experiments: another `--data DIR` and `--config FILE`")
            .into());
    }
    let listen = arguments.sandbox_listen.unwrap_or(config.sandbox.listen);
    if !listen.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "`{listen}` can be reached from other machines, and a sandbox asks nobody who they are; use `127.0.0.1`"
        )));
    }
    Ok(Some(listen))
}

async fn serve(config: &Config, sandbox: Option<SocketAddr>, data: &Path, json: bool) -> anyhow::Result<()> {
    raise_file_limit();
    // From before anybody can see that it is up: who asks it to stop as soon as it is must not kill it.
    let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = Server::start_with(config, data, sandbox).await?;
    let link = sign_in_link(&server.engine, &server.addresses.control).await?;
    if json {
        println!("{}", serde_json::json!({"addresses": server.addresses, "sign_in": link, "data": data}));
    } else {
        announce(&server.addresses, &link, data);
    }
    let failed = wait(signals, &server.engine).await;
    server.stop().await;
    match failed {
        None => Ok(()),
        Some(cause) => anyhow::bail!("the ledger can no longer be written: {cause}"),
    }
}

fn announce(addresses: &Addresses, link: &str, data: &Path) {
    println!("remit {} is up", env!("CARGO_PKG_VERSION"));
    println!("  agents    {}/mcp", addresses.gateway);
    println!("  console   {}", PeopleSettings::at(&addresses.control).console_url);
    if let Some(gateway) = &addresses.gateway_mtls {
        println!("  mTLS      {gateway}/mcp for agents with certificates");
    }
    if let Some(control) = &addresses.control_mtls {
        println!("  mTLS      {control} for tokens");
    }
    for hooks in addresses.hooks.iter().chain(&addresses.hooks_mtls) {
        println!("  hooks     {hooks} for gateways that ask");
    }
    if let Some(sandbox) = &addresses.sandbox {
        println!("  sandbox   {sandbox}/mcp");
        println!("            everybody on this machine may call here without a token, as the agent `sandbox`");
    }
    println!("  sign in   {link}");
    println!("  data      {}", data.display());
    println!("  next      `remit agent register --help`, or see it all at once: `remit demo --once`");
}

/// Until a signal asks to stop, or the ledger fails.
async fn wait((mut interrupt, mut terminate): (Signal, Signal), engine: &Engine) -> Option<String> {
    tokio::select! {
        _ = interrupt.recv() => asked_to_stop("SIGINT"),
        _ = terminate.recv() => asked_to_stop("SIGTERM"),
        cause = engine.failed() => {
            tokio::time::sleep(Duration::from_secs(REFUSING_SECONDS)).await;
            Some(cause)
        }
    }
}

fn asked_to_stop(signal: &str) -> Option<String> {
    tracing::info!(signal, "asked to stop");
    None
}

/// Every connection of an agent and every upstream is an open file; the usual soft limit is for programs with few.
fn raise_file_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files stays as it is");
    }
}

/// A one-time link for the administrator who is this user of the operating system; if they have a passkey, the place where they use it.
pub async fn sign_in_link(engine: &Engine, control: &str) -> anyhow::Result<String> {
    let console_url = PeopleSettings::at(control).console_url;
    let uid = rustix::process::getuid().as_raw();
    let Some(person) = engine.read(|state| state.person_of_uid(uid).map(|person| person.id)) else {
        return Ok("no local administrator; ask one for a link".to_owned());
    };
    // Every other link would be a way in past the passkey, and whoever reads the output of a start could take it.
    if engine.read(|state| state.has_passkey(person)) {
        return Ok(format!("{console_url}/sign-in"));
    }
    let code = OneTimeCode::generate("signin_")?;
    let digest = Digest::of_bytes(code.expose().as_bytes());
    let actor = Actor::Person { person, method: SignInMethod::LocalSocket };
    engine.submit(actor, Command::OfferSignIn { person, code: digest, ttl_seconds: LINK_SECONDS }).await?;
    Ok(format!("{console_url}/sign-in?code={}", code.expose()))
}
