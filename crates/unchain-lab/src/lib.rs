//! A pretend AWS on one machine: STS, IAM, S3, SQS, SNS, CloudTrail and Organizations as far as an attack with
//! temporary credentials and its containment need. It enforces policy with `unchain-policy`, writes CloudTrail as
//! AWS writes it, and has a clock that can be turned.
//!
//! [`Lab::handle`] is the whole of it: one HTTP request in, one response out, no socket and no clock of its own.
//! The way of a request, each step a module:
//!
//! 1. [`service`]: which service and which operation does it name ([`operation::Operation`], one table a service);
//! 2. [`sigv4`]: is the signature right, and whose key is it → [`session::Caller`];
//! 3. [`protocol`]: the body's parameters as one JSON object with the names of the API → [`call::Call`];
//! 4. [`enforce`]: may the caller do this → a [`call::Fault`] or nothing;
//! 5. `Operation::run` changes the [`world::World`] and gives a [`call::Reply`];
//! 6. [`trail`]: what CloudTrail says of it;
//! 7. [`protocol`]: the reply or fault in the service's own form.
//!
//! What it must not know: lineage, findings, containment. Nothing of the product may rest on it.

#[macro_use]
mod shown;

pub mod athena;
pub mod call;
pub mod clock;
pub mod cloudformation;
pub mod compute;
pub mod control;
pub mod enforce;
pub mod grant;
pub mod http;
pub mod iam;
pub mod ids;
mod lab;
pub mod mfa;
pub mod operation;
pub mod organizations;
mod params;
pub mod protocol;
pub mod s3;
pub mod server;
pub mod service;
pub mod session;
pub mod signin;
pub mod sigv4;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod state;
pub mod story;
pub mod sts;
pub mod trail;
pub mod workload;
pub mod world;

pub use lab::Lab;
