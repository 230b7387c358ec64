//! When something has ended: has everything that was open for it let go, and puts on record when it had.
//!
//! The streams hear of the end themselves and at once; this comes after, in the ledger's order and again after a crash.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use remit_domain::{Event, TaskId};
use remit_engine::{Committed, Effect, Engine};

use crate::lives::Kind;
use crate::{Gateway, limits};

/// The gateway's points of enforcement.
pub(crate) fn effects(gateway: &Arc<Gateway>) -> Vec<Arc<dyn Effect>> {
    let point = |kind| Arc::new(Point { gateway: Arc::downgrade(gateway), kind }) as Arc<dyn Effect>;
    vec![point(Kind::Stream), point(Kind::Upstream)]
}

/// One of them.
struct Point {
    gateway: Weak<Gateway>,
    kind: Kind,
}

impl Effect for Point {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Stream => "gateway-streams",
            Kind::Upstream => "upstream-grants",
        }
    }

    fn points(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Stream => &["gateway-streams"],
            Kind::Upstream => &["upstream-grants"],
        }
    }

    fn concerns(&self, event: &Event) -> bool {
        event.is_cause()
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            match self.gateway.upgrade() {
                Some(gateway) => self.enforce(&gateway, record).await,
                // It is closing, and with it all that it had open.
                None => Ok(()),
            }
        })
    }
}

impl Point {
    async fn enforce(&self, gateway: &Arc<Gateway>, cause: &Committed) -> Result<(), String> {
        let tasks = ended_by(&gateway.engine, cause).await;
        tasks.iter().for_each(|task| gateway.cut(*task));
        if let Event::TokenRevoked { task, .. } = &cause.record.event {
            gateway.streams.end_of(*task);
        }
        let limit = Duration::from_secs(limits::ENFORCE_SECONDS_MAX);
        let in_time = tokio::time::timeout(limit, gateway.lives.closed(&tasks, self.kind)).await.is_ok();
        let cut = gateway.lives.was_cut(&tasks);
        let left = gateway.lives.left(&tasks).of(self.kind);
        let mut remaining = match self.kind {
            Kind::Stream => Vec::new(),
            // Whether an upstream has done what it was sent, or still does, is beyond this house.
            Kind::Upstream => cut.sent,
        };
        if !in_time && left > 0 {
            remaining.insert(
                0,
                match self.kind {
                    Kind::Stream => format!("{left} streams or answers whose clients have not let go"),
                    Kind::Upstream => format!("{left} calls whose upstreams have not let go"),
                },
            );
        }
        remaining.truncate(limits::CUT_WORDS_MAX);
        gateway.engine.report_enforcement(cause, self.name(), cut.counts.of(self.kind), remaining).await
    }
}

/// The tasks that ended with `cause`: itself, and what follows from it in the same commit.
async fn ended_by(engine: &Engine, cause: &Committed) -> Vec<TaskId> {
    // A commit is whole: whatever belongs to it is there.
    let head = engine.head();
    let mut records = engine.watch(cause.seq);
    let mut tasks = Vec::new();
    while let Some(record) = records.next().await {
        let event = &record.record.event;
        let another = record.at != cause.at
            || record.record.actor != cause.record.actor
            || event.is_cause() && !event.can_follow(&cause.record.event);
        if record.seq > cause.seq && another {
            break;
        }
        if let Event::TaskEnded { task, .. } = event {
            tasks.push(*task);
        }
        if record.seq + 1 >= head {
            break;
        }
    }
    tasks
}
