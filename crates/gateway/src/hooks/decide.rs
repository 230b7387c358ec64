//! Has an attempt decided for the one who enforces it: recorded like every other, and neither held nor forwarded.

use remit_domain::{ActionDenied, ActionId, AgentId, ApprovalId, Onlooker, Reachable, Refusal, Verdict};

use super::acting::Acting;
use super::denial::Denial;
use crate::attempt::{Asks, Attempt};
use crate::caller::Caller;
use crate::room::{Place, Room};
use crate::{Gateway, limits};

#[cfg(test)]
mod tests;

/// The code of a no that a person could turn.
const APPROVAL_REQUIRED: &str = "approval_required";

/// Who asks, and about whom.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub gateway: &'a Gateway,
    pub enforcer: &'a Caller,
    pub acting: &'a Acting,
}

impl Asking<'_> {
    /// Decides one exact action. A yes is durable before this returns; nothing else makes one.
    ///
    /// # Errors
    /// Every no, and whatever keeps it from being decided.
    pub async fn decide(&self, asks: Asks, approval: Option<ApprovalId>) -> Result<ActionId, Denial> {
        self.submit(asks, |attempt| attempt.presenting(approval)).await
    }

    /// The same for an action of which not all is known: where a rule asks a person, the answer is `unseen`, since nobody can approve what they
    /// cannot be shown.
    ///
    /// # Errors
    /// Every no, and whatever keeps it from being decided.
    pub async fn decide_without_people(&self, asks: Asks, unseen: Refusal) -> Result<ActionId, Denial> {
        self.submit(asks, Attempt::asking_nobody).await.map_err(|denial| match denial.refusal.code.as_str() {
            APPROVAL_REQUIRED => Denial { refusal: Box::new(unseen), ..denial },
            _ => denial,
        })
    }

    async fn submit(&self, asks: Asks, settle: impl FnOnce(Attempt) -> Attempt) -> Result<ActionId, Denial> {
        let Self { gateway, enforcer, acting } = self;
        let _place = enter(&gateway.room, acting.caller.agent)?;
        let attempt = Attempt::at(&gateway.engine, &acting.caller, asks).await?;
        let mut attempt = settle(attempt).enforced_by(enforcer.agent, acting.named);
        let receipt = attempt.submit(&gateway.engine, &acting.caller).await?;
        match Verdict::among(&receipt.events) {
            Some(Verdict::Allowed(allowed)) => Ok(allowed.action),
            Some(Verdict::Asked(requested)) => Err(self.waits(requested.action, requested.approval)),
            Some(Verdict::Denied(denied)) => Err(self.denied(denied)),
            None => Err(Denial::forbidden(Refusal::new("undecided", "nothing was decided"))),
        }
    }

    /// Lets a message on that nobody decides on at Remit's own doors either, such as a greeting: of a caller who could use something of
    /// `connectors`.
    ///
    /// # Errors
    /// If there is nothing that this caller could use.
    pub async fn may_pass(&self, connectors: Vec<String>) -> Result<(), Denial> {
        let Self { gateway, acting, .. } = self;
        if let Some(ended) = &acting.caller.ended {
            return Err(Denial::forbidden(ended.clone()));
        }
        let (state, now, task, named) =
            (gateway.engine.state(), gateway.engine.now(), acting.caller.task, acting.named);
        let reaches = aside(&gateway.room, acting.caller.agent, move || {
            let Ok(task) = state.task(task) else { return false };
            let onlooker = Onlooker { task, named };
            let mut operations = connectors.iter().flat_map(|connector| state.operations_of(connector));
            operations.any(|operation| remit_domain::reach(&state, onlooker, operation, now) != Reachable::Never)
        });
        if reaches.await? {
            return Ok(());
        }
        Err(Denial::doubt(
            "nothing_reachable",
            "there is nothing behind this address that the caller could use",
            "ask for a grant: `remit grant request`",
        ))
    }

    fn denied(&self, denied: &ActionDenied) -> Denial {
        match denied.approval {
            Some(approval) if denied.refusal.code == "approval_pending" => self.waits(denied.action, approval),
            approval => Denial { decision: Some(denied.action), approval, ..Denial::forbidden(denied.refusal.clone()) },
        }
    }

    /// A person has to say yes first.
    fn waits(&self, action: ActionId, approval: ApprovalId) -> Denial {
        let console = &self.gateway.settings.console_url;
        let sentence = format!("a person has to approve this action first: `{approval}` waits for an answer");
        let help = format!("it can be approved at {console}/approvals/{approval}; repeat the same request afterwards");
        Denial {
            decision: Some(action),
            approval: Some(approval),
            retry_after_seconds: Some(limits::HOOK_RETRY_SECONDS),
            ..Denial::forbidden(Refusal::new(APPROVAL_REQUIRED, sentence).help(help))
        }
    }
}

/// A place for a call of `agent`.
fn enter(room: &Room, agent: AgentId) -> Result<Place, Denial> {
    let busy = || Refusal::new("overloaded", "too many calls are under way").help("try again in a moment");
    room.enter(agent).ok_or_else(|| Denial::unavailable(busy()))
}

/// Does what takes milliseconds, such as deciding about some hundred tools, for a call of `agent`: not on a thread that others wait for.
///
/// INVARIANT: it has a place until it is done, whether or not somebody still waits for it. A client that hangs up makes no room for more.
///
/// # Errors
/// If there is no place for it, or it fails.
pub(super) async fn aside<T: Send + 'static>(
    room: &Room,
    agent: AgentId,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Denial> {
    let place = enter(room, agent)?;
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    done.await.map_err(|_| Denial::doubt("fault", "Remit failed while it looked at this request", "try again"))
}
