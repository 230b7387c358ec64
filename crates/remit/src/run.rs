//! `remit run`: a command as a governed run of an agent. What it may do ends when it ends.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use remit_domain::limits::TASK_SECONDS_DEFAULT;

use crate::command::run::RunArgs;
use crate::command::{Client, Failure, Global, configuration_digest};

/// Variables by which a person reaches the control plane.
const OF_THE_PERSON: [&str; 4] = ["REMIT_SESSION", "REMIT_URL", "REMIT_DATA", "REMIT_CONFIG"];
/// Where workloads ask for their identity (SPIFFE Workload Endpoint section 4).
const ENDPOINT: &str = "SPIFFE_ENDPOINT_SOCKET";
/// How often the token is renewed: well before it expires.
const RENEW_SECONDS: u64 = 300;
/// How long the command has for coming to an end once its task has ended; then it is killed.
const STOP_SECONDS: u64 = 10;

/// Starts a task, runs the command under it and ends the task. Gives the command's own exit status.
pub async fn run(arguments: RunArgs, global: &Global) -> Result<ExitCode, Failure> {
    let client = Client::open(global)?;
    let task = Task::start(&client, &arguments).await?;
    let directory =
        tempfile::Builder::new().prefix("remit-run-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir();
    let outcome = match &directory {
        Ok(directory) => under(&client, &arguments, &task, directory.path()).await,
        Err(error) => Err(Failure::file("make", &std::env::temp_dir(), error)),
    };
    let note = match &outcome {
        Ok(status) => format!("the command ended with {status}"),
        Err(_) => "the command was not run to its end".to_owned(),
    };
    // The lease ends it too; this says why. A task that has ended meanwhile needs no end.
    if let Err(failure) = client.post(&format!("/v1/tasks/{}/end", task.id), json!({"note": note})).await {
        tracing::warn!(task = %task.id, ?failure, "the task could not be ended; it ends with its lease");
    }
    outcome.map(|status| ExitCode::from(exit_code(status)))
}

/// A task that was started for this run.
#[derive(Debug, Clone)]
struct Task {
    id: String,
    token: String,
    mcp_url: String,
}

impl Task {
    async fn start(client: &Client, run: &RunArgs) -> Result<Self, Failure> {
        let body = json!({
            "agent": run.agent,
            "purpose": run.purpose,
            "acting_for": run.acting_for,
            "ttl_seconds": run.ttl,
            "scope": run.scope,
            "configuration": configuration_digest(run.configuration.as_deref())?,
            // Clients read their configuration once, so the first token has to last; the task's end ends it all the same.
            "token_ttl_seconds": run.ttl.unwrap_or(TASK_SECONDS_DEFAULT),
        });
        let started = client.post("/v1/tasks", body).await?;
        let text = |name: &str| started.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { id: text("task"), token: text("token"), mcp_url: text("mcp_url") })
    }
}

async fn under(client: &Client, run: &RunArgs, task: &Task, directory: &Path) -> Result<ExitStatus, Failure> {
    // Held open for as long as this process lives: if it is killed, the connection ends, and with it the task.
    let lease = tokio::spawn(hold(client.clone(), task.id.clone()));
    let files = Files { token: directory.join("token"), mcp: directory.join("mcp.json") };
    files.write(task).map_err(|error| Failure::file("write", directory, &error))?;
    let Some((program, arguments)) = run.command.split_first() else {
        return Err(Failure::Usage("no command to run was given".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    // Neither what people hold nor what connectors are given is for the agent.
    for name in secrets(client).await?.iter().map(String::as_str).chain(OF_THE_PERSON) {
        command.env_remove(name);
    }
    command.envs(files.environment(task));
    stay_above();
    // Before the command is there: whoever asks who they are, from it downwards, is then of this run.
    command.envs(launch(client, task).await.map(|endpoint| (ENDPOINT, endpoint)));
    let child = command.spawn();
    let child = child.map_err(|error| {
        Failure::fault(format!("cannot run `{program}`: {error}"), "check the command's name and path")
    })?;
    let renewing = tokio::spawn(renew(client.clone(), task.clone(), files));
    let status = wait(child, lease).await;
    renewing.abort();
    status
        .map_err(|error| Failure::fault(format!("cannot wait for `{program}`: {error}"), "look for what is left of it"))
}

/// Says that this process, and everything that it starts, runs the task: each of them can then ask for the identity of the run.
/// Returns where, if the server offers that.
async fn launch(client: &Client, task: &Task) -> Option<String> {
    if !client.is_local() {
        return None;
    }
    match client.post(&format!("/v1/tasks/{}/launch", task.id), json!({})).await {
        Ok(launched) => launched.get("endpoint").and_then(Value::as_str).map(str::to_owned),
        Err(Failure::Refused(refusal)) if refusal.code == "workload_api_off" => None,
        Err(Failure::Refused(refusal)) | Err(Failure::Fault(refusal)) => {
            eprintln!("remit: the command has its token, and no identity document: {}", refusal.sentence);
            None
        }
        Err(failure) => {
            tracing::warn!(?failure, "the command gets no identity document");
            None
        }
    }
}

/// What the command leaves behind stays below this process, so that it is of this run however often it was handed on.
fn stay_above() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::warn!(%error, "what the command leaves behind is not known to be of this run");
    }
}

/// Takes leave of processes that came to be below this one and have ended: nobody else does. Never of the command itself.
fn bury(command: Option<u32>) {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for thread in threads {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let left = children.split_whitespace().filter_map(|child| child.parse::<u32>().ok());
        for child in left.filter(|child| command.is_some_and(|command| command != *child)) {
            let pid = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw);
            let ended = pid.map(|pid| rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG));
            if let Some(Err(error)) = ended {
                tracing::debug!(%error, child, "a process was gone already");
            }
        }
    }
}

