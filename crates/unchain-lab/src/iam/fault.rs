//! IAM's errors (docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and each operation's page). CloudTrail
//! keeps the parameters of a call that failed so.

use crate::call::Fault;

fn fault(status: u16, code: &str, message: impl Into<String>) -> Fault {
    Fault {
        keep_request: true,
        ..Fault::api(status, code, message)
    }
}

/// `NoSuchEntity`.
pub(super) fn missing(message: impl Into<String>) -> Fault {
    fault(404, "NoSuchEntity", message)
}

/// `EntityAlreadyExists`.
pub(super) fn exists(message: impl Into<String>) -> Fault {
    fault(409, "EntityAlreadyExists", message)
}

/// `DeleteConflict`, with what must go first.
pub(super) fn conflict(message: impl Into<String>) -> Fault {
    fault(409, "DeleteConflict", message)
}

/// `DeleteConflict` for a thing that something must be done to before it goes.
pub(super) fn must_first(what: &str) -> Fault {
    conflict(format!("Cannot delete entity, must {what} first."))
}

/// `LimitExceeded`.
pub(super) fn limit(message: impl Into<String>) -> Fault {
    fault(409, "LimitExceeded", message)
}

/// `LimitExceeded` for a quota that has a name.
pub(super) fn quota(name: &str, most: usize) -> Fault {
    limit(format!("Cannot exceed quota for {name}: {most}"))
}

/// `MalformedPolicyDocument`.
pub(super) fn malformed(message: impl Into<String>) -> Fault {
    fault(400, "MalformedPolicyDocument", message)
}

/// `ValidationError`.
pub(super) fn invalid(message: impl Into<String>) -> Fault {
    fault(400, "ValidationError", message)
}

/// `InvalidInput`.
pub(super) fn input(message: impl Into<String>) -> Fault {
    fault(400, "InvalidInput", message)
}

/// `UnmodifiableEntity` for a role that is AWS's.
pub(super) fn protected(role: &str) -> Fault {
    let message = format!(
        "Cannot perform the operation on the protected role '{role}' - this role is only modifiable by AWS"
    );
    fault(400, "UnmodifiableEntity", message)
}

/// Any other.
pub(super) fn other(status: u16, code: &str, message: impl Into<String>) -> Fault {
    fault(status, code, message)
}

/// A value that breaks a constraint, in the words of AWS's common validation.
pub(super) fn constraint(parameter: &str, value: &str, rule: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: Member must {rule}",
        crate::call::lower_first(parameter)
    ))
}
