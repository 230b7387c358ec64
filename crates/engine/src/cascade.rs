//! What an end brought about, and where it has taken effect: the receipt of a revocation.
//!
//! The commit is the moment from which nothing more is allowed. Streams, sockets and other systems follow by effects, each of
//! which says when it has done its part. A receipt tells both, and what could not be called back.

use std::collections::BTreeSet;

use remit_domain::{Actor, AgentId, Command, Event, RecordEnforcement, TaskId, Timestamp};
use remit_identity::receipt;
use serde::Serialize;

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::store::index::{Filter, QUERY_ROWS_MAX};

/// Tasks that a receipt names one by one; all of them are counted.
const TASKS_NAMED_MAX: usize = 64;
/// Things that could not be ended that a receipt names one by one.
const NAMED_MAX: usize = 256;
/// Records of one commit that a receipt reads.
const COMMIT_RECORDS_MAX: u64 = 1 << 20;
/// Pages of records that a receipt reads about the calls of one agent, on each side of the cause.
const PAGES_MAX: usize = 256;
/// How long others may keep a status list, in seconds: what has ended may be accepted there for so long.
pub const STATUS_LIST_KEPT_SECONDS: u64 = 15;

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
    /// The last call that was accepted of what was ended; nothing if there was none, or if they are not counted.
    pub last_accepted: Option<Accepted>,
    /// Calls of what was ended that were accepted after the cause was committed: 0, and counted, not assumed. Nothing where
    /// they cannot be told from others: calls are recorded with their task, not with their token or a key.
    pub accepted_after: Option<u64>,
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
            remaining: remaining.clone(),
        };
        // Asked again it would be refused again, and everything after it would wait for ever. Saying nothing would read as if
        // nothing had been open there.
        let plainly = RecordEnforcement {
            agent: None,
            remaining: vec!["what could not be ended was not recorded; the log of Remit says why".to_owned()],
            ..record.clone()
        };
        let submit = async |record| self.submit(Actor::Remit, Command::RecordEnforcement(Box::new(record))).await;
        let outcome = match submit(record).await {
            Err(SubmitError::Refused(refusal)) => {
                tracing::error!(point, cause = cause.seq, %refusal, ?remaining, "what was enforced could not be recorded");
                submit(plainly).await
            }
            outcome => outcome,
        };
        outcome.map(drop).map_err(|error| error.refusal().to_string())
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
        not_revoked.extend(calls.beyond);
        if ended.tasks > 0 || matches!(cause.record.event, Event::TokenRevoked { .. }) {
            let within = STATUS_LIST_KEPT_SECONDS;
            not_revoked.push(format!("verifiers elsewhere that keep the status list learn of it within {within} s"));
        }
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

    /// What the points have said about `cause`, however long ago that was.
    async fn reports_about(&self, cause: &Committed) -> Result<Vec<remit_domain::Enforced>, SubmitError> {
        let mut about = Filter {
            kind: Some("Enforced".to_owned()),
            since: Some(cause.at.as_millis()),
            limit: QUERY_ROWS_MAX,
            ..Filter::default()
        };
        let mut own = Vec::new();
        loop {
            let page = self.query(about.clone()).await?;
            about.before_seq = page.last().map(|oldest| oldest.seq);
            let is_last = page.len() < QUERY_ROWS_MAX || about.before_seq.is_some_and(|seq| seq <= cause.seq);
            own.extend(page.into_iter().filter_map(|committed| match committed.record.event {
                Event::Enforced(enforced) if enforced.cause == cause.seq => Some(*enforced),
                _ => None,
            }));
            if is_last {
                return Ok(own);
            }
        }
    }

    /// Calls that were accepted of what ended: the last before, those after, those still under way.
    async fn accepted(&self, cause: &Committed, ended: &Ended, tasks: &BTreeSet<TaskId>) -> Result<Calls, SubmitError> {
        let mut calls = Calls::default();
        if is_counted(&cause.record.event, tasks) {
            calls.after = Some(0);
            for of in sources(ended, tasks) {
                self.count(&mut calls, of, cause, tasks).await?;
            }
        }
        let under_way = |action: &remit_domain::Action| tasks.contains(&action.task);
        calls.beyond.extend(self.read(|state| {
            let open = state.actions.values().filter(|action| under_way(action));
            open.map(|action| format!("the call `{}` of `{}` had been sent before", action.id, action.operation))
                .collect::<Vec<_>>()
        }));
        Ok(calls)
    }

    /// Adds the calls of `tasks` among those that `of` finds.
    async fn count(
        &self,
        calls: &mut Calls,
        of: Filter,
        cause: &Committed,
        tasks: &BTreeSet<TaskId>,
    ) -> Result<(), SubmitError> {
        let accepted = |committed: &Committed| match &committed.record.event {
            Event::ActionAllowed(allowed) if tasks.contains(&allowed.facts.task) => Some(Accepted {
                seq: committed.seq,
                at: committed.at,
                action: allowed.action.to_string(),
                operation: allowed.facts.operation.to_string(),
            }),
            _ => None,
        };
        let (mut before, mut after) = (of.clone(), of);
        before.before_seq = Some(cause.seq);
        after.since = Some(cause.at.as_millis());
        for _ in 0..PAGES_MAX {
            let page = self.query(after.clone()).await?;
            let own = page.iter().filter(|committed| committed.seq > cause.seq && accepted(committed).is_some());
            calls.after = calls.after.map(|count| count + own.count() as u64);
            after.before_seq = page.last().map(|oldest| oldest.seq);
            if page.len() < after.limit || after.before_seq.is_some_and(|seq| seq <= cause.seq) {
                after.limit = 0;
                break;
            }
        }
        for _ in 0..PAGES_MAX {
            let page = self.query(before.clone()).await?;
            let newest = page.iter().find_map(accepted);
            before.before_seq = page.last().map(|oldest| oldest.seq);
            let is_found = newest.is_some() || page.len() < before.limit;
            // Older than what was found elsewhere: then nothing of this is the last.
            let known = calls.last.as_ref().map(|last| last.seq);
            let is_older = before.before_seq.is_some_and(|seq| known.is_some_and(|known| seq <= known));
            calls.last = calls.last.take().into_iter().chain(newest).max_by_key(|call| call.seq);
            if is_found || is_older {
                before.limit = 0;
                break;
            }
        }
        if after.limit > 0 {
            calls.after = None;
        }
        if before.limit > 0 || after.limit > 0 {
            calls.beyond.push("not all calls of what ended could be looked at for this receipt".to_owned());
        }
        Ok(())
    }
}

