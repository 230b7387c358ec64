//! Who may see and do what: every page, asked for by everybody, beside the reviewed file `tests/matrix/pages.out`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use axum::body::Body;
use http::{Request, StatusCode};

use self::estate::Estate;
use self::rows::{OPEN, ROWS, Row};

mod estate;
mod rows;

/// Says that the file is to be written as it is now, for a person to review.
const BLESS: &str = "REMIT_BLESS";

const HEAD: &str = "\
# Who may see and do what, by every page of the console. Made by the test `who_may_see_what_is_as_reviewed`; written anew with
# REMIT_BLESS=1. Everything that changes here is for a person to review. docs/guide/roles.md says what is meant.
#
# One line for each request: whoever is named after `yes` gets it, whoever is named after `no` is refused with the code after
# them, and nobody is led to sign in. A code in brackets after `yes` stands for what else was wrong with the request.
# `owner` and `approver` are those of the agent in question.
";

/// Every route as the table of contents has it, read from its text, so that none can be left out.
fn routes() -> BTreeSet<(&'static str, &'static str)> {
    let text = include_str!("../../router.rs");
    let routes = text.split(".route(\"").skip(1).flat_map(|rest| {
        let (path, rest) = rest.split_once('"').unwrap();
        let handlers = rest.split(".layer(").next().unwrap();
        let takes = |method: &str| handlers.contains(&format!("{method}("));
        let methods = ["get", "post", "put", "delete", "patch", "any"].into_iter().filter(move |method| takes(method));
        methods.map(move |method| (method, path))
    });
    routes.collect()
}

#[test]
fn every_page_has_a_row() {
    let rows: BTreeSet<(&str, &str)> =
        ROWS.iter().map(|row| (row.method, row.path)).chain(OPEN.iter().copied()).collect();
    let routes = routes();
    assert!(routes.len() > 35, "the table of contents is read wrongly: {routes:?}");
    let missing: Vec<_> = routes.difference(&rows).collect();
    assert!(missing.is_empty(), "no row in the permission matrix says who may see this: {missing:#?}");
    let gone: Vec<_> = rows.difference(&routes).collect();
    assert!(gone.is_empty(), "rows of the permission matrix name no page: {gone:#?}");
}

/// What one asker gets: whether they may, and a code if something was wrong.
async fn outcome(estate: &Estate, row: &Row, asker: &str) -> (bool, String) {
    let request = estate.request(row, asker);
    let response = estate.world.answer(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if status.is_redirection() {
        // Who signs out is led there too, but without their cookie from then on.
        let signed_out = text("location").starts_with("/sign-in") && text("set-cookie").is_empty();
        return (!signed_out, if signed_out { "sign-in".to_owned() } else { String::new() });
    }
    if text("content-type") == "text/event-stream" {
        return (true, String::new());
    }
    let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
    let body = String::from_utf8_lossy(&bytes).into_owned();
    let code =
        body.split_once("code <code>").and_then(|(_, rest)| rest.split_once('<')).map(|(code, _)| code.to_owned());
    let code = code.unwrap_or_else(|| status.as_u16().to_string());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (false, code),
        // The search itself is for everybody, and says on its page what they may not look for.
        StatusCode::OK if row.path == "/ledger" && body.contains("role=\"status\"") => (false, "told".to_owned()),
        status if status.is_success() => (true, String::new()),
        _ => (true, code),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_what_their_reader_may_read_and_no_more() {
    let estate = Estate::build().await;
    let page = async |asker: &str, path: &str| estate.world.get(path, estate.cookie(asker)).await.body;
    let secrets = ["/records/", "/approvals/a", "/tasks/t", "refund the broken kettle"];
    for path in ["/", "/agents", "/agents/support-bot", "/tasks", "/approvals", "/ledger"] {
        let body = page("member", path).await;
        for secret in secrets {
            assert!(!body.contains(secret), "a member sees `{secret}` on {path}: {body}");
        }
    }
    for asker in ["owner", "approver", "auditor", "reviewer", "administrator"] {
        assert!(page(asker, "/agents/support-bot").await.contains("/records/"), "{asker}");
        assert!(page(asker, "/approvals").await.contains("/approvals/a"), "{asker}");
    }
}

fn listed(outcomes: &[(&str, (bool, String))], may: bool) -> String {
    let names =
        outcomes.iter().filter(|(_, (may_too, _))| *may_too == may).map(|(asker, (_, code))| match code.is_empty() {
            true => (*asker).to_owned(),
            false => format!("{asker}({code})"),
        });
    let names: Vec<String> = names.collect();
    if names.is_empty() { "-".to_owned() } else { names.join(" ") }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/matrix/pages.out")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_what_is_as_reviewed() {
    let mut lines = String::from(HEAD);
    for (method, path) in OPEN {
        writeln!(lines, "{} {path} | open to anybody", method.to_uppercase()).unwrap();
    }
    let mut estate = Estate::build().await;
    for row in ROWS {
        let mut outcomes = Vec::new();
        for asker in estate::ASKERS {
            let before = estate.world.engine.head();
            outcomes.push((asker, outcome(&estate, row, asker).await));
            if estate.world.engine.head() != before {
                // What one of them changed is not there any more for the next.
                estate = Estate::build().await;
            }
        }
        let done = outcomes.iter().any(|(_, (may, code))| *may && code.is_empty());
        assert!(done || row.unfinished, "nobody gets `{} {}`: {outcomes:?}", row.method, row.asked());
        let (yes, no) = (listed(&outcomes, true), listed(&outcomes, false));
        writeln!(lines, "{} {} | yes: {yes} | no: {no}", row.method.to_uppercase(), row.asked()).unwrap();
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

/// A form that a browser sends.
fn form(path: &str, cookie: &str, fields: &[(&str, String)]) -> Request<Body> {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    Request::post(path)
        .header("host", "remit.test")
        .header("origin", "http://remit.test")
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.join("&")))
        .unwrap()
}
