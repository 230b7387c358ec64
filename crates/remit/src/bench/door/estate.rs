//! What the calls need: people, connectors with approved tools, agents with grants and tasks. Made as people would make it,
//! through the control plane.

use anyhow::Context;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use url::Url;

use super::place::Remit;
use crate::command::{Client, Failure};

/// Requests to the control plane that are under way at a time.
const AT_A_TIME: usize = 16;

/// As long as anything here may live.
const DAY_SECONDS: u64 = 24 * 3_600;

/// The people of the estate.
#[derive(Debug)]
pub struct People {
    /// The administrator who started Remit.
    pub root: Client,
    /// Owns the agents, and approves what root asks for them.
    ana: Client,
    /// A second administrator, because nobody approves their own change.
    mia: Client,
}

/// An agent at work: what it carries.
#[derive(Debug, Clone)]
pub struct Caller {
    pub task: String,
    pub token: String,
}

impl People {
    /// Adds and signs in those who are needed beside root.
    ///
    /// # Errors
    /// What the control plane refuses.
    pub async fn gather(remit: &Remit) -> anyhow::Result<Self> {
        let root = remit.root();
        let ana = join(&root, &remit.control_url, "ana", &[]).await.map_err(said)?;
        let mia = join(&root, &remit.control_url, "mia", &["administrators"]).await.map_err(said)?;
        Ok(Self { root, ana, mia })
    }

    /// Puts the server at `url` behind the gateway and approves its tools, at most `tools_max` of them, as reading internal
    /// data (D1) without risk.
    ///
    /// # Errors
    /// What the control plane refuses.
    pub async fn connect(&self, name: &str, url: &Url, tools_max: usize) -> anyhow::Result<()> {
        let spec = json!({"name": name, "spec": {"kind": "http", "url": url}});
        self.agreed("/v1/connectors", &spec).await.map_err(said)?;
        let offered = self.root.get(&format!("/v1/connectors/{name}/tools")).await.map_err(said)?;
        let offered = offered.get("items").and_then(Value::as_array).context("the connector offers nothing")?;
        let choice = |tool: &Value| {
            json!({
                "tool": tool.get("tool"), "digest": tool.get("digest"),
                "verb": "read", "risk": 0, "data": "D1", "external": false,
            })
        };
        // What begins with `@` is no tool.
        let is_tool = |item: &&Value| !item.get("tool").and_then(Value::as_str).unwrap_or("@").starts_with('@');
        let choices: Vec<Value> = offered.iter().filter(is_tool).take(tools_max).map(choice).collect();
        let approve = format!("/v1/connectors/{name}/approve-tools");
        self.agreed(&approve, &json!({"choices": choices})).await.map_err(said)?;
        Ok(())
    }

    /// What root proposes and mia approves.
    async fn agreed(&self, path: &str, body: &Value) -> Result<(), Failure> {
        let proposed = self.root.post(path, body).await?;
        if let Some(change) = proposed.get("change").and_then(Value::as_str) {
            self.mia.post(&format!("/v1/changes/{change}/approve"), json!({})).await?;
        }
        Ok(())
    }

    /// Registers an agent, gives it a grant for `operations`, and starts a task of it.
    ///
    /// # Errors
    /// What the control plane refuses.
    pub async fn caller(&self, name: &str, operations: &[&str]) -> anyhow::Result<Caller> {
        let started = self.start(name, operations).await.map_err(said)?;
        Ok(Caller { task: text(&started, "task")?, token: text(&started, "token")? })
    }

    /// `count` of them, with names of their own.
    ///
    /// # Errors
    /// What the control plane refuses.
    pub async fn callers(&self, count: usize, operations: &[&str]) -> anyhow::Result<Vec<Caller>> {
        let names: Vec<String> = (0..count).map(|number| format!("caller-{number}")).collect();
        let mut callers = Vec::with_capacity(count);
        for some in names.chunks(AT_A_TIME) {
            callers.extend(try_join_all(some.iter().map(|name| self.caller(name, operations))).await?);
        }
        Ok(callers)
    }

    async fn start(&self, agent: &str, operations: &[&str]) -> Result<Value, Failure> {
        let profile = json!({
            "owner": "ana", "approvers": ["ana"], "purpose": "to be measured", "class": "act", "autonomy": 3,
            "data_classes": ["D1"], "environment": "production", "review_in_seconds": 90 * DAY_SECONDS,
        });
        self.root.post("/v1/agents", json!({"name": agent, "profile": profile})).await?;
        self.root.post(&format!("/v1/agents/{agent}/activate"), json!({})).await?;
        let request =
            json!({"agent": agent, "operations": operations, "reason": "to be measured", "ttl_seconds": DAY_SECONDS});
        let requested = self.root.post("/v1/grants", request).await?;
        let grant = requested.get("id").and_then(Value::as_str).unwrap_or_default();
        self.ana.post(&format!("/v1/grants/{grant}/approve"), json!({})).await?;
        let task = json!({
            "agent": agent, "purpose": "measure", "calls_max": remit_domain::limits::TASK_CALLS_MAX,
            "ttl_seconds": DAY_SECONDS, "token_ttl_seconds": DAY_SECONDS,
        });
        self.root.post("/v1/tasks", task).await
    }

    /// Activates the policies `text` under `name`: one person proposes, another approves.
    ///
    /// # Errors
    /// What the control plane refuses, such as more policies than there may be.
    pub async fn activate(&self, name: &str, text: &str) -> Result<(), Failure> {
        let propose = json!({"edits": [{"name": name, "text": text}], "reason": "to be measured"});
        let change = self.root.post("/v1/policies", propose).await?;
        let change = change.get("id").and_then(Value::as_str).unwrap_or_default();
        self.mia.post(&format!("/v1/changes/{change}/approve"), json!({})).await?;
        Ok(())
    }
}

async fn join(root: &Client, control: &str, name: &str, groups: &[&str]) -> Result<Client, Failure> {
    root.post("/v1/people", json!({"name": name, "groups": groups})).await?;
    let offer = root.post(&format!("/v1/people/{name}/sign-in"), json!({})).await?;
    let code = offer.get("code").cloned().unwrap_or_default();
    let open = Client::signed_in(control, None)?.post("/v1/sessions", json!({"code": code})).await?;
    let token = open.get("token").and_then(Value::as_str).map(str::to_owned);
    Client::signed_in(control, token)
}

/// A failure as an error that keeps its code and help.
pub fn said(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Refused(refusal) | Failure::Fault(refusal) | Failure::Configuration(refusal) => refusal.into(),
        Failure::Usage(sentence) => anyhow::anyhow!(sentence),
    }
}

fn text(answer: &Value, member: &str) -> anyhow::Result<String> {
    let found = answer.get(member).and_then(Value::as_str);
    Ok(found.with_context(|| format!("the answer has no `{member}`"))?.to_owned())
}
