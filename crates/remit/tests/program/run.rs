//! `remit run`: what a command may do ends when it ends, however it ends.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::Child;

use crate::support::{Caller, Echo, Estate, Place, turn, until};

/// Says under what it runs, and waits to be told to go on.
const WAITING: &str = r#"
    printf '%s' "$REMIT_TASK_ID" >task
    printf '%s' "$REMIT_TASK_TOKEN" >token
    cat "$REMIT_TOKEN_FILE" >token-file
    printf '%s' "$REMIT_MCP_URL" >url
    cat "$REMIT_MCP_CONFIG" >config
    echo $$ >pid.next && mv pid.next pid
    while [ ! -e go ]; do sleep 0.05; done
    exit 7
"#;

/// A command that runs as a governed run of the agent.
struct Governed {
    launcher: Child,
    task: String,
    token: String,
    command: Pid,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_told_what_it_runs_under_and_its_token_ends_with_it() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    Estate::build(&place, &echo).await;
    let mut governed = Governed::start(&place).await;
    let read = |name: &str| fs::read_to_string(place.root().join(name)).expect("the command did not write it");
    assert_eq!(read("token-file"), governed.token);
    assert_eq!(read("url"), format!("http://{}/mcp", place.gateway()));
    let config: Value = serde_json::from_str(&read("config")).expect("an `.mcp.json`");
    assert_eq!(config.pointer("/mcpServers/remit/url").and_then(Value::as_str), Some(read("url").as_str()));
    let mut caller = governed.caller(&place);
    assert!(caller.call("while it runs").await.expect("an answer").is_result());

    fs::write(place.root().join("go"), "").expect("the command cannot be told");
    let status = governed.launcher.wait().await.expect("`remit run` cannot be waited for");
    assert_eq!(status.code(), Some(7), "the command's exit status is not passed on");
    // At once: it ended before `remit run` did.
    governed.has_ended(&place, &echo).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_command_ends_its_task() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    Estate::build(&place, &echo).await;
    let mut governed = Governed::start(&place).await;

    kill_process(governed.command, Signal::KILL).expect("the command cannot be killed");
    let status = governed.launcher.wait().await.expect("`remit run` cannot be waited for");
    assert_eq!(status.code(), Some(128 + 9), "as a shell reports it");
    governed.has_ended(&place, &echo).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_launcher_ends_its_task() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    Estate::build(&place, &echo).await;
    let mut governed = Governed::start(&place).await;

    governed.launcher.kill().await.expect("`remit run` cannot be killed");
    // Nobody is left to say so: the server notices that its lease is gone.
    let task = format!("/v1/tasks/{}", governed.task);
    until("the task ends", async || (place.control().read(&task).await.get("status")? == "ended").then_some(())).await;
    governed.has_ended(&place, &echo).await;
    // The command itself is not ours to wait for; it may be gone already.
    let _gone = kill_process(governed.command, Signal::KILL);
    server.stop().await;
}

impl Governed {
    async fn start(place: &Place) -> Self {
        let arguments = ["run", "--agent", "support", "--purpose", "answer ticket 17", "--", "sh", "-c", WAITING];
        let mut command = place.remit(arguments);
        let launcher =
            command.current_dir(place.root()).stdout(Stdio::null()).spawn().expect("`remit run` cannot be started");
        let written = |name: &str| fs::read_to_string(place.root().join(name)).ok();
        let pid = until("the command runs", async || written("pid")).await;
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        let (task, token) = (written("task").unwrap_or_default(), written("token").unwrap_or_default());
        assert!(task.starts_with("tsk_") && !token.is_empty(), "the command was not told its task");
        Self { launcher, task, token, command: pid }
    }

    fn caller(&self, place: &Place) -> Caller {
        Caller::new(place.gateway(), &self.token)
    }

    /// The token is refused, the upstream hears nothing, and the record says that the task has ended.
    async fn has_ended(&self, place: &Place, echo: &Echo) {
        echo.take_calls();
        let reply = self.caller(place).call("after its end").await.expect("an answer");
        assert!(!reply.is_result(), "the token of an ended task was accepted: {reply:?}");
        assert_eq!(echo.take_calls(), Vec::<String>::new(), "the upstream was called after the end");
        let task = place.control().read(&format!("/v1/tasks/{}", self.task)).await;
        assert_eq!(task.get("status").and_then(Value::as_str), Some("ended"), "{task}");
    }
}
