//! Trust policies and identity providers that the lineage made or changed.

use super::super::owner::{Owner, OwnerKind};
use super::make::Ground;
use super::steps::{About, Steps, members, of_owner, text};
use super::{Action, Break, Call, Phase, Undo};
use crate::deed::listed;
use crate::lineage::NodeKind;
use crate::text::Untrusted;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The `Sid` of a statement that closes a trust policy.
const CLOSED_SID: &str = "UnchainClosed";

impl Steps {
    /// Roles that the lineage made are closed to everybody; of roles whose trust it changed, those outside the known
    /// accounts; and every role to the identity providers that it made.
    pub(super) fn trust(&mut self, ground: &Ground<'_>) {
        for (number, subject) in (0u32..).zip(ground.subjects) {
            let of = std::slice::from_ref(&number);
            let sound = subject
                .owner
                .as_ref()
                .filter(|o| o.kind == OwnerKind::Role && o.is_sound());
            if let Some(owner) = sound.filter(|_| super::keys::is(subject, NodeKind::Role)) {
                let made = ground
                    .targets
                    .iter()
                    .any(|t| t.owner == *owner && t.width == super::denies::Width::Whole);
                let statement = if made {
                    closed_to_all()
                } else {
                    closed_to_outside(ground)
                };
                self.close(
                    ground,
                    (owner, statement),
                    ("the lineage wrote its trust policy", of),
                );
            } else if super::keys::is(subject, NodeKind::IdentityProvider) {
                let provider = subject.principal_arn.as_ref().map_or("", Untrusted::raw);
                self.provider(ground, provider, of);
            }
        }
    }

    fn close(
        &mut self,
        ground: &Ground<'_>,
        (owner, statement): (&Owner, Value),
        (why, of): (&str, &[u32]),
    ) {
        let Some(role) = ground.facts.role(owner) else {
            let why = "its trust policy was not read: read the account and plan again";
            self.leave_open(of, ground.subjects, why);
            return;
        };
        let before = self.trust_of(owner).unwrap_or(&role.trust).clone();
        let Some(document) = with_statement(&before, statement) else {
            self.leave_open(of, ground.subjects, "its trust policy cannot be read");
            return;
        };
        let update = |document: Value| of_trust(owner, document);
        let lost = services(&role.trust).into_iter().map(|who| Break {
            who: Untrusted::new(who),
            what: "cannot take the role".to_owned(),
        });
        let whole = document.to_string().contains("\"Principal\":\"*\"");
        let breaks: Vec<Break> = lost.filter(|_| whole).collect();
        let about = About {
            breaks: &breaks,
            ..About::new(Phase::Trust, &role.arn, why, of)
        };
        let undo = Undo::Calls(vec![update(before)]);
        self.add(
            about,
            ground.subjects,
            (Action::Call(update(document)), undo),
        );
    }

    /// The trust policy that an earlier step leaves: two steps on one role must not take each other back.
    fn trust_of(&self, owner: &Owner) -> Option<&Value> {
        let calls = self.list.iter().rev().filter_map(|step| match &step.action {
            Action::Call(call) if call.account == owner.account => Some(call),
            _ => None,
        });
        let mut trusts = calls.filter(|call| {
            let role = call.parameters.get("RoleName").and_then(Value::as_str);
            call.action == "UpdateAssumeRolePolicy" && role == Some(owner.name.raw())
        });
        trusts.next()?.parameters.get("PolicyDocument")
    }

    fn provider(&mut self, ground: &Ground<'_>, provider: &str, of: &[u32]) {
        if let Some((_, anchor)) = provider.split_once(":trust-anchor/") {
            let mut arn = provider.split(':').skip(3);
            let (region, account) = (
                arn.next().unwrap_or_default(),
                arn.next().unwrap_or_default(),
            );
            let call = |action: &str| Call {
                service: "rolesanywhere".to_owned(),
                action: action.to_owned(),
                account: Untrusted::new(account),
                parameters: members(&[("trustAnchorId", text(anchor)), ("region", text(region))]),
            };
            let about = About::new(
                Phase::Trust,
                provider,
                "a trust anchor that the lineage made",
                of,
            );
            let undo = Undo::Calls(vec![call("EnableTrustAnchor")]);
            self.add(
                about,
                ground.subjects,
                (Action::Call(call("DisableTrustAnchor")), undo),
            );
            return;
        }
        let mut closed = false;
        for (account, here) in &ground.facts.accounts {
            for (name, role) in here
                .roles
                .iter()
                .filter(|(_, role)| names(&role.trust, "Federated").contains(provider))
            {
                let owner = Owner {
                    account: Untrusted::new(account.as_str()),
                    kind: OwnerKind::Role,
                    name: Untrusted::new(name.as_str()),
                    partition: Untrusted::new(role.arn.split(':').nth(1).unwrap_or("aws")),
                };
                self.close(
                    ground,
                    (&owner, closed_to_provider(provider)),
                    ("it trusts a provider that the lineage made", of),
                );
                closed = true;
            }
        }
        if !closed {
            self.leave_open(
                of,
                ground.subjects,
                "no role is known to trust it: delete the provider, and look again",
            );
        }
    }
}

