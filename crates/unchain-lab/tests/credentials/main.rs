//! Temporary credentials in the lab: who gets them, for how long, and what they may do.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]
#![expect(
    clippy::too_many_lines,
    reason = "tables of cases are read better whole"
)]

mod chain;
mod desk;
mod enforce;
mod federation;
mod limits;
mod organization;
mod recorded;
