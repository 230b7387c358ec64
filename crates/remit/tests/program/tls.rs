//! TLS: https with the operator's certificate, and doors where everybody shows one of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, HandshakeKind};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Authority, PATIENCE, Place, Realm, Running, Shown, connect, trusting, turn};

const GATEWAY_MTLS_PORT: u16 = 7481;
const CONTROL_MTLS_PORT: u16 = 7471;
/// What anybody may ask of the control plane.
const ALIVE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn addresses(place: &Place) -> Value {
    let text = std::fs::read(place.data().join("addresses.json")).expect("there are no addresses");
    serde_json::from_slice(&text).expect("addresses are JSON")
}

/// Asks at `address` on a connection of its own: what is answered, if the connection holds until then.
async fn ask(config: &Arc<ClientConfig>, address: SocketAddr) -> std::io::Result<String> {
    let mut stream = tokio::time::timeout(PATIENCE, connect(config, address)).await??;
    stream.write_all(ALIVE).await?;
    let mut answer = vec![0; 4096];
    let length = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_both_listeners_speak_https_only() {
    let _turn = turn().await;
    let (place, authority) = (Place::new(""), Authority::new());
    authority.certify(&place, place.gateway().ip());
    let server = place.up().await;
    let said = addresses(&place);
    assert_eq!(said["gateway"], format!("https://{}", place.gateway()));
    assert_eq!(said["control"], format!("https://{}", place.control_address()));

    let mut config = trusting([authority.der()], None);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let http = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().expect("a client");
    let alive = http.get(format!("https://{}/healthz", place.control_address())).send().await.expect("an answer");
    assert_eq!((alive.status().as_u16(), alive.version()), (200, http::Version::HTTP_2));
    let metadata = format!("https://{}/.well-known/oauth-protected-resource/mcp", place.gateway());
    let metadata = http.get(metadata).send().await.expect("an answer");
    assert_eq!(metadata.status(), 200, "the gateway does not know its own name");
    assert_eq!(metadata.version(), http::Version::HTTP_2);

    let config = Arc::new(trusting([authority.der()], None));
    let answer = ask(&config, place.control_address()).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let stranger = Arc::new(trusting([Authority::new().der()], None));
    assert!(connect(&stranger, place.control_address()).await.is_err(), "it was believed without its authority");
    let mut plain = TcpStream::connect(place.control_address()).await.expect("a connection");
    plain.write_all(ALIVE).await.expect("a question");
    let mut answer = Vec::new();
    // However it ends: what is said before is no HTTP.
    drop(tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await.expect("the connection does not end"));
    assert!(!answer.starts_with(b"HTTP"), "plain HTTP was answered: {answer:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_resumed() {
    let _turn = turn().await;
    let (place, authority) = (Place::new(""), Authority::new());
    authority.certify(&place, place.gateway().ip());
    let server = place.up().await;
    let config = Arc::new(trusting([authority.der()], None));
    for _ in 0..2 {
        let mut stream = connect(&config, place.control_address()).await.expect("a connection");
        stream.write_all(ALIVE).await.expect("a question");
        // Tickets come after the handshake, if they come: reading takes them in.
        assert!(stream.read(&mut [0; 4096]).await.expect("an answer") > 0);
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(stream.get_ref().1.tls13_tickets_received(), 0);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_nobody_beyond_this_machine_is_listened_to() {
    for section in ["gateway", "control"] {
        let place = Place::new("");
        let other = place.root().join("other.toml");
        std::fs::write(&other, format!("{section}.listen = \"0.0.0.0:0\"\n")).expect("a configuration");
        let refused = place.ask(["up", "--config", other.to_str().expect("a path")]).await;
        assert_eq!(refused.code(), Some(2), "{}", refused.stderr);
        assert!(refused.stderr.contains("loopback") && refused.stderr.contains("[tls]"), "{}", refused.stderr);
    }
}

/// A place whose doors ask for certificates, and which believes `federated` besides its own.
fn asking(federated: Option<&Realm>) -> Place {
    let place = Place::new("");
    let (gateway, control) = (place.at(GATEWAY_MTLS_PORT), place.at(CONTROL_MTLS_PORT));
    place.configure(&format!("gateway.mtls_listen = \"{gateway}\"\ncontrol.mtls_listen = \"{control}\"\n"));
    if let Some(realm) = federated {
        let (file, domain) = (realm.publish(&place), realm.bundle().trust_domain().to_owned());
        place.configure(&format!("[[identity.federation]]\ntrust_domain = \"{domain}\"\nbundle_file = {file:?}\n"));
    }
    place
}

/// A client that believes the place's own certificates, and shows `shown`.
fn client(place: &Place, shown: Option<Shown>) -> Arc<ClientConfig> {
    let bundle = Realm::of(place).bundle();
    let roots = bundle.x509_authorities_der();
    Arc::new(trusting(roots.into_iter().map(|root| CertificateDer::from(root.to_vec())), shown))
}

/// Both doors refuse a client that shows `shown`.
async fn refuses(place: &Place, shown: impl Fn() -> Option<Shown>) {
    for port in [GATEWAY_MTLS_PORT, CONTROL_MTLS_PORT] {
        let answer = ask(&client(place, shown()), place.at(port)).await;
        assert!(answer.as_ref().map_or(true, String::is_empty), "it was answered: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_a_certificate_that_the_realm_believes() {
    let _turn = turn().await;
    let partner = Realm::elsewhere("partner.example");
    let place = asking(Some(&partner));
    let server = place.up().await;
    let said = addresses(&place);
    assert_eq!(said["gateway_mtls"], format!("https://{}", place.at(GATEWAY_MTLS_PORT)));
    assert_eq!(said["control_mtls"], format!("https://{}", place.at(CONTROL_MTLS_PORT)));

    refuses(&place, || None).await;
    refuses(&place, || Some(Realm::elsewhere("stranger.example").agent(600))).await;
    // Names are free; it is the key that counts.
    refuses(&place, || Some(Realm::elsewhere("remit.local").agent(600))).await;
    refuses(&place, || Some(Realm::elsewhere("partner.example").agent(600))).await;

    let realm = Realm::of(&place);
    for shown in [realm.agent(600), partner.agent(600)] {
        let config = client(&place, Some(shown));
        let answer = ask(&config, place.at(CONTROL_MTLS_PORT)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let answer = ask(&config, place.at(GATEWAY_MTLS_PORT)).await.expect("an answer");
        // There is no such address there; it was asked for, all the same.
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_its_certificate() {
    let _turn = turn().await;
    let place = asking(None);
    let server: Running<'_> = place.up().await;
    let begun = Instant::now();
    let config = client(&place, Some(Realm::of(&place).agent(3)));
    let mut stream = connect(&config, place.at(CONTROL_MTLS_PORT)).await.expect("a connection");
    stream.write_all(ALIVE).await.expect("a question");
    let mut answer = [0; 4096];
    assert!(stream.read(&mut answer).await.expect("an answer") > 0);
    let ended = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await.expect("the connection does not end");
    assert!(matches!(ended, Ok(0) | Err(_)), "something was said that was not asked");
    assert!(begun.elapsed() >= Duration::from_secs(2), "it ended before its certificate");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_authority_ends_what_it_let_in() {
    let _turn = turn().await;
    let place = asking(None);
    let server = place.up().await;
    let realm = Realm::of(&place);
    let config = client(&place, Some(realm.agent(600)));
    let mut stream = connect(&config, place.at(CONTROL_MTLS_PORT)).await.expect("a connection");
    stream.write_all(ALIVE).await.expect("a question");
    let mut answer = [0; 4096];
    assert!(stream.read(&mut answer).await.expect("an answer") > 0);

    let mut asking = connect(&config, place.at(CONTROL_MTLS_PORT)).await.expect("a connection");
    asking.write_all(ALIVE).await.expect("a question");
    assert!(asking.read(&mut answer).await.expect("an answer") > 0);

    let revoke = format!("/v1/keys/{}/revoke", realm.authority());
    place.control().post(&revoke, serde_json::json!({})).await;
    // From the answer on nothing is answered on a connection that was open; a moment later it is closed.
    asking.write_all(ALIVE).await.expect("a question");
    let length = asking.read(&mut answer).await.expect("an answer");
    assert!(answer[..length].starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer[..length]));
    let ended = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await.expect("the connection does not end");
    assert!(matches!(ended, Ok(0) | Err(_)), "something was said that was not asked");
    refuses(&place, || Some(realm.agent(600))).await;
    // Remit's own certificate is of the next authority already.
    let next = client(&place, Some(Realm::of(&place).agent(600)));
    let answer = ask(&next, place.at(CONTROL_MTLS_PORT)).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.stop().await;
}
