//! Processes as upstreams: what they start ends with them, what they ask is answered, what they complain of is kept.

use remit_domain::ConnectorSpec;
use serde_json::json;
use tokio::sync::mpsc;

use super::upstream_world::{Behind, object, until};
use crate::upstream::{Reply, Watch};

/// A server of 2025-11-25 in a few lines of shell. It starts another process, and its tool asks for the client's roots.
const SERVER: &str = r#"
sleep 600 >/dev/null 2>&1 &
echo $! > "$1"
echo "started" >&2
call=
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  case "$line" in
    *server/discover*) echo '{"jsonrpc":"2.0","id":'"$id"',"error":{"code":-32601,"message":"no"}}' ;;
    *notifications/*) ;;
    *\"initialize\"*) echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"protocolVersion":"2025-11-25","capabilities":{}}}' ;;
    *tools/list*) echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"tools":[{"name":"look","inputSchema":{"type":"object"}}]}}' ;;
    *tools/call*) call=$id; echo '{"jsonrpc":"2.0","id":"r","method":"roots/list"}' ;;
    *'"id":"r"'*) echo '{"jsonrpc":"2.0","id":'"$call"',"result":{"heard":'"$line"'}}' ;;
  esac
done
"#;

fn server(notes: &std::path::Path) -> ConnectorSpec {
    let arguments = ["-c", SERVER, "server", notes.to_str().unwrap()].map(str::to_owned).to_vec();
    ConnectorSpec::Stdio { command: "sh".to_owned(), arguments, environment: Vec::new() }
}

fn runs(notes: &std::path::Path) -> Option<std::path::PathBuf> {
    let process = std::fs::read_to_string(notes).ok()?.trim().parse::<u32>().ok()?;
    let status = std::path::PathBuf::from(format!("/proc/{process}/cmdline"));
    // A process that has ended and was not waited for has no command line.
    std::fs::read(&status).is_ok_and(|line| !line.is_empty()).then_some(status)
}

#[tokio::test]
async fn a_process_ends_with_all_that_it_started() {
    let notes = tempfile::NamedTempFile::new().unwrap();
    let behind = Behind::new(server(notes.path()), &["look", "@roots"]).await;
    let connection = behind.ready().await;
    let started = until(|| runs(notes.path())).await;
    let (permit, request) = behind.tool("look").await;
    let (asks, mut questions) = mpsc::channel(1);
    let watch = Watch { asks: Some(asks), ..Watch::default() };
    let (reply, ()) = tokio::join!(connection.call(&permit, &request, watch), async {
        questions.recv().await.unwrap().answer.send(Ok(json!({"roots": []}))).unwrap();
    });
    let heard = json!({"jsonrpc": "2.0", "id": "r", "result": {"roots": []}});
    assert_eq!(reply.unwrap(), Reply::Result(object(json!({"heard": heard}))));
    assert_eq!(
        behind.upstreams.stderr(behind.connector().id),
        ["started", "started"],
        "one for each generation that was tried"
    );
    behind.upstreams.close().await;
    until(|| std::fs::read(&started).map_or(true, |line| line.is_empty()).then_some(())).await;
}
