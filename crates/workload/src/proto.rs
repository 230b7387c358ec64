//! The messages and the service of `proto/workload.proto`, as generated when this crate is built.

#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated code carries exceptions of its own, and is as long as it is"
)]

tonic::include_proto!("_");
