//! What each credential may still do after a plan, as the policy evaluator decides it.

use super::after::after;
use super::doors::{Door, doors};
use super::facts::Facts;
use super::owner::{Owner, OwnerKind};
use super::plan::{Plan, Subject};
use super::policies::Laid;
use super::scope::{owner, subject};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use unchain_policy::{Context, Decision, Principal, Request, evaluate};

/// Ways to come back: to new credentials, to more permissions, or past a deny. Each is asked for besides what a
/// credential was seen doing.
const MINTING: [&str; 26] = [
    "ec2:AssociateIamInstanceProfile",
    "ec2:RunInstances",
    "iam:AddUserToGroup",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreateRole",
    "iam:CreateSAMLProvider",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:EnableMFADevice",
    "iam:PassRole",
    "iam:PutUserPolicy",
    "iam:UpdateAccessKey",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "sts:AssumeRole",
    "sts:AssumeRoot",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
];

/// No policy denies it, and it gives nothing (AWS STS API Reference, "GetCallerIdentity").
pub(super) const HARMLESS: &str = "sts:GetCallerIdentity";

/// How a credential stands after a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "detail")]
pub enum Verdict {
    /// Each request is denied by a statement; these policies do it.
    Denied(BTreeSet<String>),
    /// Its time was over before the plan was made.
    Over,
    /// These actions are not denied for sure, each with the condition keys that decide, if any do.
    Open(BTreeMap<String, BTreeSet<String>>),
}

/// One credential of the lineage after a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its place in [`Plan::subjects`].
    pub subject: u32,
    /// How it stands.
    pub verdict: Verdict,
}

/// A credential outside the lineage after a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The credential or principal.
    pub who: Untrusted,
    /// What it was seen doing and is now denied.
    pub lost: BTreeSet<String>,
    /// What it was seen doing and what is denied under conditions that are not known.
    pub depends: BTreeSet<String>,
}

/// What a plan does, by the evaluator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Every credential of the lineage.
    pub standings: Vec<Standing>,
    /// Long-term keys of users that are still active: places in [`Plan::subjects`].
    pub active_keys: Vec<u32>,
    /// Ways into roles that the lineage opened and that are still open, as far as the roles were read.
    pub doors: BTreeSet<Door>,
    /// Every credential outside that was asked about.
    pub outside: Vec<Kept>,
}

impl Proof {
    /// Whether every credential of the lineage is denied everything that was asked, no key is left active, and no door
    /// open.
    pub fn holds(&self) -> bool {
        self.active_keys.is_empty() && self.doors.is_empty() && self.is_denied()
    }

    /// Whether every credential of the lineage is denied everything that was asked.
    pub fn is_denied(&self) -> bool {
        self.standings
            .iter()
            .all(|standing| !matches!(standing.verdict, Verdict::Open(_)))
    }
}

/// Credentials outside a plan's lineage that may work and that it could hit: those of the users and roles that it
/// changes, and those of the listed ARNs.
pub fn outside(report: &Report<'_, '_>, plan: &Plan, listed: &[String]) -> Vec<Subject> {
    let lineage = report.lineage();
    let touched = plan.subjects.iter().filter_map(|s| s.owner.clone());
    let listed = listed.iter().filter_map(|arn| Owner::of_arn(arn));
    let wanted: BTreeSet<Owner> = touched.chain(listed).collect();
    let members: BTreeSet<_> = plan.subjects.iter().map(identity).collect();
    let nodes = report.credentials().into_iter();
    let near = nodes.filter(|&n| owner(lineage, n).is_some_and(|owner| wanted.contains(&owner)));
    let subjects = near
        .filter(|&n| report.may_work(n))
        .filter_map(|n| subject(report, n, &BTreeSet::new()));
    subjects
        .filter(|s| !members.contains(&identity(s)))
        .collect()
}

type Identity = (Option<Untrusted>, Option<Untrusted>, Option<Timestamp>);

