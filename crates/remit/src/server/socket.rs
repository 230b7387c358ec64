//! The data directory's socket: who is at its other end is what the operating system says.

use std::path::Path;

use anyhow::Context;
use axum::extract::{ConnectInfo, Request, connect_info::Connected};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

/// Binds the socket of the data directory. Only this directory's one writer comes here, so a leftover is of a dead process.
pub fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path).with_context(|| format!("cannot replace `{}`", path.display()))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on `{}`", path.display()))?;
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Who is at the other end of the socket.
#[derive(Debug, Clone, Copy)]
pub struct SocketPeer(Option<remit_api::Peer>);

impl Connected<IncomingStream<'_, UnixListener>> for SocketPeer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let peer = stream.io().peer_cred().ok();
        Self(peer.map(|peer| remit_api::Peer::Socket { uid: peer.uid(), pid: peer.pid() }))
    }
}

/// Tells the control plane who the connection is. Without that word it is nobody.
pub async fn vouch_for_peer(
    ConnectInfo(SocketPeer(peer)): ConnectInfo<SocketPeer>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}
