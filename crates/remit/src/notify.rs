//! Tells people that an approval waits, by a program of the operator's choice.

use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use remit_domain::{Event, State};
use remit_engine::{Committed, Effect, Engine};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::config::NotifyConfig;

/// How long the program may take for one notice.
const NOTIFY_SECONDS_MAX: u64 = 30;

/// Runs the configured program for every approval that is asked for.
#[derive(Debug)]
pub struct Notify {
    program: String,
    arguments: Vec<String>,
    console_url: String,
    engine: Engine,
}

impl Notify {
    /// Nothing if no program is configured.
    pub fn new(config: &NotifyConfig, console_url: &str, engine: Engine) -> Option<Self> {
        let (program, arguments) = config.command.split_first()?;
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            console_url: console_url.to_owned(),
            engine,
        })
    }

    async fn tell(&self, record: &Committed) -> Result<(), String> {
        let Event::ApprovalRequested(requested) = &record.record.event else { return Ok(()) };
        // A question that is no longer open needs nobody's attention, and must not keep later ones waiting.
        let now = self.engine.now();
        let is_open = |state: &State| {
            state.approval(requested.approval).is_ok_and(|approval| approval.is_pending() && now < approval.expires_at)
        };
        if !self.engine.read(is_open) {
            return Ok(());
        }
        let agent = self
            .engine
            .read(|state| state.agent(requested.facts.agent).map(|agent| agent.name.clone()).unwrap_or_default());
        // No arguments: a notice travels further than the people who may see them.
        let notice = json!({
            "kind": "approval_requested",
            "seq": record.seq,
            "approval": requested.approval,
            "agent": agent,
            "operation": requested.facts.operation,
            "reasons": requested.reasons,
            "approvers": requested.ask.approvers,
            "expires_at": requested.expires_at.to_string(),
            "page": format!("{}/approvals/{}", self.console_url, requested.approval),
        });
        let run = self.run(notice.to_string());
        tokio::time::timeout(Duration::from_secs(NOTIFY_SECONDS_MAX), run)
            .await
            .map_err(|_| format!("`{}` took too long", self.program))?
    }

    async fn run(&self, notice: String) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("cannot run `{}`: {error}", self.program);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its notice has still been told that there is one.
            drop(stdin.write_all(notice.as_bytes()).await);
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", self.program)) }
    }
}

impl Effect for Notify {
    fn name(&self) -> &'static str {
        "notify"
    }

    fn concerns(&self, event: &Event) -> bool {
        matches!(event, Event::ApprovalRequested(_))
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.tell(record))
    }
}
