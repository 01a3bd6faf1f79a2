//! What ended credentials before their time: keys deactivated or deleted, sessions denied by the
//! time of issue, everything denied to a user or role, users and roles deleted. And what undid it.

use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, Ledger, Seconds, Symbol};
use crate::lineage::{Lineage, Node, NodeKind};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A user or a role of an account, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Owner {
    User(String, String),
    Role(String, String),
}

/// A change to what a key or a principal may do.
#[derive(Clone, Debug)]
struct Change {
    time: Seconds,
    fact: u32,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A key is active (true) or not.
    Active(bool),
    /// The key, user or role is gone, or (false) made again.
    Deleted(bool),
    /// A user has a password for the console, or not.
    Password(bool),
    /// A policy by this name now denies this much: nothing, if the list is empty.
    Policy(String, Vec<Deny>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Deny {
    All,
    Before(Seconds),
    UserId(String),
}

/// Everything in a ledger that ends credentials, ready to be asked for any node and instant.
#[derive(Clone, Debug, Default)]
pub struct Denials {
    keys: HashMap<Symbol, Vec<Change>>,
    owners: HashMap<Owner, Vec<Change>>,
}

impl Denials {
    /// Collects the changes of a ledger.
    pub fn new(ledger: &Ledger) -> Self {
        let mut denials = Self::default();
        for (number, fact) in (0u32..).zip(ledger.facts()) {
            denials.add(ledger, number, fact);
        }
        let order = |list: &mut Vec<Change>| {
            list.sort_by_key(|c| (c.time, ledger.facts().get(c.fact as usize).map(|f| f.hash)));
        };
        denials.keys.values_mut().for_each(order);
        denials.owners.values_mut().for_each(order);
        denials
    }

    fn add(&mut self, ledger: &Ledger, number: u32, fact: &Fact) {
        let text = |attribute| ledger.text(ledger.attribute(fact, attribute));
        let change = |what| Change {
            time: fact.time,
            fact: number,
            what,
        };
        match fact.deed {
            Deed::UpdateAccessKey | Deed::DeleteAccessKey => {
                let what = match fact.deed {
                    Deed::DeleteAccessKey => What::Deleted(true),
                    _ => What::Active(text(Attribute::Status).eq_ignore_ascii_case("Active")),
                };
                let key = ledger.attribute(fact, Attribute::Key);
                self.keys.entry(key).or_default().push(change(what));
            }
            Deed::DeactivateMfaDevice | Deed::EnableMfaDevice => {
                let gone = fact.deed == Deed::DeactivateMfaDevice;
                let serial = ledger.attribute(fact, Attribute::Serial);
                self.keys
                    .entry(serial)
                    .or_default()
                    .push(change(What::Deleted(gone)));
            }
            Deed::DeleteLoginProfile | Deed::CreateLoginProfile => {
                let has = fact.deed == Deed::CreateLoginProfile;
                self.owner_change(ledger, fact, change(What::Password(has)));
            }
            Deed::DeleteUser | Deed::DeleteRole | Deed::CreateUser | Deed::CreateRole => {
                let gone = matches!(fact.deed, Deed::DeleteUser | Deed::DeleteRole);
                self.owner_change(ledger, fact, change(What::Deleted(gone)));
            }
            Deed::PutPolicy | Deed::AttachPolicy => {
                let what = What::Policy(policy_name(ledger, fact), denies(ledger, fact));
                self.owner_change(ledger, fact, change(what));
            }
            Deed::DeletePolicy | Deed::DetachPolicy => {
                let what = What::Policy(policy_name(ledger, fact), Vec::new());
                self.owner_change(ledger, fact, change(what));
            }
            _ => {}
        }
    }

    fn owner_change(&mut self, ledger: &Ledger, fact: &Fact, change: Change) {
        let text = |attribute| ledger.text(ledger.attribute(fact, attribute)).to_owned();
        let account = ledger
            .place_of(&fact.key)
            .map_or("", |place| ledger.text(place.account));
        let caller = ledger.caller(fact.key.caller);
        let account = if account.is_empty() {
            ledger.text(caller.account)
        } else {
            account
        }
        .to_owned();
        let (user, role) = (text(Attribute::User), text(Attribute::Role));
        let owner = match (user.is_empty(), role.is_empty()) {
            (false, _) => Owner::User(account, user),
            (true, false) => Owner::Role(
                account,
                role.rsplit('/').next().unwrap_or_default().to_owned(),
            ),
            (true, true) => return,
        };
        self.owners.entry(owner).or_default().push(change);
    }

    /// Why a node does not work at `at` although its time is not over, and the fact that ended it.
    pub fn ended(
        &self,
        lineage: &Lineage<'_>,
        number: u32,
        at: Timestamp,
    ) -> Option<(&'static str, u32)> {
        let node = lineage.node(number)?;
        let at = crate::ledger::seconds(at);
        if node.kind == NodeKind::MfaDevice {
            let gone = self
                .keys
                .get(&node.name)
                .and_then(|list| key_ended(list, at));
            return gone.map(|(_, fact)| ("device deactivated or deleted", fact));
        }
        if !node.kind.is_credential() && node.kind != NodeKind::LoginProfile {
            return None;
        }
        let by_key = self
            .keys
            .get(&node.key)
            .filter(|_| !node.key.is_empty())
            .and_then(|list| key_ended(list, at));
        by_key.or_else(|| {
            if self.owners.is_empty() {
                return None;
            }
            let list = self.owners.get(&owner(lineage, number)?)?;
            owner_ended(lineage, node, (list, at))
        })
    }

    /// The instants, ascending, at which something was done that may end a node or give it back (UTC).
    /// Between two of them [`Denials::ended`] answers alike.
    pub fn changes(&self, lineage: &Lineage<'_>, number: u32) -> Vec<Timestamp> {
        let Some(node) = lineage.node(number) else {
            return Vec::new();
        };
        let named = if node.kind == NodeKind::MfaDevice {
            node.name
        } else {
            node.key
        };
        let by_key = self.keys.get(&named).filter(|_| !named.is_empty());
        let owner = owner(lineage, number).filter(|_| !self.owners.is_empty());
        let by_owner = owner.and_then(|owner| self.owners.get(&owner));
        let lists = [by_key, by_owner].into_iter().flatten();
        let mut found: Vec<Seconds> = lists.flat_map(|list| telling(list)).collect();
        found.sort_unstable();
        found.dedup();
        let instant = |seconds| Timestamp::from_seconds(i64::from(seconds));
        found.into_iter().map(instant).collect()
    }
}

/// When a list changes what it denies: policies that never denied anything are left out.
fn telling(list: &[Change]) -> impl Iterator<Item = Seconds> {
    let mut denying: BTreeSet<&str> = BTreeSet::new();
    list.iter().filter_map(move |change| match &change.what {
        What::Policy(name, denies) if denies.is_empty() => {
            denying.remove(name.as_str()).then_some(change.time)
        }
        What::Policy(name, _) => {
            denying.insert(name);
            Some(change.time)
        }
        What::Active(_) | What::Deleted(_) | What::Password(_) => Some(change.time),
    })
}

/// The state of a key after the last change up to `at`.
fn key_ended(list: &[Change], at: Seconds) -> Option<(&'static str, u32)> {
    let last = list.iter().rev().find(|change| change.time <= at)?;
    match last.what {
        What::Active(false) => Some(("key deactivated", last.fact)),
        What::Deleted(true) => Some(("key deleted", last.fact)),
        What::Active(true) | What::Deleted(false) | What::Password(_) | What::Policy(..) => None,
    }
}

/// The denials on a user or role in force at `at` that cover a node. A deny works on every request,
/// so it ends a session for as long as it is there, whenever the session began.
fn owner_ended(
    lineage: &Lineage<'_>,
    node: &Node,
    (list, at): (&[Change], Seconds),
) -> Option<(&'static str, u32)> {
    let mut policies: BTreeMap<&str, (&[Deny], u32)> = BTreeMap::new();
    let (mut deleted, mut no_password) = (None, None);
    for change in list.iter().take_while(|change| change.time <= at) {
        match &change.what {
            // A user or role made again under the name has another unique id: older sessions stay dead.
            What::Deleted(true) => deleted = Some(change),
            What::Policy(name, denies) => {
                policies.insert(name, (denies, change.fact));
            }
            What::Password(has) => no_password = (!has).then_some(change.fact),
            What::Deleted(false) | What::Active(_) => {}
        }
    }
    if let Some(change) =
        deleted.filter(|change| node.created.is_none_or(|created| created <= change.time))
    {
        return Some(("user or role deleted", change.fact));
    }
    // Deleting a password ends none of the sessions that it began.
    if let Some(fact) = no_password.filter(|_| node.kind == NodeKind::LoginProfile) {
        return Some(("login profile deleted", fact));
    }
    policies.values().find_map(|(denies, fact)| {
        let why = denies.iter().find_map(|deny| covers(lineage, node, deny))?;
        Some((why, *fact))
    })
}

fn covers(lineage: &Lineage<'_>, node: &Node, deny: &Deny) -> Option<&'static str> {
    let temporary = node.kind != NodeKind::LongTermKey && node.kind != NodeKind::LoginProfile;
    match deny {
        Deny::All => Some("everything denied to its user or role"),
        // `aws:TokenIssueTime` exists for temporary credentials only.
        Deny::Before(cut) if temporary && node.created.is_some_and(|created| created < *cut) => {
            Some("sessions issued before a cut-off denied")
        }
        Deny::Before(_) => None,
        Deny::UserId(pattern) => {
            let (id, session) = (
                lineage.ledger().text(node.unique_id),
                lineage.ledger().text(node.session),
            );
            let own = if session.is_empty() {
                id.to_owned()
            } else {
                format!("{id}:{session}")
            };
            wildcard(pattern, &own).then_some("denied by its user id")
        }
    }
}

/// `*` and `?` as in IAM string matching.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    (p, t) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_none_or(|rest| rest.iter().all(|&c| c == '*'))
}

/// The user or role that a credential's permissions come from.
fn owner(lineage: &Lineage<'_>, number: u32) -> Option<Owner> {
    let arn = lineage.principal(number);
    let mut parts = arn.raw().splitn(6, ':').skip(4);
    let (account, resource) = (parts.next()?.to_owned(), parts.next()?);
    if let Some(rest) = resource.strip_prefix("assumed-role/") {
        return Some(Owner::Role(account, rest.split('/').next()?.to_owned()));
    }
    if let Some(user) = resource.strip_prefix("user/") {
        return Some(Owner::User(account, user.rsplit('/').next()?.to_owned()));
    }
    if resource.starts_with("federated-user/") {
        // Its permissions are those of the user whose key made it, cut by the session policy.
        let parent = lineage.primary(number)?.parent;
        return if parent == number {
            None
        } else {
            owner(lineage, parent)
        };
    }
    None
}

fn policy_name(ledger: &Ledger, fact: &Fact) -> String {
    let text = |attribute| ledger.text(ledger.attribute(fact, attribute));
    let arn = text(Attribute::PolicyArn);
    if arn.is_empty() {
        format!("inline {}", text(Attribute::PolicyName))
    } else {
        arn.to_owned()
    }
}

fn denies(ledger: &Ledger, fact: &Fact) -> Vec<Deny> {
    ledger
        .kept(fact)
        .iter()
        .filter_map(|kept| match kept.attribute {
            Attribute::DenyAll => Some(Deny::All),
            Attribute::DenyBefore => Some(Deny::Before(kept.value)),
            Attribute::DenyUserId => Some(Deny::UserId(ledger.text(kept.symbol()).to_owned())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::Lineage;
    use crate::liveness::{Status, life};
    use crate::record::plain;

    /// What is said of each thing at an instant: its kind, status and reason.
    fn told(trail: &str, at: &str) -> Vec<(&'static str, Status, Option<&'static str>)> {
        let mut ledger = Ledger::default();
        for record in unchain_trail::records(trail).unwrap() {
            ledger.apply(&plain(&record).unwrap());
        }
        ledger.settle();
        let lineage = Lineage::build(&ledger);
        let (denials, at) = (Denials::new(&ledger), Timestamp::parse(at).unwrap());
        let said = (0u32..).zip(lineage.nodes()).map(|(number, node)| {
            let life = life(&lineage, &denials, number, at);
            (
                node.kind.name(),
                life.status,
                life.reason.map(|(why, _)| why),
            )
        });
        said.collect()
    }

    const MADE: &str = r#"
        account 111122223333 as prod
        user admin in prod key K
        user eve in prod
        day 2026-03-02
        09:00 admin CreateLoginProfile eve
        09:01 admin EnableMFADevice eve mfa phone
        09:05 eve ConsoleLogin -> S
        10:00 admin DeleteLoginProfile eve
        10:01 admin DeactivateMFADevice eve mfa phone
    "#;

    #[test]
    fn a_deleted_password_ends_no_session() {
        let before = told(MADE, "2026-03-02T09:30:00Z");
        assert!(
            before.iter().all(|(_, _, reason)| reason.is_none()),
            "{before:?}"
        );
        let after = told(MADE, "2026-03-02T11:00:00Z");
        let of = |kind: &str| {
            after
                .iter()
                .find(|(k, ..)| *k == kind)
                .map(|(_, s, r)| (*s, *r))
        };
        assert_eq!(
            of("login-profile"),
            Some((Status::Revoked, Some("login profile deleted")))
        );
        assert_eq!(
            of("mfa-device"),
            Some((Status::Revoked, Some("device deactivated or deleted")))
        );
        assert_eq!(of("console-session"), Some((Status::Alive, None)));
    }

    /// Ended and given back, of a key and of a role.
    const TO_AND_FRO: &str = r#"
        account 111122223333 as prod
        user admin in prod key K
        user eve in prod key E
        role web in prod
        day 2026-03-02
        09:00 eve E GetSessionToken -> T for 1h
        09:10 T AssumeRole web as one -> W
        09:20 admin UpdateAccessKey E Inactive
        09:30 admin UpdateAccessKey E Active
        09:40 admin DeleteAccessKey E
        09:50 admin PutRolePolicy web Revoke before 09:45
        10:00 admin DeleteRolePolicy web Revoke
    "#;

    #[test]
    fn a_history_says_at_each_instant_what_is_asked_at_it() {
        let mut ledger = Ledger::default();
        for record in unchain_trail::records(TO_AND_FRO).unwrap() {
            ledger.apply(&plain(&record).unwrap());
        }
        ledger.settle();
        let (lineage, denials) = (Lineage::build(&ledger), Denials::new(&ledger));
        let dawn = Timestamp::parse("2026-03-02T08:00:00Z").unwrap();
        let mut turns = 0;
        for number in (0u32..).take(lineage.nodes().len()) {
            let told = crate::liveness::history(&lineage, &denials, number);
            turns += told.len() - 1;
            for at in (0..60 * 30).map(|minute| dawn.plus(minute * 60)) {
                let held = told.iter().rfind(|(from, _)| *from <= at).unwrap();
                assert_eq!(
                    held.1,
                    life(&lineage, &denials, number, at),
                    "{number} at {at}"
                );
            }
        }
        // E is ended, given back and ended; T begins and expires; W begins, is ended, given back and expires.
        assert_eq!(turns, 9);
    }

    #[test]
    fn wildcards_match_as_in_iam() {
        assert!(wildcard("AROA1:*", "AROA1:web"));
        assert!(wildcard("*:w?b", "AROA1:web"));
        assert!(!wildcard("AROA1:web", "AROA1:webx"));
        assert!(wildcard("*", ""));
        assert!(!wildcard("?", ""));
    }
}
