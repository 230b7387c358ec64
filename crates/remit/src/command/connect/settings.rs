//! The settings themselves: where each client keeps them, and in which form (as of November 2026).

use serde_json::{Value, json};

use super::Client;

/// The variable that holds the token, where a client reads one from its environment.
const TOKEN: &str = "REMIT_TASK_TOKEN";

/// How the client becomes known to the gateway.
#[derive(Debug, Clone)]
pub enum Way {
    /// Its sessions are tasks: it starts a command that starts one.
    Run { command: Vec<String> },
    /// It has a token: it sends it itself if it can take it from somewhere, and starts a command otherwise.
    Token { address: String, command: Vec<String>, has_file: bool },
}

/// Settings of one client.
#[derive(Debug, Clone)]
pub struct Settings {
    client: &'static str,
    file: &'static str,
    /// What else the person has to know.
    note: &'static str,
    /// What is to be pasted: JSON, or TOML where the client keeps that.
    pub text: String,
}

impl Settings {
    pub fn introduction(&self) -> String {
        format!("{}: {}; {}", self.client, self.file, self.note)
    }

    pub fn document(&self) -> Value {
        json!({"client": self.client, "file": self.file, "note": self.note, "text": self.text})
    }
}

const OWN_TASK: &str = "each session is a task of its own and ends with it";
const OF_ENVIRONMENT: &str = "set `REMIT_TASK_TOKEN` in the client's environment";
const ASKED: &str = "the client asks for the token once and keeps it";
const OF_FILE: &str = "the token is read from its file";

/// The settings of `client`, in which the server is called `name`.
pub fn of(client: Client, name: &str, way: &Way) -> Settings {
    let title = match client {
        Client::ClaudeCode => "Claude Code",
        Client::ClaudeDesktop => "Claude Desktop",
        Client::Cursor => "Cursor",
        Client::Vscode => "Visual Studio Code",
        Client::Codex => "Codex",
        Client::Gemini => "Gemini CLI",
        Client::Zed => "Zed",
        Client::Generic => "any client that starts a process",
    };
    let file = match client {
        Client::ClaudeCode => "`.mcp.json` in the project",
        Client::ClaudeDesktop => "`claude_desktop_config.json` (Settings, Developer, Edit Config)",
        Client::Cursor => "`.cursor/mcp.json` in the project, or `~/.cursor/mcp.json`",
        Client::Vscode => "`.vscode/mcp.json` in the project",
        Client::Codex => "`~/.codex/config.toml`",
        Client::Gemini => "`.gemini/settings.json` in the project, or `~/.gemini/settings.json`",
        Client::Zed => "Zed's `settings.json`",
        Client::Generic => "wherever it keeps its servers",
    };
    let (server, note) = server(client, way);
    Settings { client: title, file, note, text: text(client, name, &server, way) }
}

/// One server's entry. Clients that cannot take a header from their environment start a process instead: a token that stands
/// in a file of settings is soon in a repository.
fn server(client: Client, way: &Way) -> (Value, &'static str) {
    let (address, command, note) = match way {
        Way::Run { command } => return (process(client, command), OWN_TASK),
        Way::Token { command, has_file: true, .. } => return (process(client, command), OF_FILE),
        Way::Token { address, command, .. } => (address, command, OF_ENVIRONMENT),
    };
    let with_header = |value: &str| json!({"Authorization": format!("Bearer {value}")});
    match client {
        Client::ClaudeCode => {
            (json!({"type": "http", "url": address, "headers": with_header(&format!("${{{TOKEN}}}"))}), note)
        }
        Client::Cursor => (json!({"url": address, "headers": with_header(&format!("${{env:{TOKEN}}}"))}), note),
        Client::Vscode => {
            (json!({"type": "http", "url": address, "headers": with_header("${input:remit-token}")}), ASKED)
        }
        Client::Codex => (json!({"url": address, "bearer_token_env_var": TOKEN}), note),
        Client::Gemini => (json!({"httpUrl": address, "headers": with_header(&format!("${{{TOKEN}}}"))}), note),
        Client::ClaudeDesktop | Client::Zed | Client::Generic => (process(client, command), note),
    }
}

fn process(client: Client, command: &[String]) -> Value {
    let (program, arguments) = command.split_first().map_or(("remit", command), |(first, rest)| (first.as_str(), rest));
    match client {
        Client::Vscode => json!({"type": "stdio", "command": program, "args": arguments}),
        _ => json!({"command": program, "args": arguments}),
    }
}

fn text(client: Client, name: &str, server: &Value, way: &Way) -> String {
    let asks = matches!(way, Way::Token { has_file: false, .. });
    let document = match client {
        Client::Codex => return table(name, server),
        Client::Zed => json!({"context_servers": {name: server}}),
        Client::Vscode if asks => {
            let input = json!({"type": "promptString", "id": "remit-token", "description": "Remit task token", "password": true});
            json!({"inputs": [input], "servers": {name: server}})
        }
        Client::Vscode => json!({"servers": {name: server}}),
        Client::ClaudeCode | Client::ClaudeDesktop | Client::Cursor | Client::Gemini | Client::Generic => {
            json!({"mcpServers": {name: server}})
        }
    };
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// A table of TOML. A string of JSON is one of TOML as well, and so is a list of them.
fn table(name: &str, server: &Value) -> String {
    let members = server.as_object().into_iter().flatten();
    let lines = members.map(|(member, value)| format!("{member} = {value}\n"));
    format!("[mcp_servers.{}]\n{}", Value::from(name), lines.collect::<String>())
}
