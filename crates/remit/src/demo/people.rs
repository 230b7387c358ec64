//! The people of the story, each signed in as themselves.

use serde_json::{Value, json};

use super::Story;
use super::step::Steps;
use crate::command::{Client, Failure};

/// Clients of the control plane, each as one person.
#[derive(Debug)]
pub struct People {
    /// The administrator who started Remit: by the socket.
    pub root: Client,
    /// Owns the agent.
    pub ana: Client,
    /// Leads support; answers questions.
    pub ben: Client,
    /// A second administrator, because nobody approves their own change.
    pub mia: Client,
}

/// Adds the people and signs them in by their one-time links.
pub async fn gather(story: &Story<'_>, steps: &mut Steps) -> Result<People, Failure> {
    let root = Client::socket(story.data);
    let control = &story.server.addresses.control;
    let ana = join(&root, control, "ana", &[]).await?;
    let ben = join(&root, control, "ben", &["support-leads"]).await?;
    let mia = join(&root, control, "mia", &["administrators", "content-readers"]).await?;
    // Works for nobody in particular; an agent will act in this person's name.
    root.post("/v1/people", json!({"name": "carla"})).await?;
    let current = ben.get("/v1/sessions/current").await?;
    let name = current.pointer("/person/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    steps.note(
        "people",
        "ben is signed in as himself, by a one-time link",
        format!("signed in as `{name}`"),
        name == "ben",
    );
    Ok(People { root, ana, ben, mia })
}

async fn join(root: &Client, control: &str, name: &str, groups: &[&str]) -> Result<Client, Failure> {
    root.post("/v1/people", json!({"name": name, "groups": groups})).await?;
    let offer = root.post(&format!("/v1/people/{name}/sign-in"), json!({})).await?;
    let code = offer.get("code").cloned().unwrap_or_default();
    let open = Client::signed_in(control, None)?.post("/v1/sessions", json!({"code": code})).await?;
    let token = open.get("token").and_then(Value::as_str).map(str::to_owned);
    Client::signed_in(control, token)
}
