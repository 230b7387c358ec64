//! What servers say outside of answers, and answers whose stream breaks off.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use http::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::upstream_world::{Behind, Seen, Server, event, object, stream, tools, until};
use crate::FaultKind;
use crate::upstream::{CallFault, NewsKind, Reply, Watch};

fn notification(method: &str, params: &Value) -> String {
    event(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_where_it_was_left() {
    let asked = Arc::new(Mutex::new(Value::Null));
    let broken_at = Arc::new(Mutex::new(None));
    let ways = (Arc::clone(&asked), Arc::clone(&broken_at));
    let (server, spec) = Server::start(move |seen: Seen| {
        let (asked, broken_at) = (Arc::clone(&ways.0), Arc::clone(&ways.1));
        async move {
            let (events, response) = stream();
            if seen.method() == "tools/call" {
                *asked.lock().unwrap() = seen.body["id"].clone();
                *broken_at.lock().unwrap() = Some(Instant::now());
                events.send("id: e-1\nretry: 300\ndata: \n\nid: e-2\ndata: {\"unfin".to_owned()).unwrap();
                return response;
            }
            if seen.verb == Method::GET && seen.header("last-event-id") == Some("e-1") {
                let answer = json!({"jsonrpc": "2.0", "id": *asked.lock().unwrap(), "result": {"content": []}});
                events.send(event(&answer)).unwrap();
                return response;
            }
            seen.greeting(json!({}), tools(&["long"]))
        }
        .boxed()
    })
    .await;
    let behind = Behind::new(spec, &["long"]).await;
    let connection = behind.ready().await;
    let (permit, request) = behind.tool("long").await;
    let reply = connection.call(&permit, &request, Watch::default()).await.unwrap();
    assert_eq!(reply, Reply::Result(object(json!({"content": []}))));
    assert!(
        broken_at.lock().unwrap().unwrap().elapsed() >= Duration::from_millis(300),
        "it waits as long as it is told"
    );
    let taken_up = server.seen(|seen| seen.header("last-event-id").is_some());
    assert_eq!((taken_up.len(), taken_up[0].header("mcp-session-id")), (1, Some("s1")));
}

#[tokio::test]
async fn a_stream_without_a_place_is_not_taken_up() {
    let (server, spec) = Server::start(|seen: Seen| {
        async move {
            match seen.method() {
                "tools/call" => stream().1,
                _ => seen.greeting(json!({}), tools(&["long"])),
            }
        }
        .boxed()
    })
    .await;
    let behind = Behind::new(spec, &["long"]).await;
    let connection = behind.ready().await;
    let (permit, request) = behind.tool("long").await;
    let Err(CallFault::Fault(fault)) = connection.call(&permit, &request, Watch::default()).await else { panic!() };
    assert_eq!(fault.kind, FaultKind::Unknown);
    server.wait_for(|seen| seen.verb == Method::GET).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        server.seen(|seen| seen.verb == Method::GET).len(),
        1,
        "a server without a stream of its own is asked once"
    );
}

#[tokio::test]
async fn what_a_server_says_by_itself_is_heard() {
    let alone = Arc::new(Mutex::new(None));
    let way = Arc::clone(&alone);
    let (server, spec) = Server::start(move |seen: Seen| {
        let alone = Arc::clone(&way);
        async move {
            if seen.verb == Method::GET {
                let (events, response) = stream();
                *alone.lock().unwrap() = Some(events);
                return response;
            }
            seen.greeting(json!({"resources": {}, "prompts": {}}), tools(&["one"]))
        }
        .boxed()
    })
    .await;
    let behind = Behind::new(spec, &["one", "@resources"]).await;
    let mut news = behind.upstreams.news();
    let connection = behind.ready().await;
    let aside: UnboundedSender<String> = until(|| alone.lock().unwrap().clone()).await;
    let lists = server.seen(|seen| seen.method() == "tools/list").len();
    for (method, params) in [
        ("notifications/tools/list_changed", json!({})),
        ("notifications/resources/list_changed", json!({})),
        ("notifications/resources/updated", json!({"uri": "a:b"})),
        ("notifications/prompts/list_changed", json!({})),
    ] {
        aside.send(notification(method, &params)).unwrap();
    }
    for kind in [
        NewsKind::ToolsChanged,
        NewsKind::ResourcesChanged,
        NewsKind::ResourceUpdated { uri: "a:b".to_owned() },
        NewsKind::PromptsChanged,
    ] {
        let heard = news.recv().await.unwrap();
        assert_eq!((heard.connector, heard.kind), (behind.connector().id, kind));
    }
    until(|| (server.seen(|seen| seen.method() == "tools/list").len() > lists).then_some(())).await;
    assert!(Arc::ptr_eq(&connection, &behind.ready().await));
    behind.upstreams.close().await;
    let ended =
        server.seen(|seen| seen.verb == Method::DELETE).pop().expect("the session is ended before closing is over");
    assert_eq!(ended.header("mcp-session-id"), Some("s1"));
}

/// A server of 2026-07-28 that knows `subscriptions/listen` if it `listens`.
async fn modern(
    listens: bool,
) -> (Arc<Server>, remit_domain::ConnectorSpec, Arc<Mutex<Option<UnboundedSender<String>>>>) {
    let open = Arc::new(Mutex::new(None));
    let way = Arc::clone(&open);
    let (server, spec) = Server::start(move |seen: Seen| {
        let open = Arc::clone(&way);
        async move {
            match seen.method() {
                "server/discover" => {
                    seen.result(json!({"supportedVersions": ["2026-07-28"], "capabilities": {"resources": {}}}))
                }
                "subscriptions/listen" if listens => {
                    assert_eq!(seen.header("mcp-method"), Some("subscriptions/listen"));
                    let (events, response) = stream();
                    let meta = json!({"io.modelcontextprotocol/subscriptionId": seen.body["id"]});
                    let taken = json!({"_meta": meta, "notifications": seen.body["params"]["notifications"]});
                    events.send(notification("notifications/subscriptions/acknowledged", &taken)).unwrap();
                    *open.lock().unwrap() = Some(events);
                    response
                }
                "tools/list" => seen.result(json!({"tools": tools(&["one"])})),
                _ => seen.error(-32601),
            }
        }
        .boxed()
    })
    .await;
    (server, spec, open)
}

#[tokio::test]
async fn followed_resources_are_named_in_the_request_to_listen() {
    let (server, spec, open) = modern(true).await;
    let behind = Behind::new(spec, &["one", "@resources"]).await;
    let mut news = behind.upstreams.news();
    let connection = behind.ready().await;
    let connector = behind.connector();
    let one = behind.upstreams.follow(&connector, &connection, "a:b").await.unwrap();
    let other = behind.upstreams.follow(&connector, &connection, "a:b").await.unwrap();
    let wanted = |seen: &Seen| seen.body["params"]["notifications"].clone();
    let listened = server.seen(|seen| seen.method() == "subscriptions/listen");
    let base = json!({"toolsListChanged": true, "resourcesListChanged": true});
    let mut with = base.clone();
    with["resourceSubscriptions"] = json!(["a:b"]);
    assert_eq!(wanted(listened.last().unwrap()), with);
    let aside = open.lock().unwrap().clone().unwrap();
    aside.send(notification("notifications/resources/updated", &json!({"uri": "a:b"}))).unwrap();
    assert_eq!(news.recv().await.unwrap().kind, NewsKind::ResourceUpdated { uri: "a:b".to_owned() });
    drop(one);
    drop(other);
    server
        .wait_for(|seen| {
            seen.method() == "subscriptions/listen" && wanted(seen) == base && seen.body["id"] != listened[0].body["id"]
        })
        .await;
    // A server that ends the stream is asked again, and its tools may have changed meanwhile.
    let counted = AtomicUsize::new(server.seen(|seen| seen.method() == "tools/list").len());
    drop(aside);
    drop(open.lock().unwrap().take());
    until(|| {
        let lists = server.seen(|seen| seen.method() == "tools/list").len();
        (lists > counted.load(Ordering::SeqCst)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_asked_once() {
    let (server, spec, _) = modern(false).await;
    let behind = Behind::new(spec, &["one"]).await;
    let connection = behind.ready().await;
    let fault = behind.upstreams.follow(&behind.connector(), &connection, "a:b").await.unwrap_err();
    assert_eq!(fault.reason, "the upstream does not tell of changes of its resources");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(server.seen(|seen| seen.method() == "subscriptions/listen").len(), 1);
}
