//! What an end brought about, and where it has taken effect: the receipt of a revocation.
//!
//! The commit is the moment from which nothing more is allowed. Streams, sockets and other systems follow by effects, each of
//! which says when it has done its part. A receipt tells both, and what could not be called back.

use std::collections::BTreeSet;

use remit_domain::{Actor, AgentId};
use remit_domain::{Command, Event, RecordEnforcement, TaskId, Timestamp};
use remit_identity::receipt;
use serde::Serialize;

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::store::index::Filter;

/// Tasks that a receipt names one by one; all of them are counted.
const TASKS_NAMED_MAX: usize = 64;
/// Things that could not be ended that a receipt names one by one.
const NAMED_MAX: usize = 256;
/// Records of one commit that a receipt reads.
const COMMIT_RECORDS_MAX: u64 = 1 << 20;

/// The points of enforcement, by the names of the effects that carry them out.
pub const POINTS: &[&str] = &["gateway-streams", "upstream-grants", "workload-api", "status-list", "caep"];

/// What was ended, when that took effect where, and what could not be ended.
#[derive(Debug, Clone, Serialize)]
pub struct RevocationReceipt {
    pub iss: String,
    pub iat: i64,
    pub cause: Cause,
    pub ended: Ended,
    pub took_effect: Vec<Point>,
    /// Points that have not reported yet: ask again.
    pub pending: Vec<String>,
    /// The last call that was accepted of what was ended; nothing if there was none.
    pub last_accepted: Option<Accepted>,
    /// Calls of what was ended that were accepted after the cause was committed. Always 0; counted, not assumed.
    pub accepted_after: u64,
    /// In sentences.
    pub not_revoked: Vec<String>,
}

/// The record that ended things.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    pub seq: u64,
    pub at: Timestamp,
    pub by: Actor,
    pub event: Event,
}

/// How many things ended in the commit.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ended {
    pub tasks: u64,
    /// The first of them.
    pub task_ids: Vec<TaskId>,
    pub agents: Vec<AgentId>,
    pub sessions: u64,
    pub grants: u64,
    pub keys: u64,
}

/// Where and when the end took effect.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    pub point: String,
    /// When it is known; the moment of the commit for decisions, tokens and the status list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub ended: u64,
}

/// One accepted call.
#[derive(Debug, Clone, Serialize)]
pub struct Accepted {
    pub seq: u64,
    pub at: Timestamp,
    pub action: String,
    pub operation: String,
}

impl Engine {
    /// Says that `point` has done its part of what `cause` ended. Where nothing was open there is nothing to say, unless Remit
    /// was restarted in between: then nobody else could tell what became of it.
    pub async fn report_enforcement(
        &self,
        cause: &Committed,
        point: &str,
        ended: u64,
        mut remaining: Vec<String>,
    ) -> Result<(), String> {
        if cause.at < self.inner.started_at {
            remaining
                .push("Remit was restarted before this was reported; what was open there ended with it".to_owned());
        }
        if ended == 0 && remaining.is_empty() {
            return Ok(());
        }
        let record = RecordEnforcement {
            agent: cause.record.event.agent(),
            cause: cause.seq,
            point: point.to_owned(),
            took_effect_at: self.now(),
            ended,
            remaining,
        };
        let command = Command::RecordEnforcement(Box::new(record));
        match self.submit(Actor::Remit, command).await {
            Ok(_) => Ok(()),
            // Asked again it would be refused again, and everything after it would wait for ever.
            Err(SubmitError::Refused(refusal)) => {
                tracing::error!(point, cause = cause.seq, %refusal, "what was enforced could not be recorded");
                Ok(())
            }
            Err(error) => Err(error.refusal().to_string()),
        }
    }

    /// The receipt of what the record at `seq` ended.
    ///
    /// # Errors
    /// If there is no such record, or if it ended nothing.
    pub async fn revocation_receipt(&self, seq: u64) -> Result<RevocationReceipt, SubmitError> {
        let unknown = || {
            let refusal = remit_domain::Refusal::new("not_a_revocation", format!("the record {seq} ended nothing"));
            SubmitError::from(refusal.help("give the `seq` that the answer of `end`, `suspend` or `revoke` named"))
        };
        let cause = self.record(seq).await?.ok_or_else(unknown)?;
        if !cause.record.event.is_cause() {
            return Err(unknown());
        }
        let follows = self.consequences(&cause).await?;
        let (ended, tasks) = tally(&cause, &follows);
        let mut took_effect = vec![
            Point { point: "decisions".to_owned(), at: Some(cause.at), ended: ended.tasks },
            Point { point: "tokens".to_owned(), at: Some(cause.at), ended: ended.tasks },
            // Made from the state whenever somebody asks for it.
            Point { point: "status-list".to_owned(), at: Some(cause.at), ended: ended.tasks },
        ];
        let (mut pending, mut not_revoked) = (Vec::new(), Vec::new());
        let reports = self.reports_about(&cause).await?;
        for name in self.points() {
            let own: Vec<_> = reports.iter().filter(|report| report.point == name).collect();
            for report in &own {
                took_effect.push(Point { point: name.clone(), at: Some(report.took_effect_at), ended: report.ended });
                not_revoked.extend(report.remaining.iter().map(|what| format!("{name}: {what}")));
            }
            if own.is_empty() && self.effect_has_passed(&name, seq) {
                took_effect.push(Point { point: name, at: None, ended: 0 });
            } else if own.is_empty() {
                pending.push(name);
            }
        }
        let calls = self.accepted(&cause, &ended, &tasks).await?;
        not_revoked.extend(calls.under_way);
        let further = not_revoked.len().saturating_sub(NAMED_MAX);
        if further > 0 {
            not_revoked.truncate(NAMED_MAX);
            not_revoked.push(format!("{further} further things"));
        }
        let realm = self.realm();
        Ok(RevocationReceipt {
            iss: realm.issuer,
            iat: self.now().as_seconds(),
            cause: Cause { seq, at: cause.at, by: cause.record.actor.clone(), event: cause.record.event.clone() },
            ended,
            took_effect,
            pending,
            last_accepted: calls.last,
            accepted_after: calls.after,
            not_revoked,
        })
    }

