//! The page: what a case says, as HTML for a browser.
//!
//! [`with_workers`] keeps a lineage in threads, [`router`] answers requests from them; [`Views`] are the same views for
//! a file. Findings come from a function that the caller passes. Must never: judge, change anything, read the clock or draw random
//! numbers by itself, or let text of a log into a page except through `html::log`.

mod access;
mod answers;
mod api;
mod html;
mod names;
mod problem;
mod query;
mod records;
mod report;
mod routes;
mod server;
mod timeline;
mod views;
mod workers;

pub use access::{Access, SECRET_BYTES};
pub use answers::{Judged, Now};
pub use records::{Fetch, Fetched, RawRecord, Sought};
pub use report::{STYLE, View, Views, style_source};
pub use routes::router;
pub use server::serve;
pub use workers::{Asker, Setting, with_workers};
