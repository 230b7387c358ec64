//! `remit doctor`: looks for what is wrong, and says what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Args;
use remit_domain::Refusal;
use serde_json::{Value, json};

use super::output::text_at;
use super::{Client, Failure, Global, Output};

/// How thoroughly.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit doctor\n  remit doctor --ledger")]
pub struct DoctorArgs {
    /// Also verifies the whole ledger in the data directory.
    #[arg(long)]
    ledger: bool,
}

/// What one look came to.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    /// What was seen, or what is wrong.
    seen: Result<String, String>,
    help: &'static str,
}

pub async fn run(arguments: &DoctorArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let mut findings = Vec::new();
    if global.url.is_none() {
        findings.extend(directory(&global.data));
    }
    findings.extend(server(global).await);
    if arguments.ledger {
        findings.push(ledger(&global.data));
    }
    let wrong = findings.iter().filter(|finding| finding.seen.is_err()).count();
    if output.is_json() {
        let items = findings.iter().map(|finding| {
            let seen = finding.seen.as_ref().unwrap_or_else(|wrong| wrong);
            json!({"what": finding.what, "fine": finding.seen.is_ok(), "seen": seen, "help": finding.help})
        });
        output.document(&json!({"fine": wrong == 0, "items": items.collect::<Vec<_>>()}));
    } else {
        for finding in &findings {
            match &finding.seen {
                Ok(seen) => output.note(&format!("fine   {}: {seen}", finding.what)),
                Err(wrong) => {
                    output.note(&format!("WRONG  {}: {wrong}", finding.what));
                    output.note(&format!("       help: {}", finding.help));
                }
            }
        }
    }
    if wrong == 0 {
        return Ok(());
    }
    Err(Refusal::new("something_wrong", format!("{wrong} of {} looks found something wrong", findings.len())).into())
}

fn directory(data: &Path) -> Vec<Finding> {
    let place = data.display();
    let metadata = match std::fs::metadata(data) {
        Ok(metadata) => metadata,
        Err(error) => {
            let seen = Err(format!("`{place}`: {error}"));
            return vec![Finding {
                what: "data directory",
                seen,
                help: "start with `remit up`, or name it with `--data DIR`",
            }];
        }
    };
    let mode = metadata.permissions().mode() & 0o777;
    let private = if mode & 0o077 == 0 {
        Ok(format!("`{place}`, for its user only"))
    } else {
        Err(format!("`{place}` is open to others (mode {mode:o})"))
    };
    vec![Finding { what: "data directory", seen: private, help: "take the rights of others away: chmod go= DIR" }]
}

async fn server(global: &Global) -> Vec<Finding> {
    let help = "start it with `remit up`, or correct `--data` or `--url`";
    let client = match Client::open(global) {
        Ok(client) => client,
        Err(failure) => return vec![Finding { what: "server", seen: Err(sentence(&failure)), help }],
    };
    let alive = client.get("/healthz").await.map(|_| client.place()).map_err(|failure| sentence(&failure));
    let dead = alive.is_err();
    let mut findings = vec![Finding { what: "server", seen: alive, help }];
    if dead {
        return findings;
    }
    let ready = client.get("/readyz").await.map_err(|failure| sentence(&failure));
    findings.push(Finding {
        what: "recording",
        seen: ready.map(|health| {
            format!("{} records, {} commands wait", text_at(&health, "/head"), text_at(&health, "/queue"))
        }),
        help: "look at the disk and at Remit's log; while nothing can be recorded, every call is refused",
    });
    let current = client.get("/v1/sessions/current").await.map_err(|failure| sentence(&failure));
    findings.push(Finding {
        what: "you",
        seen: current.map(|current| format!("{}, in: {}", text_at(&current, "/person"), text_at(&current, "/groups"))),
        help: "sign in with `remit login --code CODE`",
    });
    let policies = client.get("/v1/policies").await.map_err(|failure| sentence(&failure)).and_then(|policies| {
        let broken = policies.get("broken").and_then(Value::as_str).map(str::to_owned);
        let rules = policies.get("rules").and_then(Value::as_array).map_or(0, Vec::len);
        broken.map_or_else(|| Ok(format!("{rules} rules")), Err)
    });
    findings.push(Finding {
        what: "policies",
        seen: policies,
        help: "everything is denied until they hold: `remit policy check`",
    });
    findings
}

fn ledger(data: &Path) -> Finding {
    let usual = crate::server::default_anchors();
    let anchors = usual.is_dir().then_some(usual.as_path());
    let seen = match remit_engine::verify_directory(data, anchors, None) {
        Err(error) => Err(error.to_string()),
        Ok(report) if report.faults.is_empty() => Ok(format!("{} records, intact", report.entries)),
        Ok(report) => Err(format!(
            "{} faults, the first: {}",
            report.faults.len(),
            report.faults.first().cloned().unwrap_or_default()
        )),
    };
    Finding { what: "ledger", seen, help: "keep the directory as evidence; `remit ledger verify` names every fault" }
}

fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::Refused(refusal) | Failure::Fault(refusal) | Failure::Configuration(refusal) => {
            refusal.sentence.clone()
        }
        Failure::Usage(sentence) => sentence.clone(),
    }
}
