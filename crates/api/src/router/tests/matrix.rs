//! Who may do what: every address, asked by everybody, beside the reviewed file `tests/matrix/permissions.out`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use self::estate::Estate;
use self::rows::ROWS;
use crate::router::{Access, ENDPOINTS};

mod estate;
mod rights;
mod rows;

/// Says that the file is to be written as it is now, for a person to review.
const BLESS: &str = "REMIT_BLESS";

/// Everybody who asks, from whom least is expected: see [`Estate`] for who they are.
const ASKERS: [&str; 10] = [
    "nobody",
    "agent",
    "enrolled",
    "member",
    "content-reader",
    "auditor",
    "reviewer",
    "approver",
    "owner",
    "administrator",
];

const HEAD: &str = "\
# Who may do what, by every address of the control plane. Made by the test `who_may_do_what_is_as_reviewed`; written anew
# with REMIT_BLESS=1. Everything that changes here is for a person to review. docs/guide/roles.md says what is meant.
#
# One line for each request: whoever is named after `yes` gets it, whoever is named after `no` is refused with the code after
# them. A code in brackets after `yes` stands for what else was wrong with the request: a right was not missing.
# `owner` and `approver` are those of the agent in question. `agent` has the token of a task of it, `enrolled` proves its key.
# What is open to anybody is public, or carries its own one-time proof.
";

/// What one asker gets.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Done, or refused for another reason than a missing right.
    Yes(Option<String>),
    /// 401 or 403, with the code.
    No(String),
}

impl Outcome {
    fn of(status: StatusCode, body: &Value) -> Self {
        let code = || body["code"].as_str().map_or_else(|| status.as_u16().to_string(), str::to_owned);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::No(code()),
            status if status.is_client_error() || status.is_server_error() => Self::Yes(Some(code())),
            _ => Self::Yes(None),
        }
    }
}

/// The answer to `request`; of one that never ends, only its head.
async fn answered(estate: &Estate, request: Request<Body>) -> Outcome {
    let response = estate.house.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let endless = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    if endless {
        return Outcome::of(status, &Value::Null);
    }
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Outcome::of(status, &serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// One line: who gets it, and who does not.
fn line(method: &str, path: &str, outcomes: &[(&str, Outcome)]) -> String {
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for (asker, outcome) in outcomes {
        match outcome {
            Outcome::Yes(None) => yes.push((*asker).to_owned()),
            Outcome::Yes(Some(code)) => yes.push(format!("{asker}({code})")),
            Outcome::No(code) => no.push(format!("{asker}({code})")),
        }
    }
    format!("{} {path} | yes: {} | no: {}", method.to_uppercase(), listed(&yes), listed(&no))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(" ") }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/matrix/permissions.out")
}

#[test]
fn every_endpoint_has_a_row() {
    let rows: BTreeSet<(&str, &str)> = ROWS.iter().map(|row| (row.method, row.path)).collect();
    let endpoints: BTreeSet<(&str, &str)> = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.access != Access::Open)
        .map(|endpoint| (endpoint.method, endpoint.path))
        .collect();
    let missing: Vec<_> = endpoints.difference(&rows).collect();
    assert!(missing.is_empty(), "no row in the permission matrix says who may do this: {missing:#?}");
    let gone: Vec<_> = rows.difference(&endpoints).collect();
    assert!(gone.is_empty(), "rows of the permission matrix name no endpoint: {gone:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_is_as_reviewed() {
    let mut lines = String::from(HEAD);
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.access == Access::Open) {
        writeln!(lines, "{} {} | open to anybody", endpoint.method.to_uppercase(), endpoint.path).unwrap();
    }
    let mut estate = Estate::build().await;
    for row in ROWS {
        let mut outcomes = Vec::new();
        for asker in ASKERS {
            let before = estate.house.world.engine.head();
            let request = estate.request(row, asker);
            outcomes.push((asker, answered(&estate, request).await));
            // What one of them changed is not there any more for the next.
            if estate.house.world.engine.head() != before || row.lingers {
                estate = Estate::build().await;
            }
        }
        let by_anybody = outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Yes(None));
        assert!(by_anybody || row.unfinished, "nobody gets `{} {}`: {outcomes:?}", row.method, row.asked());
        writeln!(lines, "{}", line(row.method, &row.asked(), &outcomes)).unwrap();
    }
    if std::env::var_os(BLESS).is_some() {
        std::fs::create_dir_all(file().parent().unwrap()).unwrap();
        std::fs::write(file(), &lines).unwrap();
    }
    let reviewed = std::fs::read_to_string(file()).unwrap_or_default();
    for (now, reviewed) in lines.lines().zip(reviewed.lines()) {
        assert_eq!(
            now, reviewed,
            "left: now; right: reviewed. If it is meant, run it with {BLESS}=1 and review the file"
        );
    }
    assert_eq!(lines.lines().count(), reviewed.lines().count(), "run it with {BLESS}=1 and review the file");
}
