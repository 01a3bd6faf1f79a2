//! A sign-in that one place grants and another place uses: phishing with a device code.

use super::history::WARM_UP;
use super::visit::{Visit, addresses, records, visits};
use super::{Detection, Novelty, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds, Symbol};
use crate::lineage::NodeKind;
use std::collections::{BTreeSet, HashMap};

/// OAuth grants used elsewhere.
pub(super) const DETECTION: Detection = Detection {
    id: "oauth-grant-elsewhere",
    title: "Sign-in granted in one place and used in another",
    severity: Severity::Medium,
    techniques: &["T1528", "T1550.001", "T1566"],
    finds: "CreateOAuth2Token (`aws login`) comes from another network than the AuthorizeOAuth2Access that it answers; \
        or CreateToken (Identity Center) than the person's UserAuthentication just before; or a key of `aws login` \
        is used from a network in which its session got no token. Medium if the place is new to the person, else low. \
        One finding for each person and network.",
    matters: "Whoever starts a sign-in with a device code gets the tokens when the person confirms it, with the \
        second factor already passed. Nothing is stolen that the person would miss.",
    evaded: "Confirming from the attacker's own network through a proxy on the person's machine, or a person who had \
        signed in a while before and only confirms.",
    false_positives: &[
        "`aws sso login` and `aws login --remote` on another host with the browser on a laptop: low once the host's \
         network is known, medium the first time.",
        "Refreshed tokens, networks that the settings name, IPv4 beside IPv6: not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html",
        "https://blog.christophetd.fr/phishing-for-aws-credentials-via-aws-sso-device-code-authentication/",
    ],
    run,
};

/// A token that follows its confirmation later than this has another one: device codes live ten minutes
/// (docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_StartDeviceAuthorization.html).
const CONFIRMED: Seconds = 15 * 60;

type Who = (Symbol, Symbol);

/// A person's sign-ins by whoever they are: a session's principal, or a user of Identity Center.
struct People<'l>(HashMap<Who, Vec<&'l Fact>>);

impl<'l> People<'l> {
    fn of(scene: &Scene<'_, 'l>, deed: Deed) -> Self {
        let mut people: HashMap<Who, Vec<&'l Fact>> = HashMap::new();
        for fact in scene.deeds(deed) {
            people.entry(who(scene, fact)).or_default().push(fact);
        }
        Self(people)
    }

    /// The last one before a fact, if it came from elsewhere than that.
    fn elsewhere(&self, scene: &Scene<'_, 'l>, token: &Fact) -> Option<&'l Fact> {
        let client = scene.ledger.attribute(token, Attribute::ClientId);
        let facts = self.0.get(&who(scene, token))?.iter().rev().copied();
        let mut before = facts.filter(|fact| {
            let other = scene.ledger.attribute(fact, Attribute::ClientId);
            let same = client.is_empty() || other.is_empty() || client == other;
            same && fact.time <= token.time && token.time - fact.time <= CONFIRMED
        });
        let granted = before.next()?;
        apart(scene, granted, token).then_some(granted)
    }
}

fn who(scene: &Scene<'_, '_>, fact: &Fact) -> Who {
    let caller = scene.ledger.caller(fact.key.caller);
    let person = scene.ledger.rare(&caller).on_behalf_of;
    if person.is_empty() {
        (caller.unique_id, caller.session)
    } else {
        (person, Symbol::EMPTY)
    }
}

fn address<'l>(scene: &Scene<'_, 'l>, fact: &Fact) -> &'l str {
    scene.ledger.text(scene.address(fact.key.client))
}

/// Whether two calls came from two networks, as far as both are known.
fn apart(scene: &Scene<'_, '_>, a: &Fact, b: &Fact) -> bool {
    let network = |fact: &Fact| scene.networks.of_client(fact.key.client);
    let v6 = |fact: &Fact| address(scene, fact).contains(':');
    let some = network(a).is_some() && network(b).is_some();
    some && network(a) != network(b) && v6(a) == v6(b) && !scene.networks.is_known(network(b))
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let flows = [
        (Deed::AuthorizeOAuth2Access, Deed::CreateOAuth2Token),
        (Deed::UserAuthentication, Deed::CreateToken),
    ];
    for (grant, token) in flows {
        granted(scene, (grant, token), found);
    }
    let nodes = (0u32..).zip(scene.lineage.nodes());
    let sessions = nodes.filter(|(_, node)| node.kind == NodeKind::OAuthSession);
    found.extend(sessions.filter_map(|(number, _)| used_elsewhere(scene, number)));
}

/// Tokens that come from elsewhere than the confirmation.
fn granted(scene: &Scene<'_, '_>, (grant, token): (Deed, Deed), found: &mut Vec<Draft>) {
    if scene.deeds(token).next().is_none() {
        return;
    }
    let grants = People::of(scene, grant);
    let tokens = People::of(scene, token);
    for list in tokens.0.values() {
        let mut told = BTreeSet::new();
        for &fact in list {
            let refreshed = scene
                .text(fact, Attribute::Status)
                .ends_with("refresh_token");
            let Some(granted) = grants.elsewhere(scene, fact).filter(|_| !refreshed) else {
                continue;
            };
            let network = scene.networks.of_client(fact.key.client);
            if told.insert(network) {
                let known = [&grants, &tokens]
                    .iter()
                    .any(|people| people.knew(scene, fact));
                found.extend(draft(scene, (granted, fact), known));
            }
        }
    }
}

