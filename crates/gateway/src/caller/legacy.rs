//! Legacy accounts: workflows behind one secret that all of them know. What such a caller says it is, it is taken for, and its records
//! say so.

use http::HeaderMap;
use remit_domain::{AgentId, Attribution, Digest, LegacyAccount, Level, Refusal, State, Timestamp};
use remit_identity::{base64url, digest};

use super::credential::{Credential, Single, single};
use super::{Asked, Caller, Challenge, Shown, Unknown, svid};
use crate::{Gateway, limits};

/// In which a workflow behind an account with a header key says who it is: `NAME;SECONDS;SIGNATURE`. The signature is the HMAC-SHA256
/// of `NAME;SECONDS` under the account's header key, in base64url; the seconds count from 1970.
const WORKFLOW_HEADER: &str = "remit-workflow";

/// Who shows the secret of a legacy account.
pub(super) async fn identify(
    gateway: &Gateway,
    headers: &HeaderMap,
    credential: Option<Credential<'_>>,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Caller, Unknown> {
    let Some(credential) = credential.filter(Credential::is_legacy) else {
        return Err(Unknown::new(
            Challenge::OtherToken,
            "token_audience",
            "this address is for the secret of a legacy account alone",
            "use task tokens at `/mcp`",
        ));
    };
    let secret = Digest::of_bytes(credential.secret.as_bytes());
    let (agent, via) = gateway.engine.read(|state| {
        let account = state.legacy_account_of(&secret).ok_or_else(unknown)?;
        account.must_not_be_overdue(now).map_err(Unknown::shut_out)?;
        let workflow = match asked.legacy {
            Some((named, workflow)) if named == account.name => by_address(account, workflow)?,
            // The secret of one account says nothing at another's address, not even that there is one.
            Some(_) => return Err(unknown()),
            None => by_header(gateway, account, headers, now)?,
        };
        Ok::<_, Unknown>((agent_of(state, account, workflow)?, account.via()))
    })?;
    let shown = Shown { level: Level::Agent, attribution: Attribution::Shared };
    svid::stand_in(gateway, agent, &via, shown, now).await
}

fn unknown() -> Unknown {
    Unknown::new(
        Challenge::OtherToken,
        "legacy_unknown",
        "this secret opens no legacy account here",
        "`remit legacy list` shows the accounts that are open",
    )
}

fn agent_of(state: &State, account: &LegacyAccount, workflow: &str) -> Result<AgentId, Unknown> {
    let agent = account.workflows.get(workflow).filter(|agent| state.agent(**agent).is_ok());
    agent.copied().ok_or_else(|| {
        let refusal = Refusal::new("workflow_unknown", format!("no workflow of this account is named `{workflow}`"));
        Unknown::shut_out(refusal.help("an administrator opens the account with all its workflows"))
    })
}

/// The workflow that an address names. Anybody with the secret can call it, so an account with a header key has none.
fn by_address<'a>(account: &LegacyAccount, workflow: &'a str) -> Result<&'a str, Unknown> {
    if account.header_key {
        return Err(unsigned("this account's workflows are named by a signed header, not by their address"));
    }
    Ok(workflow)
}

/// The workflow that a signed header names.
fn by_header<'a>(
    gateway: &Gateway,
    account: &LegacyAccount,
    headers: &'a HeaderMap,
    now: Timestamp,
) -> Result<&'a str, Unknown> {
    if !account.header_key {
        return Err(unsigned("this account's workflows are named by their address, `/legacy/ACCOUNT/WORKFLOW/mcp`"));
    }
    let malformed = || unsigned("the header `remit-workflow` must be there once, as `NAME;SECONDS;SIGNATURE`");
    let Single::One(value) = single(headers, WORKFLOW_HEADER) else { return Err(malformed()) };
    let (signed, signature) = value.rsplit_once(';').ok_or_else(malformed)?;
    let (workflow, seconds) = signed.split_once(';').ok_or_else(malformed)?;
    let seconds: i64 = seconds.parse().map_err(|_| malformed())?;
    let key = gateway.engine.key_for(&LegacyAccount::header_purpose(&account.name, &account.secret));
    let expected = digest::hmac_sha256(key.expose(), signed.as_bytes());
    let signature = base64url::decode(signature).map_err(|_| malformed())?;
    if !digest::equal(&signature, &expected) {
        return Err(unsigned("the signature in the header `remit-workflow` does not match"));
    }
    if now.as_seconds().abs_diff(seconds) > limits::WORKFLOW_HEADER_SECONDS_MAX {
        let sentence = format!(
            "the header `remit-workflow` was signed more than {} seconds from now",
            limits::WORKFLOW_HEADER_SECONDS_MAX
        );
        return Err(Unknown::new(
            Challenge::OtherToken,
            "workflow_late",
            sentence,
            "sign each request when it is made",
        ));
    }
    Ok(workflow)
}

fn unsigned(sentence: &str) -> Unknown {
    let help = "sign `NAME;SECONDS` with the account's header key; the one who opened the account has it";
    Unknown::new(Challenge::OtherToken, "workflow_unsigned", sentence, help)
}
