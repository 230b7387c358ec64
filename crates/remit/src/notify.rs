//! Tells people that they are needed: by a program of the operator's choice, signed webhooks, Slack, and mail.
//!
//! INVARIANT: a notice leads to a page and can answer nothing itself; it holds no arguments and no secret, since it travels further than
//! the people who may see them. Each target is an effect of its own, with its own place in the ledger: none waits for another.

mod audience;
mod mail;
mod notice;
mod program;
mod secret;
mod slack;
#[cfg(test)]
mod tests;
mod webhook;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use remit_domain::Event;
use remit_engine::{Committed, Effect, Engine};
use reqwest::StatusCode;

use crate::caep::is_final;
use crate::config::NotifyConfig;
use mail::Mail;
use notice::Notice;
use program::Program;
pub use secret::Secret;
use slack::Slack;
use webhook::Webhook;

/// How long an address may take to answer one notice.
const POST_SECONDS_MAX: u64 = 10;

/// Tells one target everything that people are needed for, in order, until it is acknowledged.
#[derive(Debug)]
pub struct Notify {
    /// Its cursor's name: it lives as long as the program, and there are as many as the operator names.
    name: &'static str,
    target: Target,
    console_url: String,
    engine: Engine,
}

#[derive(Debug)]
enum Target {
    Program(Program),
    Webhook(Webhook),
    Slack(Slack),
    Mail(Box<Mail>),
}

/// Why a notice did not arrive. Neither says an address or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Undelivered {
    /// It may arrive later.
    Again(String),
    /// The same would be refused for ever.
    Never(String),
}

impl Notify {
    /// One for each target of the configuration.
    ///
    /// # Errors
    /// If a secret that it names cannot be read or used.
    pub fn each(config: &NotifyConfig, console_url: &str, engine: &Engine) -> anyhow::Result<Vec<Self>> {
        let mut targets = Vec::new();
        if let Some(program) = Program::new(&config.command) {
            targets.push(("notify".to_owned(), Target::Program(program)));
        }
        if !config.webhook.is_empty() || !config.slack.is_empty() {
            let http = http()?;
            for webhook in &config.webhook {
                let target = Target::Webhook(Webhook::new(webhook, http.clone())?);
                targets.push((format!("notify webhook {}", webhook.name), target));
            }
            for slack in &config.slack {
                let target = Target::Slack(Slack::new(slack, http.clone())?);
                targets.push((format!("notify slack {}", slack.name), target));
            }
        }
        if let Some(smtp) = &config.smtp {
            warn_of_strangers(smtp.addresses.keys(), engine);
            targets.push(("notify smtp".to_owned(), Target::Mail(Box::new(Mail::new(smtp)?))));
        }
        let one = |(name, target): (String, Target)| Self {
            name: name.leak(),
            target,
            console_url: console_url.to_owned(),
            engine: engine.clone(),
        };
        Ok(targets.into_iter().map(one).collect())
    }

    /// Asks anew each time whether it still matters, so that what was answered meanwhile keeps nothing waiting.
    async fn tell(&self, record: &Committed) -> Result<(), String> {
        let now = self.engine.now();
        let Some(notice) = Notice::of(record, &self.engine.state(), now, &self.console_url) else { return Ok(()) };
        let told = match &self.target {
            Target::Program(program) => program.tell(&notice).await,
            Target::Webhook(webhook) => webhook.tell(&notice, now).await,
            Target::Slack(slack) => slack.tell(&notice).await,
            Target::Mail(mail) => mail.tell(&notice).await,
        };
        match told {
            Ok(()) => Ok(()),
            Err(Undelivered::Again(why)) => Err(why),
            Err(Undelivered::Never(why)) => {
                tracing::error!(
                    target = self.name,
                    seq = record.seq,
                    why,
                    "a notice was refused, and is not sent again"
                );
                Ok(())
            }
        }
    }
}

impl Effect for Notify {
    fn name(&self) -> &'static str {
        self.name
    }

    fn concerns(&self, event: &Event) -> bool {
        Notice::is_of(event)
    }

    fn carry_out<'a>(&'a self, record: &'a Committed) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.tell(record))
    }
}

/// What posts notices: follows nobody elsewhere, and waits for nobody long.
fn http() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        // What a variable of the environment names must not stand between us and who is told.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(POST_SECONDS_MAX))
        .build()
        .context("cannot prepare to post notices")
}

/// Sends one notice. Nothing of the answer is read but its status.
async fn post(request: reqwest::RequestBuilder) -> Result<(), Undelivered> {
    let answer = request.send().await;
    // The address may be what opens it, so it is in no error.
    let answer = answer.map_err(|error| Undelivered::Again(error.without_url().to_string()))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status if is_final(status) => Err(Undelivered::Never(answered(status))),
        status => Err(Undelivered::Again(answered(status))),
    }
}

fn answered(status: StatusCode) -> String {
    format!("it answered {}", status.as_u16())
}

/// Says which addresses are nobody's, which is most often a slip of the pen.
fn warn_of_strangers<'a>(names: impl Iterator<Item = &'a String>, engine: &Engine) {
    let state = engine.state();
    for name in names.filter(|name| state.person_named(name).is_err()) {
        tracing::warn!(name, "`[notify.smtp.addresses]` names somebody who is not in this realm");
    }
}
