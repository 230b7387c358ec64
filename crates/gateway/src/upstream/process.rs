//! A server that is a process of this machine: started, listened to, ended.

use std::collections::{HashMap, VecDeque};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::connection::Signals;
use super::exchange::{Incoming, Reply};
use super::fault::UpstreamFault;
use super::lines::{self, Line};
use crate::limits;

/// Variables that a process inherits. Everything else, and so every secret, only if it is given to it.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "LC_ALL"];

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub reply: oneshot::Sender<Reply>,
    pub progress: Option<mpsc::Sender<Map<String, Value>>>,
}

/// What the tasks around a process share.
#[derive(Debug)]
pub(super) struct Shared {
    name: String,
    pub pending: Mutex<HashMap<u64, Pending>>,
    stderr: Mutex<VecDeque<String>>,
    pub signals: Arc<Signals>,
}

impl Shared {
    /// The last lines of its standard error.
    pub fn last_words(&self) -> String {
        let lines = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(lines.len().saturating_sub(5)).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Starts a process and the tasks around it. Returns where to write its input; it ends when `signals` end.
pub(super) fn start(
    command: &str,
    arguments: &[String],
    environment: &[String],
    signals: Arc<Signals>,
) -> Result<(mpsc::Sender<String>, Arc<Shared>), UpstreamFault> {
    let mut starting = Command::new(command);
    starting.args(arguments).env_clear();
    let passed = INHERITED.iter().copied().chain(environment.iter().map(String::as_str));
    starting.envs(passed.filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    starting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let failed = |error: std::io::Error| {
        UpstreamFault::not_sent("the connector's process cannot be started").detail(format!("`{command}`: {error}"))
    };
    let mut child = starting.spawn().map_err(failed)?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(UpstreamFault::not_sent("the connector's process has no input or output"));
    };
    let shared =
        Arc::new(Shared { name: command.to_owned(), pending: Mutex::default(), stderr: Mutex::default(), signals });
    let (outgoing, to_write) = mpsc::channel(limits::OUTGOING_MESSAGES_MAX);
    tokio::spawn(write(stdin, to_write, shared.signals.ended.clone()));
    // A weak handle: the tasks of a process must not keep its input open.
    tokio::spawn(listen(stdout, outgoing.downgrade(), Arc::clone(&shared)));
    tokio::spawn(overhear(stderr, Arc::clone(&shared)));
    tokio::spawn(supervise(child, Arc::clone(&shared)));
    Ok((outgoing, shared))
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<String>, ended: CancellationToken) {
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = ended.cancelled() => None,
        };
        let Some(mut line) = line else { break };
        line.push('\n');
        let written = async {
            stdin.write_all(line.as_bytes()).await?;
            stdin.flush().await
        };
        tokio::select! {
            written = written => if written.is_err() { break },
            () = ended.cancelled() => break,
        }
    }
    // Dropping the input tells a well-behaved server to end.
    ended.cancel();
}

async fn listen(stdout: ChildStdout, outgoing: mpsc::WeakSender<String>, shared: Arc<Shared>) {
    let (mut reader, mut line) = (BufReader::new(stdout), Vec::new());
    loop {
        match lines::read(&mut reader, &mut line, limits::UPSTREAM_MESSAGE_BYTES_MAX).await {
            Ok(Line::Whole) if line.is_empty() => {}
            Ok(Line::Whole) => match Incoming::parse(&line) {
                Some(message) => heed(message, &outgoing, &shared),
                None => tracing::debug!(process = %shared.name, "a line of output is no message"),
            },
            Ok(Line::Cut) => {
                // Whose answer it was cannot be told, so nobody may go on waiting for it.
                tracing::warn!(process = %shared.name, "a message is too large; ending the process");
                break;
            }
            Ok(Line::End) | Err(_) => break,
        }
    }
    shared.signals.ended.cancel();
}

fn heed(message: Incoming, outgoing: &mpsc::WeakSender<String>, shared: &Shared) {
    let pending = || shared.pending.lock().unwrap_or_else(PoisonError::into_inner);
    match message {
        Incoming::Answer(Some(id), reply) => {
            let waiting = pending().remove(&id);
            if let Some(waiting) = waiting {
                let _ = waiting.reply.send(reply);
            }
        }
        Incoming::Progress { token: Some(token), params } => {
            let progress = pending().get(&token).and_then(|waiting| waiting.progress.clone());
            if let Some(progress) = progress {
                let _ = progress.try_send(params);
            }
        }
        Incoming::ToolsChanged => shared.signals.tools_changed(),
        Incoming::Request { id, method } => {
            // We declare no capability, so there is nothing that a server could ask for but a sign of life.
            let answer = match method.as_str() {
                "ping" => json!({"jsonrpc": "2.0", "id": id, "result": {}}),
                _ => {
                    json!({"jsonrpc": "2.0", "id": id, "error": {"code": crate::refuse::METHOD_NOT_FOUND, "message": "Method not found"}})
                }
            };
            if let Some(outgoing) = outgoing.upgrade() {
                let _ = outgoing.try_send(answer.to_string());
            }
        }
        Incoming::Answer(None, _) | Incoming::Progress { token: None, .. } | Incoming::Other => {}
    }
}

async fn overhear(stderr: ChildStderr, shared: Arc<Shared>) {
    let (mut reader, mut line) = (BufReader::new(stderr), Vec::new());
    while let Ok(Line::Whole | Line::Cut) = lines::read(&mut reader, &mut line, limits::STDERR_LINE_BYTES_MAX).await {
        let text = String::from_utf8_lossy(&line).into_owned();
        tracing::debug!(process = %shared.name, line = %text, "standard error");
        let mut kept = shared.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= limits::STDERR_LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}

/// Notices when the process ends; ends it when it is no longer needed, first by closing its input, then by force.
async fn supervise(mut child: Child, shared: Arc<Shared>) {
    let exited = tokio::select! {
        status = child.wait() => Some(status),
        () = shared.signals.ended.cancelled() => None,
    };
    shared.signals.ended.cancel();
    if let Some(status) = exited {
        tracing::info!(process = %shared.name, ?status, "the process ended");
    } else if tokio::time::timeout(Duration::from_secs(limits::PROCESS_END_SECONDS_MAX), child.wait()).await.is_err() {
        // It is gone or will be; there is nothing else to do about it.
        let _ = child.kill().await;
    }
}
