//! Who asks: an agent of its own, which enforces what it is answered.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use remit_identity::x509::PeerSvid;
use tonic::{Request, Status};

use crate::Gateway;
use crate::caller::{Asked, Caller, Challenge, Unknown, identify};
use crate::door::Door;

/// The agent that makes this call, by its task token in the metadata `authorization`, or by the certificate of the connection.
///
/// # Errors
/// If nobody is known: then there is no answer at all.
pub(super) async fn known<T>(gateway: &Gateway, request: &Request<T>, path: &str) -> Result<Caller, Status> {
    if gateway.stopping.is_cancelled() {
        return Err(Status::unavailable("Remit is stopping"));
    }
    let headers = request.metadata().clone().into_headers();
    let extensions = request.extensions();
    let asked = Asked {
        method: "POST",
        path,
        address: None,
        door: &Door::All,
        legacy: None,
        peer: extensions.get::<PeerSvid>(),
        from: extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip()),
    };
    let caller = Box::pin(identify(gateway, &headers, asked)).await.map_err(|unknown| stranger(&unknown))?;
    match &caller.ended {
        Some(ended) => Err(Status::unauthenticated(ended.to_string())),
        None => Ok(caller),
    }
}

fn stranger(unknown: &Unknown) -> Status {
    let help = unknown.refusal.help.as_deref().unwrap_or_default();
    let sentence = format!("{}: {}; {help}", unknown.refusal.code, unknown.refusal);
    match unknown.challenge {
        Challenge::Patience => Status::unavailable(sentence),
        _ => Status::unauthenticated(sentence),
    }
}
