//! `remit login` and `remit logout`: a session with a control plane that is elsewhere.

use clap::Args;
use serde_json::json;

use super::output::text_at;
use super::session_file::{self, SavedSession};
use super::{Client, Failure, Global, Output};

/// Where a control plane is unless somebody says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:7470";

/// With which code.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit login --code signin_4f… --url https://remit.example.org")]
pub struct LoginArgs {
    /// The one-time code that an administrator made with `remit person sign-in NAME`.
    #[arg(long, value_name = "CODE")]
    pub code: String,
}

pub async fn run(arguments: LoginArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let client = Client::at(global.url.as_deref().unwrap_or(DEFAULT_URL))?;
    let session = client.post("/v1/sessions", json!({"code": arguments.code})).await?;
    let saved = SavedSession {
        url: client.place(),
        token: session.get("token").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
        person: text_at(&session, "/person"),
        expires_at: text_at(&session, "/expires_at"),
    };
    let path = session_file::save(&saved)?;
    let told = json!({"person": saved.person, "url": saved.url, "expires_at": saved.expires_at, "file": path});
    output.done(&told, &format!("signed in at {} as {} until {}", saved.url, saved.person, saved.expires_at));
    Ok(())
}

pub async fn sign_out(global: &Global, output: &Output) -> Result<(), Failure> {
    let Some(saved) = session_file::load()? else {
        output.done(&json!({"signed_out": false}), "nobody was signed in");
        return Ok(());
    };
    let ended = Client::at(global.url.as_deref().unwrap_or(&saved.url))?.delete("/v1/sessions/current").await;
    // Forgotten here in any case; a session that could not be ended there ends by itself.
    session_file::forget()?;
    ended?;
    output.done(&json!({"signed_out": true}), &format!("signed out of {}", saved.url));
    Ok(())
}
