//! The messages and services of `proto/`, as generated when this crate is built.

#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated code carries exceptions of its own, and is as long as it is"
)]

include!(concat!(env!("OUT_DIR"), "/hooks.rs"));
