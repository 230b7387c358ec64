//! Signed webhooks, in the form of Standard Webhooks 1.0.0.

use std::fmt;

use anyhow::{Context, bail};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use remit_domain::Timestamp;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::notice::Notice;
use super::secret::Secret;
use super::{Undelivered, post};
use crate::config::WebhookConfig;

/// How long a secret is, in bytes (Standard Webhooks, "Signature scheme").
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// While one secret takes the place of another, notices are signed with both.
const KEYS_MAX: usize = 4;

/// An address that each notice is posted to.
pub struct Webhook {
    url: Url,
    keys: Vec<hmac::Key>,
    http: reqwest::Client,
}

impl Webhook {
    /// # Errors
    /// If its secret cannot be read or used.
    pub fn new(config: &WebhookConfig, http: reqwest::Client) -> anyhow::Result<Self> {
        let what = format!("the secret of `[[notify.webhook]]` `{}`", config.name);
        let source = config.secret().map_err(|refusal| anyhow::anyhow!(refusal.sentence))?;
        let keys = keys(&Secret::read(&source, &what)?).with_context(|| format!("{what} cannot be used"))?;
        Ok(Self { url: config.url.clone(), keys, http })
    }

    pub async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Undelivered> {
        let body =
            json!({"type": notice.kind, "timestamp": notice.at.to_string(), "data": notice.document}).to_string();
        let seconds = now.as_seconds();
        let request = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            // The same however often it is sent: a receiver that has seen it need not act again.
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signatures(&self.keys, &notice.id, seconds, &body));
        post(request.body(body)).await
    }
}

impl fmt::Debug for Webhook {
    /// Without its address, of which a part may be secret, and without its keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// One key for each line.
fn keys(secret: &Secret) -> anyhow::Result<Vec<hmac::Key>> {
    let lines = secret.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    let keys = lines.map(key).collect::<anyhow::Result<Vec<_>>>()?;
    if keys.len() > KEYS_MAX {
        bail!("there are more than {KEYS_MAX} secrets");
    }
    Ok(keys)
}

fn key(line: &str) -> anyhow::Result<hmac::Key> {
    let said = "a secret is `whsec_` and 24 to 64 bytes in base64";
    let Some(text) = line.strip_prefix("whsec_") else { bail!(said) };
    // What is wrong with it is not said: that would say something of it.
    let Ok(bytes) = STANDARD.decode(text).map(Zeroizing::new) else { bail!(said) };
    if !KEY_BYTES.contains(&bytes.len()) {
        bail!(said);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// One signature by each key, separated by spaces.
fn signatures(keys: &[hmac::Key], id: &str, seconds: i64, body: &str) -> String {
    let signed = format!("{id}.{seconds}.{body}");
    let one = |key: &hmac::Key| format!("v1,{}", STANDARD.encode(hmac::sign(key, signed.as_bytes())));
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
