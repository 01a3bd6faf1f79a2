//! The meaning of CloudTrail: typed events, the credential ledger, lineage and liveness.
//!
//! Must never: do I/O, read the clock, spawn threads, use async or randomness. Time is an argument.
//! A module imports only those before it in this list; `tests/import_order.rs` holds that.

pub mod text;

pub mod time;

pub mod id;

pub mod json;

pub mod event;

pub mod record;

pub mod deed;

pub mod digest;

pub mod ledger;

pub mod lineage;

pub mod liveness;

pub mod finding;

pub mod detect;

pub mod report;

pub mod contain;
