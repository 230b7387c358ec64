//! Tells other systems that something has ended: signed events, pushed to whoever the operator names (OpenID CAEP 1.0 and
//! Shared Signals Framework 1.0, delivered as in RFC 8935).

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use remit_domain::{AgentId, Event, RunId, TaskId};
use remit_engine::{Committed, Effect, Engine};
use remit_identity::SpiffeId;
use remit_identity::secevent::{self, MEDIA_TYPE, SecurityEvent, SubjectId, event_type};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use crate::config::ReceiverConfig;

#[cfg(test)]
mod tests;

/// How long a receiver may take for one event.
const PUSH_SECONDS_MAX: u64 = 10;

/// Pushes every end to one receiver, in order, until it is acknowledged.
#[derive(Debug)]
pub struct Caep {
    /// Its cursor's name, and its point's: they live as long as the program, and there are as many as the operator names.
    name: &'static str,
    points: &'static [&'static str],
    url: Url,
    bearer: Option<Zeroizing<String>>,
    http: reqwest::Client,
    engine: Engine,
}

impl Caep {
    /// One for each receiver of the configuration.
    ///
    /// # Errors
    /// If a variable that it names is not set.
    pub fn each(receivers: &[ReceiverConfig], engine: &Engine) -> anyhow::Result<Vec<Self>> {
        let http = reqwest::Client::builder()
            // What a variable of the environment names must not stand between us and who is asked or told.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(PUSH_SECONDS_MAX))
            .build()
            .context("cannot prepare to push events")?;
        let one = |(number, receiver): (usize, &ReceiverConfig)| {
            let variable = receiver.bearer_variable.as_deref();
            let bearer = variable.map(|name| {
                std::env::var(name)
                    .map(Zeroizing::new)
                    .with_context(|| format!("`[[signals.receiver]]` names the variable `{name}`, which is not set"))
            });
            let point: &'static str = if number == 0 { "caep" } else { format!("caep-{}", number + 1).leak() };
            Ok(Self {
                name: format!("caep {}", receiver.url).leak(),
                points: vec![point].leak(),
                url: receiver.url.clone(),
                bearer: bearer.transpose()?,
                http: http.clone(),
                engine: engine.clone(),
            })
        };
        receivers.iter().enumerate().map(one).collect()
    }

    async fn push(&self, record: &Committed) -> Result<(), String> {
        let Some((subject, kind, reason)) = self.told(&record.record.event) else { return Ok(()) };
        let realm = self.engine.realm();
        let mut about = json!({"event_timestamp": record.at.as_seconds(), "reason_admin": {"en": reason}});
        if kind == event_type::CREDENTIAL_CHANGE
            && let Some(members) = about.as_object_mut()
        {
            members.insert("credential_type".to_owned(), Value::from("x509"));
            members.insert("change_type".to_owned(), Value::from("revoke"));
        }
        let event = SecurityEvent {
            iss: realm.issuer.clone(),
            aud: self.url.to_string(),
            iat: self.engine.now().as_seconds(),
            // The same however often it is sent: a receiver that has seen it need not act again.
            jti: format!("{}/{}", realm.id, record.seq),
            sub_id: SubjectId::IssSub { iss: realm.issuer, sub: subject },
            events: BTreeMap::from([(kind.to_owned(), about)]),
        };
        let token = secevent::mint(&self.engine.keys(), &event).map_err(|error| error.to_string())?;
        let mut request = self.http.post(self.url.clone()).header("content-type", MEDIA_TYPE).body(token);
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer.as_str());
        }
        let answer = request.send().await.map_err(|error| format!("`{}`: {}", self.url, error.without_url()))?;
        let (status, point) = (answer.status(), self.points.first().copied().unwrap_or("caep"));
        if is_final(status) {
            tracing::error!(receiver = %self.url, seq = record.seq, %status, "an event was refused, and is not sent again");
            let refused = format!("the receiver refused it: {}", status.as_u16());
            return self.engine.report_enforcement(record, point, 0, vec![refused]).await;
        }
        if !status.is_success() {
            return Err(format!("`{}` answered {status}", self.url));
        }
        self.engine.report_enforcement(record, point, 1, Vec::new()).await
    }

    /// Whom it is about, what is said, and why.
    fn told(&self, event: &Event) -> Option<(String, &'static str, String)> {
        let ended =
            |subject: Option<String>, reason: &str| Some((subject?, event_type::SESSION_REVOKED, reason.to_owned()));
        match event {
            Event::AgentSuspended { agent, reason } => ended(self.agent(*agent), reason),
            Event::AgentDecommissioned { agent, reason } => {
                Some((self.agent(*agent)?, event_type::ACCOUNT_DISABLED, reason.clone()))
            }
            Event::AgentKeyRevoked { agent, thumbprint } => Some((
                self.agent(*agent)?,
                event_type::CREDENTIAL_CHANGE,
                format!("the key `{thumbprint}` was revoked"),
            )),
            Event::RunRevoked { agent, run, reason } => ended(self.run(*agent, *run), reason),
            Event::TokenRevoked { agent, task, .. } => ended(self.run_of(*agent, *task), "a token was revoked"),
            Event::TaskEnded { agent, task, .. } => ended(self.run_of(*agent, *task), "its task has ended"),
            Event::CodeReused { agent, task, .. } | Event::RefreshReused { agent, task, .. } => {
                ended(self.run_of(*agent, *task), "a one-time credential was used twice")
            }
            Event::PersonRemoved { person } => {
                Some((person.to_string(), event_type::ACCOUNT_DISABLED, "the person was removed".to_owned()))
            }
            Event::SignalReceived(signal) => {
                ended(signal.person.map(|person| person.to_string()), signal.kind.as_str())
            }
            Event::ClientRemoved { client } => ended(Some(client.to_string()), "the client was removed"),
            Event::RealmKeyStepped(stepped) => {
                let domain = self.engine.realm().trust_domain;
                let reason = format!("the realm's key `{}` was revoked", stepped.key);
                Some((format!("spiffe://{domain}"), event_type::CREDENTIAL_CHANGE, reason))
            }
            _ => None,
        }
    }

    fn agent(&self, agent: AgentId) -> Option<String> {
        let domain = self.engine.realm().trust_domain;
        self.engine.read(|state| state.agent(agent).ok().map(|agent| agent.spiffe_id(&domain)))
    }

    fn run(&self, agent: AgentId, run: RunId) -> Option<String> {
        let id = SpiffeId::parse(&format!("{}/run/{run}", self.agent(agent)?)).ok()?;
        Some(id.to_string())
    }

    fn run_of(&self, agent: AgentId, task: TaskId) -> Option<String> {
        let run = self.engine.read(|state| state.task(task).ok().map(|task| task.run));
        // A task that is forgotten ended so long ago that only its agent can be named.
        run.map_or_else(|| self.agent(agent), |run| self.run(agent, run))
    }
}

/// Whether the same event would be refused for ever (RFC 8935 section 2.3): then those after it must not wait for it. What the
/// operator can put right without changing the event (who we are, what we may do, how often) is tried again.
pub fn is_final(status: StatusCode) -> bool {
    let again =
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_client_error() && !again.contains(&status)
}

impl Effect for Caep {
    fn name(&self) -> &'static str {
        self.name
    }

    fn points(&self) -> &'static [&'static str] {
        self.points
    }

    fn concerns(&self, event: &Event) -> bool {
        event.is_cause()
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.push(record))
    }
}
