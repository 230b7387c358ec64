//! The processes that are measured: a Remit in a directory of its own, and the echo behind it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use url::Url;

use crate::command::Client;

/// How long a process may take until it answers, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How much of a log is shown when its process failed, in bytes.
const LOG_BYTES_SHOWN: usize = 2_000;

/// An echo server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Echo {
    pub url: Url,
    pub pid: u32,
    _process: Child,
    _output: BufReader<ChildStdout>,
}

impl Echo {
    /// Starts one with `numbered` tools besides `echo`.
    ///
    /// # Errors
    /// If it does not say where it listens.
    pub async fn start(numbered: usize) -> anyhow::Result<Self> {
        let mut command = this_program()?;
        command.args(["sample", "echo", "--listen", "127.0.0.1:0", "--tools"]).arg(numbered.to_string());
        let mut process = command.stdout(Stdio::piped()).spawn().context("cannot start the echo server")?;
        let output = process.stdout.take().context("the echo server has no output")?;
        let (mut output, mut line) = (BufReader::new(output), String::new());
        tokio::time::timeout(PATIENCE, output.read_line(&mut line)).await.context("the echo server says nothing")??;
        let url = Url::parse(line.trim()).with_context(|| format!("the echo server does not listen: `{line}`"))?;
        let pid = process.id().context("the echo server has ended")?;
        Ok(Self { url, pid, _process: process, _output: output })
    }
}

/// A Remit that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Remit {
    pub pid: u32,
    /// Where agents call.
    pub mcp_url: Url,
    /// Where people sign in.
    pub control_url: String,
    directory: PathBuf,
    process: Child,
}

#[derive(Deserialize)]
struct Addresses {
    gateway: String,
    control: String,
}

impl Remit {
    /// Starts `remit up` in `directory`, which must not be there yet, on free ports and with everything else by default.
    ///
    /// # Errors
    /// If it ends, or does not get ready.
    pub async fn start(directory: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&directory).with_context(|| format!("cannot make `{}`", directory.display()))?;
        let configuration = directory.join("remit.toml");
        let anchors = toml_text(&directory.join("anchors"))?;
        let text = format!(
            "gateway.listen = \"127.0.0.1:0\"\ncontrol.listen = \"127.0.0.1:0\"\nrealm.administrator = \"root\"\nledger.anchors = {anchors}\n"
        );
        std::fs::write(&configuration, text)?;
        let log = std::fs::File::create(directory.join("remit.log"))?;
        let mut command = this_program()?;
        command.args(["up", "--config"]).arg(&configuration).arg("--data").arg(directory.join("data"));
        let process = command.stdout(Stdio::null()).stderr(log).spawn().context("cannot start Remit")?;
        let pid = process.id().context("Remit has ended")?;
        let control_url = String::new();
        let mcp_url = Url::parse("http://127.0.0.1/mcp")?;
        let mut remit = Self { pid, mcp_url, control_url, directory, process };
        let addresses = remit.ready().await?;
        remit.mcp_url = Url::parse(&format!("{}/mcp", addresses.gateway))?;
        remit.control_url = addresses.control;
        Ok(remit)
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The control plane, as the administrator that this user of the operating system is.
    pub fn root(&self) -> Client {
        Client::socket(&self.data())
    }

    /// The address of one connector.
    pub fn connector_url(&self, connector: &str) -> Url {
        let mut url = self.mcp_url.clone();
        url.set_path(&format!("/mcp/{connector}"));
        url
    }

    async fn ready(&mut self) -> anyhow::Result<Addresses> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                bail!("Remit ended with {status}: {}", self.log());
            }
            if let Ok(text) = std::fs::read(self.data().join("addresses.json"))
                && self.root().get("/readyz").await.is_ok()
            {
                return Ok(serde_json::from_slice(&text)?);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        bail!("Remit did not get ready within {PATIENCE:?}: {}", self.log());
    }

    /// The end of what it has said.
    fn log(&self) -> String {
        let log = std::fs::read(self.directory.join("remit.log")).unwrap_or_default();
        let end = log.get(log.len().saturating_sub(LOG_BYTES_SHOWN)..).unwrap_or_default();
        String::from_utf8_lossy(end).into_owned()
    }

    /// Asks it to stop, and waits until everything is written. Its data directory.
    ///
    /// # Errors
    /// If it does not end well.
    pub async fn stop(mut self) -> anyhow::Result<PathBuf> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("Remit has no process")?;
        kill_process(pid, Signal::TERM).context("Remit cannot be asked to stop")?;
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await.context("Remit does not stop")??;
        if !ended.success() {
            bail!("Remit ended with {ended}: {}", self.log());
        }
        Ok(self.data())
    }
}

/// This very program, whose child ends with it.
fn this_program() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    // What is set for this command is not meant for its children.
    for name in ["REMIT_CONFIG", "REMIT_DATA", "REMIT_URL", "REMIT_SESSION"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// A path as TOML writes it; its strings are those of JSON.
fn toml_text(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path)?;
    Ok(serde_json::to_string(path.to_str().context("the directory's name is not text")?)?)
}
