//! `remit proxy` and `remit up --dev`: other ways to the gateway than a client that sends a token over HTTP.

use std::ffi::OsStr;
use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::{Echo, Estate, PATIENCE, Place, turn, until};

/// A program that is spoken to as an MCP server on standard input and output.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.expect("the program cannot be started");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { input: child.stdin.take(), output, child }
    }

    async fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("its input was closed");
        input.write_all(format!("{message}\n").as_bytes()).await.expect("its input cannot be written");
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.expect("no answer");
        let line = line.expect("its output cannot be read").expect("it has ended");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{line}` is no JSON: {error}"))
    }

    /// Calls the echo tool at the address for one connector, without a handshake.
    async fn call(&mut self, id: u64, text: &str) -> Value {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "program-tests", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": "echo", "arguments": {"text": text}, "_meta": meta});
        self.ask(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await
    }

    /// Closes its input, and waits until it has ended.
    async fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.status().await
    }

    async fn status(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it does not end");
        ended.expect("it cannot be waited for").code()
    }
}

fn echoed(answer: &Value) -> Option<&str> {
    answer.pointer("/result/content/0/text").and_then(Value::as_str)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_a_client_starts_calls_under_a_task_of_its_own() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    Estate::build(&place, &echo).await;
    let address = format!("http://{}/mcp/echo", place.gateway());
    let run = ["run", "--agent", "support", "--purpose", "answer ticket 17", "--", env!("CARGO_BIN_EXE_remit")];
    let mut client = Server::start(place.remit([&run[..], &["proxy", "--mcp-url", &address]].concat()));
    assert_eq!(echoed(&client.call(1, "grüße").await), Some("grüße"));
    assert_eq!(echo.take_calls().len(), 1);
    let tasks = place.control().read("/v1/tasks").await;
    let running = |tasks: &Value| tasks.to_string().matches("answer ticket 17").count();
    assert_eq!(running(&tasks), 1, "{tasks}");

    assert_eq!(client.end().await, Some(0));
    let ended = place.control().read("/v1/tasks").await;
    let live = ended.get("items").and_then(Value::as_array).expect("a list").iter().filter(|task| {
        task.get("purpose") == Some(&json!("answer ticket 17")) && task.get("status") != Some(&json!("ended"))
    });
    assert_eq!(live.count(), 0, "the task outlived the client: {ended}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_away_is_found_again() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let token = place.root().join("task.token");
    fs::write(&token, &estate.token).expect("the token cannot be written");
    let address = format!("http://{}/mcp/echo", place.gateway());
    let arguments = ["proxy", "--mcp-url", &address, "--token-file"].map(OsStr::new);
    let mut client = Server::start(place.remit([&arguments[..], &[token.as_os_str()]].concat()));
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let opened = client.ask(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})).await;
    assert_eq!(opened.pointer("/result/protocolVersion"), Some(&json!("2025-11-25")), "{opened}");
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    let call = |id: u64, text: &str| {
        let params = json!({"name": "echo", "arguments": {"text": text}});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
    };
    assert_eq!(echoed(&client.ask(&call(1, "before")).await), Some("before"));

    server.stop().await;
    let away = client.ask(&call(2, "meanwhile")).await;
    assert_eq!(away.pointer("/error/data/remit~1refusal/code"), Some(&json!("gateway_unreachable")), "{away}");
    assert_eq!(away.get("id"), Some(&json!(2)));

    // It knows nothing of the session that the client still speaks in.
    let server = place.up().await;
    assert_eq!(echoed(&client.ask(&call(3, "after")).await), Some("after"));

    fs::write(&token, "not-a-token").expect("the token cannot be written");
    let refused = client.ask(&call(4, "without a token")).await;
    assert_eq!(refused.pointer("/error/code"), Some(&json!(-32040)), "{refused}");
    assert_eq!(refused.get("id"), Some(&json!(4)));
    let pid = client.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    kill_process(pid.expect("it has ended"), Signal::TERM).expect("it cannot be signalled");
    // Its input is still open: it does not wait for it.
    assert_eq!(client.status().await, Some(0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_wrong_usage() {
    let place = Place::new("");
    let nowhere = place.ask(["proxy"]).await;
    assert_eq!(nowhere.code(), Some(2), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("--mcp-url"), "{}", nowhere.stderr);
    let unset = place.ask(["proxy", "--mcp-url", "http://127.0.0.1:9/mcp", "--token-env", "NO_SUCH"]).await;
    assert_eq!(unset.code(), Some(2), "{}", unset.stderr);
    let clear = place.ask(["proxy", "--mcp-url", "http://192.0.2.1/mcp", "--token-file", "t"]).await;
    assert_eq!(clear.code(), Some(2), "{}", clear.stderr);
    // The input has ended before anything was asked, which is fine.
    let silent = place.ask(["proxy", "--mcp-url", "http://127.0.0.1:9/mcp", "--token-file", "t"]).await;
    assert_eq!((silent.code(), silent.stdout.as_str()), (Some(0), ""), "{}", silent.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_asks_for_no_token_and_reaches_only_what_is_marked_for_it() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let configuration = place.root().join("remit.toml");
    let options = [OsStr::new("up"), OsStr::new("--config"), configuration.as_os_str()];
    let sandbox = ["--dev", "--sandbox-listen", "127.0.0.1:0"].map(OsStr::new);
    let mut server =
        place.remit([&options[..], &sandbox[..]].concat()).stdout(Stdio::null()).spawn().expect("`remit up`");
    let addresses = until("the sandbox is open", async || {
        serde_json::from_slice::<Value>(&fs::read(place.data().join("addresses.json")).ok()?).ok()
    })
    .await;
    let sandbox = addresses.get("sandbox").and_then(Value::as_str).expect("the address of the sandbox");
    let operator = place.control();
    for (name, marked) in [("echo", true), ("real", false)] {
        let spec = json!({"kind": "http", "url": echo.url()});
        operator.post("/v1/connectors", json!({"name": name, "spec": spec, "sandbox": marked})).await;
        let offered = operator.read(&format!("/v1/connectors/{name}/tools")).await;
        let digest = offered.pointer("/items/0/digest").cloned().unwrap_or(Value::Null);
        let choice =
            json!({"tool": "echo", "verb": "read", "risk": 0, "data": "D1", "external": false, "digest": digest});
        operator.post(&format!("/v1/connectors/{name}/approve-tools"), json!({"choices": [choice]})).await;
    }
    let connect = |name: &str| Server::start(place.remit(["proxy", "--mcp-url", &format!("{sandbox}/mcp/{name}")]));
    let mut marked = connect("echo");
    let answer = marked.call(1, "without a token").await;
    assert_eq!(echoed(&answer), Some("without a token"), "{answer}");
    assert_eq!(marked.end().await, Some(0));
    let mut real = connect("real");
    let refused = real.call(1, "to the real one").await;
    let code = refused.pointer("/result/_meta/remit~1refusal/code");
    assert_eq!(code.and_then(Value::as_str), Some("sandbox_only"), "{refused}");
    assert_eq!(echo.take_calls().len(), 1);

    let with_token = format!("http://{}/mcp/echo", place.gateway());
    let mut without = Server::start(place.remit(["proxy", "--mcp-url", &with_token]));
    assert_eq!(without.call(1, "at the gateway").await.pointer("/error/code"), Some(&json!(-32040)));
    until("its calls are found in the record", async || {
        let records = place.ask(["--json", "ledger", "query", "--agent", "sandbox"]).await.json().to_string();
        (records.contains("echo/echo") && records.contains("real/echo")).then_some(())
    })
    .await;
    let pid = server.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    kill_process(pid.expect("it has ended"), Signal::TERM).expect("it cannot be signalled");
    assert!(server.wait().await.expect("`remit up` cannot be waited for").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_realm_has_no_sandbox() {
    let place = Place::new("realm.production = true\n");
    let configuration = place.root().join("remit.toml");
    let refused =
        place.ask([OsStr::new("up"), OsStr::new("--config"), configuration.as_os_str(), OsStr::new("--dev")]).await;
    assert_eq!(refused.code(), Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("production realm"), "{}", refused.stderr);
    let beyond = Place::new("");
    let arguments = ["up", "--dev", "--sandbox-listen", "0.0.0.0:7489"];
    assert_eq!(beyond.ask(arguments).await.code(), Some(2));
}
