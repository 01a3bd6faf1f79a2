//! The page: what a case says, as HTML for a browser.
//!
//! [`with_workers`] keeps a lineage in threads, [`router`] answers requests from them, and a [`Desk`] lets those of a
//! grown case take over; [`Views`] are the same views for a file, and [`drawing`] is the lineage as a picture. Findings
//! come from a function that the caller passes, and so do plans and whatever may be done with them. Must never: judge,
//! change anything, read the clock or draw random numbers by itself, or let text of a log into a page except through
//! `html::log` and `html::plain`.

mod access;
mod answers;
mod api;
mod containment;
mod desk;
mod drawing;
mod html;
mod live;
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
pub use containment::{
    Answering, Command, Containment, Ended, Errand, Opinion, Order, PlanRecord, Planned, Question,
    Reading, Run, Starting, Wish,
};
pub use desk::Desk;
pub use drawing::drawing;
pub use records::{Fetch, Fetched, RawRecord, Sought};
pub use report::{STYLE, View, Views, style_source};
pub use routes::router;
pub use server::serve;
pub use workers::{Asker, Setting, with_workers};
