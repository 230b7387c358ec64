//! A server that is a process of this machine: started, listened to, ended with all that it has started itself.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::fault::UpstreamFault;
use super::lines::{self, Line};
use super::message::Incoming;
use super::signals::Signals;
use super::stderr::Stderr;
use crate::limits;

/// Variables that a process inherits. Everything else, and so every secret, only if it is given to it.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "LC_ALL"];

/// A process and everything that it starts. Ends them all when dropped.
#[derive(Debug)]
struct Group {
    leader: Option<Pid>,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // It fails when none of them is left, which is how it should be.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Starts a process and the tasks around it. Returns where to write its input; it ends when `signals` end.
pub(super) fn start(
    command: &str,
    arguments: &[String],
    environment: &[String],
    signals: Arc<Signals>,
    stderr: Arc<Stderr>,
) -> Result<mpsc::Sender<String>, UpstreamFault> {
    let mut starting = Command::new(command);
    starting.args(arguments).env_clear();
    let passed = INHERITED.iter().copied().chain(environment.iter().map(String::as_str));
    starting.envs(passed.filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    starting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own: whatever it starts ends with it, and a key pressed for us does not reach it.
    starting.process_group(0);
    let failed = |error: std::io::Error| {
        UpstreamFault::not_sent("the connector's process cannot be started").detail(format!("`{command}`: {error}"))
    };
    let mut child = starting.spawn().map_err(failed)?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let group = Group { leader };
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(UpstreamFault::not_sent("the connector's process has no input or output"));
    };
    stderr.begin();
    let name: Arc<str> = command.into();
    let (outgoing, to_write) = mpsc::channel(limits::OUTGOING_MESSAGES_MAX);
    tokio::spawn(write(input, to_write, signals.ended.clone()));
    // A weak handle: the tasks of a process must not keep its input open.
    tokio::spawn(listen(output, outgoing.downgrade(), Arc::clone(&name), Arc::clone(&signals)));
    tokio::spawn(overhear(errors, Arc::clone(&name), stderr));
    tokio::spawn(supervise(child, group, name, signals));
    Ok(outgoing)
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

async fn listen(stdout: ChildStdout, outgoing: mpsc::WeakSender<String>, name: Arc<str>, signals: Arc<Signals>) {
    let (mut reader, mut line) = (BufReader::new(stdout), Vec::new());
    loop {
        match lines::read(&mut reader, &mut line, limits::UPSTREAM_MESSAGE_BYTES_MAX).await {
            Ok(Line::Whole) if line.is_empty() => {}
            Ok(Line::Whole) => match Incoming::parse(&line) {
                Some(message) => heed(message, &outgoing, &signals),
                None => tracing::debug!(process = %name, "a line of output is no message"),
            },
            Ok(Line::Cut) => {
                // Whose answer it was cannot be told, so nobody may go on waiting for it.
                tracing::warn!(process = %name, "a message is too large; ending the process");
                signals.too_large.store(true, std::sync::atomic::Ordering::Release);
                break;
            }
            Ok(Line::End) | Err(_) => break,
        }
    }
    signals.ended.cancel();
}

fn heed(message: Incoming, outgoing: &mpsc::WeakSender<String>, signals: &Arc<Signals>) {
    match message {
        Incoming::Answer(Some(id), reply) => {
            if let Some(asker) = signals.underway.take(id).and_then(|waiting| waiting.reply) {
                let _ = asker.send(reply);
            }
        }
        Incoming::Cancelled(Some(id)) => signals.underway.drop_own(id),
        message => {
            let Some(asked) = signals.heed(message, None) else { return };
            let outgoing = outgoing.clone();
            signals.answer(asked, move |line| async move {
                if let Some(outgoing) = outgoing.upgrade() {
                    let _ = outgoing.send(line).await;
                }
            });
        }
    }
}

async fn overhear(stderr: ChildStderr, name: Arc<str>, kept: Arc<Stderr>) {
    let (mut reader, mut line) = (BufReader::new(stderr), Vec::new());
    while let Ok(Line::Whole | Line::Cut) = lines::read(&mut reader, &mut line, limits::STDERR_LINE_BYTES_MAX).await {
        let text = String::from_utf8_lossy(&line).into_owned();
        tracing::debug!(process = %name, line = %text, "standard error");
        kept.push(text);
    }
}

/// Notices when the process ends; ends it when it is no longer needed, first by closing its input, then by force. Whatever it
/// has started ends with it.
async fn supervise(mut child: Child, group: Group, name: Arc<str>, signals: Arc<Signals>) {
    let exited = tokio::select! {
        status = child.wait() => Some(status),
        () = signals.ended.cancelled() => None,
    };
    signals.ended.cancel();
    if let Some(status) = exited {
        tracing::info!(process = %name, ?status, "the process ended");
    } else {
        // Whether it did so in time or not, the group is ended below.
        let limit = Duration::from_secs(limits::PROCESS_END_SECONDS_MAX);
        let _ = tokio::time::timeout(limit, child.wait()).await;
    }
    drop(group);
    // So that nothing is left of it in the table of processes.
    let _ = child.wait().await;
}
