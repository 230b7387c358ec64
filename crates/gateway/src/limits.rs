//! Every bound of this crate, by name. Units stand last.

/// Largest request body, in bytes.
pub const REQUEST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Longest time in which a request's body has to arrive, in seconds.
pub const REQUEST_SECONDS_MAX: u64 = 30;

/// How much of the body of a request that is refused may arrive so that its connection lives on.
pub const REFUSED_BYTES_MAX: usize = 65_536;

/// How long such a body is waited for, in seconds.
pub const REFUSED_SECONDS_MAX: u64 = 2;

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

/// Longest member of `_meta` that says of which trace a call is part, in bytes (W3C Baggage, section 3.3.2).
pub const TRACE_BYTES_MAX: usize = 8_192;

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

/// Things that a server may ask of its client during one call.
pub const ASKS_PER_CALL_MAX: usize = 16;

/// Requests of one server that are being answered at a time; further ones get no answer.
pub const ANSWERS_MAX: usize = 64;

/// News of upstreams that are kept for a reader that does not keep up; it then loses the oldest.
pub const NEWS_KEPT: usize = 1_024;

/// Resources of one connector that are followed at a time.
pub const RESOURCES_FOLLOWED_MAX: usize = 256;

/// Longest address of a resource that is passed on as news, in bytes.
pub const NEWS_URI_BYTES_MAX: usize = 2_048;

/// Longest time in which a server has to take a subscription, in seconds.
pub const FOLLOW_SECONDS_MAX: u64 = 5;

/// Attempts in a row to take up a broken stream that bring nothing new.
pub const RESUMES_MAX: u32 = 5;

/// First pause before a broken stream is taken up again when its server does not say, in milliseconds.
pub const RESUME_MILLISECONDS_DEFAULT: u64 = 1_000;

/// Longest such pause that a server may ask for, in milliseconds.
pub const RESUME_MILLISECONDS_MAX: u64 = 30_000;

/// Longest id of an event that is kept to take up its stream again, in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 1_024;

/// Longest time to tell an upstream that a session is over, in seconds.
pub const SESSION_END_SECONDS_MAX: u64 = 2;

/// Idle connections that are kept to one upstream over HTTP.
pub const IDLE_CONNECTIONS_MAX: usize = 256;

/// Longest text with which a server describes itself that is kept, in bytes.
pub const INSTRUCTIONS_BYTES_MAX: usize = 4 * 1024;

/// Longest address of a resource, in bytes.
pub const URI_BYTES_MAX: usize = 4_096;

/// Words that a call's upstream may say meanwhile and that are passed on and recorded, in number and in bytes.
pub const WORDS_PER_CALL_MAX: usize = 256;
pub const WORDS_BYTES_MAX: usize = 256 * 1024;

/// Requests to the client of one call, or of one session, that are open at a time.
pub const ASKS_AT_A_TIME_MAX: usize = 16;

/// How long an upstream waits for what it asked of a client, in seconds.
pub const ASK_SECONDS_MAX: u64 = 300;

/// Questions in one result of an upstream.
pub const INPUT_REQUESTS_MAX: usize = 32;

/// How often in a row an upstream may ask for input before it answers, where the gateway answers for an older client.
pub const INPUT_ROUNDS_MAX: u8 = 10;

/// Pause before an upstream that only wants to be asked again is asked again; it grows with each round.
pub const RETRY_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Longest state of an upstream that is carried, and longest state of ours that is read, in bytes.
pub const UPSTREAM_STATE_BYTES_MAX: usize = 64 * 1024;
pub const REQUEST_STATE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How long a request can be continued, in seconds.
pub const REQUEST_STATE_SECONDS: i64 = 900;

/// Continued requests of one agent that are remembered, so that none is continued twice.
pub const REQUEST_STATES_USED_MAX: usize = 10_000;

/// How often a client of 2026-07-28 waits for an approval by repeating its request by itself. Clients give up after ten.
pub const APPROVAL_ROUNDS_MAX: u8 = 8;

/// Calls that are open at an upstream while their clients answer what it asked, and for how long each, in seconds.
pub const PARKED_MAX: usize = 4_096;
pub const PARKED_PER_TASK_MAX: usize = 64;
pub const PARKED_SECONDS_MAX: u64 = 300;

/// Calls whose clients ask for the answer later, over all callers and of one task.
pub const HANDLES_MAX: usize = 8_192;
pub const HANDLES_PER_TASK_MAX: usize = 64;

