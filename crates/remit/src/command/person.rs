//! `remit person`: the humans of the realm.

use clap::Subcommand;
use remit_domain::Refusal;
use serde_json::{Value, json};

use super::address::path;
use super::output::{Column, text_at};
use super::receipt::WithReceipt;
use super::who::When;
use super::{Client, Failure, Output, duration_seconds, proposed};

const COLUMNS: &[Column] = &[("name", "/name"), ("groups", "/groups"), ("id", "/id"), ("added", "/added_at")];

const PASSKEY_COLUMNS: &[Column] =
    &[("passkey", "/label"), ("credential", "/credential"), ("backed up", "/backed_up"), ("added", "/added_at")];

/// What to do with people.
#[derive(Debug, Clone, Subcommand)]
pub enum PersonCommand {
    /// Adds a person.
    #[command(after_help = "Examples:\n  remit person add bob --group finance")]
    Add {
        name: String,
        /// A group that the person is in; may be given several times.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Lists people and their groups.
    #[command(after_help = "Examples:\n  remit person list")]
    List {
        #[command(flatten)]
        when: When,
    },
    /// Sets the groups of a person, in place of those before.
    #[command(after_help = "Examples:\n  remit person groups bob finance auditors")]
    Groups { name: String, groups: Vec<String> },
    /// Proposes what a person may reach directly, in place of what is on record; an agent that acts for them reaches no more than that
    /// where a policy says so.
    #[command(
        after_help = "Examples:\n  remit person entitle bob helpdesk/* crm/read_customer\n  remit person entitle bob --unrecorded"
    )]
    Entitle {
        name: String,
        /// `connector/tool`, or `connector/*` for all of a connector; none at all: nothing.
        operations: Vec<String>,
        /// What they may reach directly is not on record here.
        #[arg(long, conflicts_with = "operations")]
        unrecorded: bool,
        /// Why, in a sentence.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Removes a person, and ends everything in their name.
    #[command(after_help = "Examples:\n  remit person remove bob\n  remit person remove bob --receipt bob.receipt")]
    Remove {
        name: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
    /// Says who a person is at an issuer elsewhere, so that its signals about them are heeded.
    #[command(after_help = "Examples:\n  remit person link bob --issuer https://login.example.org --subject u-2041")]
    Link {
        name: String,
        /// The issuer's address.
        #[arg(long, value_name = "ISSUER")]
        issuer: String,
        /// What the issuer calls the person: its `sub`.
        #[arg(long, value_name = "SUBJECT")]
        subject: String,
    },
    /// Makes a one-time sign-in link for a person.
    #[command(after_help = "Examples:\n  remit person sign-in bob\n  remit person sign-in bob --ttl 2h")]
    SignIn {
        name: String,
        /// How long it can be used.
        #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
        ttl: Option<u64>,
    },
    /// Passkeys: what people sign in and say yes with.
    #[command(subcommand)]
    Passkey(PasskeyCommand),
    /// Makes a one-time link for somebody who has lost every passkey. On the machine that Remit runs on, by an administrator.
    #[command(after_help = "Examples:\n  remit person recover bob")]
    Recover {
        name: String,
        /// How long it can be used.
        #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
        ttl: Option<u64>,
    },
}

/// What to do with passkeys.
#[derive(Debug, Clone, Subcommand)]
pub enum PasskeyCommand {
    /// Lists a person's passkeys.
    #[command(after_help = "Examples:\n  remit person passkey list bob")]
    List { name: String },
    /// Removes a passkey, and ends the sessions that it began.
    #[command(after_help = "Examples:\n  remit person passkey remove AbCd… --reason \"lost\"")]
    Remove {
        /// As `remit person passkey list` shows it.
        credential: String,
        /// Why, in a sentence.
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
}

pub async fn run(command: PersonCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        PersonCommand::Add { name, groups } => {
            let person = client.post("/v1/people", json!({"name": name, "groups": groups})).await?;
            proposed::told(
                output,
                &person,
                &format!("added {name}; `remit person sign-in {name}` makes a sign-in link"),
            );
        }
        PersonCommand::List { when } => {
            output.table(&client.as_of(when.as_of).list("/v1/people", &[]).await?, COLUMNS, "nobody");
        }
        PersonCommand::Groups { name, groups } => {
            let person = client.put(&path(&["people", &name]), json!({"groups": groups})).await?;
            proposed::told(output, &person, &format!("{name} is in: {}", text_at(&person, "/groups")));
        }
        PersonCommand::Entitle { name, operations, unrecorded, reason } => {
            let operations = (!unrecorded).then_some(operations);
            let edit = json!({"artefact": "entitlements", "person": name, "operations": operations});
            let reason = reason.unwrap_or_else(|| format!("set what `{name}` may reach directly"));
            let answer = proposed::propose(client, vec![edit], &reason, false).await?;
            proposed::told(output, &answer, &format!("what {name} may reach directly is on record"));
        }
        PersonCommand::Remove { name, receipt } => {
            let address = path(&["people", &name]);
            receipt.around(client, output, client.delete(&address), &format!("removed {name}")).await?;
        }
        PersonCommand::Link { name, issuer, subject } => {
            let account = json!({"issuer": issuer, "subject": subject});
            let person = client.post(&path(&["people", &name, "links"]), account).await?;
            output.done(&person, &format!("{name} is {subject} of {issuer}"));
        }
        PersonCommand::SignIn { name, ttl } => {
            // A link for somebody with passkeys is a way past them, and is asked for by its own name.
            if has_passkey(client, &name).await? {
                let refusal =
                    Refusal::new("has_passkey", format!("`{name}` signs in with a passkey, and needs no link"));
                return Err(refusal.help(format!("if every passkey is lost: `remit person recover {name}`")).into());
            }
            offer(client, output, &name, ttl).await?;
            output.note("it works once; whoever has it signs in as this person");
        }
        PersonCommand::Passkey(command) => passkey(command, client, output).await?,
        PersonCommand::Recover { name, ttl } => {
            if !has_passkey(client, &name).await? {
                let refusal = Refusal::new("no_passkey", format!("`{name}` has no passkey that could be lost"));
                return Err(refusal.help(format!("`remit person sign-in {name}` makes a link")).into());
            }
            offer(client, output, &name, ttl).await?;
            output.note("it works once, and is on record; the passkey that is enrolled with it replaces all others");
        }
    }
    Ok(())
}

async fn offer(client: &Client, output: &Output, name: &str, ttl: Option<u64>) -> Result<(), Failure> {
    let offer = client.post(&path(&["people", name, "sign-in"]), json!({"ttl_seconds": ttl})).await?;
    output.card(&offer, &[("link", "/link"), ("code", "/code"), ("until", "/expires_at")]);
    Ok(())
}

async fn has_passkey(client: &Client, name: &str) -> Result<bool, Failure> {
    let passkeys = passkeys(client, name).await?;
    Ok(passkeys.get("items").and_then(Value::as_array).is_some_and(|items| !items.is_empty()))
}

async fn passkeys(client: &Client, name: &str) -> Result<Value, Failure> {
    client.list("/v1/passkeys", &[("person", Some(name.to_owned()))]).await
}

async fn passkey(command: PasskeyCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        PasskeyCommand::List { name } => {
            output.table(&passkeys(client, &name).await?, PASSKEY_COLUMNS, "no passkey");
        }
        PasskeyCommand::Remove { credential, reason } => {
            let address = path(&["passkeys", &credential]);
            let removed = client.delete_with(&address, json!({"reason": reason})).await?;
            output.done(&removed, "removed; what it opened has ended");
        }
    }
    Ok(())
}
