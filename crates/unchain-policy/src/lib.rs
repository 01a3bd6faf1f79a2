//! IAM policies: what they say, and what they decide when part of the request context is not known.
//!
//! A [`Policy`] is parsed once. [`evaluate`] takes a [`Request`] and the [`Layers`] of policies that apply to it,
//! and gives a [`Decision`]: allowed, explicitly denied, implicitly denied, or dependent on condition keys that the
//! caller declared unknown. It follows the IAM User Guide, "Policy evaluation logic"
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html); where that guide leaves
//! something open, the item that decides it says what was chosen.
//!
//! Must never: do I/O, read the clock, or know what a service does. Which policies apply to a request, quotas on
//! their size, and the limits of STS credentials are the caller's.
//!
//! # A revoked session
//!
//! ```
//! use unchain_policy::{Context, Decision, Layers, Named, Policy, Principal, Request, evaluate};
//!
//! let admin = Policy::parse(
//!     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
//! )?;
//! let revoke = Policy::parse(
//!     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
//!         "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-03-02T09:30:00.000Z"}}}}"#,
//! )?;
//! let principal = Principal::from_arn("arn:aws:sts::111122223333:assumed-role/app/eve");
//! let layers = Layers {
//!     identity: vec![
//!         Named { name: "role/app/admin", policy: &admin },
//!         Named { name: "role/app/inline AWSRevokeOlderSessions", policy: &revoke },
//!     ],
//!     ..Layers::default()
//! };
//! let ask = |context: &Context| {
//!     let request = Request {
//!         principal: &principal,
//!         action: "s3:GetObject",
//!         resource: "arn:aws:s3:::logs/1",
//!         resource_account: None,
//!         context,
//!     };
//!     evaluate(&request, &layers)
//! };
//!
//! let older = Context::new().with("aws:TokenIssueTime", "2026-03-02T09:00:00Z");
//! assert!(matches!(ask(&older), Decision::ExplicitlyDenied(cited)
//!     if cited.policy == "role/app/inline AWSRevokeOlderSessions"));
//!
//! let newer = Context::new().with("aws:TokenIssueTime", "2026-03-02T10:00:00Z");
//! assert!(matches!(ask(&newer), Decision::Allowed(_)));
//!
//! let unseen = Context::new().unknown("aws:TokenIssueTime");
//! let Decision::Depends(depends) = ask(&unseen) else { panic!("the time decides") };
//! assert_eq!(depends.keys.into_iter().collect::<Vec<_>>(), ["aws:TokenIssueTime"]);
//! # Ok::<(), unchain_policy::PolicyError>(())
//! ```
//!
//! # A document that AWS would refuse
//!
//! ```
//! use unchain_policy::Policy;
//!
//! let error = Policy::parse(r#"{"Statement": {"Effect": "Deny", "Actions": "*", "Resource": "*"}}"#).unwrap_err();
//! assert_eq!(error.to_string(), "unknown element `Actions` in statement 0");
//! ```

mod condition;
mod context;
mod date;
mod decision;
mod error;
mod evaluate;
mod json;
mod layers;
mod network;
mod number;
mod operator;
mod pattern;
mod policy;
mod principal;
mod read;
mod statement;
mod truth;
mod write;

pub use context::{Context, Known};
pub use decision::{Cited, Decision, Depends, Grant, Layer};
pub use error::PolicyError;
pub use evaluate::evaluate;
pub use layers::{Layers, Named, Request, ResourceKind, ResourcePolicy};
pub use policy::{Effect, Policy, Statement, Version};
pub use principal::{Principal, PrincipalKind};
