//! Writing a policy: a text is checked as often as wanted, and then proposed. Nothing that was typed is lost on the way.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::Markup;
use remit_domain::{Actor, Command, Digest, Edit, PolicyEdit, Refusal};
use remit_engine::SubmitError;
use remit_people::{PeopleError, assertion};
use serde::Deserialize;

use super::checks::{self, Checked};
use super::editor::{Page, confirm};
use super::versions::may_read;
use super::{onwards, unknown};
use crate::errors::{PageError, status_of};
use crate::layout::{self, Frame, Place};
use crate::pages::control::written;
use crate::session::{SentForm, Viewer};
use crate::{Console, answers};

/// What is typed, and where it comes from.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Draft {
    /// Of a policy that is not there yet; else the address says it.
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) reason: String,
    /// Digest of the text that its author began with; empty where there was none.
    #[serde(default)]
    pub(super) base: String,
    /// `check` or `propose`; anything else shows the form again.
    #[serde(default, rename = "do")]
    pub(super) action: String,
    /// Of a passkey that is shown along with it.
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    credential: String,
}

impl Draft {
    /// The edit that it proposes. Browsers write line ends as two characters, of which a policy keeps one; its last line ends too.
    pub(super) fn edit(&self) -> PolicyEdit {
        let mut text = self.text.replace("\r\n", "\n");
        if !text.ends_with('\n') {
            text.push('\n');
        }
        PolicyEdit { name: self.name.clone(), text: Some(text) }
    }
}

/// The text that is active under `name`, and its digest; an empty digest where there is none.
fn active(console: &Console, name: &str) -> (Option<String>, String) {
    let text = console.engine.read(|state| state.policies.sources.get(name).cloned());
    let base = text.as_deref().map(|text| Digest::of_bytes(text.as_bytes()).to_string());
    (text, base.unwrap_or_default())
}

/// The form for a policy that is not there yet.
pub(crate) async fn begin(State(console): State<Console>, viewer: Viewer) -> Markup {
    let page =
        Page { viewer: &viewer, draft: &Draft::default(), is_new: true, active: None, notice: None, checked: None };
    framed(&console, &viewer, &page)
}

/// The form for another text of the policy `name`.
pub(crate) async fn open(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (active, base) = active(&console, &name);
    let text = active.clone().ok_or_else(|| unknown(&name))?;
    let draft = Draft { name, text, base, ..Draft::default() };
    let active = active.as_deref();
    Ok(framed(
        &console,
        &viewer,
        &Page { viewer: &viewer, draft: &draft, is_new: false, active, notice: None, checked: None },
    ))
}

pub(crate) async fn send_new(
    State(console): State<Console>,
    SentForm { viewer, fields }: SentForm<Draft>,
) -> Result<Response, PageError> {
    let name = fields.name.trim().to_owned();
    sent(&console, &viewer, Draft { name, ..fields }, true).await
}

pub(crate) async fn send(
    State(console): State<Console>,
    Path(name): Path<String>,
    SentForm { viewer, fields }: SentForm<Draft>,
) -> Result<Response, PageError> {
    sent(&console, &viewer, Draft { name, ..fields }, false).await
}

/// Checks or proposes what was typed; whatever comes of it but a proposal is the same form again, with all that was typed.
async fn sent(console: &Console, viewer: &Viewer, mut draft: Draft, is_new: bool) -> Result<Response, PageError> {
    let (active, base) = active(console, &draft.name);
    let notice = stands(&draft, active.as_deref(), &base, is_new).err();
    if notice.is_none() && draft.action == "propose" {
        match propose(console, viewer, &draft).await {
            Ok(address) => return Ok(Redirect::to(&address).into_response()),
            Err(Otherwise::Confirm) => {
                let ceremony = console.people.begin_step_up(viewer.person)?;
                return Ok((StatusCode::FORBIDDEN, confirm(viewer, &ceremony, &draft, is_new)).into_response());
            }
            Err(Otherwise::Refused(refusal, status)) => {
                let checked = checks::check(console, viewer, &draft.edit(), false).await?;
                let refusal = if refusal.code == "policy_invalid" { invalid() } else { refusal };
                let answer = Answer { draft: &draft, is_new, active: active.as_deref(), checked: Some(&checked) };
                return Ok(again(console, viewer, &answer, Some((refusal, status))));
            }
        }
    }
    let checked = match &notice {
        None if draft.action == "check" => Some(checks::check(console, viewer, &draft.edit(), true).await?),
        _ => None,
    };
    // What is active by now has been told with the notice: whoever sends it again means it.
    draft.base = if is_new { String::new() } else { base };
    let answer = Answer { draft: &draft, is_new, active: active.as_deref(), checked: checked.as_ref() };
    Ok(again(console, viewer, &answer, notice.map(|refusal| (refusal, StatusCode::CONFLICT))))
}

