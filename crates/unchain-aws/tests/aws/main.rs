//! The crate against a lab on this machine, and against what it must be able to call.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod actions;
mod probe;
mod snapshot;
mod support;
mod table;
