//! The meaning of CloudTrail: typed events, the credential ledger, lineage and liveness.
//!
//! Must never: do I/O, read the clock, spawn threads, use async or randomness. Time is an argument.
//! A module imports only those before it in this list; `tests/import_order.rs` holds that.

pub mod deed;
pub mod event;
pub mod id;
pub mod json;
pub mod ledger;
pub mod lineage;
pub mod liveness;
pub mod policy_text;
pub mod record;
pub mod report;
pub mod text;
pub mod time;
