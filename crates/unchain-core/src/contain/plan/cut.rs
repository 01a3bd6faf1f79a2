//! The instants of a plan.

use crate::time::Timestamp;

/// So long after it was made a plan may be begun.
const VALID: i64 = 15 * 60;
/// The cut-off lies so far behind that instant: the console's own button takes 30 seconds
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html).
const AHEAD: i64 = 30;
/// Policies take effect within seconds as a rule; measured by others at 3 to 4 seconds.
pub(crate) const PROPAGATION: u32 = 60;
/// What carrying out the first denies may take.
const CARRYING_OUT: i64 = 5 * 60;
/// CloudTrail delivers within 15 minutes as a rule (AWS CloudTrail User Guide, "How CloudTrail works"); AWS's incident
/// playbook looks for 30.
const LOOKING: i64 = 30 * 60;

/// When what is cut off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) made_at: Timestamp,
    pub(super) valid_until: Timestamp,
    pub(super) first: Timestamp,
    pub(super) second: Timestamp,
    pub(super) look_until: Timestamp,
}

impl Times {
    pub(super) fn from(now: Timestamp) -> Self {
        let valid_until = now.plus(VALID);
        let first = valid_until.plus(AHEAD);
        let second = first.plus(i64::from(PROPAGATION) + CARRYING_OUT);
        Self {
            made_at: now,
            valid_until,
            first,
            second,
            look_until: second.plus(LOOKING),
        }
    }
}
