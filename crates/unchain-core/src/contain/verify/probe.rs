//! The third proof: what a credential of the lineage is answered. Whoever has one may call with it what changes and
//! mints nothing; what the answer means is told here.
//!
//! The words of a refusal name the type of policy that denied it (IAM User Guide, "Troubleshoot access denied error
//! messages"). Only an explicit deny of the kind that a plan puts proves the plan.

use super::super::plan::Subject;
use super::{CodeClass, Conclusion, Now, Reason, name};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An answer to one call with a credential of the lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The access key id that signed the call.
    pub access_key_id: Untrusted,
    /// The service as IAM names it: `iam`, `s3`.
    pub service: String,
    /// The action: `GetUser`.
    pub action: String,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// The error code; none where the call succeeded.
    pub code: Option<Untrusted>,
    /// The error's message.
    pub message: Untrusted,
}

/// The type of policy that a refusal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denier {
    /// An identity-based policy.
    Identity,
    /// A service control policy.
    ServiceControlPolicy,
    /// A resource control policy.
    ResourceControlPolicy,
    /// A resource-based policy.
    Resource,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// None is named.
    Unnamed,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "sign", content = "by")]
pub enum Sign {
    /// An explicit deny of a kind that plans put.
    OurPolicy(Denier),
    /// Denied, but not for sure by the plan: implicitly, by another kind of policy, or without a word of which.
    DeniedOtherwise(Denier),
    /// The key is inactive, deleted or unknown, or its token is not valid.
    DeadKey,
    /// Its time is over.
    Expired,
    /// The call was carried out, or failed for a reason that comes after permission.
    Lives,
    /// Nothing can be concluded.
    Nothing,
}

/// What an answer means.
pub fn classify(reply: &Reply) -> Sign {
    let Some(code) = &reply.code else {
        // AWS STS API Reference, "GetCallerIdentity": it answers even where it is denied.
        let identity = reply.service == "sts" && reply.action == "GetCallerIdentity";
        let succeeded = reply
            .status
            .is_none_or(|status| (200..400).contains(&status));
        return if succeeded && !identity {
            Sign::Lives
        } else {
            Sign::Nothing
        };
    };
    if reply
        .status
        .is_some_and(|status| status == 429 || status >= 500)
    {
        return Sign::Nothing;
    }
    match CodeClass::of(code.raw()) {
        CodeClass::Denied => denied(reply.message.raw()),
        // EC2 says `AuthFailure` also of things that a good key may not touch.
        CodeClass::DeadKey if code.raw() == "AuthFailure" && reply.status != Some(401) => {
            Sign::Nothing
        }
        CodeClass::DeadKey => Sign::DeadKey,
        CodeClass::Expired => Sign::Expired,
        CodeClass::WouldSucceed => Sign::Lives,
        CodeClass::NotAuthenticated | CodeClass::Throttled => Sign::Nothing,
        CodeClass::Other => of_other(code.raw()),
    }
}

fn denied(message: &str) -> Sign {
    let (explicit, _) = message
        .split_once("Encoded authorization")
        .unwrap_or((message, ""));
    let denier = match explicit.rsplit_once("explicit deny") {
        Some((_, rest)) => denier(rest),
        None => return Sign::DeniedOtherwise(denier(explicit)),
    };
    match denier {
        Denier::Identity | Denier::ServiceControlPolicy => Sign::OurPolicy(denier),
        _ => Sign::DeniedOtherwise(denier),
    }
}

fn denier(words: &str) -> Denier {
    let kinds = [
        ("identity-based policy", Denier::Identity),
        ("service control policy", Denier::ServiceControlPolicy),
        ("resource control policy", Denier::ResourceControlPolicy),
        ("resource-based policy", Denier::Resource),
        ("permissions boundary", Denier::Boundary),
        ("session policy", Denier::Session),
        ("VPC endpoint policy", Denier::Endpoint),
    ];
    let named = kinds
        .into_iter()
        .filter_map(|(name, kind)| Some((words.find(name)?, kind)));
    named.min().map_or(Denier::Unnamed, |(_, kind)| kind)
}

/// What is missing or wrong is told to those who may ask for it.
fn of_other(code: &str) -> Sign {
    let after = [
        "NoSuch",
        "NotFound",
        "AWSOrganizationsNotInUse",
        "ResourceNotFound",
        "DoesNotExist",
    ];
    if after.iter().any(|word| code.contains(word)) {
        Sign::Lives
    } else {
        Sign::Nothing
    }
}

/// One answer with its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRow {
    /// The credential.
    pub who: Untrusted,
    /// `service:Action`.
    pub action: String,
    /// The error code, if there was one.
    pub code: Option<Untrusted>,
    /// What it means.
    #[serde(flatten)]
    pub sign: Sign,
}

/// What the answers say together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Whether every credential that was tried is denied by the plan, or dead.
    pub conclusion: Conclusion,
    /// Every answer.
    pub answers: Vec<ProbeRow>,
}

pub(super) fn probe(now: &Now, replies: &[Reply], at: Timestamp) -> Probe {
    let (mut against, mut unknown) = (Vec::new(), Vec::new());
    if replies.is_empty() {
        unknown.push(Reason::new(
            &Untrusted::default(),
            "no credential was tried",
        ));
    }
    for reply in replies {
        let who = &reply.access_key_id;
        let subject = now
            .subjects()
            .find(|(_, s)| s.credential && name(s) == *who)
            .map(|(_, s)| s);
        match (subject, classify(reply)) {
            (None, _) => unknown.push(Reason::new(
                who,
                "the credential that was tried is not of the lineage",
            )),
            (Some(_), Sign::Lives) => {
                let action = Untrusted::new(format!("{}:{}", reply.service, reply.action));
                against.push(Reason::new(who, "a call with it succeeded").naming([action]));
            }
            (Some(subject), sign) => unknown.extend(doubt(subject, (sign, at))),
        }
    }
    // An answer that says nothing takes nothing from one that says something of the same credential.
    let told = |who: &Untrusted| {
        let mut own = replies.iter().filter(|reply| reply.access_key_id == *who);
        own.any(|reply| matches!(classify(reply), Sign::OurPolicy(_) | Sign::DeadKey))
    };
    unknown.retain(|reason: &Reason| reason.why != SAYS_NOTHING || !told(&reason.about));
    unknown.sort();
    unknown.dedup();
    Probe {
        conclusion: Conclusion::of(against, unknown),
        answers: replies.iter().map(row).collect(),
    }
}

const SAYS_NOTHING: &str = "the answer says nothing about the credential";

fn doubt(subject: &Subject, (sign, at): (Sign, Timestamp)) -> Option<Reason> {
    let why = match sign {
        Sign::OurPolicy(_) | Sign::DeadKey | Sign::Lives => return None,
        Sign::Expired if subject.expires_at.is_some_and(|end| end <= at) => return None,
        Sign::Expired => "it is answered as expired before its recorded time: is the clock right?",
        Sign::DeniedOtherwise(_) => "it is denied, but no explicit deny of a plan's kind is named",
        Sign::Nothing => SAYS_NOTHING,
    };
    Some(Reason::new(&name(subject), why))
}

fn row(reply: &Reply) -> ProbeRow {
    ProbeRow {
        who: reply.access_key_id.clone(),
        action: format!("{}:{}", reply.service, reply.action),
        code: reply.code.clone(),
        sign: classify(reply),
    }
}
