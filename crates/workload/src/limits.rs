//! Every bound has a name.

/// Connections that are kept open at a time. Each takes two files, and a process often may have 1,024.
pub const CONNECTIONS_MAX: usize = 256;
/// Connections of one user of this machine, so that nobody takes the places of all others. Root is not bounded by it.
pub const CONNECTIONS_PER_USER_MAX: usize = 128;
/// Connections of one process, whoever's it is.
pub const CONNECTIONS_PER_PROCESS_MAX: usize = 16;
/// How long a connection may take until its first request has come whole, in seconds. Who asks for nothing keeps no place.
pub const FIRST_REQUEST_SECONDS_MAX: u64 = 5;
/// Requests that one connection has open at a time.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 16;
/// Streams of SVIDs and bundles that are open at a time, over all connections.
pub const STREAMS_MAX: usize = 4_096;
/// Processes of one user that are looked at at a time: each reads a few small files.
pub const LOOKS_PER_USER_MAX: usize = 4;
/// Programs of one user that are read whole at a time.
pub const DIGESTS_PER_USER_MAX: usize = 1;
/// How long a process may be looked at, or its program read, and how long either waits for its turn, in seconds.
pub const LOOK_SECONDS_MAX: u64 = 2;
/// How long the program of a process that was launched may be read, in seconds: once for each launch, and not for anybody.
pub const OBSERVATION_SECONDS_MAX: u64 = 10;
/// Largest request, in bytes: a token to validate is the largest thing that anybody sends.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How often an idle connection is asked whether it is still there, and how long it may take to say so, in seconds.
pub const KEEPALIVE_SECONDS: u64 = 60;
/// How long the connections have to end when the server stops, in seconds.
pub const CLOSING_SECONDS_MAX: u64 = 3;

/// Longest frame that holds headers, in bytes: what RFC 9113 section 6.5.2 allows who was not allowed more.
pub const FRAME_BYTES_MAX: usize = 16_384;
/// Frames that one header block may come in.
pub const CONTINUATIONS_MAX: usize = 8;
/// Size of the table that a client may refer to in its headers, in bytes as RFC 7541 section 4.1 counts: what RFC 9113 section 6.5.2 allows
/// who was not allowed more. The server behind never says otherwise.
pub const HEADER_TABLE_BYTES_MAX: usize = 4_096;
/// All fields of one header block, in bytes as RFC 9113 section 6.5.2 counts.
pub const HEADER_LIST_BYTES_MAX: usize = 16 * 1024;
/// What is read from a client at a time, in bytes.
pub const CHUNK_BYTES: usize = 8 * 1024;

/// A process and its ancestors that are looked at to find the one that was launched. What is deeper is nobody.
pub const ANCESTORS_MAX: usize = 64;
/// A file of `/proc` is not longer than this, in bytes, as far as it is of interest.
pub const PROC_BYTES_MAX: u64 = 64 * 1024;
/// Largest program whose digest is taken, in bytes.
pub const EXECUTABLE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Digests of programs that are remembered.
pub const EXECUTABLES_KEPT_MAX: usize = 1_024;
/// A program that changed this recently may change again within the same tick of the file system's clock; its digest is not
/// remembered. In seconds.
pub const EXECUTABLE_SETTLED_SECONDS: i64 = 2;

/// Identities that one caller gets.
pub const IDENTITIES_MAX: usize = 32;
/// Longest audience, in bytes.
pub const AUDIENCE_BYTES_MAX: usize = 512;

/// Life of an SVID when nobody says otherwise, in seconds.
pub const SVID_SECONDS_DEFAULT: u64 = 3_600;
/// Shortest and longest life that an SVID may be configured to have, in seconds.
pub const SVID_SECONDS_MIN: u64 = 60;
pub const SVID_SECONDS_MAX: u64 = remit_domain::limits::SVID_SECONDS_MAX;
/// Longest life of a JWT-SVID, in seconds: a bearer token cannot be taken back.
pub const JWT_SECONDS_MAX: u64 = 300;
/// SVIDs that are remembered so that who asks again does not get, and record, another.
pub const SVIDS_KEPT_MAX: usize = 4_096;
/// SVIDs that are made for one identity within a minute.
pub const SVIDS_PER_MINUTE_MAX: u32 = 240;
/// How far from half of an SVID's life its renewal may be moved, in parts of a hundred: not everybody at once.
pub const JITTER_PERCENT: u64 = 10;
/// How long after a failed renewal it is tried again, in seconds.
pub const RETRY_SECONDS: u64 = 5;

/// Changes that a slow stream may be behind before it looks at everything again.
pub const CHANGES_KEPT: usize = 256;
/// How long a withdrawal waits for the streams it ends, in seconds, before it reports those that remain.
pub const CUT_SECONDS_MAX: u64 = 5;
/// Causes whose cut streams are remembered until they are reported.
pub const CUTS_KEPT_MAX: usize = 1_024;
/// How often an open stream looks at its process again although nothing is known to have changed, in seconds.
pub const LOOK_AGAIN_SECONDS: u64 = 60;
/// How long after a step of a realm key the streams look once more, in milliseconds: the record comes before the key.
pub const KEY_SETTLES_MILLISECONDS: u64 = 200;
