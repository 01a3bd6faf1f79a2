//! The first proof: what the policies that are in the accounts now say of every credential of the lineage.

use super::super::doors::{Door, doors};
use super::super::facts::{Facts, User};
use super::super::owner::{Owner, OwnerKind};
use super::super::plan::{Action, Subject};
use super::super::prove::Evaluator;
use super::{Conclusion, Now, Reason, name};
use crate::lineage::NodeKind;
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use unchain_policy::Decision;

/// How a credential, or a way to one, stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// Every request is denied by a statement of these policies.
    Denied {
        /// The policies, by holder and name.
        by: BTreeSet<Untrusted>,
    },
    /// Its time is over.
    Over,
    /// Its user, role or key is not there any more.
    Gone,
    /// No statement denies these actions.
    Lives {
        /// The actions, `service:Action`.
        may: BTreeSet<Untrusted>,
    },
    /// It cannot be told.
    Unknown {
        /// Policies that were not read, or condition keys that decide.
        for_want_of: BTreeSet<Untrusted>,
    },
}

/// One credential, user or password of the lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRow {
    /// Its key id, or its principal.
    pub who: Untrusted,
    /// A node kind's name.
    pub kind: Untrusted,
    /// Whether the plan did not know it.
    pub late: bool,
    /// Whether its key is active; none for what is no key of a user, and where it is not known.
    pub active: Option<bool>,
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
}

/// What the evaluator says of fresh facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Whether every credential is denied, no key of a user active, and no door open.
    pub conclusion: Conclusion,
    /// Every credential.
    pub credentials: Vec<StateRow>,
    /// Ways into roles that the lineage opened and that are open.
    pub doors: BTreeSet<Door>,
    /// What could not be read.
    pub unread: BTreeSet<Untrusted>,
}

impl Snapshot {
    pub(super) fn not_asked() -> Self {
        Self {
            conclusion: Conclusion::not_asked("no fresh facts were given"),
            credentials: Vec::new(),
            doors: BTreeSet::new(),
            unread: BTreeSet::new(),
        }
    }

    /// Whether the evaluator has shown that a credential does not work.
    pub(super) fn ends(&self, who: &Untrusted) -> bool {
        let mut rows = self
            .credentials
            .iter()
            .filter(|row| row.who == *who)
            .peekable();
        let any = rows.peek().is_some();
        any && rows.all(|row| {
            let dead = !matches!(row.state, State::Lives { .. } | State::Unknown { .. });
            dead && row.active != Some(true)
        })
    }
}

pub(super) fn snapshot(now: &Now, facts: &Facts, at: Timestamp) -> Snapshot {
    let evaluator = Evaluator::new(facts.clone());
    let asked = now.subjects().filter(|(_, subject)| is_way(subject));
    let credentials: Vec<StateRow> = asked
        .map(|(place, subject)| StateRow {
            who: name(subject),
            kind: subject.kind.clone(),
            late: now.is_late(place),
            active: active(subject, facts),
            state: state(&evaluator, facts, (subject, at)),
        })
        .collect();
    let doors = doors(&now.plan, facts);
    let (mut against, mut unknown) = (Vec::new(), not_fresh(now, facts));
    for ((_, subject), row) in now.subjects().filter(|(_, s)| is_way(s)).zip(&credentials) {
        of_row(row, subject, (&mut against, &mut unknown));
    }
    against.extend(doors.iter().map(|door| {
        Reason::new(
            &door.role,
            "the role's trust policy, which the lineage wrote, lets in",
        )
        .naming([door.who.clone()])
    }));
    unknown.extend(unread_doors(now, facts));
    Snapshot {
        conclusion: Conclusion::of(against, unknown),
        credentials,
        doors,
        unread: facts
            .unread
            .iter()
            .map(|text| Untrusted::new(text.as_str()))
            .collect(),
    }
}

/// Credentials, and what a lineage made to get new ones by itself: users, and passwords.
fn is_way(subject: &Subject) -> bool {
    let kind = subject.kind.raw();
    let made = kind == NodeKind::User.name() || kind == NodeKind::LoginProfile.name();
    subject.credential || made && subject.by_lineage
}

fn of_row(
    row: &StateRow,
    subject: &Subject,
    (against, unknown): (&mut Vec<Reason>, &mut Vec<Reason>),
) {
    match &row.state {
        State::Lives { may } => {
            against
                .push(Reason::new(&row.who, "no statement denies it").naming(may.iter().cloned()));
        }
        State::Unknown { for_want_of } => {
            let why = "it cannot be told without these";
            unknown.push(Reason::new(&row.who, why).naming(for_want_of.iter().cloned()));
        }
        State::Denied { .. } | State::Over | State::Gone => {}
    }
    let user = subject
        .owner
        .as_ref()
        .is_some_and(|owner| owner.kind == OwnerKind::User);
    if row.active == Some(true) {
        against.push(Reason::new(&row.who, "the key is active"));
    } else if row.active.is_none() && subject.long_term && user && row.state != State::Gone {
        unknown.push(Reason::new(
            &row.who,
            "whether the key is active was not read",
        ));
    }
}

/// Facts that are the plan's own say nothing of what was done since.
fn not_fresh(now: &Now, facts: &Facts) -> Vec<Reason> {
    let changes = now
        .plan
        .steps
        .iter()
        .any(|step| matches!(step.action, Action::Call(_)));
    let same = changes && facts.digest() == now.plan.facts;
    let why = "these are the facts that the plan was made from: read the accounts again";
    same.then(|| Reason::new(&Untrusted::default(), why))
        .into_iter()
        .collect()
}

