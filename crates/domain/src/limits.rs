//! Every bound has a name.

/// Longest name of an agent, connector, person or group, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest free text (purpose, reason, note), in bytes.
pub const TEXT_BYTES_MAX: usize = 2_000;
/// Longest sentence of a refusal, in characters, so that it fits a ledger entry whatever input it repeats.
pub const SENTENCE_CHARS_MAX: usize = 4_000;
/// Operations that one grant or one task's scope names.
pub const PATTERNS_MAX: usize = 64;
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
/// Size of the policy texts in one proposal, so that it fits a ledger entry.
pub const PROPOSAL_BYTES_MAX: usize = 40 * 1024;
/// Proposals of policies that wait at a time, so that nobody fills the memory with texts.
pub const PROPOSALS_PENDING_MAX: usize = 64;
/// Policy sources active at a time.
pub const POLICY_SOURCES_MAX: usize = 512;
/// Groups that one person is in.
pub const PERSON_GROUPS_MAX: usize = 64;