/// In place of the first problem, since all of them stand on the page.
fn invalid() -> Refusal {
    Refusal::new("policy_invalid", "the text does not hold, so it was not proposed")
        .help("every problem stands below, with its line")
}

/// The form again, and what it says besides.
struct Answer<'a> {
    draft: &'a Draft,
    is_new: bool,
    active: Option<&'a str>,
    checked: Option<&'a Checked>,
}

fn again(console: &Console, viewer: &Viewer, answer: &Answer<'_>, why: Option<(Refusal, StatusCode)>) -> Response {
    let Answer { draft, is_new, active, checked } = *answer;
    let status = why.as_ref().map_or(StatusCode::OK, |(_, status)| *status);
    let notice = why.as_ref().map(|(refusal, _)| refusal);
    let page = Page { viewer, draft, is_new, active, notice, checked };
    (status, framed(console, viewer, &page)).into_response()
}

fn framed(console: &Console, viewer: &Viewer, page: &Page<'_>) -> Markup {
    let state = console.engine.state();
    let waiting = answers::waiting_count(&state, &viewer.actor(), console.engine.now());
    let title = if page.is_new { "New policy".to_owned() } else { format!("Another text for {}", page.draft.name) };
    let frame = Frame { title: &title, place: Place::Policies, viewer, waiting, refreshes: false };
    layout::page(&frame, &page.render(&may_read(&state, viewer.person, &page.draft.name)))
}

/// Whether what its author began with still stands, so that nobody overwrites what they have not seen.
fn stands(draft: &Draft, active: Option<&str>, base: &str, is_new: bool) -> Result<(), Refusal> {
    if draft.text.trim().is_empty() {
        return Err(Refusal::new("missing_text", "the text is empty")
            .help("write at least one rule; a policy that is not needed any more is removed on its own page"));
    }
    match (is_new, active) {
        (true, Some(_)) => Err(Refusal::new("policy_known", format!("there is a policy `{}` already", draft.name))
            .help("choose another name, or open that policy and propose another text for it")),
        (false, None) => Err(Refusal::new("policy_gone", format!("the policy `{}` was removed meanwhile", draft.name))
            .help("keep your text and propose it as a new policy, if it is still needed")),
        (false, Some(_)) if draft.base != base => {
            Err(Refusal::new("policy_moved", "another text became active after you began to write")
                .help("below is how yours differs from that one; send it again if it is what you mean"))
        }
        _ => Ok(()),
    }
}

/// Why nothing was proposed.
enum Otherwise {
    /// A passkey has to be shown first.
    Confirm,
    Refused(Refusal, StatusCode),
}

impl From<SubmitError> for Otherwise {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) if refusal.code == "step_up_needed" => Self::Confirm,
            SubmitError::Refused(refusal) => {
                let status = status_of(&refusal);
                Self::Refused(refusal, status)
            }
            SubmitError::Unavailable(refusal) => Self::Refused(refusal, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

impl From<PeopleError> for Otherwise {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Submit(error) => error.into(),
            other => {
                let refusal = other.refusal();
                let status = status_of(&refusal);
                Self::Refused(refusal, status)
            }
        }
    }
}

/// Proposes it, after the passkey that was shown along with it, if one was; the address to go on to.
async fn propose(console: &Console, viewer: &Viewer, draft: &Draft) -> Result<String, Otherwise> {
    if !draft.credential.is_empty() {
        let shown = assertion(&draft.credential).map_err(PeopleError::from)?;
        console.people.step_up(viewer.actor(), viewer.session, &draft.ceremony, &shown).await?;
    }
    // A passkey makes the session fresh only now, after it was looked at.
    let now = console.engine.now();
    let session =
        console.engine.read(|state| state.sessions.get(&viewer.session).map(|session| session.method_at(now)));
    let actor = Actor::Person { person: viewer.person, method: session.unwrap_or(viewer.method) };
    let edits = vec![Edit::Policy(draft.edit())];
    let command = Command::ProposeChange { edits, reason: written(&draft.reason), revert_of: None };
    let receipt = console.engine.submit(actor, command).await?;
    Ok(onwards(&receipt, format!("/policies/{}", draft.name)))
}
