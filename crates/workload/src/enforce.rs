//! Reports that what was withdrawn is no longer given out, and what of it verifies elsewhere until its own end.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use remit_domain::{Event, SvidKind, limits as domain_limits};
use remit_engine::{Committed, Effect};

use crate::issue::{Forgotten, Withdrawn};
use crate::limits;
use crate::shared::Shared;
use crate::streams::Cut;

/// How long to wait for the streams that are cut, before those that remain are reported.
const CUT_PATIENCE: Duration = Duration::from_secs(limits::CUT_SECONDS_MAX);

/// What this point of enforcement is called.
pub const POINT: &str = "workload-api";

/// Waits, for each cause, until the streams that it cuts have ended, and records that.
#[derive(Debug)]
pub struct Enforcement {
    pub(crate) shared: Arc<Shared>,
}

impl Effect for Enforcement {
    fn name(&self) -> &'static str {
        POINT
    }

    fn points(&self) -> &'static [&'static str] {
        &[POINT]
    }

    fn concerns(&self, event: &Event) -> bool {
        event.is_cause()
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.report(record))
    }
}

impl Enforcement {
    async fn report(&self, record: &Committed) -> Result<(), String> {
        let engine = &self.shared.engine;
        let (head, state, now) = (engine.head(), engine.state(), engine.now());
        let cut = self.shared.streams.cut_by(record.seq, head, &state, now, CUT_PATIENCE).await;
        let issuer = &self.shared.issuer;
        let forgotten = issuer.forgotten(&state, &record.record.event, now);
        let remaining = remaining(cut, forgotten, issuer.withdraw(&state, now));
        engine.report_enforcement(record, POINT, cut.streams.saturating_sub(cut.remaining), remaining).await
    }
}

/// What could not be ended, in words. Of each identity and kind, the SVID that ends last.
fn remaining(cut: Cut, forgotten: Forgotten, withdrawn: Vec<Withdrawn>) -> Vec<String> {
    let mut remaining = Vec::new();
    if cut.remaining > 0 {
        remaining.push(format!("{} streams have not ended yet", cut.remaining));
    }
    // Before those that are known by name, so that however many these are, nobody takes them for all.
    remaining.extend(forgotten.before_start.map(|until| {
        format!("documents handed out before the restart verify until at most {until} where Remit is not asked")
    }));
    remaining.extend(forgotten.dropped.map(|until| {
        format!("documents that are no longer remembered verify until at most {until} where Remit is not asked")
    }));
    let mut last = BTreeMap::new();
    for svid in withdrawn {
        let what = match svid.kind {
            SvidKind::X509 => "certificates",
            SvidKind::Jwt => "tokens",
        };
        let until = last.entry((svid.id, what)).or_insert(svid.expires_at);
        *until = svid.expires_at.max(*until);
    }
    let sentences = last.into_iter().map(|((id, what), until)| {
        format!("{what} of {id} that were handed out verify until {until} where Remit is not asked")
    });
    remaining.extend(sentences);
    remaining.retain(|sentence| sentence.len() <= domain_limits::FACT_BYTES_MAX);
    remaining.truncate(domain_limits::FACTS_MAX);
    remaining
}