/// Whether the calls of what ended can be told from others: by their tasks. Those of one token, or of one key, cannot.
fn is_counted(cause: &Event, tasks: &BTreeSet<TaskId>) -> bool {
    let ends_tasks = matches!(
        cause,
        Event::AgentSuspended { .. }
            | Event::AgentDecommissioned { .. }
            | Event::RunRevoked { .. }
            | Event::TaskEnded { .. }
    );
    !tasks.is_empty() || ends_tasks
}

/// Where the calls of `tasks` are looked for: with each of them, or, where they are many, with their agents.
fn sources(ended: &Ended, tasks: &BTreeSet<TaskId>) -> Vec<Filter> {
    let kind = || Some("ActionAllowed".to_owned());
    let of = |agent, task| Filter { kind: kind(), agent, task, limit: QUERY_ROWS_MAX, ..Filter::default() };
    if tasks.len() <= TASKS_NAMED_MAX {
        return tasks.iter().map(|task| of(None, Some(task.to_string()))).collect();
    }
    ended.agents.iter().map(|agent| of(Some(agent.to_string()), None)).collect()
}

/// What is known of the calls of what ended.
#[derive(Default)]
struct Calls {
    last: Option<Accepted>,
    /// Nothing if they could not be counted.
    after: Option<u64>,
    /// In sentences: what was under way, and what was not looked at.
    beyond: Vec<String>,
}

/// Counts what ended.
fn tally(cause: &Committed, follows: &[Committed]) -> (Ended, BTreeSet<TaskId>) {
    let (mut ended, mut tasks, mut agents) = (Ended::default(), BTreeSet::new(), BTreeSet::new());
    for event in std::iter::once(&cause.record.event).chain(follows.iter().map(|record| &record.record.event)) {
        agents.extend(event.agent());
        match event {
            Event::TaskEnded { task, .. } => drop(tasks.insert(*task)),
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
