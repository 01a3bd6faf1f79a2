//! Containment of whole stories: what a plan does, what is said against it, and what the evaluator proves of it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod common;
mod edges;
mod facts;
mod freezing;
mod plans;
mod proofs;
mod verify;