/// What tells two credentials apart.
pub(super) fn identity(subject: &Subject) -> Identity {
    (
        subject.access_key_id.clone(),
        subject.principal_arn.clone(),
        subject.issued_at,
    )
}

/// Decides every request of a plan's lineage after the plan, and those of credentials outside before and after.
pub fn prove(plan: &Plan, facts: &Facts, outside: &[Subject]) -> Proof {
    let then = Evaluator::new(after(facts, plan));
    let now = Evaluator::new(facts.clone());
    let credentials = (0u32..).zip(&plan.subjects).filter(|(_, s)| s.credential);
    let standings = credentials.map(|(number, subject)| Standing {
        subject: number,
        verdict: then.verdict(subject, plan.made_at),
    });
    Proof {
        standings: standings.collect(),
        active_keys: active_keys(plan, &then.facts),
        doors: doors(plan, &then.facts),
        outside: outside
            .iter()
            .map(|subject| kept(subject, &now, &then))
            .collect(),
    }
}

fn active_keys(plan: &Plan, facts: &Facts) -> Vec<u32> {
    let keys = (0u32..).zip(&plan.subjects).filter(|(_, s)| s.long_term);
    let active = keys.filter(|(_, subject)| {
        let owner = subject
            .owner
            .as_ref()
            .filter(|owner| owner.kind == OwnerKind::User);
        let user = owner.and_then(|owner| facts.user(owner));
        let key = subject.access_key_id.as_ref().map_or("", Untrusted::raw);
        owner.is_some() && user.and_then(|user| user.keys.get(key)) != Some(&false)
    });
    active.map(|(number, _)| number).collect()
}

fn kept(subject: &Subject, now: &Evaluator, then: &Evaluator) -> Kept {
    let name = subject
        .access_key_id
        .clone()
        .or_else(|| subject.principal_arn.clone());
    let mut kept = Kept {
        who: name.unwrap_or_default(),
        lost: BTreeSet::new(),
        depends: BTreeSet::new(),
    };
    let (before, after) = (now.asker(subject), then.asker(subject));
    for action in subject.actions.iter().map(Untrusted::raw) {
        if matches!(before.ask(action), Decision::ExplicitlyDenied(_)) {
            continue;
        }
        match after.ask(action) {
            Decision::ExplicitlyDenied(_) => kept.lost.insert(action.to_owned()),
            Decision::Depends(open) if open.explicitly_denied.is_some() => {
                kept.depends.insert(action.to_owned())
            }
            _ => false,
        };
    }
    kept
}

/// Facts, and the policies of each principal that was asked about.
pub(super) struct Evaluator {
    facts: Facts,
    laid: std::cell::RefCell<BTreeMap<Owner, std::rc::Rc<Laid>>>,
}

