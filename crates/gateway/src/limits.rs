//! Every bound of this crate, by name. Units stand last.

/// Largest request body, in bytes.
pub const REQUEST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Longest time in which a request's body has to arrive, in seconds.
pub const REQUEST_SECONDS_MAX: u64 = 30;

/// Canonical arguments of one call, in bytes.
pub const ARGUMENTS_BYTES_MAX: usize = 1024 * 1024;

/// Levels of arrays and objects in a request.
pub const JSON_DEPTH_MAX: usize = 64;

/// The largest whole number that every JSON reader keeps exactly: 2^53 - 1 (RFC 7493 section 2.2).
pub const SAFE_INTEGER_MAX: u64 = 9_007_199_254_740_991;

/// Longest JSON-RPC id as it is written, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// Longest method name, in bytes.
pub const METHOD_BYTES_MAX: usize = 128;

/// Longest tool name, in bytes; with the connector's name and `__` where tools are joined. Longer ones cannot have been
/// approved, and would only fill the ledger.
pub const TOOL_NAME_BYTES_MAX: usize = 256;

/// Calls under way or held at a time, over all callers.
pub const CALLS_MAX: usize = 16_384;

/// The same, of one agent: so that no one agent can shut the gate for the others.
pub const CALLS_PER_AGENT_MAX: usize = 4_096;

/// Tools on one page of a list.
pub const TOOLS_PER_PAGE: usize = 500;

/// Sessions of clients before 2026-07-28, over all callers.
pub const SESSIONS_MAX: usize = 10_000;

/// Sessions of one task; a further one ends the one that was idle longest.
pub const SESSIONS_PER_TASK_MAX: usize = 16;

/// A session that was not used for this long has ended, in seconds.
pub const SESSION_IDLE_SECONDS: u64 = 3_600;

/// How long a call waits for a person when nobody says otherwise, in seconds. Clients give up after 60.
pub const HOLD_SECONDS_DEFAULT: u64 = 50;

/// How often something is sent on a stream that would otherwise be silent, in seconds.
pub const KEEPALIVE_SECONDS: u64 = 10;

/// Longest time that an upstream may take for one call when nobody says otherwise, in seconds.
pub const CALL_SECONDS_DEFAULT: u64 = 120;

/// Longest time in which an upstream has to be started, greeted and listed, in seconds.
pub const HANDSHAKE_SECONDS_MAX: u64 = 30;

/// How long an upstream may stay silent on the newest protocol's first question before the older one is tried, in seconds.
pub const DISCOVER_SECONDS_MAX: u64 = 10;

/// Longest time to reach an HTTP upstream's machine, in seconds.
pub const CONNECT_SECONDS_MAX: u64 = 10;

/// Longest time to tell an upstream that a call is cancelled, in seconds.
pub const CANCEL_SECONDS_MAX: u64 = 5;

/// Definitions that were compared longer ago than this are compared again before the next call, in seconds. An upstream
/// over HTTP may change without a word.
pub const DEFINITIONS_SECONDS_MAX: u64 = 300;

/// Pages that an upstream's list of tools may have.
pub const UPSTREAM_PAGES_MAX: usize = 64;

/// Tools that an upstream may list.
pub const UPSTREAM_TOOLS_MAX: usize = 2_048;

/// Largest message that is taken from an upstream, in bytes.
pub const UPSTREAM_MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest answer, with everything before it on its stream, in bytes.
pub const UPSTREAM_STREAM_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Largest result that is passed on, in bytes.
pub const RESULT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest single line of an upstream's standard error that is kept, in bytes.
pub const STDERR_LINE_BYTES_MAX: usize = 2_000;

/// Lines of an upstream's standard error that are kept.
pub const STDERR_LINES_KEPT: usize = 200;

/// Messages that wait to be written to one process.
pub const OUTGOING_MESSAGES_MAX: usize = 64;

/// Messages that wait to be sent to one client. Progress beyond it is dropped.
pub const STEPS_MAX: usize = 64;

/// First pause before a failed upstream is started again, in seconds; it doubles with each failure.
pub const BACKOFF_SECONDS_MIN: u64 = 1;

/// Longest pause before a failed upstream is started again, in seconds.
pub const BACKOFF_SECONDS_MAX: u64 = 60;

/// How long a process may take to end after its input was closed, in seconds.
pub const PROCESS_END_SECONDS_MAX: u64 = 2;

/// How long calls under way may still take when the gateway closes, in seconds.
pub const DRAIN_SECONDS_MAX: u64 = 20;

/// Longest text that an upstream's words take in a log line or an answer to a person, in bytes.
pub const DETAIL_BYTES_MAX: usize = 1_000;