fn of_trust(owner: &Owner, document: Value) -> Call {
    let mut call = of_owner(
        owner,
        ("UpdateAssume", "Policy"),
        &[("PolicyDocument", document)],
    );
    debug_assert_eq!(
        call.action, "UpdateAssumeRolePolicy",
        "only roles have a trust policy"
    );
    call.service = "iam".to_owned();
    call
}

/// A trust policy with a statement added, once. What an earlier plan closed stays closed.
fn with_statement(trust: &Value, statement: Value) -> Option<Value> {
    let mut document = trust.clone();
    let held: Vec<Value> = document
        .get("Statement")
        .map(listed)?
        .into_iter()
        .cloned()
        .collect();
    let sid = |n: usize| match n {
        1 => CLOSED_SID.to_owned(),
        n => format!("{CLOSED_SID}{n}"),
    };
    let named = |n: usize| with_sid(&statement, &sid(n));
    let numbers = 1..=held.len() + 1;
    let there = numbers.clone().any(|n| held.contains(&named(n)));
    let free = numbers.clone().find(|n| {
        let taken = |s: &Value| s.get("Sid").and_then(Value::as_str) == Some(sid(*n).as_str());
        !held.iter().any(taken)
    });
    let added = free.filter(|_| !there).map(named);
    let statements: Vec<Value> = held.into_iter().chain(added).collect();
    document
        .as_object_mut()?
        .insert("Statement".to_owned(), Value::Array(statements));
    Some(document)
}

fn with_sid(statement: &Value, sid: &str) -> Value {
    let mut statement = statement.clone();
    if let Some(members) = statement.as_object_mut() {
        members.insert("Sid".to_owned(), text(sid));
    }
    statement
}

fn closed_to_all() -> Value {
    json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*"})
}

/// Services have no account, so the deny is of principals that have one.
fn closed_to_outside(ground: &Ground<'_>) -> Value {
    let organization = ground
        .facts
        .organization
        .iter()
        .flat_map(|o| o.scps.keys().chain([&o.management_account]));
    let own = ground
        .subjects
        .iter()
        .filter_map(|s| s.owner.as_ref())
        .filter(|o| o.is_sound());
    let known: BTreeSet<&str> = ground
        .facts
        .accounts
        .keys()
        .chain(organization)
        .map(String::as_str)
        .collect();
    let own: BTreeSet<&str> = own
        .map(|o| o.account.raw())
        .chain(known)
        .filter(|a| a.len() == 12)
        .collect();
    json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:*", "Condition": {
        "StringNotEquals": {"aws:PrincipalAccount": own}, "Null": {"aws:PrincipalAccount": "false"}}})
}

fn closed_to_provider(provider: &str) -> Value {
    json!({"Effect": "Deny", "Principal": {"Federated": provider}, "Action": "sts:*"})
}

/// The services that a trust policy lets in.
pub(super) fn services(trust: &Value) -> BTreeSet<String> {
    names(trust, "Service")
}

/// The principals of one type that a trust policy lets in.
pub(crate) fn names(trust: &Value, kind: &str) -> BTreeSet<String> {
    let statements = trust.get("Statement").map(listed).unwrap_or_default();
    let allows = statements
        .into_iter()
        .filter(|s| s.get("Effect").and_then(Value::as_str) == Some("Allow"));
    let principals = allows.filter_map(|s| match s.get("Principal")? {
        everyone @ Value::String(_) => Some(everyone),
        object => object.get(kind),
    });
    principals
        .flat_map(listed)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
