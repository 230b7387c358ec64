//! Every bound of the console, by name. Units stand last.

/// Largest form that is read, in bytes: a note, escaped, and two digests; or a sealed request for consent.
pub(crate) const FORM_BYTES_MAX: usize = 32 * 1024;
/// Longest sign-in code or session token that is looked at, in bytes.
pub(crate) const SECRET_BYTES_MAX: usize = 256;
/// Longest address that a sign-in leads back to, in bytes: that of a sealed request for consent.
pub(crate) const NEXT_BYTES_MAX: usize = 17 * 1024;
/// How long a form is kept whose person has to show a passkey first, in seconds: for as long as that may take, and a cup of tea.
pub(crate) const FORM_SECONDS_KEPT: u64 = 900;
/// Such forms of one session; the oldest goes first.
pub(crate) const FORMS_KEPT_EACH_MAX: usize = 4;
/// Such forms of everybody, in bytes; the oldest goes first.
pub(crate) const FORMS_KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest purpose that a person writes, in characters.
pub(crate) const PURPOSE_CHARACTERS_MAX: usize = 400;
/// Records on the overview.
pub(crate) const OVERVIEW_RECORDS_MAX: usize = 30;
/// Cards of one kind on the overview; the rest is on a page of its own.
pub(crate) const OVERVIEW_CARDS_MAX: usize = 12;
/// Agents whose calls are counted together for whoever answers for them.
pub(crate) const ACTIVITY_AGENTS_MAX: usize = 50;
/// Records on the page of one agent or one approval.
pub(crate) const RELATED_RECORDS_MAX: usize = 20;
/// Records on the access card of an agent.
pub(crate) const CARD_RECORDS_MAX: usize = 8;
/// Records on one page of a timeline.
pub(crate) const TIMELINE_ROWS_MAX: usize = 100;
/// Members of a group that a table names.
pub(crate) const MEMBERS_SHOWN_MAX: usize = 12;
/// Rows of one list. What lies beyond is counted on the page.
pub(crate) const LIST_ROWS_MAX: usize = 200;
/// Artefacts on one page of what is under change control: the newest record about each is read.
pub(crate) const HISTORY_ROWS_MAX: usize = 100;
/// Artefacts of one change that a list names.
pub(crate) const ARTEFACTS_SHOWN_MAX: usize = 3;
/// Edits of one change that its page shows.
pub(crate) const EDITS_SHOWN_MAX: usize = 100;
/// Members of one value that are shown as rows; the canonical text beside them is always whole.
pub(crate) const VALUE_ROWS_MAX: usize = 256;
/// Steps of one answer to a question that runs the other way, so that a page is never long in coming.
pub(crate) const WHO_STEPS_MAX: usize = 20_000;
/// How long a page asks such a question before it stops and says so, in milliseconds.
pub(crate) const WHO_MILLISECONDS_MAX: u64 = 400;
/// How often a list looks again, in seconds.
pub(crate) const REFRESH_SECONDS: u32 = 15;
/// How long the stream of a live page stays quiet before it says that it is still there, in seconds.
pub(crate) const LIVE_QUIET_SECONDS: u64 = 20;
/// Largest form with a policy's text in it that is read, in bytes: three for each byte of the longest text, and what stands beside it.
pub(crate) const POLICY_FORM_BYTES_MAX: usize = 3 * remit_domain::limits::PROPOSAL_BYTES_MAX + FORM_BYTES_MAX;
/// Problems of a policy that its check shows.
pub(crate) const PROBLEMS_SHOWN_MAX: usize = 100;
/// Versions of a policy on one page of its history.
pub(crate) const VERSIONS_SHOWN_MAX: usize = 50;
/// How far back the calls reach on which policies are tried while somebody writes them, in seconds.
pub(crate) const TRIED_SECONDS: u64 = 24 * 60 * 60;
/// How long a check waits for calls to be decided again, in milliseconds.
pub(crate) const TRIED_WAIT_MS: u64 = 3_000;
/// How long the page of a replay waits for calls to be decided again, in milliseconds.
pub(crate) const REPLAY_WAIT_MS: u64 = 20_000;
/// Groups of calls that a replay shows; what lies beyond is counted.
pub(crate) const REPLAY_GROUPS_MAX: usize = 100;
/// Records that one group of a replay links to.
pub(crate) const REPLAY_LINKS_MAX: usize = 3;
/// Operations on one preview.
pub(crate) const PREVIEW_ROWS_MAX: usize = 500;
/// People whom a change names as those who may answer it.
pub(crate) const ANSWERERS_SHOWN_MAX: usize = 12;
