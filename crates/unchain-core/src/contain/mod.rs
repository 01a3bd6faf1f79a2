//! Containment: from a lineage and the state of the accounts to a plan, the objections to that plan, the proof of what it
//! does, and carrying it out.
//!
//! [`Facts`] are read from what the AWS CLI prints. [`plan`] makes a [`Plan`] around a pivot; nothing is left
//! to choose when it is carried out. [`check`] says what speaks against it, without knowing how it was made.
//! [`prove`] lets the policy evaluator decide what each credential may still do afterwards. [`inspect`] tells
//! what there is to be contained, and [`verify`] whether a plan that was carried out holds. [`cli_script`],
//! [`cloudformation`] and [`terraform`] write a plan for other tools, and [`permissions`] says what it needs. None of
//! these changes anything, and `now` is an argument. [`apply`] and [`undo`] do change accounts, through an [`Actuator`]
//! that the caller has: here is no network and no clock.
//!
//! A plan has the order of its phases: what nobody in the account can strip (the freeze, then the organization's
//! denies), denies on every user and role, a wait until they are in force, the later cut-off, keys, passwords and
//! devices, trust; then somebody looks, and only after that is deleted what does not come back. That follows AWS's own
//! guidance on revoking sessions
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html and
//! …/id_credentials_temp_control-access_disable-perms.html).

mod after;
mod apply;
mod check;
mod document;
mod doors;
mod export;
mod facts;
mod inspect;
mod outrun;
mod owner;
mod plan;
mod policies;
mod prove;
mod reach;
mod scope;
mod verify;

pub use apply::{
    Actuator, Answer, ApprovalError, Approved, End, Happened, Outcome, PlanError, Progress,
    Prospect, Receipt, Refusal, RefusalKind, Reliance, Stage, StepStage, Stop, Undone, Work, apply,
    in_force, preview, progress, relies_on, undo, validate,
};
pub use check::{Note, Severity, check, locked_out};
pub use document::{DocumentError, digest, from_json, to_json};
pub use doors::Door;
pub use export::{Duty, cli_script, cloudformation, permissions, terraform};
pub use facts::{
    Account, Answers, AnywhereProfile, Facts, FactsError, Group, LastUsed, Managed, Organization,
    Pages, Policies, Recorded, ReportedKey, Role, ScpLevel, Trail, User,
};
pub use inspect::{Control, Inspection, PrincipalRow, Revocation, controls, inspect};
pub use owner::{Owner, OwnerKind};
pub use plan::{
    Action, Break, Call, Level, Mark, Open, PLAN_VERSION, Phase, Plan, Removal, Settings, Step,
    Subject, Undo, plan,
};
pub use prove::{Kept, Proof, Standing, Verdict, outside, prove};
pub use reach::{Reached, reach};
pub use verify::{
    CodeClass, Conclusion, Containment, Denier, Descendant, Evidence, Failures, Missing,
    MissingHow, Probe, ProbeRow, Reason, Reply, Sign, Snapshot, State, StateRow, Success,
    Verification, Watch, classify, verify,
};