/// Ends when the task does.
async fn hold(client: Client, task: String) {
    if let Err(failure) = client.follow(&format!("/v1/tasks/{task}/lease"), |_| {}).await {
        tracing::warn!(?failure, "the lease of the task is gone");
    }
}

/// Waits for the command; passes on what asks it to stop; stops it when the task ends before it does, and kills it if it then goes on.
async fn wait(mut child: Child, lease: tokio::task::JoinHandle<()>) -> std::io::Result<ExitStatus> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (mut below, patience) = (signal(SignalKind::child())?, tokio::time::sleep(Duration::MAX));
    tokio::pin!(lease, patience);
    let (mut leased, mut spared) = (true, true);
    loop {
        tokio::select! {
            status = child.wait() => return status,
            // The terminal has already sent it to the command, which decides what to do about it.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => stop(&child),
            _ = below.recv() => bury(child.id()),
            _ = &mut lease, if leased => {
                leased = false;
                eprintln!("remit: the task has ended; stopping the command");
                stop(&child);
                patience.as_mut().reset(tokio::time::Instant::now() + Duration::from_secs(STOP_SECONDS));
            }
            () = &mut patience, if !leased && spared => {
                spared = false;
                eprintln!("remit: the command goes on after its task has ended; killing it");
                child.start_kill()?;
            }
        }
    }
}

fn stop(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::TERM)
    {
        tracing::debug!(%error, "the command was already gone");
    }
}

/// Keeps the files fresh.
async fn renew(client: Client, mut task: Task, files: Files) {
    loop {
        tokio::time::sleep(Duration::from_secs(RENEW_SECONDS)).await;
        match client.post(&format!("/v1/tasks/{}/token", task.id), json!({})).await {
            Ok(renewed) => {
                task.token = renewed.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
                if let Err(error) = files.write(&task) {
                    tracing::warn!(%error, "the renewed token could not be written");
                }
            }
            Err(failure) => tracing::warn!(?failure, "the token could not be renewed"),
        }
    }
}

/// Names of variables that hold upstream secrets: what connectors are given is not for the agent.
async fn secrets(client: &Client) -> Result<Vec<String>, Failure> {
    let connectors = client.list("/v1/connectors", &[]).await?;
    let items = connectors.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = items.iter().filter_map(|connector| connector.get("spec")?.get("environment")?.as_array());
    Ok(named.flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

struct Files {
    token: PathBuf,
    mcp: PathBuf,
}

impl Files {
    fn write(&self, task: &Task) -> std::io::Result<()> {
        write_private(&self.token, task.token.as_bytes())?;
        let headers = json!({"Authorization": format!("Bearer {}", task.token)});
        let config = json!({"mcpServers": {"remit": {"type": "http", "url": task.mcp_url, "headers": headers}}});
        write_private(&self.mcp, config.to_string().as_bytes())
    }

    fn environment(&self, task: &Task) -> BTreeMap<&'static str, OsString> {
        BTreeMap::from([
            ("REMIT_TASK_ID", task.id.clone().into()),
            ("REMIT_TASK_TOKEN", task.token.clone().into()),
            ("REMIT_TOKEN_FILE", self.token.clone().into()),
            ("REMIT_MCP_URL", task.mcp_url.clone().into()),
            ("REMIT_MCP_CONFIG", self.mcp.clone().into()),
        ])
    }
}

/// Replaces a file that only this user can read; whoever reads it sees the old or the new one, whole.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let next = path.with_extension("next");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
    file.write_all(bytes)?;
    std::fs::rename(&next, path)?;
    Ok(())
}

/// As a shell reports it: the command's own status, or 128 and the signal that ended it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(3);
    u8::try_from(code & 0xff).unwrap_or(3)
}
