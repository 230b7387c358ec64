//! Streams that stay open: the whole set at once, again whenever it changes, and an end when the caller is nobody any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use remit_domain::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tonic::{Code, Response, Status};

use crate::changes::Change;
use crate::entitled;
use crate::limits;
use crate::peer::Peer;
use crate::shared::{Seen, Shared, nobody};
use crate::streams::Place;

/// The stream of an answer.
pub(crate) type Answers<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// A set of things as it is now.
#[derive(Debug)]
pub(crate) struct Composed<M> {
    pub message: M,
    /// When something in it has to be replaced.
    pub renew_at: Option<Timestamp>,
}

/// What a stream is about.
pub(crate) trait Subject: Send + Sync + 'static {
    type Message: Clone + PartialEq + Send + Sync + 'static;

    /// The whole set for a caller.
    fn compose(
        &self,
        shared: &Shared,
        seen: &Seen,
    ) -> impl Future<Output = Result<Composed<Self::Message>, Status>> + Send;
}

/// Opens a stream for `peer`. What is wrong with the first set is the answer itself.
pub(crate) async fn open<S: Subject>(
    shared: &Arc<Shared>,
    peer: Peer,
    subject: S,
) -> Result<Response<Answers<S::Message>>, Status> {
    // Before the first look, so that no change falls between.
    let changes = shared.changes.subscribe();
    let place = shared.streams.enter().ok_or_else(|| Status::unavailable("too many streams are open"))?;
    let (message, renew_at) = look(shared, &peer, &subject, &place).await?;
    let (latest, mut reader) = watch::channel(Ok(message));
    reader.mark_changed();
    let kept = Kept { shared: Arc::clone(shared), peer, subject, place, latest };
    tokio::spawn(kept.keep(changes, renew_at));
    Ok(Response::new(answers(reader)))
}

/// Always the latest set: a client that does not keep up has missed nothing that still holds.
fn answers<M: Clone + Send + Sync + 'static>(reader: watch::Receiver<Result<M, Status>>) -> Answers<M> {
    Box::pin(stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        reader.changed().await.ok()?;
        let next = reader.borrow_and_update().clone();
        let goes_on = next.is_ok();
        Some((next, goes_on.then_some(reader)))
    }))
}

async fn look<S: Subject>(
    shared: &Shared,
    peer: &Peer,
    subject: &S,
    place: &Place,
) -> Result<(S::Message, Option<Timestamp>), Status> {
    let seen = shared.see(peer).await?;
    let composed = subject.compose(shared, &seen).await?;
    place.hold(&seen.identities);
    // What ended after it was seen and before the place was noted would otherwise be heard by nobody.
    let now = shared.engine.now();
    if !shared
        .engine
        .read(|state| seen.identities.iter().all(|own| entitled::stands(state, own.agent, own.task(), now)))
    {
        return Err(nobody());
    }
    let ends_at = seen.identities.iter().filter_map(|identity| identity.ends_at);
    Ok((composed.message, composed.renew_at.into_iter().chain(ends_at).min()))
}

/// A stream that is kept up to date.
struct Kept<S: Subject> {
    shared: Arc<Shared>,
    peer: Peer,
    subject: S,
    place: Place,
    latest: watch::Sender<Result<S::Message, Status>>,
}

/// Why a stream looks again, or not.
enum Woken {
    Look,
    LookTwice,
    End(Status),
    Left,
}

impl<S: Subject> Kept<S> {
    async fn keep(self, mut changes: broadcast::Receiver<Change>, renew_at: Option<Timestamp>) {
        let mut pause = self.until(renew_at);
        loop {
            let woken = self.wait(&mut changes, pause).await;
            let twice = matches!(woken, Woken::LookTwice);
            match woken {
                Woken::Look | Woken::LookTwice => {}
                Woken::End(status) => return self.end(status),
                Woken::Left => return,
            }
            pause = match look(&self.shared, &self.peer, &self.subject, &self.place).await {
                Ok((message, renew_at)) => {
                    self.latest.send_if_modified(|latest| {
                        let changed = !matches!(latest, Ok(known) if *known == message);
                        if changed {
                            *latest = Ok(message);
                        }
                        changed
                    });
                    self.until(renew_at)
                }
                // Nothing can be made now; what was given out holds on as long as it stands.
                Err(status) if is_passing(&status) && self.stands() => Duration::from_secs(limits::RETRY_SECONDS),
                Err(_) => return self.end(nobody()),
            };
            if twice {
                pause = pause.min(Duration::from_millis(limits::KEY_SETTLES_MILLISECONDS));
            }
        }
    }

    async fn wait(&self, changes: &mut broadcast::Receiver<Change>, pause: Duration) -> Woken {
        let pause = tokio::time::sleep(pause);
        let ended = self.peer.ended();
        tokio::pin!(pause, ended);
        loop {
            tokio::select! {
                () = self.latest.closed() => return Woken::Left,
                () = self.shared.stopping.cancelled() => {
                    return Woken::End(Status::unavailable("Remit is stopping"));
                }
                () = &mut ended => return Woken::End(nobody()),
                () = &mut pause => return Woken::Look,
                change = changes.recv() => match change {
                    Ok(Change::Keys) => return Woken::LookTwice,
                    Ok(change) if change.concerns(&self.place.held()) => return Woken::Look,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Woken::Look,
                    Err(RecvError::Closed) => return Woken::End(Status::unavailable("Remit is stopping")),
                },
            }
        }
    }

    /// Whether all that was given out last still stands.
    fn stands(&self) -> bool {
        let (held, now) = (self.place.held(), self.shared.engine.now());
        self.shared.engine.read(|state| held.iter().all(|own| entitled::stands(state, own.agent, own.task, now)))
    }

    fn until(&self, renew_at: Option<Timestamp>) -> Duration {
        let longest = Duration::from_secs(limits::LOOK_AGAIN_SECONDS);
        let now = self.shared.engine.now();
        renew_at.map_or(longest, |at| Duration::from_millis(at.millis_since(now)).min(longest))
    }

    fn end(self, status: Status) {
        drop(self.latest.send_replace(Err(status)));
    }
}

/// Whether asking again later may help.
fn is_passing(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted)
}
