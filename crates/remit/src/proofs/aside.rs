//! One proof in a process of its own, which is this program once more: what cannot be interrupted can be ended there.

use std::path::PathBuf;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Given, QUESTION_TIME_LIMIT};

/// Variables that the process and the solver inherit; so none that holds a secret.
const INHERITED: [&str; 5] = ["PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH"];

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

/// A process and everything that it starts. Ends them all when dropped, unless it has ended by itself.
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

impl Aside {
    pub(super) fn of_this_program(time_limit: Duration) -> anyhow::Result<Self> {
        let program =
            std::env::current_exe().context("cannot find this program, which makes proofs in a process of its own")?;
        Ok(Self { program, time_limit })
    }

    /// Proves what is `given`. Whatever goes wrong is no proof, and is logged.
    pub(super) async fn prove(&self, given: &Given) -> Found {
        match self.answer(given).await {
            Ok(answer) => found(&answer),
            Err(why) => {
                tracing::warn!(why, "an invariant could not be proved for a proposal");
                Found::Nothing
            }
        }
    }

    /// What the process says, as `remit policy prove --json` does.
    async fn answer(&self, given: &Given) -> Result<Value, String> {
        let given = serde_json::to_vec(given).map_err(|error| error.to_string())?;
        let limit = format!("{}s", QUESTION_TIME_LIMIT.as_secs());
        let mut starting = Command::new(&self.program);
        starting.args(["policy", "prove", "--given", "--json", "--time-limit", &limit]).env_clear();
        starting.envs(INHERITED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        starting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // A group of its own, so that the solver ends with it.
        let spawned = starting.process_group(0).spawn();
        let mut child = spawned.map_err(|error| format!("`{}` cannot be started: {error}", self.program.display()))?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let mut answering = pin!(async move {
            if let Some(mut input) = child.stdin.take() {
                // Where it does not listen to the end, what it says tells why.
                drop(input.write_all(&given).await);
            }
            child.wait_with_output().await
        });
        // After what holds the process, and so dropped before it: the group ends while its number is still its own.
        let mut group = Group { leader };
        let Ok(ended) = tokio::time::timeout(self.time_limit, answering.as_mut()).await else {
            return Err(format!("it took longer than {} s, and was ended", self.time_limit.as_secs_f64()));
        };
        // INVARIANT: the number of a process that is gone is not used any more, since another may have got it.
        group.leader = None;
        let ended = ended.map_err(|error| error.to_string())?;
        serde_json::from_slice(&ended.stdout)
            .map_err(|_| format!("it ended with {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr).trim()))
    }
}

fn found(answer: &Value) -> Found {
    match answer.pointer("/items/0/verdict").and_then(Value::as_str) {
        Some("proved") => Found::Proved,
        Some("broken") => Found::Broken,
        Some("vacuous") => Found::Vacuous,
        _ => Found::Nothing,
    }
}