impl Evaluator {
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            facts,
            laid: std::cell::RefCell::default(),
        }
    }

    fn laid(&self, owner: &Owner) -> std::rc::Rc<Laid> {
        let mut laid = self.laid.borrow_mut();
        let laid = laid
            .entry(owner.clone())
            .or_insert_with(|| std::rc::Rc::new(Laid::of(&self.facts, owner)));
        std::rc::Rc::clone(laid)
    }

    /// The value of `aws:userid`. Of a key that was never used only the accounts know it.
    fn user_id<'s>(&'s self, subject: &'s Subject) -> Option<&'s str> {
        let own = subject
            .principal_arn
            .as_ref()
            .filter(|arn| arn.raw().contains(":user/"));
        let user = own
            .and(subject.owner.as_ref())
            .and_then(|owner| self.facts.user(owner));
        let read = user
            .map(|user| user.id.as_str())
            .filter(|id| !id.is_empty());
        subject.user_id.as_ref().map(Untrusted::raw).or(read)
    }

    fn asker(&self, subject: &Subject) -> Asker {
        let arn = subject.principal_arn.as_ref().map_or("", Untrusted::raw);
        let mut principal = Principal::from_arn(arn);
        let mut context = Context::new().others_unknown();
        if let Some(owner) = &subject.owner {
            let arn = self.facts.arn(owner);
            principal = principal.issued_by(&arn);
            context = context.with("aws:PrincipalArn", principal_arn(subject, &arn));
            context = context.with("aws:PrincipalAccount", owner.account.raw());
        }
        if let Some(id) = self.user_id(subject) {
            principal = principal.with_user_id(id);
            context = context.with("aws:userid", id);
        }
        context = match &subject.source_identity {
            Some(source) => context.with("aws:SourceIdentity", source.raw()),
            // Where one is set, every record of a request shows it.
            None if subject.long_term || !subject.actions.is_empty() => {
                context.absent("aws:SourceIdentity")
            }
            None => context,
        };
        context = match subject.issued_at {
            _ if subject.long_term => context.absent("aws:TokenIssueTime"),
            Some(issued) => context.with("aws:TokenIssueTime", issued.to_string()),
            None => context,
        };
        let laid = subject
            .owner
            .as_ref()
            .map(|owner| self.laid(owner))
            .unwrap_or_default();
        Asker {
            principal,
            context,
            laid,
        }
    }

    /// The policies of a principal that were not read.
    pub(super) fn unread(&self, owner: &Owner) -> Vec<String> {
        self.laid(owner).missing.clone()
    }

    /// How every request is decided that a credential was seen making, or could come back with.
    pub(super) fn decisions<'s>(&self, subject: &'s Subject) -> Vec<(&'s str, Decision)> {
        let mut askers = vec![self.asker(subject)];
        // A user's key can always ask for a token: GetSessionToken needs no permission, and a deny of it is not
        // relied on. So the token that it would get must be denied too.
        let user = subject
            .owner
            .as_ref()
            .is_some_and(|owner| owner.kind == OwnerKind::User);
        if subject.long_term && user {
            let token = Subject {
                long_term: false,
                issued_at: None,
                ..subject.clone()
            };
            askers.push(self.asker(&token));
        }
        let seen = subject.actions.iter().map(Untrusted::raw).chain(MINTING);
        let asked = seen.filter(|action| *action != HARMLESS);
        asked
            .flat_map(|action| askers.iter().map(move |asker| (action, asker.ask(action))))
            .collect()
    }

    fn verdict(&self, subject: &Subject, at: Timestamp) -> Verdict {
        if subject.expires_at.is_some_and(|end| end <= at) {
            return Verdict::Over;
        }
        let (mut by, mut open) = (BTreeSet::new(), BTreeMap::new());
        for (action, decision) in self.decisions(subject) {
            match decision {
                Decision::ExplicitlyDenied(cited) => {
                    by.insert(cited.policy);
                }
                Decision::Depends(depends) => {
                    open.insert(action.to_owned(), depends.keys);
                }
                _ => {
                    open.insert(action.to_owned(), BTreeSet::new());
                }
            }
        }
        if open.is_empty() {
            Verdict::Denied(by)
        } else {
            Verdict::Open(open)
        }
    }
}

/// `aws:PrincipalArn` of a session is its role's, of a federated user its own (IAM User Guide, "AWS global condition
/// context keys").
fn principal_arn(subject: &Subject, owner: &str) -> String {
    let own = subject.principal_arn.as_ref().map_or("", Untrusted::raw);
    if own.contains(":federated-user/") {
        own.to_owned()
    } else {
        owner.to_owned()
    }
}

/// One credential, ready to ask.
struct Asker {
    principal: Principal,
    context: Context,
    laid: std::rc::Rc<Laid>,
}

impl Asker {
    /// On any resource: denies of containment name none.
    fn ask(&self, action: &str) -> Decision {
        let request = Request {
            principal: &self.principal,
            action,
            resource: "*",
            resource_account: None,
            context: &self.context,
        };
        evaluate(&request, &self.laid.layers(None))
    }
}
