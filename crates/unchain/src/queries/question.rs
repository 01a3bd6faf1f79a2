//! What is asked of events, before it is SQL: fields of a record, and conditions on them.
//!
//! A field is named by its path in a record
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
//! Must not know how an engine writes them.

use super::pivot::{Kind, name_and_account};

/// Where a field stands in a record.
pub(super) type Field = &'static str;

/// The key that made a call.
pub(super) const KEY: Field = "userIdentity.accessKeyId";
/// When a call was made, UTC.
pub(super) const TIME: Field = "eventTime";
/// A temporary key that a call gave: STS, the console's sign-in, Cognito and S3 Express have it here.
pub(super) const ISSUED: Field = "responseElements.credentials.accessKeyId";
/// A long-term key that a call made: IAM and Lightsail.
const CREATED: Field = "responseElements.accessKey.accessKeyId";
/// A temporary key that IAM Roles Anywhere gave.
const VENDED: Field = "responseElements.credentialSet[0].credentials.accessKeyId";
const ARN: Field = "userIdentity.arn";
const PRINCIPAL_ID: Field = "userIdentity.principalId";
const ISSUER_ARN: Field = "userIdentity.sessionContext.sessionIssuer.arn";
const ISSUER_ID: Field = "userIdentity.sessionContext.sessionIssuer.principalId";
const SESSION_SOURCE_IDENTITY: Field = "userIdentity.sessionContext.sourceIdentity";
const NAME: Field = "eventName";
const SERVICE: Field = "eventSource";
const ADDRESS: Field = "sourceIPAddress";
const ACCOUNT: Field = "recipientAccountId";

/// What must be so of an event.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A field is this text.
    Is(Field, String),
    /// A field is one of these texts.
    In(Field, Vec<String>),
    /// A field begins with this text, which has letters and digits only, then a colon.
    Names(Field, String),
    /// A field is there.
    Present(Field),
    /// One of these holds.
    Any(Vec<Condition>),
    /// All of these hold.
    All(Vec<Condition>),
    /// The call was made with a key that was given by an event of which this holds.
    WithKeyOf(Box<Condition>),
}

/// What to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Each call.
    Calls,
    /// Each call that gave a credential, with what it gave.
    Issues,
    /// Each credential, with the number of its calls.
    Callers,
}

impl Show {
    /// The columns, by name.
    pub(super) fn columns(self) -> &'static [(Field, &'static str)] {
        match self {
            Self::Calls => &[
                (TIME, "event_time"),
                (SERVICE, "event_source"),
                (NAME, "event_name"),
                ("errorCode", "error_code"),
                (KEY, "access_key_id"),
                (ARN, "principal_arn"),
                (ADDRESS, "address"),
                ("userAgent", "user_agent"),
                ("awsRegion", "region"),
                (ACCOUNT, "account"),
                ("eventID", "event_id"),
            ],
            Self::Issues => &[
                (TIME, "event_time"),
                (NAME, "event_name"),
                ("errorCode", "error_code"),
                (KEY, "parent_key"),
                (ARN, "parent_arn"),
                (ISSUED, "issued_key"),
                (CREATED, "created_key"),
                (VENDED, "roles_anywhere_key"),
                ("responseElements.credentials.expiration", "expires"),
                ("requestParameters.roleArn", "role_arn"),
                ("requestParameters.roleSessionName", "session_name"),
                ("requestParameters.serialNumber", "mfa_serial"),
                (ADDRESS, "address"),
                ("awsRegion", "region"),
                (ACCOUNT, "account"),
                ("eventID", "event_id"),
            ],
            Self::Callers => &[(KEY, "access_key_id"), (ARN, "principal_arn")],
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// What its answer tells, in one line.
    pub(super) answers: &'static str,
    pub(super) show: Show,
    pub(super) condition: Condition,
}

fn is(field: Field, text: &str) -> Condition {
    Condition::Is(field, text.to_owned())
}

fn of_service(service: &str, condition: Condition) -> Condition {
    Condition::All(vec![is(SERVICE, service), condition])
}

/// Whether a call gave a key.
fn gave() -> Condition {
    Condition::Any([ISSUED, CREATED, VENDED].map(Condition::Present).to_vec())
}

fn asked(answers: &'static str, show: Show, condition: Condition) -> Question {
    Question {
        answers,
        show,
        condition,
    }
}

fn calls(answers: &'static str, condition: Condition) -> Question {
    asked(answers, Show::Calls, condition)
}

fn issues(answers: &'static str, condition: Condition) -> Question {
    asked(answers, Show::Issues, condition)
}

/// What was issued by whoever made calls of which `by` holds.
fn issued_by(answers: &'static str, by: &Condition) -> Question {
    issues(answers, Condition::All(vec![by.clone(), gave()]))
}

/// Whether an engine's table has the source identity of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceIdentity {
    /// It has.
    Column,
    /// Only the calls that set it say it.
    Unseen,
}

