//! The socket and the connections on it.

use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use remit_domain::Process;
use remit_engine::{Engine, EventStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tonic::transport::server::Connected;

use crate::attest::Attestor;
use crate::enforce::Enforcement;
use crate::peer::Peer;
use crate::places::{Place, Places};
use crate::proto::spiffe_workload_api_server::SpiffeWorkloadApiServer;
use crate::service::{Service, must_know_us};
use crate::shared::Shared;
use crate::shim::Shim;
use crate::{changes, limits};

#[cfg(test)]
mod tests;

/// How long to wait after a connection could not be taken, as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How the Workload API is offered.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its socket is made. Everybody who reaches the directory may connect: who they are is seen, not asked.
    pub socket: PathBuf,
    /// Life of an X.509-SVID, in seconds. JWT-SVIDs live at most [`limits::JWT_SECONDS_MAX`].
    pub svid_seconds: u64,
}

impl Settings {
    /// A socket at `socket`, and the usual life.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), svid_seconds: limits::SVID_SECONDS_DEFAULT }
    }
}

/// The Workload API on its socket.
#[derive(Debug)]
pub struct Workloads {
    shared: Arc<Shared>,
    listener: UnixListener,
    records: Records,
    socket: PathBuf,
}

/// The ledger from the moment on at which the socket was made.
struct Records(EventStream);

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Records")
    }
}

impl Workloads {
    /// Makes the socket. Connections are taken from then on, and answered once [`Workloads::serve`] runs. Needs a runtime.
    ///
    /// # Errors
    ///
    /// If the path is taken by something that is not a socket, or by another server, or cannot be written.
    pub async fn bind(engine: Engine, settings: &Settings) -> io::Result<Self> {
        let listener = bind_socket(&settings.socket).await?;
        let records = Records(engine.watch(engine.head()));
        let shared = Arc::new(Shared::new(engine, settings.svid_seconds));
        Ok(Self { shared, listener, records, socket: settings.socket.clone() })
    }

    /// What reports to the ledger that withdrawn identities are no longer given out: for [`Engine::carry_out`], before serving.
    pub fn enforcement(&self) -> Enforcement {
        Enforcement { shared: Arc::clone(&self.shared) }
    }

    /// Answers until `until`, then ends the streams and removes the socket.
    pub async fn serve(self, until: impl Future<Output = ()> + Send) {
        let Self { shared, listener, records, socket } = self;
        let following = tokio::spawn(changes::follow(Arc::downgrade(&shared), records.0));
        let api = SpiffeWorkloadApiServer::new(Service { shared: Arc::clone(&shared) })
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX);
        let keepalive = Duration::from_secs(limits::KEEPALIVE_SECONDS);
        let serving = tonic::transport::Server::builder()
            .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
            .http2_max_header_list_size(u32::try_from(limits::HEADER_LIST_BYTES_MAX).ok())
            .http2_keepalive_interval(Some(keepalive))
            .http2_keepalive_timeout(Some(keepalive))
            .add_service(tonic::service::interceptor::InterceptedService::new(api, must_know_us))
            .serve_with_incoming_shutdown(incoming(listener, Arc::clone(&shared)), shared.stopping.cancelled());
        let closing = async {
            until.await;
            shared.stopping.cancel();
            tokio::time::sleep(Duration::from_secs(limits::CLOSING_SECONDS_MAX)).await;
        };
        tokio::select! {
            served = serving => if let Err(error) = served {
                tracing::error!(%error, "the Workload API has ended");
            },
            () = closing => tracing::debug!("connections were still open; they are dropped"),
        }
        shared.stopping.cancel();
        following.abort();
        if let Err(error) = std::fs::remove_file(&socket) {
            tracing::debug!(socket = %socket.display(), %error, "was already gone");
        }
    }
}

/// The process `pid` as [`remit_domain::Command::AttestLaunch`] wants it. Reads files, so it blocks.
///
/// # Errors
///
/// If there is no such process, or we may not look at it.
pub fn observe(pid: i32, now: remit_domain::Timestamp) -> io::Result<Process> {
    Attestor::default().observe(pid, now).map_err(io::Error::other)
}

/// Binds the socket for everybody: who connects is seen by the operating system and not kept out by it.
async fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is not a socket"));
        }
        // One that nobody answers is left over from a process that has ended.
        Ok(_) if UnixStream::connect(path).await.is_ok() => {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server answers there"));
        }
        Ok(_) => std::fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// A connection and who made it.
#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    peer: Peer,
    _place: Place,
}

/// The connections of processes that can be told.
fn incoming(
    listener: UnixListener,
    shared: Arc<Shared>,
) -> impl futures_util::Stream<Item = io::Result<Shim<Connection>>> {
    let (places, patience) = (Arc::new(Places::default()), Duration::from_secs(limits::FIRST_REQUEST_SECONDS_MAX));
    let accepted = stream::unfold((listener, places), |(listener, places)| async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(connection) = admit(stream, &places) {
                        return Some((connection, (listener, places)));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
    // Nobody waits for another user to be looked at.
    let told = accepted.map(move |connection| tell(connection, Arc::clone(&shared)));
    let told = told.buffer_unordered(limits::CONNECTIONS_MAX).filter_map(std::future::ready);
    told.map(move |connection| Ok(Shim::new(connection, patience)))
}

/// At once after it was made, so that little can have become of the process meanwhile.
fn admit(stream: UnixStream, places: &Arc<Places>) -> Option<Connection> {
    let peer = match Peer::of(&stream) {
        Ok(peer) => peer,
        Err(error) => {
            tracing::debug!(%error, "a connection is dropped: it cannot be told whose it is");
            return None;
        }
    };
    let Some(place) = places.enter(peer.uid, peer.pid) else {
        tracing::debug!(uid = peer.uid, pid = peer.pid, "a connection is dropped: too many are open");
        return None;
    };
    Some(Connection { stream, peer, _place: place })
}

/// Notes on a connection what its process was launched for; nothing where that cannot be told.
async fn tell(connection: Connection, shared: Arc<Shared>) -> Option<Connection> {
    let Connection { stream, peer, _place } = connection;
    let (uid, pid) = (peer.uid, peer.pid);
    match shared.admit(peer).await {
        Ok(peer) => Some(Connection { stream, peer, _place }),
        Err(error) => {
            tracing::debug!(uid, pid, %error, "a connection is dropped: it cannot be told what it was launched for");
            None
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
