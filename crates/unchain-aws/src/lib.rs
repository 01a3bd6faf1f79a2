//! AWS, as the commands of containment use it: single calls for whoever carries a plan out, and a snapshot of what
//! accounts hold.
//!
//! The only crate with the AWS SDK in it. A [`Session`] is an [`unchain_core::contain::Actuator`]: it turns a
//! [`Call`](unchain_core::contain::Call) into the SDK's typed request, by one closed table, and the answer into JSON
//! under the names of the service's API reference. It decides nothing: which call comes next, and what an answer means,
//! is `unchain-core`'s business. It must not know what a plan is.

mod actions;
mod clients;
mod error;
mod given;
mod once;
mod options;
mod probe;
mod refusal;
mod session;
mod snapshot;
#[cfg(test)]
mod trouble;
mod value;

pub use actions::{Known, known};
pub use error::AwsError;
pub use options::{Credential, Options};
pub use probe::probe;
pub use session::{Identity, Session};
pub use snapshot::{Piece, Scope, facts, snapshot};
