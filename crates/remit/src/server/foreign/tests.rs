use std::sync::Mutex;

use axum::Router;
use axum::routing::get;
use remit_identity::SigningKey;
use serde_json::json;

use super::*;

/// A set of one new key.
fn keys() -> String {
    let (key, _) = SigningKey::generate().unwrap();
    json!({"keys": [key.public().to_value()]}).to_string()
}

async fn open(text: &str) -> (anyhow::Result<Foreign>, CancellationToken) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
    (Foreign::open(&Config::parse(text).unwrap(), &stopping, &tasks).await, stopping)
}

fn watcher(source: Source, kept: &Kept<KeySet>) -> Watcher<KeySet> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Watcher { name: "https://idp.example".to_owned(), source, parse: key_set, kept: kept.clone(), http }
}

/// A server that says what is put into the mutex.
async fn serve(said: Arc<Mutex<String>>) -> String {
    let answer = move || std::future::ready(said.lock().unwrap().clone());
    let router = Router::new()
        .route("/jwks", get(answer))
        .route("/moved", get(|| std::future::ready(axum::response::Redirect::temporary("/jwks"))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    format!("http://{address}")
}

#[tokio::test]
async fn keys_in_a_file_are_there_from_the_beginning() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), keys()).unwrap();
    let table = "[[identity.oidc]]\nissuer = 'https://idp.example'\naudience = 'remit'\nclaims.team = 'shop'\n";
    let text = format!("{table}jwks_file = '{}'\n", file.path().display());
    let (foreign, stopping) = open(&text).await;
    assert!(foreign.unwrap().oidc.of("https://idp.example").is_some());
    stopping.cancel();

    std::fs::write(file.path(), "{\"keys\":[],\"keys\":[]}").unwrap();
    let error = format!("{:#}", open(&text).await.0.unwrap_err());
    assert!(error.contains("https://idp.example") && error.contains("twice"), "{error}");
    let error = format!("{:#}", open(&format!("{table}jwks_file = '/nowhere'\n")).await.0.unwrap_err());
    assert!(error.contains("cannot read `/nowhere`"), "{error}");
}

#[tokio::test]
async fn a_server_that_fails_does_not_take_its_keys_away() {
    let (said, kept) = (Arc::new(Mutex::new(keys())), Kept::default());
    let url = serve(Arc::clone(&said)).await;
    let watcher = watcher(Source::Url(format!("{url}/jwks").parse().unwrap()), &kept);
    assert_eq!(watcher.look().await.unwrap().as_secs(), REFRESH_SECONDS_DEFAULT);
    let first = kept.of("https://idp.example").unwrap();

    *said.lock().unwrap() = "gone".to_owned();
    assert!(watcher.look().await.is_err());
    assert_eq!(kept.of("https://idp.example"), Some(first.clone()));

    *said.lock().unwrap() = format!("{{\"keys\":[],\"rest\":\"{}\"}}", "x".repeat(DOCUMENT_BYTES_MAX));
    assert!(format!("{:#}", watcher.look().await.unwrap_err()).contains("longer than"));
    assert_eq!(kept.of("https://idp.example"), Some(first.clone()));

    *said.lock().unwrap() = keys();
    watcher.look().await.unwrap();
    assert!(kept.of("https://idp.example").is_some_and(|second| second != first));
}

#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    let url = serve(Arc::new(Mutex::new(keys()))).await;
    let kept = Kept::default();
    let error = watcher(Source::Url(format!("{url}/moved").parse().unwrap()), &kept).look().await.unwrap_err();
    assert!(error.to_string().contains("answered 307"), "{error}");
    assert_eq!(kept.of("https://idp.example"), None);
}
