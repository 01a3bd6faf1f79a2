//! The page through its router: who may ask, what is shown, and that text of a log stays text.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod access;
mod api;
mod common;
mod contained;
mod grown;
mod hostile;
mod html;
mod inspect;
mod lineage;
mod records;
mod report;
mod schema;
mod timeline;
mod views;
