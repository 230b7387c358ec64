//! Who asks: an agent of its own, described as one that enforces what it is answered.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use remit_domain::Refusal;
use remit_identity::x509::PeerSvid;
use tonic::{Request, Status};

use super::denial::Denial;
use crate::Gateway;
use crate::caller::{Asked, Caller, Challenge, Unknown, identify};
use crate::door::Door;

/// An agent that asks, and may turn out to be none that may.
#[derive(Debug)]
pub(super) struct Known(Caller);

impl Known {
    /// The same as one that enforces what it is answered.
    ///
    /// # Errors
    /// If its own task has ended, or it may not ask about others: a no, and no error of the call. Otherwise who takes its mark from an enforcer, or
    /// suspends it, would open whatever gateway is told to let requests on when its question fails.
    pub fn enforcer(&self, gateway: &Gateway) -> Result<&Caller, Denial> {
        let Self(caller) = self;
        if let Some(ended) = &caller.ended {
            return Err(Denial::forbidden(ended.clone()));
        }
        let marked = gateway.engine.read(|state| state.agent(caller.agent)?.must_be_enforcer());
        marked.map_err(Denial::forbidden)?;
        Ok(caller)
    }
}

/// The agent that makes this call, by its task token in the metadata `authorization`, or by the certificate of the connection.
///
/// # Errors
/// If nobody is known: then there is no answer at all, to no kind of question.
pub(super) async fn known<T>(gateway: &Gateway, request: &Request<T>, path: &str) -> Result<Known, Status> {
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
    Box::pin(identify(gateway, &headers, asked)).await.map(Known).map_err(|unknown| stranger(&unknown))
}

fn stranger(unknown: &Unknown) -> Status {
    let sentence = sentence(&unknown.refusal);
    match unknown.challenge {
        Challenge::Patience => Status::unavailable(sentence),
        _ => Status::unauthenticated(sentence),
    }
}

fn sentence(refusal: &Refusal) -> String {
    let help = refusal.help.as_deref().unwrap_or_default();
    format!("{}: {refusal}; {help}", refusal.code)
}