    /// The receipt, signed with the realm's token key.
    pub fn sign_receipt(&self, claims: &RevocationReceipt) -> Result<String, SubmitError> {
        let failed = |error: &dyn std::fmt::Display| SubmitError::ledger(&error.to_string());
        let keys = self.keys();
        let key = keys.signing().map_err(|error| failed(&error))?;
        receipt::sign(claims, key).map_err(|error| failed(&error))
    }

    /// What follows `cause` in its commit.
    async fn consequences(&self, cause: &Committed) -> Result<Vec<Committed>, SubmitError> {
        let mut follows = Vec::new();
        let mut from = cause.seq + 1;
        loop {
            let records = self.records(from, from + 1_024).await?;
            let read = records.len();
            for record in records {
                let own = record.at == cause.at
                    && record.record.actor == cause.record.actor
                    && record.record.event.can_follow(&cause.record.event);
                if !own || follows.len() as u64 >= COMMIT_RECORDS_MAX {
                    return Ok(follows);
                }
                follows.push(record);
            }
            if read < 1_024 {
                return Ok(follows);
            }
            from += read as u64;
        }
    }

    /// What the points have said about `cause`.
    async fn reports_about(&self, cause: &Committed) -> Result<Vec<remit_domain::Enforced>, SubmitError> {
        let about = Filter {
            kind: Some("Enforced".to_owned()),
            since: Some(cause.at.as_millis()),
            limit: 1_000,
            ..Filter::default()
        };
        let found = self.query(about).await?;
        let own = found.into_iter().filter_map(|committed| match committed.record.event {
            Event::Enforced(enforced) if enforced.cause == cause.seq => Some(*enforced),
            _ => None,
        });
        Ok(own.collect())
    }

    /// Calls that were accepted of what ended: the last before, those after, those still under way.
    async fn accepted(&self, cause: &Committed, ended: &Ended, tasks: &BTreeSet<TaskId>) -> Result<Calls, SubmitError> {
        let mut calls = Calls::default();
        for agent in &ended.agents {
            let by_agent = |before: Option<u64>, since: Option<i64>| Filter {
                kind: Some("ActionAllowed".to_owned()),
                agent: Some(agent.to_string()),
                before_seq: before,
                since,
                limit: 1_000,
                ..Filter::default()
            };
            for committed in self.query(by_agent(Some(cause.seq), None)).await? {
                if let Event::ActionAllowed(allowed) = &committed.record.event
                    && tasks.contains(&allowed.facts.task)
                {
                    let later = calls.last.as_ref().is_none_or(|last| last.seq < committed.seq);
                    if later {
                        calls.last = Some(Accepted {
                            seq: committed.seq,
                            at: committed.at,
                            action: allowed.action.to_string(),
                            operation: allowed.facts.operation.to_string(),
                        });
                    }
                    break;
                }
            }
            let after = self.query(by_agent(None, Some(cause.at.as_millis()))).await?;
            let own = |committed: &&Committed| {
                committed.seq > cause.seq
                    && matches!(&committed.record.event, Event::ActionAllowed(allowed) if tasks.contains(&allowed.facts.task))
            };
            calls.after += after.iter().filter(own).count() as u64;
        }
        let under_way = |action: &remit_domain::Action| tasks.contains(&action.task);
        calls.under_way = self.read(|state| {
            let open = state.actions.values().filter(|action| under_way(action));
            open.map(|action| format!("the call `{}` of `{}` had been sent before", action.id, action.operation))
                .collect()
        });
        Ok(calls)
    }
}

#[derive(Default)]
struct Calls {
    last: Option<Accepted>,
    after: u64,
    under_way: Vec<String>,
}

/// Counts what ended.
fn tally(cause: &Committed, follows: &[Committed]) -> (Ended, BTreeSet<TaskId>) {
    let (mut ended, mut tasks, mut agents) = (Ended::default(), BTreeSet::new(), BTreeSet::new());
    for event in std::iter::once(&cause.record.event).chain(follows.iter().map(|record| &record.record.event)) {
        agents.extend(event.agent());
        match event {
            Event::TaskEnded { task, .. } => drop(tasks.insert(*task)),
            Event::TokenRevoked { .. } => {}
            Event::SessionEnded { .. } => ended.sessions += 1,
            Event::GrantRevoked { .. } => ended.grants += 1,
            Event::AgentKeyRevoked { .. } => ended.keys += 1,
            _ => {}
        }
    }
    ended.tasks = tasks.len() as u64;
    ended.task_ids = tasks.iter().take(TASKS_NAMED_MAX).copied().collect();
    ended.agents = agents.into_iter().collect();
    (ended, tasks)
}
