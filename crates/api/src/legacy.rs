//! `/v1/legacy-accounts`: workflows behind one shared secret, each with the date by which that has to be over.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Command, Digest, LegacyAccount, OpenLegacyAccount, Refusal, Timestamp};
use remit_identity::base64url;
use remit_identity::code::OneTimeCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::tasks::Why;
use crate::{Api, Problem, names, time};

type Answer = Result<Json<Value>, Problem>;

/// How the secrets begin, so that whoever finds one knows what it is.
const SECRET_PREFIX: &str = "legacy_";

/// An account with its workflows. Each is called at an address of its own, or all at the one for everybody if they sign who they are.
fn view(api: &Api, state: &remit_domain::State, account: &LegacyAccount) -> Value {
    let all = &api.settings.mcp_url;
    let gateway = all.strip_suffix("/mcp").unwrap_or(all);
    let workflows = account.workflows.iter().map(|(workflow, agent)| {
        let own = format!("{gateway}/legacy/{}/{workflow}/mcp", account.name);
        let address = if account.header_key { all } else { &own };
        json!({"name": workflow, "agent": names::of_agent(state, *agent), "mcp_url": address})
    });
    json!({
        "name": account.name,
        "workflows": workflows.collect::<Vec<_>>(),
        "header_key": account.header_key,
        "due_at": account.due_at.to_string(),
        "overdue": account.must_not_be_overdue(api.engine.now()).is_err(),
        "reason": account.reason,
        "opened_by": names::of_person(state, account.opened_by),
    })
}

pub(crate) async fn list(State(api): State<Api>, _: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let state = api.engine.state();
    let rows = state.legacy_accounts.iter().map(|(name, account)| (name.clone(), account.clone())).collect();
    page(rows, &query, |account| view(&api, &state, account))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    name: String,
    /// Id or name of the agent behind each workflow.
    workflows: BTreeMap<String, String>,
    /// Whether workflows say who they are in a signed header.
    #[serde(default)]
    header_key: bool,
    /// RFC 3339.
    due_at: Option<String>,
    /// Instead of `due_at`, counted from now.
    due_in_seconds: Option<u64>,
    reason: String,
}

impl Open {
    fn due_at(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        match (self.due_at.as_deref(), self.due_in_seconds) {
            (Some(at), None) => time::parse(at),
            (None, Some(seconds)) => Ok(now.plus_seconds(seconds)),
            _ => Err(Refusal::new(
                "bad_due_date",
                "a legacy account is due at one date, given by `due_at` or `due_in_seconds`",
            )),
        }
    }
}

/// Opens an account. Its secret, and the key of its header, are shown once, here; the account is known by a digest.
pub(crate) async fn open(State(api): State<Api>, by: SignedIn, Body(open): Body<Open>) -> Answer {
    let state = api.engine.state();
    let due_at = open.due_at(api.engine.now())?;
    let behind = |(workflow, agent): (&String, &String)| Ok((workflow.clone(), names::agent(&state, agent)?.id));
    let workflows = open.workflows.iter().map(behind).collect::<Result<_, Refusal>>()?;
    let code = OneTimeCode::generate(SECRET_PREFIX).map_err(|_| Problem::fault("make a secret"))?;
    let secret = Digest::of_bytes(code.expose().as_bytes());
    let (name, header_key) = (open.name, open.header_key);
    let command = OpenLegacyAccount { name: name.clone(), secret, workflows, header_key, due_at, reason: open.reason };
    let receipt = api.submit(by.actor(), Command::OpenLegacyAccount(Box::new(command))).await?;
    let state = api.engine.state();
    let account = state.legacy_accounts.get(&name).ok_or_else(|| Problem::fault("tell what was recorded"))?;
    let mut body = view(&api, &state, account);
    if let Some(members) = body.as_object_mut() {
        members.insert("secret".to_owned(), code.expose().into());
        let key = header_key.then(|| api.engine.key_for(&LegacyAccount::header_purpose(&name, &secret)));
        members.insert("header_secret".to_owned(), key.map(|key| base64url::encode(key.expose())).into());
    }
    Ok(recorded(body, &receipt))
}

/// Closes an account: the debt is paid.
pub(crate) async fn close(
    State(api): State<Api>,
    by: SignedIn,
    Path(name): Path<String>,
    Body(Why { reason }): Body<Why>,
) -> Answer {
    let receipt = api.submit(by.actor(), Command::CloseLegacyAccount { name: name.clone(), reason }).await?;
    Ok(recorded(json!({"name": name, "closed": true}), &receipt))
}
