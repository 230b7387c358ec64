//! Slack's incoming webhooks, and those of programs that understand the same messages.

use std::fmt;

use anyhow::Context;
use serde_json::{Value, json};
use url::Url;

use super::notice::Notice;
use super::secret::Secret;
use super::{Undelivered, post};
use crate::config::{SlackConfig, check_address};

/// Longest `plain_text` of a header block.
const HEADER_CHARS_MAX: usize = 150;

/// A channel that each notice is posted to.
pub struct Slack {
    url: Url,
    http: reqwest::Client,
}

impl Slack {
    /// # Errors
    /// If its address cannot be read or used.
    pub fn new(config: &SlackConfig, http: reqwest::Client) -> anyhow::Result<Self> {
        let what = format!("the address of `[[notify.slack]]` `{}`", config.name);
        let source = config.url().map_err(|refusal| anyhow::anyhow!(refusal.sentence))?;
        let url: Url = Secret::read(&source, &what)?.expose().parse().with_context(|| format!("{what} is none"))?;
        check_address(&what, &url).map_err(|refusal| anyhow::anyhow!(refusal.sentence))?;
        Ok(Self { url, http })
    }

    pub async fn tell(&self, notice: &Notice) -> Result<(), Undelivered> {
        post(self.http.post(self.url.clone()).json(&message(notice))).await
    }
}

impl fmt::Debug for Slack {
    /// Without its address: who knows it may post there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").finish_non_exhaustive()
    }
}

/// The message. What others chose stands in `plain_text` only, where nothing is markup; the one link is ours.
fn message(notice: &Notice) -> Value {
    let plain = |text: String| json!({"type": "plain_text", "text": text, "emoji": false});
    let people: Vec<&str> = notice.to.iter().map(|to| to.name.as_str()).collect();
    let people = (!people.is_empty()).then(|| ("For", super::notice::shown(&people.join(", "))));
    let facts = notice.facts.iter().cloned().chain(people);
    let facts: Vec<Value> =
        facts.filter(|(_, text)| !text.is_empty()).map(|(name, text)| plain(format!("{name}: {text}"))).collect();
    let mut blocks = vec![json!({
        "type": "header",
        "text": plain(notice.headline.chars().take(HEADER_CHARS_MAX).collect()),
    })];
    if !facts.is_empty() {
        blocks.push(json!({"type": "section", "fields": facts}));
    }
    blocks.push(json!({
        "type": "section",
        "text": {"type": "mrkdwn", "text": format!("<{}|Look at it in Remit>", escaped(&notice.page)), "verbatim": true},
    }));
    json!({
        // What is shown where blocks are not, as in a notification.
        "text": escaped(&notice.headline),
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

/// As Slack escapes: without these three no link, mention or command can begin ("Formatting text for app surfaces").
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
