//! What is found in recorded trails, against what is known to have happened in them, and no more.
//!
//! Needs the corpus: set `UNCHAIN_CORPUS` to the folder that holds `recorded/`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

mod common;
mod issuing;
mod persistence;
mod uses;
