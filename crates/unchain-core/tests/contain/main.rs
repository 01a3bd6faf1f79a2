//! Containment of whole stories: what a plan does, what is said against it, and what the evaluator proves of it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail where the test should"
)]

mod account;
mod bytes;
mod carried;
mod carry;
mod checks;
mod common;
mod edges;
mod everything;
mod exports;
mod facts;
mod freezing;
mod hostile;
mod inspecting;
mod plans;
mod probe;
mod progressing;
mod proofs;
mod reading;
mod rely;
mod removing;
mod source_identity;
mod verify;
