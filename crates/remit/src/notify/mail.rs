//! Mail to each person whom a notice is for, over SMTP (RFC 5321).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use remit_domain::PersonId;
use tokio::sync::Mutex;

use super::Undelivered;
use super::audience::Recipient;
use super::notice::Notice;
use super::secret::Secret;
use crate::config::{SmtpConfig, SmtpTls};

/// How long one step with the mail server may take, and how long one mail.
const STEP_SECONDS_MAX: u64 = 15;
const MAIL_SECONDS_MAX: u64 = 60;
/// Answers that say who we are was not believed (RFC 4954 section 6): the operator can put that right, so it is tried again.
const SIGN_IN_CODES: [u16; 4] = [530, 534, 535, 538];

/// A mail server, and who has which address.
pub struct Mail {
    from: Mailbox,
    addresses: BTreeMap<String, Address>,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// Who has got the notice that is being sent, so that a repetition is for the others only.
    told: Mutex<(String, BTreeSet<PersonId>)>,
}

impl Mail {
    /// # Errors
    /// If the password or the authorities cannot be read.
    pub fn new(config: &SmtpConfig) -> anyhow::Result<Self> {
        let refused = |refusal: remit_domain::Refusal| anyhow::anyhow!(refusal.sentence);
        let from = config.sender().map_err(refused)?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.server.clone())
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .port(config.port.unwrap_or_else(|| usual_port(config.tls)))
            .tls(tls(config)?)
            .timeout(Some(Duration::from_secs(STEP_SECONDS_MAX)));
        let password = config.password().map_err(refused)?;
        if let (Some(username), Some(source)) = (&config.username, password) {
            let password = Secret::read(&source, "the password of `[notify.smtp]`")?;
            transport = transport.credentials(Credentials::new(username.clone(), password.expose().to_owned()));
        }
        Ok(Self {
            from,
            addresses: config.people().map_err(refused)?,
            transport: transport.build(),
            told: Mutex::default(),
        })
    }

    /// Sends one mail to each. Whom the server refuses for good keeps nobody else waiting.
    pub async fn tell(&self, notice: &Notice) -> Result<(), Undelivered> {
        let mut told = self.told.lock().await;
        if told.0 != notice.id {
            *told = (notice.id.clone(), BTreeSet::new());
        }
        let mut again = None;
        for to in notice.to.iter().filter(|to| !told.1.contains(&to.person)).cloned().collect::<Vec<_>>() {
            let Some(address) = self.addresses.get(&to.name) else { continue };
            match self.send(notice, &to, address).await {
                Ok(()) => {}
                Err(Undelivered::Again(why)) => {
                    again = Some(why);
                    continue;
                }
                Err(Undelivered::Never(why)) => {
                    tracing::error!(person = to.name, why, "a mail was refused, and is not sent again");
                }
            }
            told.1.insert(to.person);
        }
        again.map_or(Ok(()), |why| Err(Undelivered::Again(why)))
    }

    async fn send(&self, notice: &Notice, to: &Recipient, address: &Address) -> Result<(), Undelivered> {
        let message = self.message(notice, to, address).map_err(Undelivered::Never)?;
        let sent = tokio::time::timeout(Duration::from_secs(MAIL_SECONDS_MAX), self.transport.send(message)).await;
        match sent {
            Err(_) => Err(Undelivered::Again("the mail server took too long".to_owned())),
            Ok(Err(error)) => Err(failed(&error)),
            Ok(Ok(_)) => Ok(()),
        }
    }

    fn message(&self, notice: &Notice, to: &Recipient, address: &Address) -> Result<Message, String> {
        let millis = u64::try_from(notice.at.as_millis()).unwrap_or(0);
        let message_id = format!("<{}.{}@{}>", notice.id, to.person, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(format!("Remit: {}", notice.headline))
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            // The same however often it is sent, so that a mailbox can tell.
            .message_id(Some(message_id))
            .header(Automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(text(notice))
            .map_err(|error| format!("the mail cannot be written: {error}"))
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("addresses", &self.addresses.len()).finish_non_exhaustive()
    }
}

/// Says that nobody wrote this, so that nobody's machine answers (RFC 3834 section 5).
#[derive(Clone)]
struct Automatic;

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// What the mail says. The one address in it is the page's.
fn text(notice: &Notice) -> String {
    let facts = notice.facts.iter().filter(|(_, text)| !text.is_empty());
    let facts: String = facts.map(|(name, text)| format!("{name}: {text}\n")).collect();
    format!(
        "{}\n\n{facts}\nLook at it here, after signing in:\n{}\n\nNothing can be answered by this mail.\n",
        notice.headline, notice.page
    )
}

/// What went wrong, without what either side said: that may hold the password or what was to be sent.
fn failed(error: &lettre::transport::smtp::Error) -> Undelivered {
    if let Some(code) = error.status().map(u16::from) {
        let why = format!("the mail server answered {code}");
        let is_final = error.is_permanent() && !SIGN_IN_CODES.contains(&code);
        return if is_final { Undelivered::Never(why) } else { Undelivered::Again(why) };
    }
    let why = match error {
        error if error.is_timeout() => "the mail server took too long",
        error if error.is_tls() => "the mail server cannot be spoken to in confidence: its certificate is not believed",
        error if error.is_client() => {
            "the mail server does not offer what is asked of it: encryption, or a way to sign in"
        }
        error if error.is_response() => "the mail server said what cannot be understood",
        _ => "the mail server cannot be reached",
    };
    Undelivered::Again(why.to_owned())
}

fn usual_port(tls: SmtpTls) -> u16 {
    match tls {
        SmtpTls::Starttls => 587,
        SmtpTls::Implicit => 465,
        SmtpTls::None => 25,
    }
}

/// Never taken if offered and left out if not: whoever stands between could leave it out.
fn tls(config: &SmtpConfig) -> anyhow::Result<Tls> {
    if config.tls == SmtpTls::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(config.server.clone());
    if let Some(path) = &config.roots {
        let what = || format!("cannot use the authorities in `{}`", path.display());
        let pem = std::fs::read(path).with_context(what)?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).with_context(what)?);
    }
    let parameters = parameters.build_rustls().context("cannot prepare to speak to the mail server")?;
    Ok(match config.tls {
        SmtpTls::Implicit => Tls::Wrapper(parameters),
        SmtpTls::Starttls | SmtpTls::None => Tls::Required(parameters),
    })
}

#[cfg(test)]
mod tests;
