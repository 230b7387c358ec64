//! Servers that are processes.

use remit_domain::{ConnectorSpec, Event, Outcome};
use serde_json::json;

use super::world::{World, read};

/// A server of 2025-11-25 in a few lines of shell. It tells its environment, and ends when it is told to.
const SERVER: &str = r#"
echo "starting" >&2
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  case "$line" in
    *server/discover*) exit 1 ;;
    *notifications/cancelled*) echo cancelled >> "$1" ;;
    *notifications/*) ;;
    *\"initialize\"*) echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"sh","version":"0"}}}' ;;
    *tools/list*) echo 'this is no message'
      echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"tools":[{"name":"tell","inputSchema":{"type":"object"}},{"name":"end","inputSchema":{"type":"object"}},{"name":"wait","inputSchema":{"type":"object"}}]}}' ;;
    *\"tell\"*) echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"content":[{"type":"text","text":"'"$CARGO_PKG_NAME/${CARGO_PKG_VERSION:-none}"'"}]}}' ;;
    *\"end\"*) echo "last words" >&2; exit 3 ;;
  esac
done
"#;

fn server(notes: &std::path::Path) -> ConnectorSpec {
    let arguments = ["-c", SERVER, "server", notes.to_str().unwrap()].map(str::to_owned).to_vec();
    // Cargo sets it for every test, so it is one that this process has.
    let environment = vec!["CARGO_PKG_NAME".to_owned()];
    ConnectorSpec::Stdio { command: "sh".to_owned(), arguments, environment }
}

#[tokio::test]
async fn a_process_is_started_called_and_started_again() {
    let world = World::with(true, |settings| settings.call_seconds_max = 2).await;
    let notes = tempfile::NamedTempFile::new().unwrap();
    world.connect("shell", server(notes.path())).await;
    let call = async |tool: &str| {
        let params = json!({"name": tool, "arguments": {}});
        read(world.modern("/mcp/shell", "tools/call", params).send().await.unwrap()).await
    };
    assert_eq!(call("tell").await.text(), "remit-gateway/none", "it has what it was given and inherits no more");
    let ended = call("end").await;
    assert_eq!(ended.refused(), Some("outcome_unknown"));
    assert!(!ended.text().contains("last words"), "what a process says to its operator is not for the agent");
    assert_eq!(call("tell").await.text(), "remit-gateway/none", "it is started again");
    assert_eq!(call("wait").await.refused(), Some("outcome_unknown"));
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), async {
        while !std::fs::read_to_string(notes.path()).unwrap().contains("cancelled") {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    told.await.expect("the process is told that a call was given up");
    let unknown = world.records().await.into_iter().filter(|record| {
        matches!(&record.record.event, Event::OutcomeRecorded(recorded) if matches!(recorded.outcome, Outcome::Unknown { .. }))
    });
    assert!(unknown.count() >= 1);
    world.gateway.close().await;
}
