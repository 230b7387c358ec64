//! The settings themselves: where each client keeps them, and in which form (as of November 2026).

use serde_json::{Value, json};

/// The variable that holds the token, where a client reads one from its environment.
const TOKEN: &str = "REMIT_TASK_TOKEN";
/// What an agent is said to do where nobody says more.
const PURPOSE: &str = "work with a person in an MCP client";

/// How the client becomes known to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It knows the authorization of MCP: the address is enough.
    SignIn,
    /// Its sessions are tasks: it starts a command that starts one.
    Run,
    /// It brings the token of a task that runs already.
    Token,
}

impl Way {
    pub(super) const EACH: [(Self, &'static str, &'static str); 3] = [
        (Self::SignIn, "sign-in", "The client signs its person in"),
        (Self::Run, "run", "The client starts a task"),
        (Self::Token, "token", "The client has a token"),
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Run => "run",
            Self::Token => "token",
        }
    }

    /// What it comes to, in a sentence or two.
    pub(super) const fn means(self) -> &'static str {
        match self {
            Self::SignIn => {
                "A client that knows the authorization of MCP needs the address and nothing else: it opens this console, where its person \
                 chooses the agent and says what for. One that publishes no document about itself is registered first (remit client add), or \
                 may register itself where remit.toml says dynamic_registration = true under [oauth]."
            }
            Self::Run => {
                "Each session of the client is a task of the agent and ends with it. On the machine of this realm its user is known by the \
                 socket there, elsewhere by `remit login`."
            }
            Self::Token => {
                "The client sends the token of a task that somebody has started for it, and is what that task is."
            }
        }
    }
}

/// How a program of the client's user reaches the control plane.
#[derive(Debug, Clone, Copy)]
pub(super) enum Control<'a> {
    /// By the socket in the realm's directory on this machine, where the user of the operating system is known.
    Directory(&'a str),
    /// At this address, after `remit login`.
    Address(&'a str),
}

impl<'a> Control<'a> {
    /// The option of `remit` that says so.
    const fn option(self) -> [&'a str; 2] {
        match self {
            Self::Directory(directory) => ["--data", directory],
            Self::Address(address) => ["--url", address],
        }
    }
}

/// For whom settings are wanted.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) agent: &'a str,
    /// Of the gateway, with a connector or without.
    pub(super) address: String,
    /// What the server is called in the client.
    pub(super) server: String,
    /// Where the control plane answers.
    pub(super) control: Control<'a>,
    pub(super) way: Way,
}

/// Settings of one client.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) client: &'static str,
    /// Where they go.
    pub(super) place: &'static str,
    /// What else the person has to know.
    pub(super) note: &'static str,
    /// What is to be pasted.
    pub(super) text: String,
}

/// The settings of all clients that become known this way.
pub(super) fn of(asked: &Asked<'_>) -> Vec<Settings> {
    match asked.way {
        Way::SignIn => by_sign_in(asked),
        Way::Run => by_command(asked),
        Way::Token => by_token(asked),
    }
}

const CLAUDE_CODE: (&str, &str) = ("Claude Code", ".mcp.json in the project");
const CLAUDE_DESKTOP: (&str, &str) =
    ("Claude Desktop", "claude_desktop_config.json (Settings, Developer, Edit Config)");
const CURSOR: (&str, &str) = ("Cursor", ".cursor/mcp.json in the project, or ~/.cursor/mcp.json");
const VSCODE: (&str, &str) = ("Visual Studio Code", ".vscode/mcp.json in the project");
const CODEX: (&str, &str) = ("Codex", "~/.codex/config.toml");
const GENERIC: (&str, &str) = ("Any other client", "wherever it keeps its servers");

fn settings(whose: (&'static str, &'static str), note: &'static str, text: String) -> Settings {
    Settings { client: whose.0, place: whose.1, note, text }
}

