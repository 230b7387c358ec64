//! Every bound has a name.

/// Longest name of an agent, connector, person or group, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest free text (purpose, reason, note), in bytes.
pub const TEXT_BYTES_MAX: usize = 2_000;
/// Longest sentence of a refusal, in characters, so that it fits a ledger entry whatever input it repeats.
pub const SENTENCE_CHARS_MAX: usize = 4_000;
/// Operations that one grant or one task's scope names.
pub const PATTERNS_MAX: usize = 64;
/// Operations that a task asks for in one request.
pub const ACCESS_OPERATIONS_MAX: usize = 8;
/// Requests for access that may wait for people at a time, per task with all its sub-tasks.
pub const TASK_ACCESS_WAITING_MAX: usize = 4;
/// The same, per agent: whoever answers for it is not buried by many tasks either.
pub const AGENT_ACCESS_WAITING_MAX: usize = 16;
/// Requests for access that one task makes with all its sub-tasks, answered ones included.
pub const TASK_ACCESS_REQUESTS_MAX: usize = 32;
/// Longest life of a grant: 180 days.
pub const GRANT_SECONDS_MAX: u64 = 180 * 24 * 3600;
/// Longest life of a task: one day.
pub const TASK_SECONDS_MAX: u64 = 24 * 3600;
/// Life of a task when nobody says otherwise: one hour.
pub const TASK_SECONDS_DEFAULT: u64 = 3600;
/// Calls a task may make when nobody says otherwise.
pub const TASK_CALLS_DEFAULT: u64 = 100_000;
/// Calls that a task may be given at most.
pub const TASK_CALLS_MAX: u64 = 1_000_000_000;
/// Levels of sub-tasks under a task.
pub const TASK_DEPTH_MAX: u32 = 8;
/// Live tasks of one agent.
pub const AGENT_TASKS_MAX: usize = 10_000;
/// Longest life of an enrolment or sign-in code: one day.
pub const CODE_SECONDS_MAX: u64 = 24 * 3600;
/// How long a passkey that was shown lets its person do what is grave.
pub const FRESH_SECONDS: u64 = 300;
/// Passkeys of one person.
pub const PASSKEYS_MAX: usize = 16;
/// Longest id of a passkey: 1,023 bytes (Web Authentication level 3, section 4) as base64url.
pub const CREDENTIAL_BYTES_MAX: usize = 1_364;
/// How long a person looks at least before saying yes where confidential data is concerned.
pub const DWELL_SECONDS_D2: u64 = 5;
/// The same for restricted data.
pub const DWELL_SECONDS_D3: u64 = 15;
/// How often a person says yes within an hour where confidential data is concerned, or what cannot be undone.
pub const ANSWERS_PER_HOUR_MAX: usize = 20;
/// Longest absence for which somebody names a deputy: 90 days.
pub const ABSENCE_SECONDS_MAX: u64 = 90 * 24 * 3600;
/// Longest life of a signed-in session: twelve hours.
pub const SESSION_SECONDS_MAX: u64 = 12 * 3600;
/// People who may approve for one agent, its owner left out.
pub const AGENT_APPROVERS_MAX: usize = 64;
/// Keys that one agent may have enrolled at a time.
pub const AGENT_KEYS_MAX: usize = 16;
/// Approvals that may wait for people at a time, per task with all its sub-tasks, so that an agent cannot bury its approvers.
pub const TASK_APPROVALS_PENDING_MAX: usize = 16;
/// How long a given approval may wait to be used, in seconds.
pub const APPROVAL_USE_SECONDS: u64 = 900;
/// An allowed action whose outcome was not reported in this time has an unknown outcome.
pub const OUTCOME_SECONDS_MAX: u64 = 900;
/// What has ended stays in memory this long, so that late questions get a precise answer; the ledger keeps it for ever.
pub const ENDED_SECONDS_KEPT: u64 = 24 * 3600;
/// Deadlines that one command may act on, so that a batch stays small.
pub const EXPIRE_BATCH_MAX: usize = 256;
/// How long the built-in agent of the sandbox goes without a review: 90 days.
pub const SANDBOX_REVIEW_SECONDS: u64 = 90 * 24 * 3600;
/// Operations of one connector.
pub const CONNECTOR_OPERATIONS_MAX: usize = 512;
/// Longest name of an operation, `connector/tool`, in bytes.
pub const OPERATION_BYTES_MAX: usize = 3 * NAME_BYTES_MAX + 1;
/// Size of one operation's definition (name, description, schema) in canonical bytes.
pub const DEFINITION_BYTES_MAX: usize = 32 * 1024;
/// Size of one edit, and of all policy texts in one change, so that each fits a ledger entry.
pub const PROPOSAL_BYTES_MAX: usize = 40 * 1024;
/// Operations, or connectors with all of theirs, that one person is entitled to directly.
pub const ENTITLEMENTS_MAX: usize = 512;
/// Edits of one change.
pub const CHANGE_EDITS_MAX: usize = CONNECTOR_OPERATIONS_MAX;
/// Size of all edits of one change.
pub const CHANGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Proposals of one person that wait at a time.
pub const AUTHOR_PROPOSALS_MAX: usize = 16;
/// Emergency changes of one person that nobody has reviewed yet.
pub const EMERGENCIES_UNREVIEWED_MAX: usize = 8;
/// Kinds of checks of which one change keeps the result.
pub const CHANGE_CHECKS_MAX: usize = 16;
/// In this time two other people look at an emergency change: one day.
pub const EMERGENCY_REVIEW_SECONDS: u64 = 24 * 3600;
/// People who look at an emergency change afterwards.
pub const EMERGENCY_REVIEWS: usize = 2;
/// Things that a connector which is enforced elsewhere has in its catalogue, of each sort.
pub const CATALOGUE_MAX: usize = 1_000;
/// Size of such a connector's catalogue as JSON.
pub const CATALOGUE_BYTES_MAX: usize = 32 * 1024;
/// Changes that wait at a time, so that nobody fills the memory with them.
pub const PROPOSALS_PENDING_MAX: usize = 64;
/// Policy sources active at a time.
pub const POLICY_SOURCES_MAX: usize = 512;
/// Groups that one person is in.
pub const PERSON_GROUPS_MAX: usize = 64;
/// Parts of authority that one task has.
pub const AUTHORITIES_MAX: usize = 32;
/// Bounds that one part of authority has.
pub const CONSTRAINTS_MAX: usize = 16;
/// Delegates that one part of authority names.
pub const DELEGATES_MAX: usize = 16;
/// Life of an authorization code: RFC 6749 section 4.1.2 recommends ten minutes at most; one is enough for a redirect.
pub const AUTHORIZATION_CODE_SECONDS: u64 = 60;
/// How long a used code or an old refresh token is remembered, so that its second use ends what the first began.
pub const USED_CODE_SECONDS_KEPT: u64 = 24 * 3600;
/// Registered OAuth clients of a realm.
pub const CLIENTS_MAX: usize = 4_096;
/// Addresses that one client may be sent back to.
pub const REDIRECTS_MAX: usize = 16;
/// Longest address, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 2_048;
/// Tokens of one task that may be revoked one by one; one more ends the task.
pub const REVOKED_TOKENS_MAX: usize = 64;
/// Workloads of one sort, local or foreign, that one agent has.
pub const AGENT_WORKLOADS_MAX: usize = 16;
/// Selectors that describe one workload.
pub const SELECTORS_MAX: usize = 8;
/// Agents in quarantine at a time, so that arrivals do not bury what people have to look at.
pub const QUARANTINED_AGENTS_MAX: usize = 1_000;
/// Short technical texts in one list: what was attested, parties, audiences.
pub const FACTS_MAX: usize = 32;
/// Longest short technical text, in bytes.
pub const FACT_BYTES_MAX: usize = 512;
/// Longest life of an SVID: one day.
pub const SVID_SECONDS_MAX: u64 = 24 * 3600;
/// Keys that a realm has had, revoked ones among them.
pub const REALM_KEYS_MAX: usize = 1_024;
/// Longest id of a realm key, in bytes.
pub const KEY_ID_BYTES_MAX: usize = 128;
/// Size of the public part of a realm key as JSON.
pub const PUBLIC_KEY_BYTES_MAX: usize = 16 * 1024;
/// Findings in memory at a time.
pub const FINDINGS_MAX: usize = 10_000;
/// Longest time until a legacy account is due: 180 days.
pub const LEGACY_SECONDS_MAX: u64 = 180 * 24 * 3600;
/// Legacy accounts of a realm.
pub const LEGACY_ACCOUNTS_MAX: usize = 256;
/// Workflows behind one legacy account.
pub const WORKFLOWS_MAX: usize = 64;
/// Accounts elsewhere that are one person.
pub const PERSON_LINKS_MAX: usize = 16;
/// How long a received signal is remembered, so that it is not acted on twice: one day.
pub const SIGNAL_SECONDS_KEPT: u64 = 24 * 3600;
/// Received signals of one transmitter that are remembered at most; the oldest are forgotten first.
pub const SIGNALS_KEPT_MAX: usize = 10_000;
/// Operations, and agents, that an answer to a reverse question names for each row; it says whether there are more.
pub const WHO_EXAMPLES: usize = 3;
/// People that an answer to a reverse question names in one list; it says whether there are more.
pub const WHO_PEOPLE_MAX: usize = 100;
/// Answers that one question to the policies remembers for others of their kind.
pub const WHO_ANSWERS_MAX: usize = 500_000;
/// Permits of a policy set up to which an answer says which of them permit.
pub const WHO_PERMITS_MAX: usize = 64;

/// Sets of operations that proposed policies are kept compiled against while recorded attempts are decided again.
pub const REPLAY_COURTS_MAX: usize = 8;
/// Answers that are remembered for each such set.
pub const REPLAY_ANSWERS_MAX: usize = 100_000;

/// Compiled sets of policies that are kept for whoever compiles the same again.
pub const POLICY_SETS_KEPT_MAX: usize = 4;
