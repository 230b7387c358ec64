//! One proof in a process of its own, which is this program once more: what cannot be interrupted can be ended there.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde_json::Value;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::process::{Child, Command};

use super::QUESTION_TIME_LIMIT;

/// The file that this process runs, also where an upgrade has put another one in its place: a proof is made by the version that asks.
const ITSELF: &str = "/proc/self/exe";
/// How the process is called where processes are listed.
const NAME: &str = "remit";
/// Variables that the process and the solver inherit; so none that holds a secret.
const INHERITED: [&str; 5] = ["PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH"];
/// Bytes of what it says that are kept: of the answer, which holds one example, and of complaints.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
const COMPLAINT_BYTES_MAX: u64 = 16 * 1024;

/// What came of one invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Proved,
    Broken,
    Vacuous,
    /// Neither a proof nor a hole.
    Nothing,
}

/// Starts such processes.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) program: PathBuf,
    /// How long one may take.
    pub(super) time_limit: Duration,
}

/// A process and everything that it starts. Ends them all when dropped.
struct Group {
    child: Child,
    /// INVARIANT: the number of the group as long as nobody has waited for the child; it cannot be another's until then. Nothing
    /// afterwards.
    leader: Option<Pid>,
}

impl Group {
    fn of(child: Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { child, leader }
    }

    fn end(&self) {
        if let Some(leader) = self.leader {
            // It fails when none of them is left, which is how it should be.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Ends what the child leaves behind, once that has ended by itself. It can still be waited for.
    async fn follow(&self) -> io::Result<()> {
        if let Some(leader) = self.leader {
            // Its handle becomes readable when it ends (pidfd_open(2)).
            let handle = readable(pidfd_open(leader, PidfdFlags::empty())?)?;
            drop(handle.readable().await?);
            self.end();
        }
        Ok(())
    }

    /// How the child has ended; if it has not, it does now.
    async fn ended(mut self) -> io::Result<ExitStatus> {
        self.end();
        self.leader = None;
        self.child.wait().await
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

#[expect(
    deprecated,
    reason = "what it is deprecated for needs a type that changes its descriptor, and this one owns it"
)]
fn readable(handle: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(handle, Interest::READABLE)
}

impl Aside {
    pub(super) fn of_this_program(time_limit: Duration) -> Self {
        Self { program: ITSELF.into(), time_limit }
    }

    /// Proves the invariant `name` of what is `given`, as [`super::Given`] writes it. Whatever goes wrong is no proof, and is logged.
    pub(super) async fn prove(&self, given: &[u8], name: &str) -> Found {
        let answered = tokio::time::timeout(self.time_limit, self.answer(given, name)).await;
        // Dropping the answer has ended the process with all that it had started.
        let late = |_| Err(format!("it took longer than {} s, and was ended", self.time_limit.as_secs_f64()));
        match answered.unwrap_or_else(late) {
            Ok(answer) => found(&answer),
            Err(why) => {
                tracing::warn!(why, invariant = name, "an invariant could not be proved for a proposal");
                Found::Nothing
            }
        }
    }

    /// What the process says, as `remit policy prove --json` does.
    pub(super) async fn answer(&self, given: &[u8], name: &str) -> Result<Value, String> {
        let spawned = self.command(name).spawn();
        let mut child = spawned.map_err(|error| format!("`{}` cannot be started: {error}", self.program.display()))?;
        let (input, output, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let group = Group::of(child);
        let written = async {
            if let Some(mut input) = input {
                // Where it does not listen to the end, what it says tells why.
                drop(input.write_all(given).await);
            }
            Ok(())
        };
        let said = (read(output, ANSWER_BYTES_MAX), read(complaints, COMPLAINT_BYTES_MAX));
        // What it leaves behind may hold its pipes, which end only after the group has.
        let (_, answer, complaint, ()) =
            tokio::try_join!(written, said.0, said.1, group.follow()).map_err(|error| error.to_string())?;
        let ended = group.ended().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&answer)
            .map_err(|_| format!("it ended with {ended}: {}", String::from_utf8_lossy(&complaint).trim()))
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg0(NAME).args(["policy", "prove", "--json"]).arg(format!("--given={name}"));
        command.arg(format!("--time-limit={}s", QUESTION_TIME_LIMIT.as_secs()));
        // What it binds itself to, for the case that this process is not there any more to end it.
        command.arg(format!("--parent={}", std::process::id()));
        command.arg(format!("--within={}s", self.time_limit.as_secs().max(1)));
        command.env_clear();
        command.envs(INHERITED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // A group of its own, so that the solver ends with it.
        command.process_group(0);
        command
    }
}

/// The first bytes of `source`, which is read to its end, so that nobody waits for room.
async fn read(source: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    if let Some(source) = source {
        let mut first = source.take(bytes_max);
        first.read_to_end(&mut kept).await?;
        tokio::io::copy(&mut first.into_inner(), &mut tokio::io::sink()).await?;
    }
    Ok(kept)
}

fn found(answer: &Value) -> Found {
    match answer.pointer("/items/0/verdict").and_then(Value::as_str) {
        Some("proved") => Found::Proved,
        Some("broken") => Found::Broken,
        Some("vacuous") => Found::Vacuous,
        _ => Found::Nothing,
    }
}