fn servers(asked: &Asked<'_>, server: &Value) -> String {
    pretty(&json!({"mcpServers": {&asked.server: server}}))
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

fn by_sign_in(asked: &Asked<'_>) -> Vec<Settings> {
    let Asked { address, server, .. } = asked;
    let typed = json!({"type": "http", "url": address});
    vec![
        settings(
            ("Claude Code", "a terminal"),
            "then /mcp in a session signs you in",
            format!("claude mcp add --transport http {server} {address}"),
        ),
        settings(CURSOR, "it offers to sign you in", servers(asked, &json!({"url": address}))),
        settings(VSCODE, "it offers to sign you in", pretty(&json!({"servers": {server: typed}}))),
        settings(
            CODEX,
            "then `codex mcp login`",
            format!("[mcp_servers.{}]\nurl = {}\n", json!(server), json!(address)),
        ),
        settings(GENERIC, "streamable HTTP, with the authorization of MCP", servers(asked, &typed)),
    ]
}

fn by_command(asked: &Asked<'_>) -> Vec<Settings> {
    let Asked { agent, address, server, control, .. } = asked;
    let [option, place] = control.option();
    let arguments = [
        "run",
        option,
        place,
        "--agent",
        agent,
        "--purpose",
        PURPOSE,
        "--ttl",
        "8h",
        "--",
        "remit",
        "proxy",
        "--mcp-url",
        address,
    ];
    let process = json!({"command": "remit", "args": arguments});
    let typed = json!({"type": "stdio", "command": "remit", "args": arguments});
    let note = "each session is a task of its own and ends with it";
    let place = in_shell(place);
    let own = format!("remit run {option} {place} --agent {agent} --purpose \"answer ticket 17\" -- my-agent");
    vec![
        settings(CLAUDE_CODE, note, servers(asked, &process)),
        settings(CLAUDE_DESKTOP, note, servers(asked, &process)),
        settings(CURSOR, note, servers(asked, &process)),
        settings(VSCODE, note, pretty(&json!({"servers": {server: typed}}))),
        settings(
            CODEX,
            note,
            // A string of JSON is one of TOML as well, and so is a list of them.
            format!("[mcp_servers.{}]\ncommand = \"remit\"\nargs = {}\n", json!(server), json!(arguments)),
        ),
        settings(
            ("A program of your own", "a terminal"),
            "it finds REMIT_MCP_URL, REMIT_TASK_TOKEN and, as REMIT_MCP_CONFIG, a file with both",
            own,
        ),
        settings(GENERIC, note, servers(asked, &process)),
    ]
}

/// A word of a shell's command.
fn in_shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte);
    if word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn by_token(asked: &Asked<'_>) -> Vec<Settings> {
    let Asked { address, server, .. } = asked;
    let with_header = |value: &str| json!({"Authorization": format!("Bearer {value}")});
    let typed = |value: &str| json!({"type": "http", "url": address, "headers": with_header(value)});
    let note = "set REMIT_TASK_TOKEN in the client's environment";
    let input =
        json!({"type": "promptString", "id": "remit-token", "description": "Remit task token", "password": true});
    let vscode = json!({"inputs": [input], "servers": {server: typed("${input:remit-token}")}});
    vec![
        settings(CLAUDE_CODE, note, servers(asked, &typed(&format!("${{{TOKEN}}}")))),
        settings(
            CURSOR,
            note,
            servers(asked, &json!({"url": address, "headers": with_header(&format!("${{env:{TOKEN}}}"))})),
        ),
        settings(VSCODE, "it asks for the token once and keeps it", pretty(&vscode)),
        settings(
            CODEX,
            note,
            format!("[mcp_servers.{}]\nurl = {}\nbearer_token_env_var = \"{TOKEN}\"\n", json!(server), json!(address)),
        ),
        settings(
            ("Claude Desktop and others that start a process", "claude_desktop_config.json, settings.json"),
            "remit proxy finds the token in REMIT_TASK_TOKEN, or in a file by --token-file",
            servers(asked, &json!({"command": "remit", "args": ["proxy", "--mcp-url", address]})),
        ),
        settings(("OpenAI Agents SDK", "Python"), note, openai(asked)),
        settings(("Claude Agent SDK", "Python"), note, anthropic(asked)),
        settings(("Any other client over HTTP", "a terminal"), note, curl(asked)),
    ]
}

fn openai(asked: &Asked<'_>) -> String {
    let Asked { address, server, .. } = asked;
    let (name, url) = (json!(server), json!(address));
    format!(
        "import os\nfrom agents import Agent\nfrom agents.mcp import MCPServerStreamableHttp\n\n\
         server = MCPServerStreamableHttp(\n    name={name},\n    params={{\n        \"url\": {url},\n        \
         \"headers\": {{\"Authorization\": f\"Bearer {{os.environ['{TOKEN}']}}\"}},\n    }},\n)\n\
         # async with server: Agent(name=\"…\", mcp_servers=[server])\n"
    )
}

fn anthropic(asked: &Asked<'_>) -> String {
    let Asked { address, server, .. } = asked;
    let (name, url) = (json!(server), json!(address));
    format!(
        "import os\nfrom claude_agent_sdk import ClaudeAgentOptions\n\n\
         options = ClaudeAgentOptions(\n    mcp_servers={{\n        {name}: {{\n            \"type\": \"http\",\n            \
         \"url\": {url},\n            \"headers\": {{\"Authorization\": f\"Bearer {{os.environ['{TOKEN}']}}\"}},\n        }}\n    }}\n)\n"
    )
}

/// The first message of the protocol, to see that the address and the token fit together.
fn curl(asked: &Asked<'_>) -> String {
    let hello = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "curl", "version": "1"}},
    });
    format!(
        "curl -s {} \\\n  -H \"Authorization: Bearer ${TOKEN}\" \\\n  -H 'content-type: application/json' \\\n  \
         -H 'accept: application/json, text/event-stream' \\\n  -d '{hello}'\n",
        asked.address
    )
}
