//! Bounds of the proxy, each with its name.

/// Longest line that is taken from the client, in bytes. Above what the gateway takes, so that the gateway is the one to
/// refuse, and the answer names the request.
pub const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest message that is taken from the gateway, in bytes: above the largest result that it passes on.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Requests of one client that may be under way at a time.
pub const REQUESTS_MAX: usize = 256;

/// Lines that wait to be taken, and messages that wait to be written.
pub const LINES_WAITING_MAX: usize = 64;

/// Largest token, in bytes.
pub const TOKEN_BYTES_MAX: u64 = 16 * 1024;

/// Longest time to reach the gateway's machine, in seconds.
pub const CONNECT_SECONDS_MAX: u64 = 10;

/// How long the gateway may stay silent while it works on a request, in seconds. It sends comments on streams meanwhile.
pub const SILENCE_SECONDS_MAX: u64 = 600;

/// Longest time for a message that has no answer, in seconds.
pub const NOTICE_SECONDS_MAX: u64 = 10;

/// How long requests under way may still take when the input has ended, in seconds.
pub const DRAIN_SECONDS_MAX: u64 = 10;

/// How long a stream may stay open after the answer on it, in seconds: one that ends leaves a connection to use again.
pub const TRAILING_SECONDS_MAX: u64 = 1;

/// Longest time to end the session, in seconds. Clients kill what does not end soon after its input.
pub const SESSION_END_SECONDS_MAX: u64 = 1;

/// Longest time to write what is left, in seconds.
pub const WRITE_SECONDS_MAX: u64 = 1;

/// First pause before the stream of the session is opened again, in seconds; it doubles with each failure.
pub const REOPEN_SECONDS_MIN: u64 = 1;

/// Longest pause before the stream of the session is opened again, in seconds.
pub const REOPEN_SECONDS_MAX: u64 = 60;
