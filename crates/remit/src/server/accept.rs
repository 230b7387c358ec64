//! Accepts connections over TLS: a handshake within limits, then HTTP/1.1 or HTTP/2, whichever both sides know.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use remit_identity::x509::PeerSvid;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::peers::{Basis, Peers, Stranger};
use super::tls::H2;
use places::{Place, Places};

mod places;

/// Handshakes under way at a time; whoever comes then waits in the operating system's queue.
const HANDSHAKES_MAX: usize = 512;
/// How long a handshake may take.
const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// How long a connection of HTTP/1.1 may be without a whole request, and one of HTTP/2 without a sign of life. Longer than
/// clients keep a connection that they do not use, so that none is closed under a request.
const SILENT_SECONDS_MAX: u64 = 120;
/// How often it is looked whether the certificate of a connection still holds, beside with every request: it expires, and
/// authorities are revoked, under whatever is under way.
const PEER_CHECK_SECONDS: u64 = 5;
/// How long nothing is accepted after it failed: there are no more open files, most likely.
const PAUSE_SECONDS: u64 = 1;

/// A listener that speaks TLS only.
#[derive(Debug)]
pub struct Door {
    pub listener: TcpListener,
    pub config: Arc<ServerConfig>,
    /// Who may come, where everybody has to show a certificate.
    pub peers: Option<Peers>,
    pub router: Router,
}

/// Serves `door` until `stopping`; connections are tracked by `connections`, and finish what they are at.
pub async fn serve(door: Door, stopping: CancellationToken, connections: TaskTracker) {
    let Door { listener, config, peers, router } = door;
    let (acceptor, handshakes) = (TlsAcceptor::from(config), Arc::new(Semaphore::new(HANDSHAKES_MAX)));
    let places = Places::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &handshakes, &places) => accepted,
            () = stopping.cancelled() => return,
        };
        let Some((stream, address, under_way, place)) = accepted else { continue };
        let conversation =
            Conversation { address, peers: peers.clone(), router: router.clone(), stopping: stopping.clone() };
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            if let Some(stream) = handshake(&acceptor, stream, address, under_way).await {
                conversation.hold(stream).await;
            }
            drop(place);
        });
    }
}

/// The next connection, once there is room for it and its handshake. Nothing if it was gone again, or one too many.
async fn accept(
    listener: &TcpListener,
    handshakes: &Arc<Semaphore>,
    places: &Places,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit, Place)> {
    let room = places.room().await?;
    let under_way = Arc::clone(handshakes).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => match places.take(room, address.ip()) {
            Some(place) => Some((stream, address, under_way, place)),
            None => {
                tracing::info!(%address, "too many connections from one address");
                None
            }
        },
        Err(error) if is_of_the_connection(&error) => None,
        Err(error) => {
            tracing::error!(%error, "connections cannot be accepted");
            tokio::time::sleep(Duration::from_secs(PAUSE_SECONDS)).await;
            None
        }
    }
}

fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
    under_way: OwnedSemaphorePermit,
) -> Option<TlsStream<TcpStream>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may wait for each other");
    }
    let limit = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
    let outcome = tokio::time::timeout(limit, acceptor.accept(stream)).await;
    drop(under_way);
    match outcome {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::info!(%address, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::info!(%address, "a TLS handshake took too long");
            None
        }
    }
}

/// One connection after its handshake.
struct Conversation {
    address: SocketAddr,
    peers: Option<Peers>,
    router: Router,
    stopping: CancellationToken,
}

impl Conversation {
    async fn hold(self, stream: TlsStream<TcpStream>) {
        let guest = match self.guest(&stream) {
            Ok(guest) => guest.map(Arc::new),
            Err(error) => {
                tracing::info!(address = %self.address, %error, "a certificate holds no longer");
                return;
            }
        };
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
        let (builder, router, address) = (http(is_h2), self.router, self.address);
        let known = guest.clone();
        let service = service_fn(move |request| answer(router.clone(), address, known.clone(), request));
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let (mut unwelcome, mut asked_to_end) = (pin!(unwelcome(guest.as_deref())), false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%address, %error, "a connection broke");
                    }
                    return;
                }
                () = self.stopping.cancelled(), if !asked_to_end => {
                    asked_to_end = true;
                    connection.as_mut().graceful_shutdown();
                }
                // Whatever is under way ends too: its caller is nobody any more.
                () = unwelcome.as_mut() => return,
            }
        }
    }

    fn guest(&self, stream: &TlsStream<TcpStream>) -> Result<Option<Guest>, Stranger> {
        let Some(peers) = &self.peers else { return Ok(None) };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        let svid = peers.verify(&chain)?;
        Ok(Some(Guest { peers: peers.clone(), chain, svid, judged_by: Mutex::new(None) }))
    }
}

/// Who is at the other end, and how to tell whether that still holds.
struct Guest {
    peers: Peers,
    chain: Vec<CertificateDer<'static>>,
    svid: PeerSvid,
    /// What `chain` was last judged by, and found to hold; nothing before the first request.
    judged_by: Mutex<Option<Basis>>,
}

impl Guest {
    /// Whether the certificate holds for one more request: from the commit of a revocation on it does not, whatever was open.
    async fn is_welcome(&self) -> bool {
        // A machine that slept may have missed the time.
        if self.svid.not_after < self.peers.now() || !self.peers.in_step().await {
            return false;
        }
        // Before it is judged: a change in between is then seen with the next request.
        let basis = self.peers.basis(self.svid.id.trust_domain());
        let with = || self.judged_by.lock().unwrap_or_else(PoisonError::into_inner);
        if with().as_ref().is_some_and(|judged_by| judged_by.is(&basis)) {
            return true;
        }
        match self.peers.verify(&self.chain) {
            Ok(_) => {
                *with() = Some(basis);
                true
            }
            Err(error) => {
                tracing::info!(peer = %self.svid.id, %error, "a certificate holds no longer");
                false
            }
        }
    }
}

/// Returns when the guest's certificate holds no longer; never, where nobody had to show one.
async fn unwelcome(guest: Option<&Guest>) {
    let Some(guest) = guest else { return std::future::pending().await };
    loop {
        // One more, since the last second counts.
        let left_seconds = guest.svid.not_after.saturating_sub(guest.peers.now()).saturating_add(1);
        let wait_seconds = u64::try_from(left_seconds).unwrap_or(0).min(PEER_CHECK_SECONDS);
        tokio::time::sleep(Duration::from_secs(wait_seconds)).await;
        if let Err(error) = guest.peers.verify(&guest.chain) {
            tracing::info!(peer = %guest.svid.id, %error, "a certificate holds no longer, so its connection ends");
            return;
        }
    }
}

fn http(is_h2: bool) -> Builder<TokioExecutor> {
    let silent = Duration::from_secs(SILENT_SECONDS_MAX);
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if is_h2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(silent);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(silent);
    builder
}

/// Answers a request, which carries who sent it: `ConnectInfo<SocketAddr>`, and [`PeerSvid`] where a certificate was shown.
async fn answer(
    router: Router,
    address: SocketAddr,
    guest: Option<Arc<Guest>>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(address));
    // Cookies are for encrypted connections only, and what the sender says about that is not asked.
    request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
    if let Some(guest) = guest {
        if !guest.is_welcome().await {
            return Ok((StatusCode::UNAUTHORIZED, "the certificate of this connection holds no longer").into_response());
        }
        request.extensions_mut().insert(guest.svid.clone());
    }
    router.oneshot(request).await
}