/// How long such a call waits for a person, and for how long it is known in all, in seconds.
pub const HANDLE_HOLD_SECONDS_MAX: u64 = 3_600;
pub const HANDLE_SECONDS_KEPT: u64 = 7_200;

/// How often a client should ask for such an answer, in milliseconds.
pub const HANDLE_POLL_MILLISECONDS: u64 = 1_000;

/// Streams of clients that are open at a time, over all callers and of one task.
pub const STREAMS_MAX: usize = 16_384;
pub const STREAMS_PER_TASK_MAX: usize = 1_024;

/// Messages that wait for a stream; further ones are dropped.
pub const STREAM_MESSAGES_MAX: usize = 32;

/// How often something is sent on an idle stream of news, in seconds.
pub const STREAM_KEEPALIVE_SECONDS: u64 = 25;

/// Resources that one stream or session follows.
pub const FOLLOWED_PER_STREAM_MAX: usize = 128;

/// Entries on one page of resources or prompts that are passed on.
pub const ENTRIES_PER_PAGE_MAX: usize = 5_000;

/// Output schemas that are kept read.
pub const OUTPUTS_KEPT_MAX: usize = 4_096;

/// Shortest pause before a broken stream is taken up again, whatever its server says, in milliseconds.
pub const RESUME_MILLISECONDS_MIN: u64 = 50;

/// Tokens whose signatures are remembered, and for how long each, in seconds.
pub const TOKENS_KEPT_MAX: usize = 65_536;
pub const TOKEN_CHECKED_SECONDS_MAX: i64 = 30;

/// How long the first calls on a connection wait for the server's own stream, in milliseconds.
pub const LISTEN_FIRST_MILLISECONDS_MAX: u64 = 300;

/// Connectors that are greeted because a client listens for changes.
pub const CONNECTORS_HEARD_MAX: usize = 64;

/// How long a call that was given up is remembered while its server may still work on it, in seconds.
pub const GIVEN_UP_SECONDS_KEPT: u64 = 300;

/// Longest time of one call with all that its server asks meanwhile, in seconds: less than after which its outcome counts as unknown.
pub const CALL_SECONDS_MAX: u64 = remit_domain::limits::OUTCOME_SECONDS_MAX - 60;

/// How long the wire has to end a call that was given up, in seconds.
pub const CUT_SECONDS_MAX: u64 = CANCEL_SECONDS_MAX + 2;

/// How long the answer of a finished long-running call can be fetched, in seconds.
pub const HANDLE_DONE_SECONDS_KEPT: u64 = 900;

/// Longest time for one page of a list where connectors are joined, in seconds: one that hangs costs only its own entries.
pub const JOINED_PAGE_SECONDS_MAX: u64 = 10;

/// Runs whose first tasks are kept at hand.
pub const RUNS_KEPT_MAX: usize = 65_536;

/// How far the clock of a workflow that signs its name may be from ours, in seconds.
pub const WORKFLOW_HEADER_SECONDS_MAX: u64 = 60;

/// Tasks of which is kept what their end has cut.
pub const CUTS_KEPT_MAX: usize = 65_536;

/// What could not be taken back of one cause, in texts.
pub const CUT_WORDS_MAX: usize = 16;

/// How long a call of a task that has ended may take to say so to its client, before the client is answered without it, in milliseconds.
pub const CUT_GRACE_MILLISECONDS: u64 = 200;

/// How long the end of something may take here before it is said what is left, in seconds: longer than a call has to end.
pub const ENFORCE_SECONDS_MAX: u64 = CUT_SECONDS_MAX + 1;

/// How often idle sessions are looked for, in seconds.
pub const SESSIONS_REAPED_SECONDS: u64 = 60;

/// Largest message of a gateway that asks for a decision, in bytes: a whole request, or a whole result.
pub const HOOK_MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest body of a request that is asked about and read, in bytes.
pub const HOOK_BODY_BYTES_MAX: usize = ARGUMENTS_BYTES_MAX;

/// Longest path of a request that is asked about, with its query, in bytes.
pub const HOOK_PATH_BYTES_MAX: usize = 8_192;

/// Longest HTTP method of a request that is asked about, in bytes.
pub const HOOK_METHOD_BYTES_MAX: usize = 32;

/// Headers of a request that is asked about, in number.
pub const HOOK_HEADERS_MAX: usize = 256;

/// Servers that one request of MCP which is asked about may go to.
pub const HOOK_SERVICES_MAX: usize = 64;

/// After how long a request that waits for a person is worth repeating, in seconds.
pub const HOOK_RETRY_SECONDS: u64 = 5;
