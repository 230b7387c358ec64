//! `remit receipt`, and `--receipt` of whatever ends something: what was ended, where and when that took effect, and what was left.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use remit_domain::Refusal;
use remit_identity::receipt::UnverifiedReceipt;
use remit_identity::{PublicJwk, json as strict};
use serde_json::{Value, json};

use super::address::{path, with_query};
use super::output::text_at;
use super::{Client, Failure, Global, Output, receipt_text};

/// How long a receipt is waited for until everything has reported, in seconds.
const WAIT_SECONDS: u64 = 10;

/// Whether a receipt is wanted, and where.
#[derive(Debug, Clone, Default, Args)]
pub struct WithReceipt {
    /// Waits until the end has taken effect everywhere, and says where and when. With FILE, the signed receipt is written there.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    receipt: Option<Option<PathBuf>>,
}

impl WithReceipt {
    /// Makes `change`, tells `sentence`, and then the receipt if it is wanted.
    pub async fn around(
        self,
        client: &Client,
        output: &Output,
        change: impl Future<Output = Result<Value, Failure>>,
        sentence: &str,
    ) -> Result<(), Failure> {
        let Some(file) = self.receipt else {
            output.done(&change.await?, sentence);
            return Ok(());
        };
        // Before the change: afterwards nobody could have it undone because a file is in the way.
        let file = file.map(NewFile::make).transpose()?;
        let mut answer = change.await?;
        output.note(sentence);
        if answer.get("unchanged").is_some() {
            let refusal = Refusal::new("not_a_revocation", "it had ended before, so there is no new receipt");
            return Err(refusal.help("`remit receipt show SEQ` shows an earlier one").into());
        }
        let seq = answer.get("seq").and_then(Value::as_u64).unwrap_or_default();
        let receipt = fetch(client, seq).await?;
        if let (Some(members), Some(receipt)) = (answer.as_object_mut(), receipt.as_object()) {
            members.extend(receipt.clone());
        }
        show(&answer, file, output)
    }
}

/// What to do with receipts.
#[derive(Debug, Clone, Subcommand)]
pub enum ReceiptCommand {
    /// Shows what an end brought about, by the number of its record.
    #[command(after_help = "Examples:\n  remit receipt show 1207\n  remit receipt show 1207 --output triage.receipt")]
    Show {
        seq: u64,
        /// A new file for the signed receipt.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Verifies a signed receipt, with the realm's keys.
    #[command(
        after_help = "Examples:\n  remit receipt verify triage.receipt\n  remit receipt verify triage.receipt --keys realm.jwks.json"
    )]
    Verify {
        #[arg(value_name = "FILE")]
        receipt: PathBuf,
        /// The realm's keys as you know them: what `/oauth/jwks` said. Then no server is asked.
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
}

pub async fn run(command: ReceiptCommand, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        ReceiptCommand::Show { seq, output: file } => {
            let file = file.map(NewFile::make).transpose()?;
            show(&fetch(&Client::open(global)?, seq).await?, file, output)
        }
        ReceiptCommand::Verify { receipt, keys } => verify(&receipt, keys.as_deref(), global, output).await,
    }
}

async fn fetch(client: &Client, seq: u64) -> Result<Value, Failure> {
    let address = path(&["receipts", &seq.to_string()]);
    client.get(&with_query(&address, &[("wait_seconds", Some(WAIT_SECONDS.to_string()))])).await
}

/// Tells what `answer` has as `receipt`, and writes what it has as `signed`.
fn show(answer: &Value, file: Option<NewFile>, output: &Output) -> Result<(), Failure> {
    let written = file.map(|file| file.write(&text_at(answer, "/signed"))).transpose()?;
    if output.is_json() {
        output.document(answer);
        return Ok(());
    }
    let nothing = Value::Null;
    receipt_text::show(answer.get("receipt").unwrap_or(&nothing), output);
    if let Some(file) = written {
        let file = file.display();
        output.note(&format!("the signed receipt is in {file}; `remit receipt verify {file}` verifies it"));
    }
    Ok(())
}

/// A file that was not there before. It goes away again if nothing is written to it.
struct NewFile {
    path: PathBuf,
    file: Option<File>,
}

impl NewFile {
    fn make(path: PathBuf) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| Failure::new_file(&path, &error, "--receipt"))?;
        Ok(Self { path, file: Some(file) })
    }

    fn write(mut self, text: &str) -> Result<PathBuf, Failure> {
        if let Some(file) = &mut self.file {
            let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
            written.map_err(|error| Failure::file("write", &self.path, &error))?;
        }
        self.file = None;
        Ok(self.path.clone())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.is_some()
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "an empty file stays behind");
        }
    }
}

async fn verify(file: &Path, keys: Option<&Path>, global: &Global, output: &Output) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
    let not_one = |error: &dyn std::fmt::Display| {
        let sentence = format!("`{}` is not a receipt of this realm: {error}", file.display());
        Refusal::new("not_a_receipt", sentence)
            .help("do not rely on it; `remit receipt show SEQ` shows what the realm says")
    };
    let receipt = UnverifiedReceipt::parse(text.trim()).map_err(|error| not_one(&error))?;
    let kid = receipt.kid().unwrap_or_default().to_owned();
    let key = match keys {
        Some(keys) => key_in(keys, &kid)?,
        None => key_of(&Client::open(global)?.get("/v1/keys").await?, &kid)?,
    };
    let key = PublicJwk::parse(&key.ok_or_else(|| not_one(&format!("no key is named `{kid}`")))?);
    let key = key.map_err(|error| not_one(&error))?;
    let claims = receipt.verify(&key).map_err(|error| not_one(&error))?;
    let receipt = Value::Object(claims.as_map().clone());
    if output.is_json() {
        output.document(&json!({"verified": true, "key": kid, "receipt": receipt}));
        return Ok(());
    }
    receipt_text::show(&receipt, output);
    let whose = match keys {
        Some(keys) => format!("the key `{kid}` of {}", keys.display()),
        None => format!("the realm's key `{kid}`, as its server names it; `--keys` takes those that you know"),
    };
    output.note(&format!("verified: signed by {whose}"));
    Ok(())
}

/// The key named `kid` in a file with a JWK Set (RFC 7517 section 5).
fn key_in(file: &Path, kid: &str) -> Result<Option<Value>, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::file("read", file, &error))?;
    let set = strict::parse(&bytes).map_err(|error| {
        let sentence = format!("`{}` is not a set of keys: {error}", file.display());
        Refusal::new("not_keys", sentence).help("`/oauth/jwks` of the control plane gives one")
    })?;
    let keys = set.get("keys").and_then(Value::as_array);
    let named = |key: &&Value| key.get("kid").and_then(Value::as_str) == Some(kid);
    Ok(keys.and_then(|keys| keys.iter().find(named)).cloned())
}

/// The key named `kid` among all that the realm ever had. What a revoked one signed proves nothing.
fn key_of(keys: &Value, kid: &str) -> Result<Option<Value>, Failure> {
    let all = keys.get("all").and_then(Value::as_array);
    let found = all.and_then(|all| all.iter().find(|key| key.get("key").and_then(Value::as_str) == Some(kid)));
    let Some(found) = found else { return Ok(None) };
    if text_at(found, "/step") == "revoked" {
        let sentence = format!("the receipt is signed by the key `{kid}`, which was revoked");
        return Err(Refusal::new("key_revoked", sentence).help("ask for it again: `remit receipt show SEQ`").into());
    }
    Ok(found.get("public").cloned())
}

#[cfg(test)]
mod tests;