/// The questions about a pivot.
pub(super) fn about(kind: Kind, pivot: &str, sources: SourceIdentity) -> Vec<Question> {
    match kind {
        Kind::Key => about_key(pivot),
        Kind::Mfa => about_device(pivot),
        Kind::Session => about_session(pivot),
        Kind::Principal => about_principal(pivot),
        Kind::Role => about_role(pivot),
        Kind::SourceIdentity => about_source_identity(pivot, sources),
        Kind::Address => about_address(pivot),
    }
}

/// The questions about many keys at once.
pub(super) fn about_lineage(keys: &[String]) -> Vec<Question> {
    let any = |field| Condition::In(field, keys.to_vec());
    let given = Condition::Any([ISSUED, CREATED, VENDED].map(any).to_vec());
    vec![
        calls("every call made with a key of the lineage", any(KEY)),
        issues("the events that issued the keys of the lineage", given),
        issued_by("what the keys of the lineage issued", &any(KEY)),
    ]
}

fn about_key(key: &str) -> Vec<Question> {
    let here = |field| is(field, key);
    let given = Condition::Any([ISSUED, CREATED, VENDED].map(here).to_vec());
    vec![
        calls("every call made with the key", is(KEY, key)),
        issues("the event that issued the key", given),
        issued_by("what the key issued: its children", &is(KEY, key)),
        calls(
            "calls about the key: activated, deactivated, deleted, looked up",
            is("requestParameters.accessKeyId", key),
        ),
    ]
}

fn about_device(serial: &str) -> Vec<Question> {
    let named = is("requestParameters.serialNumber", serial);
    let made = is("responseElements.virtualMFADevice.serialNumber", serial);
    let sign_in = is("additionalEventData.MFAIdentifier", serial);
    vec![
        issues(
            "calls that presented the device to STS, and what they gave",
            of_service("sts.amazonaws.com", named.clone()),
        ),
        calls("console sign-ins with the device", sign_in),
        calls(
            "the device registered, synchronised, removed",
            of_service("iam.amazonaws.com", Condition::Any(vec![named, made])),
        ),
    ]
}

fn about_session(session: &str) -> Vec<Question> {
    let (by, given) = if session.starts_with("arn:") {
        (ARN, "responseElements.assumedRoleUser.arn")
    } else {
        (
            PRINCIPAL_ID,
            "responseElements.assumedRoleUser.assumedRoleId",
        )
    };
    let by = is(by, session);
    vec![
        calls("every call of the session", by.clone()),
        issues("the calls that began it", is(given, session)),
        issued_by("what the session issued", &by),
    ]
}

fn about_principal(principal: &str) -> Vec<Question> {
    let (own, issuer) = if principal.starts_with("arn:") {
        (ARN, ISSUER_ARN)
    } else {
        (PRINCIPAL_ID, ISSUER_ID)
    };
    let mut any = vec![is(own, principal), is(issuer, principal)];
    if principal.chars().all(char::is_alphanumeric) {
        // The other account's copy of a call has no issuer, only `AROA…:session`.
        any.push(Condition::Names(own, principal.to_owned()));
    }
    let by = Condition::Any(any);
    let mut questions = vec![
        asked(
            "the credentials of the principal and of its sessions",
            Show::Callers,
            by.clone(),
        ),
        issued_by("what they issued", &by),
        calls("every call of the principal and its sessions", by),
    ];
    questions.extend(changes(principal, ("user", "requestParameters.userName")));
    questions
}

fn about_role(role: &str) -> Vec<Question> {
    let by = is(ISSUER_ARN, role);
    let assumed = is("requestParameters.roleArn", role);
    let mut questions = vec![
        issues("who assumed the role, or tried to", assumed),
        asked("the sessions of the role", Show::Callers, by.clone()),
        issued_by("what its sessions issued", &by),
        calls("every call of its sessions", by),
    ];
    questions.extend(changes(role, ("role", "requestParameters.roleName")));
    questions
}

/// IAM calls about a user or role, which name it without its account.
fn changes(arn: &str, (resource, field): (&str, Field)) -> Option<Question> {
    let (name, account) = name_and_account(arn, resource)?;
    let about = Condition::All(vec![is(field, name), is(ACCOUNT, account)]);
    Some(calls(
        "IAM calls about it: keys, passwords, policies, trust",
        of_service("iam.amazonaws.com", about),
    ))
}

fn about_source_identity(identity: &str, sources: SourceIdentity) -> Vec<Question> {
    let set = is("requestParameters.sourceIdentity", identity);
    let carried = match sources {
        SourceIdentity::Column => calls(
            "every call of sessions that carry the source identity",
            is(SESSION_SOURCE_IDENTITY, identity),
        ),
        SourceIdentity::Unseen => calls(
            "calls with the keys given under it; not those of roles assumed from there, the table has no column for it",
            Condition::WithKeyOf(Box::new(set.clone())),
        ),
    };
    vec![issues("calls that set the source identity", set), carried]
}

fn about_address(address: &str) -> Vec<Question> {
    let from = is(ADDRESS, address);
    let sign_in = Condition::All(vec![from.clone(), is(NAME, "ConsoleLogin")]);
    vec![
        asked(
            "the credentials used from the address",
            Show::Callers,
            from.clone(),
        ),
        issued_by("what was issued to the address", &from),
        calls("console sign-ins from it", sign_in),
        calls("every call from it", from),
    ]
}
