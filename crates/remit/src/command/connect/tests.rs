use clap::Parser;

use super::*;
use crate::command::{Cli, Command};

fn settings_of(words: &[&str]) -> Vec<(Client, String)> {
    let words = [&["remit", "connect", "--mcp-url", "http://127.0.0.1:7480/mcp"], words].concat();
    let cli = Cli::try_parse_from(words).unwrap();
    let Command::Connect(arguments) = cli.command else { panic!("another command") };
    let address = one_connector(arguments.address.find(&cli.global).unwrap(), arguments.connector.as_deref()).unwrap();
    let way = way(&arguments, &cli.global, &address).unwrap();
    Client::value_variants().iter().map(|client| (*client, settings::of(*client, "remit", &way).text)).collect()
}

fn parsed(client: Client, text: &str) -> Value {
    match client {
        Client::Codex => toml::from_str(text).unwrap(),
        _ => serde_json::from_str(text).unwrap(),
    }
}

fn server(client: Client, text: &str) -> Value {
    let place = match client {
        Client::Codex => "/mcp_servers/remit",
        Client::Zed => "/context_servers/remit",
        Client::Vscode => "/servers/remit",
        _ => "/mcpServers/remit",
    };
    parsed(client, text).pointer(place).cloned().unwrap_or_else(|| panic!("{client:?}: {text}"))
}

#[test]
fn every_client_gets_what_it_can_read_and_no_token() {
    for words in [&[][..], &["--agent", "triage"], &["--token-file", "/run/token"], &["--connector", "desk"]] {
        for (client, text) in settings_of(words) {
            let server = server(client, &text);
            let is_process = server.get("command").is_some();
            let takes_header = !matches!(client, Client::ClaudeDesktop | Client::Zed | Client::Generic);
            let has_other_way = words.contains(&"--agent") || words.contains(&"--token-file");
            assert_eq!(is_process, has_other_way || !takes_header, "{words:?} {client:?}: {text}");
            let stands = text.contains("127.0.0.1:7480/mcp/desk");
            assert_eq!(stands, words.contains(&"--connector"), "{client:?}: {text}");
        }
    }
}

#[test]
fn headers_name_a_variable_as_each_client_writes_it() {
    for (client, text) in settings_of(&[]) {
        let server = server(client, &text);
        let header = server.pointer("/headers/Authorization").and_then(Value::as_str);
        let expected = match client {
            Client::ClaudeCode | Client::Gemini => Some("Bearer ${REMIT_TASK_TOKEN}"),
            Client::Cursor => Some("Bearer ${env:REMIT_TASK_TOKEN}"),
            Client::Vscode => Some("Bearer ${input:remit-token}"),
            _ => None,
        };
        assert_eq!(header, expected, "{client:?}");
        if client == Client::Codex {
            assert_eq!(server.get("bearer_token_env_var").and_then(Value::as_str), Some("REMIT_TASK_TOKEN"));
        }
        if client == Client::Vscode {
            assert_eq!(parsed(client, &text).pointer("/inputs/0/id").and_then(Value::as_str), Some("remit-token"));
        }
    }
}

#[test]
fn an_agents_sessions_are_tasks_wherever_the_client_starts_them() {
    let words = ["--data", "there", "--agent", "triage", "--purpose", "says \"hi\"", "--for", "bob"];
    for (client, text) in settings_of(&words) {
        let server = server(client, &text);
        let arguments: Vec<&str> = server["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(arguments[..2], ["run", "--data"], "{client:?}");
        assert!(Path::new(arguments[2]).is_absolute(), "{client:?}: clients start programs elsewhere");
        assert!(!text.contains("REMIT_TASK_TOKEN"), "{client:?}: {text}");
        // What is printed is what the program takes.
        let command = [&["remit"], arguments.as_slice()].concat();
        let Command::Run(run) = Cli::try_parse_from(command).unwrap().command else { panic!("another command") };
        assert_eq!((run.agent.as_str(), run.purpose.as_str()), ("triage", "says \"hi\""));
        assert_eq!(run.acting_for.as_deref(), Some("bob"));
        assert_eq!(run.ttl, Some(8 * 3600), "a session outlasts a working day");
        let within = [vec!["remit".to_owned()], run.command[1..].to_vec()].concat();
        let Command::Proxy(proxy) = Cli::try_parse_from(within).unwrap().command else { panic!("another command") };
        assert_eq!(proxy.address.mcp_url.unwrap().as_str(), "http://127.0.0.1:7480/mcp");
    }
}

#[test]
fn a_session_lasts_as_long_as_is_said_and_no_longer_than_a_task_may() {
    for (_, text) in settings_of(&["--agent", "triage", "--ttl", "90m"]) {
        assert!(text.contains("\"--ttl\"") && text.contains("\"90m\""), "{text}");
    }
    assert_eq!(ttl(TASK_SECONDS_MAX).unwrap(), "1d");
    assert!(matches!(ttl(TASK_SECONDS_MAX + 1), Err(Failure::Usage(_))));
    assert!(Cli::try_parse_from(["remit", "connect", "--ttl", "4h"]).is_err(), "without an agent there is no session");
}

#[test]
fn a_connector_is_one_segment_of_a_gateways_address() {
    let address = |text: &str| Url::parse(text).unwrap();
    assert_eq!(one_connector(address("http://h/mcp"), Some("a b")).unwrap().as_str(), "http://h/mcp/a%20b");
    assert!(one_connector(address("http://h/mcp"), Some("a/b")).is_err());
    assert!(one_connector(address("http://h/mcp/desk"), Some("mail")).is_err());
}
