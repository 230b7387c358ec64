//! `remit connect`: settings for MCP clients, ready to paste. They never hold a token.

mod settings;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use remit_domain::limits::TASK_SECONDS_MAX;
use serde_json::{Value, json};
use url::Url;

use super::mcp_address::McpAddress;
use super::{Failure, Global, Output, duration, duration_seconds};
use settings::{Settings, Way};

/// For which client, and how it becomes known.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit connect --client claude-desktop --agent triage --ttl 4h\n  remit connect --client cursor --connector helpdesk\n  remit connect\n\nWith `--agent`, the client starts `remit run`, and each of its sessions is a task of that agent that ends with it.\nWithout, the client brings the token of a task that runs already, in `REMIT_TASK_TOKEN` or in a file."
)]
pub struct ConnectArgs {
    /// The client; all that are known if not given.
    #[arg(long, value_enum, value_name = "NAME")]
    client: Option<Client>,
    /// The agent that the client is to be.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// What the agent does there, in a sentence.
    #[arg(long, value_name = "TEXT", requires = "agent")]
    purpose: Option<String>,
    /// The person in whose name it acts.
    #[arg(long = "for", value_name = "PERSON", requires = "agent")]
    acting_for: Option<String>,
    /// Longest time that a session of the client may take.
    #[arg(long, default_value = "8h", value_name = "DURATION", value_parser = duration_seconds, requires = "agent")]
    ttl: u64,
    /// One connector only, instead of all that the agent may reach.
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// File with the token, for clients that only start processes.
    #[arg(long, value_name = "FILE", conflicts_with = "agent")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    address: McpAddress,
}

/// A client whose settings are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Client {
    ClaudeCode,
    ClaudeDesktop,
    Cursor,
    Vscode,
    Codex,
    Gemini,
    Zed,
    /// Any other that starts a process.
    Generic,
}

/// Prints settings. One client's go to standard output alone, so that they can be written to a file; what is to be known
/// about them goes to standard error.
pub fn run(arguments: &ConnectArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let address = one_connector(arguments.address.find(global)?, arguments.connector.as_deref())?;
    let way = way(arguments, global, &address)?;
    let name = arguments.connector.as_deref().map_or("remit".to_owned(), |connector| format!("remit-{connector}"));
    let chosen = arguments.client.map_or_else(|| Client::value_variants().to_vec(), |client| vec![client]);
    let settings: Vec<Settings> = chosen.iter().map(|client| settings::of(*client, &name, &way)).collect();
    if output.is_json() {
        let items: Vec<Value> = settings.iter().map(Settings::document).collect();
        output.document(&json!({"items": items}));
    } else if let [one] = settings.as_slice() {
        eprintln!("{}", one.introduction());
        output.line(one.text.trim_end());
    } else {
        for one in &settings {
            output.line(&format!("# {}\n\n{}\n", one.introduction(), one.text.trim_end()));
        }
    }
    Ok(())
}

fn one_connector(mut address: Url, connector: Option<&str>) -> Result<Url, Failure> {
    let Some(connector) = connector else { return Ok(address) };
    let last = address.path_segments().and_then(|mut segments| segments.next_back().map(str::to_owned));
    if last.as_deref() != Some("mcp") || connector.is_empty() || connector.contains('/') {
        return Err(Failure::Usage(format!(
            "`--connector` takes the name of one connector, and an address that ends in `/mcp`, not `{address}`"
        )));
    }
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.push(connector);
    }
    Ok(address)
}

/// How the client becomes known, with the commands that do it.
fn way(arguments: &ConnectArgs, global: &Global, address: &Url) -> Result<Way, Failure> {
    // Programs that are not started from a shell look for commands in few places.
    let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned));
    let program = program.unwrap_or_else(|| "remit".to_owned());
    let to_gateway = ["proxy", "--mcp-url", address.as_str()].map(str::to_owned);
    let mut command = vec![program.clone()];
    match &arguments.agent {
        Some(agent) => {
            command.push("run".to_owned());
            match &global.url {
                Some(url) => command.extend(["--url".to_owned(), url.clone()]),
                None => command.extend(["--data".to_owned(), absolute(&global.data)?]),
            }
            command.extend(["--agent".to_owned(), agent.clone()]);
            let purpose = arguments.purpose.clone().unwrap_or_else(|| "work with a person in an MCP client".to_owned());
            command.extend(["--purpose".to_owned(), purpose]);
            command.extend(["--ttl".to_owned(), ttl(arguments.ttl)?]);
            if let Some(person) = &arguments.acting_for {
                command.extend(["--for".to_owned(), person.clone()]);
            }
            command.extend(["--".to_owned(), program]);
            command.extend(to_gateway);
            Ok(Way::Run { command })
        }
        None => {
            command.extend(to_gateway);
            if let Some(file) = &arguments.token_file {
                command.extend(["--token-file".to_owned(), absolute(file)?]);
            }
            Ok(Way::Token { address: address.to_string(), command, has_file: arguments.token_file.is_some() })
        }
    }
}

/// How long each session may take, as `remit run` reads it: better refused here than at every start of the client.
fn ttl(seconds: u64) -> Result<String, Failure> {
    if seconds > TASK_SECONDS_MAX {
        let (longest, given) = (duration::written(TASK_SECONDS_MAX), duration::written(seconds));
        return Err(Failure::Usage(format!(
            "a session is a task, and a task takes at most `{longest}`, not `{given}`"
        )));
    }
    Ok(duration::written(seconds))
}

/// Clients start programs in directories of their own.
fn absolute(path: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(path).map_err(|error| Failure::file("find", path, &error))?;
    whole.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::Usage(format!("`{}` cannot be written into settings; use a path in UTF-8", whole.display()))
    })
}
