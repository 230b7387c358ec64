//! Who is told when people are needed, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lettre::Address;
use lettre::message::Mailbox;
use remit_domain::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::CODE;
use super::source::once;

/// Longest name of a target.
const NAME_BYTES_MAX: usize = 64;

/// `[notify]`: who is told that people are needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// A program, with arguments, that gets one JSON document on its standard input for every notice.
    pub command: Vec<String>,
    /// Addresses that every notice is posted to, signed.
    pub webhook: Vec<WebhookConfig>,
    /// Incoming webhooks of Slack, or of what understands the same messages.
    pub slack: Vec<SlackConfig>,
    /// The mail server through which each notice goes to the people whom it is for.
    pub smtp: Option<SmtpConfig>,
}

/// `[[notify.webhook]]`: an address that notices are posted to, signed as Standard Webhooks 1.0.0 says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// What it is called here. It names how far it has been told, so a new name begins anew.
    pub name: String,
    /// `https://`, or a server of this machine.
    #[schemars(with = "String")]
    pub url: Url,
    /// A file with the secret that its notices are signed with, `whsec_` and 24 to 64 bytes in base64. Each further line is a
    /// further secret to sign with, while one takes the place of another.
    pub secret_file: Option<PathBuf>,
    /// The name of a variable that holds it.
    pub secret_variable: Option<String>,
}

/// `[[notify.slack]]`: an incoming webhook. Who knows its address may post there, so it is a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// What it is called here. It names how far it has been told, so a new name begins anew.
    pub name: String,
    /// A file with the address.
    pub url_file: Option<PathBuf>,
    /// The name of a variable that holds it.
    pub url_variable: Option<String>,
}

/// `[notify.smtp]`: the mail server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name, as its certificate says it.
    pub server: String,
    /// 587 with `starttls`, 465 with `implicit` and 25 with `none` if not given.
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: SmtpTls,
    /// Whom the mails are from: `remit@example.com` or `Remit <remit@example.com>`.
    pub from: String,
    /// As whom to sign in there, if one has to.
    pub username: Option<String>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// The name of a variable that holds it.
    pub password_variable: Option<String>,
    /// A PEM file with further authorities for its certificate.
    pub roots: Option<PathBuf>,
    /// The address of each person by their name in Remit. Who is not listed gets no mail.
    #[serde(default)]
    pub addresses: BTreeMap<String, String>,
}

/// How mails are kept from being read on the way to the mail server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// Asked for by STARTTLS (RFC 3207); without it nothing is sent.
    #[default]
    Starttls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all: for a server of this machine only.
    None,
}

/// Where something is read that must not stand in `remit.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    File(PathBuf),
    Variable(String),
}

impl NotifyConfig {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.webhook.iter().try_for_each(WebhookConfig::check)?;
        once("[[notify.webhook]]", "name", self.webhook.iter().map(|to| to.name.as_str()))?;
        self.slack.iter().try_for_each(SlackConfig::check)?;
        once("[[notify.slack]]", "name", self.slack.iter().map(|to| to.name.as_str()))?;
        self.smtp.iter().try_for_each(SmtpConfig::check)
    }
}

impl WebhookConfig {
    /// Where its secret is.
    ///
    /// # Errors
    /// If there is not exactly one source.
    pub fn secret(&self) -> Result<SecretSource, Refusal> {
        let table = format!("`[[notify.webhook]]` `{}`", self.name);
        one(&table, "secret", self.secret_file.as_ref(), self.secret_variable.as_ref())
    }

    fn check(&self) -> Result<(), Refusal> {
        check_name("notify.webhook", &self.name)?;
        self.secret()?;
        check_address(&format!("`url` of `[[notify.webhook]]` `{}`", self.name), &self.url)
    }
}

impl SlackConfig {
    /// Where its address is.
    ///
    /// # Errors
    /// If there is not exactly one source.
    pub fn url(&self) -> Result<SecretSource, Refusal> {
        one(&format!("`[[notify.slack]]` `{}`", self.name), "url", self.url_file.as_ref(), self.url_variable.as_ref())
    }

    fn check(&self) -> Result<(), Refusal> {
        check_name("notify.slack", &self.name)?;
        self.url().map(|_| ())
    }
}

impl SmtpConfig {
    /// Where the password is, if one signs in.
    ///
    /// # Errors
    /// If a name is given without a password, or a password without a name.
    pub fn password(&self) -> Result<Option<SecretSource>, Refusal> {
        let given = self.password_file.is_some() || self.password_variable.is_some();
        if self.username.is_none() && !given {
            return Ok(None);
        }
        if self.username.is_none() {
            return Err(Refusal::new(CODE, "`[notify.smtp]` has a password and no `username`")
                .help("give both, or none of them"));
        }
        one("`[notify.smtp]`", "password", self.password_file.as_ref(), self.password_variable.as_ref()).map(Some)
    }

    fn check(&self) -> Result<(), Refusal> {
        self.password()?;
        self.sender()?;
        self.people()?;
        if self.tls == SmtpTls::None && !is_of_this_machine(&self.server) {
            let sentence =
                format!("`notify.smtp.tls` is `none`, and anybody on the way to `{}` could read along", self.server);
            return Err(Refusal::new(CODE, sentence).help("use `starttls` or `implicit`"));
        }
        Ok(())
    }

    /// Whom mails are from.
    ///
    /// # Errors
    /// If that is no address.
    pub fn sender(&self) -> Result<Mailbox, Refusal> {
        self.from.parse().map_err(|_| {
            Refusal::new(CODE, format!("`notify.smtp.from` is `{}`, which is not an address of mail", self.from))
                .help("write `remit@example.com` or `Remit <remit@example.com>`")
        })
    }

    /// The address of each person, by name.
    ///
    /// # Errors
    /// If one is no address.
    pub fn people(&self) -> Result<BTreeMap<String, Address>, Refusal> {
        let one = |(name, address): (&String, &String)| match address.parse() {
            Ok(address) => Ok((name.clone(), address)),
            Err(_) => Err(Refusal::new(
                CODE,
                format!("`notify.smtp.addresses` gives `{name}` `{address}`, which is not an address of mail"),
            )
            .help("write `name@example.com`")),
        };
        self.addresses.iter().map(one).collect()
    }
}

/// The one source of the two that a table names as `KIND_file` and `KIND_variable`.
fn one(table: &str, kind: &str, file: Option<&PathBuf>, variable: Option<&String>) -> Result<SecretSource, Refusal> {
    match (file, variable) {
        (Some(file), None) => Ok(SecretSource::File(file.clone())),
        (None, Some(variable)) => Ok(SecretSource::Variable(variable.clone())),
        _ => Err(Refusal::new(CODE, format!("{table} has to name one source of its {kind}"))
            .help(format!("give either `{kind}_file` or `{kind}_variable`"))),
    }
}

/// A name stands in logs and names a place in the ledger, so it has one plain form.
fn check_name(table: &str, name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain) {
        return Ok(());
    }
    Err(Refusal::new(CODE, format!("a `name` of `[[{table}]]` cannot be used"))
        .help("use up to 64 lower-case letters, digits, `-` and `_`"))
}

/// Refuses what could be read or changed on the way. Says nothing of the address itself, which may hold what opens it.
pub fn check_address(what: &str, url: &Url) -> Result<(), Refusal> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::new(CODE, format!("{what} holds a name or a password"))
            .help("take them out; notices are signed instead"));
    }
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && local)) {
        return Ok(());
    }
    Err(Refusal::new(CODE, format!("{what} could be read by anybody on the way"))
        .help("use an `https://` address; `http://` is for servers of this machine only"))
}

fn is_of_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