fn state(evaluator: &Evaluator, facts: &Facts, (subject, at): (&Subject, Timestamp)) -> State {
    if subject.credential && subject.expires_at.is_some_and(|end| end <= at) {
        return State::Over;
    }
    if is_gone(subject, facts) {
        return State::Gone;
    }
    let session = as_session(subject, facts);
    let missing = subject
        .owner
        .as_ref()
        .map(|owner| unread(evaluator, facts, owner))
        .unwrap_or_default();
    let (mut by, mut may, mut want) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (action, decision) in evaluator.decisions(&session) {
        match decision {
            Decision::ExplicitlyDenied(cited) => {
                by.insert(Untrusted::new(cited.policy));
            }
            Decision::Depends(depends) if depends.explicitly_denied.is_some() => {
                want.extend(depends.keys.into_iter().map(Untrusted::new));
            }
            _ if !missing.is_empty() => want.extend(missing.iter().cloned()),
            // Also where no policy of the account allows it: it may be allowed on one resource only, or by a resource.
            _ => {
                may.insert(Untrusted::new(action));
            }
        }
    }
    match (may.is_empty(), want.is_empty()) {
        (false, _) => State::Lives { may },
        (true, false) => State::Unknown { for_want_of: want },
        (true, true) => State::Denied { by },
    }
}

/// A user or a password as a session that could be begun with it.
fn as_session(subject: &Subject, facts: &Facts) -> Subject {
    if subject.credential {
        return subject.clone();
    }
    let user = subject.owner.as_ref().and_then(|owner| facts.user(owner));
    let id = user
        .map(|user| user.id.as_str())
        .filter(|id| !id.is_empty());
    Subject {
        credential: true,
        long_term: false,
        issued_at: None,
        principal_arn: subject
            .owner
            .as_ref()
            .map(|owner| Untrusted::new(facts.arn(owner))),
        user_id: id.map(Untrusted::new),
        ..subject.clone()
    }
}

fn unread(evaluator: &Evaluator, facts: &Facts, owner: &Owner) -> BTreeSet<Untrusted> {
    let mut missing = evaluator.unread(owner);
    if owner.kind != OwnerKind::Root && !is_read(facts, owner) {
        missing.push(format!("the policies of {}", owner.arn()));
    }
    missing.into_iter().map(Untrusted::new).collect()
}

fn is_read(facts: &Facts, owner: &Owner) -> bool {
    let account = facts.accounts.get(owner.account.raw());
    account.is_some_and(|account| account.authorization_details)
}

/// Whether the user or role is not there any more, or another has its name: unique ids are never given again (IAM
/// User Guide, "IAM identifiers").
fn is_gone(subject: &Subject, facts: &Facts) -> bool {
    let Some(owner) = subject.owner.as_ref().filter(|owner| is_read(facts, owner)) else {
        return false;
    };
    let id = match owner.kind {
        OwnerKind::User => facts.user(owner).map(|user| &user.id),
        OwnerKind::Role => facts.role(owner).map(|role| &role.id),
        OwnerKind::Root => return false,
    };
    let own = subject
        .user_id
        .as_ref()
        .and_then(|id| id.raw().split(':').next());
    let own = own.filter(|own| own.starts_with("AIDA") || own.starts_with("AROA"));
    let other = |id: &String| !id.is_empty() && own.is_some_and(|own| own != id);
    let password = subject.kind.raw() == NodeKind::LoginProfile.name();
    let none = facts
        .user(owner)
        .is_some_and(|user| user.password == Some(false));
    id.is_none_or(other) || is_key_gone(subject, facts) || password && none
}

fn is_key_gone(subject: &Subject, facts: &Facts) -> bool {
    let user = subject.owner.as_ref().and_then(|owner| facts.user(owner));
    let key = subject.access_key_id.as_ref().filter(|_| subject.long_term);
    let gone = user
        .zip(key)
        .filter(|(user, key)| !user.keys.is_empty() && !user.keys.contains_key(key.raw()));
    gone.is_some()
}

/// Whether a key of a user is active, if it is one.
fn active(subject: &Subject, facts: &Facts) -> Option<bool> {
    let user = subject.owner.as_ref().and_then(|owner| facts.user(owner))?;
    let key = subject
        .access_key_id
        .as_ref()
        .filter(|_| subject.long_term)?;
    key_active(user, key.raw())
}

/// Whether a key of a user is active; none where that was not read. A key that is not among those listed is deleted.
pub(super) fn key_active(user: &User, key: &str) -> Option<bool> {
    match user.keys.get(key) {
        Some(active) => Some(*active),
        None if user.active_keys == Some(0) || !user.keys.is_empty() => Some(false),
        None => None,
    }
}

/// Roles that the lineage made or opened and whose trust policy was not read.
fn unread_doors<'n>(now: &'n Now, facts: &'n Facts) -> impl Iterator<Item = Reason> + 'n {
    let roles = now
        .subjects()
        .filter(|(_, s)| s.kind.raw() == NodeKind::Role.name());
    let owners = roles.filter_map(|(_, subject)| Some((subject, subject.owner.as_ref()?)));
    let unread = owners.filter(|(_, owner)| !is_read(facts, owner));
    unread.map(|(subject, _)| {
        Reason::new(&name(subject), "the trust policy of the role was not read")
    })
}
