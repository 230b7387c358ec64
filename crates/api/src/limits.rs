//! Every bound of this crate, by name. Units stand last.

/// Largest request body, in bytes: a whole policy proposal, or the choices for all tools of one connector.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Rows of one page.
pub const PAGE_ROWS_MAX: usize = 500;
/// Rows of one page when nobody says otherwise.
pub const PAGE_ROWS_DEFAULT: usize = 100;
/// Rows of one page of an answer to a reverse question, which may name every agent.
pub const WHO_ROWS_MAX: usize = 5_000;
/// How long one page of such an answer is worked on, in milliseconds, on a thread of its own; the next page goes on from there.
pub const WHO_MILLISECONDS_MAX: u64 = 2_000;
/// Pages of records in which the giving of one grant is looked for.
pub const WHO_PAGES_MAX: usize = 200;
/// Life of a sign-in code when nobody says otherwise: a quarter of an hour.
pub const SIGN_IN_SECONDS_DEFAULT: u64 = 900;
/// Life of an enrolment code when nobody says otherwise: an hour.
pub const ENROLMENT_SECONDS_DEFAULT: u64 = 3600;
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// Answers that are remembered for idempotency keys at a time.
pub const IDEMPOTENCY_ENTRIES_MAX: usize = 4_096;
/// Largest answer that is remembered for an idempotency key, in bytes.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long an answer is remembered for its idempotency key, in seconds.
pub const IDEMPOTENCY_SECONDS: u64 = 24 * 3600;
/// Silence on a stream after which a comment is sent, in seconds, so that proxies keep it open.
pub const STREAM_QUIET_SECONDS: u64 = 15;
/// Names of people who may answer a change that are shown with it.
pub const APPROVERS_SHOWN_MAX: usize = 20;
/// Records of one change that are read: its edits, checks and reviews stay far below.
pub const CHANGE_RECORDS_MAX: usize = 1_000;
/// What a caller is told to wait before it asks again while nothing can be recorded, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 2;
/// How much of an unknown name is repeated in an answer, in characters.
pub const ECHO_CHARACTERS_MAX: usize = 64;
/// Contents that are given at once: each is recorded by itself.
pub const CONTENTS_READ_MAX: usize = 1_000;
/// Silence on a lease after which a comment is sent, in seconds: a holder that vanished is noticed by then.
pub const LEASE_QUIET_SECONDS: u64 = 2;

/// Largest body of an OAuth request, in bytes.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
/// Longest query of an authorization request, in bytes; more is pushed (RFC 9126).
pub const AUTHORIZE_QUERY_BYTES_MAX: usize = 16 * 1024;
/// Parameters of one OAuth request.
pub const PARAMETERS_MAX: usize = 64;
/// Longest `state` of an authorization request, in bytes.
pub const STATE_BYTES_MAX: usize = 2_048;
/// Life of a pushed authorization request, in seconds (RFC 9126 section 2.2 recommends 5 to 600).
///
/// INVARIANT: not longer than used ones are remembered ([`remit_identity::limits::REPLAY_SECONDS`]).
pub const PUSHED_SECONDS: i64 = 60;
/// How long a person may take to answer an authorization request, in seconds.
pub const CONSENT_SECONDS: i64 = 600;
/// Documents of clients that are fetched at a time.
pub const FETCHES_MAX: usize = 16;
/// Of those, how many of one host: a slow one must not take the places of all.
pub const FETCHES_PER_HOST_MAX: usize = 4;
/// How long one may take to come, in seconds.
pub const FETCH_SECONDS_MAX: u64 = 5;
/// Largest document that is fetched, in bytes: a set of keys is longer than a client's own document.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// How long a document is kept whose server does not say, in seconds.
pub const DOCUMENT_SECONDS_DEFAULT: u64 = 300;
/// How long a document is kept at most, in seconds: as long as a client that was changed or taken over is still believed.
pub const DOCUMENT_SECONDS_MAX: u64 = 3_600;
/// Documents that are kept at a time.
pub const DOCUMENTS_MAX: usize = 1_024;
/// Of those, how many of one host.
pub const DOCUMENTS_PER_HOST_MAX: usize = 32;
/// Longest life of an assertion of a trusted issuer that is exchanged for a task, in seconds.
pub const FOREIGN_ASSERTION_SECONDS_MAX: i64 = 3_600;
/// Longest `client_id` of a client that registered itself, in bytes: it holds all that is known of the client.
pub const SELF_REGISTERED_BYTES_MAX: usize = 2_048;

/// Longest type, id or name in a question of an enforcer, in bytes.
pub const ENTITY_BYTES_MAX: usize = 1_024;
/// Questions of one batch.
pub const EVALUATIONS_MAX: usize = 1_000;
/// Of those, how many are decided at a time.
pub const EVALUATIONS_AT_A_TIME: usize = 256;
/// Evaluations of one enforcer that are under way at a time; a batch counts as many as are decided at a time.
pub const EVALUATIONS_PER_ENFORCER_MAX: usize = 4_096;
/// As how many of those a search counts, which decides about many candidates.
pub const SEARCH_EVALUATIONS: usize = 256;
/// Tokens of enforcers whose signatures are remembered.
pub const ENFORCER_TOKENS_KEPT_MAX: usize = 4_096;
/// How long each is, in seconds.
pub const TOKEN_CHECKED_SECONDS_MAX: i64 = 30;
/// Members of a question's context to which a denial is bound.
pub const CONTEXT_MEMBERS_MAX: usize = 64;
/// How long a person can be asked about a denied action, in seconds.
pub const DENIAL_SECONDS: i64 = 600;
/// What an enforcer is told to wait before it asks again what people answered, in seconds.
pub const REQUEST_RETRY_SECONDS: u64 = 5;
/// Lines of a replay that wait for a slow reader before the replay waits too.
pub const REPLAY_LINES_WAITING_MAX: usize = 64;
/// How long a shadow runs before it can pass, in seconds, unless it sees as many actions as below.
pub const SHADOW_SECONDS_MIN: u64 = 3_600;
/// How many actions a shadow decides again before it can pass, unless it runs as long as above.
pub const SHADOW_ACTIONS_MIN: u64 = 1_000;
/// Rows of one page of a search.
pub const SEARCH_ROWS_MAX: usize = 1_000;
/// Rows of one page of a search when nobody says otherwise.
pub const SEARCH_ROWS_DEFAULT: usize = 100;
/// Candidates that one page of a search decides about.
pub const SEARCH_CANDIDATES_MAX: usize = 2_000;

const _: () = assert!(EVALUATIONS_AT_A_TIME <= EVALUATIONS_PER_ENFORCER_MAX);
const _: () = assert!(SEARCH_EVALUATIONS <= EVALUATIONS_PER_ENFORCER_MAX);
const _: () = assert!(PUSHED_SECONDS <= remit_identity::limits::REPLAY_SECONDS);
// An event is remembered for longer than it is accepted.
const _: () = assert!(
    (remit_identity::limits::EVENT_SECONDS_MAX + remit_identity::limits::FOREIGN_SKEW_SECONDS).unsigned_abs()
        < remit_domain::limits::SIGNAL_SECONDS_KEPT
);
