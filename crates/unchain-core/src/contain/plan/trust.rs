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

/// How the `Sid` of a statement that closes a trust policy begins.
const CLOSED_SID: &str = "UnchainClosed";

/// How the trust policy of one role is closed. Each of a role's steps puts the whole document, so there is one step a
/// role.
struct Closing {
    owner: Owner,
    why: &'static str,
    of: Vec<u32>,
    /// The deny for what the lineage wrote.
    written: Option<Value>,
    /// Identity providers that the lineage made.
    providers: BTreeSet<String>,
}

impl Closing {
    /// The trust policy with what closes it.
    fn close(&self, trust: &Value) -> Option<Value> {
        let providers = (!self.providers.is_empty()).then(|| closed_to_providers(&self.providers));
        let mut statements = self.written.iter().cloned().chain(providers);
        statements.try_fold(trust.clone(), |trust, statement| {
            with_statement(&trust, &statement)
        })
    }
}

/// The closing of a role, which has one if any.
fn closing<'c>(
    all: &'c mut Vec<Closing>,
    owner: &Owner,
    why: &'static str,
) -> Option<&'c mut Closing> {
    let known = all.iter().position(|closing| closing.owner == *owner);
    let place = known.unwrap_or(all.len());
    if known.is_none() {
        all.push(Closing {
            owner: owner.clone(),
            why,
            of: Vec::new(),
            written: None,
            providers: BTreeSet::new(),
        });
    }
    all.get_mut(place)
}

impl Steps {
    /// Roles that the lineage made are closed to everybody; of roles whose trust it changed, those outside the known
    /// accounts; and every role to the identity providers that it made.
    pub(super) fn trust(&mut self, ground: &Ground<'_>) {
        let mut all = Vec::new();
        for (number, subject) in (0u32..).zip(ground.subjects) {
            let sound = subject
                .owner
                .as_ref()
                .filter(|o| o.kind == OwnerKind::Role && o.is_sound());
            if let Some(owner) = sound.filter(|_| super::keys::is(subject, NodeKind::Role)) {
                if let Some(closing) =
                    closing(&mut all, owner, "the lineage wrote its trust policy")
                {
                    closing.written = Some(written(ground, owner));
                    closing.of.push(number);
                }
            } else if super::keys::is(subject, NodeKind::IdentityProvider) {
                let provider = subject.principal_arn.as_ref().map_or("", Untrusted::raw);
                self.provider(ground, (provider, number), &mut all);
            }
        }
        for closing in &all {
            self.close(ground, closing);
        }
    }

    fn close(&mut self, ground: &Ground<'_>, closing: &Closing) {
        let (owner, of) = (&closing.owner, closing.of.as_slice());
        let Some(role) = ground.facts.role(owner) else {
            let why = "its trust policy was not read: read the account and plan again";
            self.leave_open(of, ground.subjects, why);
            return;
        };
        let Some(document) = closing.close(&role.trust) else {
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
            ..About::new(Phase::Trust, &role.arn, closing.why, of)
        };
        let undo = Undo::Calls(vec![update(role.trust.clone())]);
        self.add(
            about,
            ground.subjects,
            (Action::Call(update(document)), undo),
        );
    }

    fn provider(
        &mut self,
        ground: &Ground<'_>,
        (provider, number): (&str, u32),
        all: &mut Vec<Closing>,
    ) {
        if let Some((_, anchor)) = provider.split_once(":trust-anchor/") {
            self.anchor(ground, (provider, anchor), number);
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
                let why = "it trusts a provider that the lineage made";
                if let Some(closing) = closing(all, &owner, why) {
                    closing.providers.insert(provider.to_owned());
                    closing.of.push(number);
                }
                closed = true;
            }
        }
        if !closed {
            let why = "no role is known to trust it: delete the provider, and look again";
            self.leave_open(&[number], ground.subjects, why);
        }
    }

    fn anchor(&mut self, ground: &Ground<'_>, (arn, anchor): (&str, &str), number: u32) {
        let mut parts = arn.split(':').skip(3).map(str::to_owned);
        let (region, account) = (parts.next(), parts.next());
        let call = |action: &str| Call {
            service: "rolesanywhere".to_owned(),
            action: action.to_owned(),
            account: Untrusted::new(account.clone().unwrap_or_default()),
            parameters: members(&[
                ("trustAnchorId", text(anchor)),
                ("region", text(region.as_deref().unwrap_or_default())),
            ]),
        };
        let (of, why) = ([number], "a trust anchor that the lineage made");
        let about = About::new(Phase::Trust, arn, why, &of);
        let undo = Undo::Calls(vec![call("EnableTrustAnchor")]);
        let disable = Action::Call(call("DisableTrustAnchor"));
        self.add(about, ground.subjects, (disable, undo));
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
fn with_statement(trust: &Value, statement: &Value) -> Option<Value> {
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
    let named = |n: usize| with_sid(statement, &sid(n));
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

fn written(ground: &Ground<'_>, owner: &Owner) -> Value {
    let whole = super::denies::Width::Whole;
    let made = ground
        .targets
        .iter()
        .any(|t| t.owner == *owner && t.width == whole);
    if made {
        closed_to_all()
    } else {
        closed_to_outside(ground)
    }
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

fn closed_to_providers(providers: &BTreeSet<String>) -> Value {
    json!({"Effect": "Deny", "Principal": {"Federated": providers}, "Action": "sts:*"})
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