impl People<'_> {
    /// Whether the person was seen in the network of a fact before.
    fn knew(&self, scene: &Scene<'_, '_>, now: &Fact) -> bool {
        let network = scene.networks.of_client(now.key.client);
        let facts = self
            .0
            .get(&who(scene, now))
            .map(Vec::as_slice)
            .unwrap_or_default();
        facts
            .iter()
            .any(|f| f.time < now.time && scene.networks.of_client(f.key.client) == network)
    }
}

fn novelty(scene: &Scene<'_, '_>, fact: &Fact, known: bool) -> Novelty {
    let caller = scene.ledger.caller(fact.key.caller);
    let network = scene.networks.of_client(fact.key.client);
    let (begin, _) = scene.span();
    if known {
        Novelty::Known
    } else if !caller.unique_id.is_empty() {
        scene.place_novelty(caller.unique_id, network, fact.time)
    } else if fact.time.saturating_sub(begin) >= WARM_UP {
        Novelty::New
    } else {
        Novelty::Unknown
    }
}

fn draft(scene: &Scene<'_, '_>, (granted, token): (&Fact, &Fact), known: bool) -> Option<Draft> {
    let node = scene.actor(token)?;
    let novelty = novelty(scene, token, known);
    let what = format!(
        "{} confirmed a sign-in from {} with {}, and the token went to {} with {}",
        name(scene, token, node),
        address(scene, granted),
        scene.name(granted),
        address(scene, token),
        scene.name(token),
    );
    let children = scene.lineage.children(node);
    let made = children.filter(|edge| scene.facts_of(edge).any(|fact| fact.id == token.id));
    let draft = Draft::new(node, what)
        .distinct(
            scene
                .networks
                .name(scene.networks.of_client(token.key.client)),
        )
        .also(made.map(|edge| edge.child))
        .from(scene.address(token.key.client))
        .seen_in([granted, token].map(|fact| (fact.time, fact.id)));
    Some(weighed(draft, novelty))
}

/// A person by the id in the identity store, since their sessions have no name.
fn name(scene: &Scene<'_, '_>, fact: &Fact, node: u32) -> String {
    let caller = scene.ledger.caller(fact.key.caller);
    let person = scene.ledger.rare(&caller).on_behalf_of;
    if person.is_empty() {
        scene.label(node)
    } else {
        format!("user {} of Identity Center", scene.ledger.text(person))
    }
}

fn weighed(draft: Draft, novelty: Novelty) -> Draft {
    match novelty {
        Novelty::New => draft.confidence(Confidence::Medium),
        Novelty::Known => draft.severity(Severity::Low).confidence(Confidence::Low),
        Novelty::Unknown => draft
            .severity(Severity::Low)
            .confidence(Confidence::Low)
            .not_visible("Whether the person is usually there: the log does not reach back a week; give a baseline."),
    }
}

/// Keys of a session that are used where none of its tokens went.
fn used_elsewhere(scene: &Scene<'_, '_>, session: u32) -> Option<Draft> {
    let facts = scene
        .lineage
        .parents(session)
        .flat_map(|edge| scene.facts_of(edge));
    let facts: Vec<&Fact> = facts.collect();
    let keys = scene.lineage.children(session).map(|edge| edge.child);
    let all: Vec<Visit<'_>> = keys.flat_map(|key| visits(scene, key)).collect();
    let granted = |visit: &Visit<'_>| {
        facts.iter().any(|fact| {
            let network = scene.networks.of_client(fact.key.client);
            let v6 = address(scene, fact).contains(':');
            !network.is_some() || network == visit.network || v6 != visit.is_v6(scene)
        })
    };
    let away = |visit: &Visit<'_>| {
        let known = scene.networks.is_known(visit.network) || visit.through_endpoint(scene);
        !known && !granted(visit)
    };
    let mut away: Vec<Visit<'_>> = all.into_iter().filter(away).collect();
    away.sort_by(|a, b| a.order(scene).cmp(&b.order(scene)));
    let (first, &token) = (away.first()?, facts.first()?);
    let unique_id = scene.node(first.node)?.unique_id;
    let what = format!(
        "{}, granted to {}, was used from {} with {}: {}",
        scene.label(first.node),
        address(scene, token),
        addresses(scene, &away),
        first.text,
        super::visit::told(scene, away.iter().flat_map(|v| v.uses.iter().copied())),
    );
    let draft = Draft::new(first.node, what)
        .also([session])
        .from(first.symbol(scene))
        .seen(token.time, token.id)
        .seen_in(records(scene, &away));
    Some(weighed(
        draft,
        scene.place_novelty(unique_id, first.network, first.first),
    ))
}
