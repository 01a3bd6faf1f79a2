//! A role that trusts somebody outside.

use super::odd::{Odd, graded};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed, listed, parse_policy};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, IdentityType, Seconds, Symbol};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A trust policy that lets outsiders in.
pub(super) const DETECTION: Detection = Detection {
    id: "trust-policy-backdoor",
    title: "Role opened to an outside account",
    severity: Severity::Medium,
    techniques: &["T1098.003", "T1484.002"],
    finds: "CreateRole or UpdateAssumeRolePolicy lets an account assume the role that no log here covers, that the \
        settings do not name and that was not at work here before; or anybody at all. It weighs more without a \
        condition, on a role that existed before, and once the outsider has come in. One finding for each role \
        and outsider.",
    matters: "The outsider needs no key of this account any more, and revoking sessions or keys here changes \
        nothing.",
    evaded: "Trusting another role or user of the same account, or an account that is listed.",
    false_positives: &[
        "Roles for vendors ask for an external id: low.",
        "A new role for another account of one's own that no log covers: low; name the account in the settings.",
        "Service principals and identity providers, which most roles trust: not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
    ],
    run,
};

/// Whom a statement lets in, and whether on a condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Trusted {
    /// An account number, or `*`.
    who: String,
    conditional: bool,
}

/// What one deed opened: the deed, the account of the role, whom to.
struct Opening<'l> {
    fact: &'l Fact,
    account: Symbol,
    trusted: Trusted,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let deeds = [Deed::CreateRole, Deed::UpdateAssumeRolePolicy];
    let mut openings: Vec<Opening<'_>> = Vec::new();
    for fact in deeds.into_iter().flat_map(|deed| scene.deeds(deed)) {
        let by_service = scene.ledger.caller(fact.key.caller).kind == IdentityType::AwsService;
        if !by_service {
            openings.extend(opened(scene, fact));
        }
    }
    if openings.is_empty() {
        return;
    }
    let outside = Outside::of(scene, &openings);
    // A policy is written whole each time: only the first time that it lets somebody in counts.
    let mut seen: BTreeSet<(Symbol, &str, String)> = BTreeSet::new();
    openings.sort_by_key(|o| (o.fact.time, o.fact.hash));
    for opening in &openings {
        let role = scene.text(opening.fact, Attribute::Role);
        if seen.insert((opening.account, role, opening.trusted.who.clone())) {
            let since = outside.since.get(opening.trusted.who.as_str());
            let before = since.is_some_and(|&at| at < opening.fact.time);
            let came = outside.came_in(scene, opening, role);
            found.extend(
                (!before)
                    .then(|| judge(scene, (opening, role), came))
                    .flatten(),
            );
        }
    }
}

/// The outsiders that a deed lets in.
fn opened<'l>(scene: &Scene<'_, 'l>, fact: &'l Fact) -> Vec<Opening<'l>> {
    let document = scene.text(fact, Attribute::Document);
    let place = scene.ledger.place_of(&fact.key).map(|place| place.account);
    let account = place
        .filter(|a| !a.is_empty())
        .unwrap_or(scene.ledger.caller(fact.key.caller).account);
    let outside = |t: &Trusted| t.who == "*" || !covered(scene, account, &t.who);
    let trusted = trusted(document).into_iter().filter(outside);
    trusted
        .map(|trusted| Opening {
            fact,
            account,
            trusted,
        })
        .collect()
}

/// Whether an account is the role's own, or one of ours: its log is here, or the settings name it.
fn covered(scene: &Scene<'_, '_>, own: Symbol, account: &str) -> bool {
    scene.ledger.text(own) == account
        || scene.settings.accounts.contains_key(account)
        || scene
            .ledger
            .places()
            .any(|(place, _)| scene.ledger.text(place.account) == account)
}

/// Accounts (or `*`) that a trust policy lets in.
fn trusted(document: &str) -> BTreeSet<Trusted> {
    let Some(policy) = parse_policy(document) else {
        return BTreeSet::new();
    };
    let statements = policy.get("Statement").map(listed).unwrap_or_default();
    let allows = statements
        .into_iter()
        .filter(|s| s.get("Effect").and_then(Value::as_str) == Some("Allow"));
    let mut found = BTreeSet::new();
    for statement in allows {
        let conditional = statement
            .get("Condition")
            .and_then(Value::as_object)
            .is_some_and(|c| !c.is_empty());
        let principals = match statement.get("Principal") {
            Some(Value::String(anybody)) => vec![anybody.as_str()],
            Some(Value::Object(kinds)) => kinds
                .get("AWS")
                .map(listed)
                .unwrap_or_default()
                .into_iter()
                .filter_map(Value::as_str)
                .collect(),
            _ => Vec::new(),
        };
        let accounts = principals.into_iter().filter_map(account_of);
        found.extend(accounts.map(|who| Trusted {
            who: who.to_owned(),
            conditional,
        }));
    }
    found
}

