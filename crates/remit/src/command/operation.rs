//! `remit operation`: what is pinned of each tool, and how it is classified.

use clap::{Args, Subcommand};
use remit_domain::Verb;
use serde_json::{Map, Value, json};

use super::output::Column;
use super::who::When;
use super::{Client, Failure, Output, proposed};

const COLUMNS: &[Column] = &[
    ("operation", "/name"),
    ("verb", "/verb"),
    ("risk", "/risk"),
    ("data", "/data"),
    ("outside", "/external"),
    ("irreversible", "/irreversible"),
    ("approved by", "/approved_by"),
    ("approved", "/approved_at"),
    ("withdrawn", "/withdrawn"),
];

/// What to do with operations.
#[derive(Debug, Clone, Subcommand)]
pub enum OperationCommand {
    /// Lists approved operations.
    #[command(after_help = "Examples:\n  remit operation list\n  remit operation list --connector helpdesk")]
    List {
        /// Only those of this connector.
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
        #[command(flatten)]
        when: When,
    },
    /// Proposes another classification of an operation; its pinned definition stays as it is.
    #[command(
        after_help = "Examples:\n  remit operation classify helpdesk/refund_order --data-class D2 --risk 3 --irreversible\n  remit operation classify mail/send_mail --external yes --reason \"it writes to customers\""
    )]
    Classify(Classify),
}

/// A classification; what is left out stays as it is.
#[derive(Debug, Clone, Args)]
pub struct Classify {
    /// `connector/tool`
    operation: String,
    /// What it does: `read`, `write`, `send` or `execute`.
    #[arg(long)]
    verb: Option<Verb>,
    /// 0 (none) to 3 (high).
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=3))]
    risk: Option<u8>,
    /// Highest class of data that it reads or discloses.
    #[arg(long, value_name = "CLASS", value_parser = ["D0", "D1", "D2", "D3"])]
    data_class: Option<String>,
    /// Whether it reaches outside the organisation.
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, default_missing_value = "yes", value_parser = super::connector::yes_or_no)]
    external: Option<bool>,
    /// Whether nobody can undo what it does.
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, default_missing_value = "yes", value_parser = super::connector::yes_or_no)]
    irreversible: Option<bool>,
    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Classify {
    fn edit(&self) -> Map<String, Value> {
        let mut edit = Map::new();
        edit.insert("artefact".to_owned(), "operation".into());
        edit.insert("operation".to_owned(), self.operation.clone().into());
        let parts = [
            ("verb", self.verb.map(|verb| json!(verb))),
            ("risk", self.risk.map(|risk| json!(risk))),
            ("data", self.data_class.as_ref().map(|data| json!(data))),
            ("external", self.external.map(|external| json!(external))),
            ("irreversible", self.irreversible.map(|irreversible| json!(irreversible))),
        ];
        edit.extend(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        edit
    }
}

pub async fn run(command: OperationCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        OperationCommand::List { connector, when } => {
            let operations = client.as_of(when.as_of).list("/v1/operations", &[("connector", connector)]).await?;
            output.table(&operations, COLUMNS, "no operation is approved");
        }
        OperationCommand::Classify(classify) => {
            let edit = classify.edit();
            if edit.len() == 2 {
                return Err(Failure::Usage("nothing to change; say what it is with `--data-class`, `--risk`, `--verb`, `--external` or `--irreversible`".to_owned()));
            }
            let named = classify.operation.clone();
            let reason = classify.reason.unwrap_or_else(|| format!("classify `{named}` otherwise"));
            let answer = proposed::propose(client, vec![Value::Object(edit)], &reason, false).await?;
            proposed::told(output, &answer, &format!("{named} is classified so from the next call on"));
        }
    }
    Ok(())
}
