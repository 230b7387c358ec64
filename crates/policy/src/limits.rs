//! Every bound of this crate, by name.

/// Bytes of one policy source.
pub const POLICY_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of all policy sources of one set together.
pub const POLICY_SET_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Policies in one set. A decision looks at those whose scope it fulfils.
pub const POLICIES_MAX: usize = 120_000;
/// Pairs of agent and operation of which it is remembered what the policies that concern them look at.
pub const CONCERNS_MAX: usize = 100_000;
/// One decision in this many is also put to Cedar's own authorizer, to find a fault of the index or of the evaluation.
pub const PLAIN_ONE_IN: u64 = 1_000;
/// Policies whose scopes such a decision asks about one by one, to find candidates that the index does not name: about a millisecond.
pub const PATROL_POLICIES: usize = 1_000;
/// Operators inside operators in a condition that is walked through for what it reads. A deeper one counts as if it read everything.
pub const CONDITION_DEPTH_MAX: usize = 1_000;
/// Operators inside operators in a condition that is evaluated without its context. What lies deeper is left as it is.
pub const RESIDUAL_DEPTH_MAX: usize = 128;
/// Bytes of the condition under which an operation can be called, as it is shown.
pub const CONDITION_BYTES_MAX: usize = 600;
/// Bytes of a policy's `@id`.
pub const POLICY_ID_BYTES_MAX: usize = 128;
/// Bytes of a policy's `@reason`.
pub const POLICY_REASON_BYTES_MAX: usize = 1_000;
/// Problems told at once; nobody reads more.
pub const PROBLEMS_MAX: usize = 100;

/// Records inside records in a tool's arguments. What lies deeper is opaque to policies.
pub const SHAPE_DEPTH_MAX: usize = 6;
/// Properties of a tool's arguments, at all depths together.
pub const SHAPE_PROPERTIES_MAX: usize = 512;
/// Bytes of one property name.
pub const PROPERTY_NAME_BYTES_MAX: usize = 256;
/// Values that one call's arguments may hold where policies can see them.
pub const ARGUMENT_VALUES_MAX: usize = 4_096;
/// Projections of one operation.
pub const PROJECTIONS_MAX: usize = 16;
/// Bytes of one projection as it is written.
pub const PROJECTION_BYTES_MAX: usize = 512;
/// Bytes of a projection's name.
pub const PROJECTION_NAME_BYTES_MAX: usize = 64;
/// Steps of a projection's path.
pub const PROJECTION_STEPS_MAX: usize = 8;
/// Kinds of value that a schema may allow where a projection reads.
pub const PROJECTION_CHOICES_MAX: usize = 64;
/// Arguments that are named to a person whose projection reads none of them.
pub const ARGUMENTS_NAMED_MAX: usize = 12;
/// Operations of one schema.
pub const OPERATIONS_MAX: usize = 10_000;
/// Bytes of one operation's id.
pub const OPERATION_ID_BYTES_MAX: usize = 512;

/// Roles that one `@approvers` may name.
pub const APPROVERS_MAX: usize = 16;
/// People that one `@quorum` may ask for.
pub const QUORUM_MAX: u32 = 20;
/// How long an approval is waited for where a policy does not say `@within`.
pub const WITHIN_SECONDS_DEFAULT: u64 = 15 * 60;
/// The longest `@within`: seven days.
pub const WITHIN_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;

/// Bytes of one table of cases.
pub const CASES_TEXT_BYTES_MAX: usize = 256 * 1024;
/// Cases in one table.
pub const CASES_MAX: usize = 1_000;