/// The account of a principal: a number, the number in an ARN, or `*`. Unique ids, which stand for
/// principals that are gone, name none.
fn account_of(principal: &str) -> Option<&str> {
    let number = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if principal == "*" || number(principal) {
        return Some(principal);
    }
    let account = principal.split(':').nth(4)?;
    match account {
        "*" => Some("*"),
        account if number(account) => Some(account),
        _ => None,
    }
}

/// What the trusted accounts did here, gathered in one pass for all openings.
struct Outside<'l> {
    /// When each was first at work.
    since: BTreeMap<&'l str, Seconds>,
    /// Their calls of AssumeRole.
    assumed: Vec<(&'l str, &'l Fact)>,
}

impl<'l> Outside<'l> {
    fn of(scene: &Scene<'_, 'l>, openings: &[Opening<'_>]) -> Self {
        let wanted: BTreeSet<&str> = openings.iter().map(|o| o.trusted.who.as_str()).collect();
        let callers = scene.ledger.callers().iter();
        let accounts: Vec<Option<&'l str>> = callers
            .map(|caller| Some(scene.ledger.text(caller.account)).filter(|a| wanted.contains(a)))
            .collect();
        let account = |caller: u32| accounts.get(caller as usize).copied().flatten();
        let mut since = BTreeMap::new();
        for usage in scene.ledger.uses() {
            if let Some(account) = account(usage.key.caller) {
                let time = usage.first.seconds();
                let first = since.entry(account).or_insert(time);
                *first = time.min(*first);
            }
        }
        let assumed = scene.deeds(Deed::AssumeRole);
        let assumed = assumed.filter_map(|fact| Some((account(fact.key.caller)?, fact)));
        Self {
            since,
            assumed: assumed.collect(),
        }
    }

    /// The first time that the trusted account assumed the role afterwards.
    fn came_in(
        &self,
        scene: &Scene<'_, '_>,
        opening: &Opening<'_>,
        role: &str,
    ) -> Option<&'l Fact> {
        let by_it = self
            .assumed
            .iter()
            .filter(|(who, _)| *who == opening.trusted.who);
        let mut later = by_it
            .map(|(_, fact)| *fact)
            .filter(|f| f.time >= opening.fact.time);
        later.find(|f| scene.text(f, Attribute::Role).rsplit('/').next() == Some(role))
    }
}

fn judge(
    scene: &Scene<'_, '_>,
    (opening, role): (&Opening<'_>, &str),
    came: Option<&Fact>,
) -> Option<Draft> {
    let Opening { fact, trusted, .. } = opening;
    let actor = scene.actor(fact)?;
    let odd = Odd::of(scene, fact);
    let anybody = trusted.who == "*";
    let existing = fact.deed == Deed::UpdateAssumeRolePolicy;
    let base = match (anybody, trusted.conditional, came.is_some() || existing) {
        (true, false, _) => Severity::High,
        (_, false, true) => Severity::Medium,
        _ => Severity::Low,
    };
    let who = match trusted.who.as_str() {
        "*" => "anybody".to_owned(),
        account => format!("account {account}"),
    };
    let on = if trusted.conditional {
        ", on a condition"
    } else {
        ""
    };
    let then = came.map_or("", |_| ", from where it was then assumed");
    let what = format!(
        "{} let {who} assume role {role}{on}{then}",
        scene.label(actor)
    );
    let sure = odd.count() > 0 || anybody;
    let draft = Draft::new(actor, odd.told(&what))
        .distinct(format!("{role} {}", trusted.who))
        .severity(graded(base, odd.count()))
        .confidence(if sure {
            Confidence::High
        } else {
            Confidence::Low
        })
        .seen(fact.time, fact.id)
        .seen_in(came.map(|f| (f.time, f.id)));
    let draft = odd.shown(draft);
    Some(match anybody {
        true => draft,
        false => draft
            .not_visible("Whether the account is one of yours: name it in the settings if it is."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_read_in_all_its_forms() {
        let read = |document: &str| -> Vec<(String, bool)> {
            let found = trusted(document).into_iter();
            found.map(|t| (t.who, t.conditional)).collect()
        };
        let one = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole"}}"#;
        assert_eq!(read(one), [("999988887777".to_owned(), false)]);
        let two = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws-cn:iam::444455556666:user/x"]},
            "Condition":{"StringEquals":{"sts:ExternalId":"e"}}},{"Effect":"Allow","Principal":"*"}]}"#;
        let expected = [("*", false), ("111122223333", true), ("444455556666", true)];
        assert_eq!(read(two), expected.map(|(who, on)| (who.to_owned(), on)));
        let others = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}},
            {"Effect":"Deny","Principal":{"AWS":"*"}},{"Effect":"Allow","Principal":{"AWS":"AIDAEXAMPLE"}}]}"#;
        assert_eq!(read(others), []);
        assert_eq!(read("no policy"), []);
    }
}
