//! A console session opened with credentials of the API.

use super::visit::Tool;
use super::workloads::is_workload;
use super::{Detection, Novelty, Scene};
use crate::deed::Deed;
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, IdentityType};
use crate::lineage::{Node, NodeKind, Origin};
use crate::time::DAY;
use std::collections::BTreeMap;

/// The console from API credentials.
pub(super) const DETECTION: Detection = Detection {
    id: "console-from-api",
    title: "Console session from API credentials",
    severity: Severity::Medium,
    techniques: &["T1538", "T1550.001", "T1021.007"],
    finds: "GetSigninToken by a role session or federated session with a program instead of the console's own \
        client, and the console sign-in that follows. High for the session of a workload, which nobody has to \
        browse with; medium if the sign-in comes from another network than the request or the role did not do \
        that from there before; else low. One finding for each principal.",
    matters: "The console session lives up to twelve hours by itself, mints keys that no record issues, and gives \
        a federated session the calls of IAM that the API denies it.",
    evaded: "A program that sends the user agent of a browser, or a sign-in token made in a region or account \
        without a log.",
    false_positives: &[
        "aws-vault, granted and own portals do this every day from the user's own address: low.",
        "The portal of Identity Center, and SAML sign-ins without GetSigninToken: not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html",
        "https://hackingthe.cloud/aws/post_exploitation/create_a_console_session_from_iam_credentials/",
    ],
    run,
};

/// The client with which the console and the portal of Identity Center make sign-in tokens.
const OWN_CLIENTS: [&str; 2] = ["Jersey/", "aws-internal"];

/// Roles of Identity Center, whose portal signs people in.
const PORTAL_ROLE: &str = ":assumed-role/AWSReservedSSO_";

/// One sign-in token, and the console session made of it if the log shows it.
struct SignIn<'l> {
    node: u32,
    token: &'l Fact,
    console: Option<(u32, &'l Fact)>,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut principals: BTreeMap<&str, Vec<SignIn<'_>>> = BTreeMap::new();
    for token in scene.deeds(Deed::GetSigninToken) {
        let Some(sign_in) = sign_in(scene, token) else {
            continue;
        };
        let caller = scene.ledger.caller(token.key.caller);
        // The id of a federated session is its account's.
        let who = match caller.kind {
            IdentityType::FederatedUser => caller.session,
            _ => caller.unique_id,
        };
        let who = scene.ledger.text(who);
        principals.entry(who).or_default().push(sign_in);
    }
    found.extend(
        principals
            .iter()
            .filter_map(|(who, sign_ins)| draft(scene, (who, sign_ins))),
    );
}

fn sign_in<'l>(scene: &Scene<'_, 'l>, token: &'l Fact) -> Option<SignIn<'l>> {
    let caller = scene.ledger.caller(token.key.caller);
    let text = scene.agent(token.key.client);
    let own = OWN_CLIENTS.iter().any(|client| text.contains(client));
    let placed = scene.networks.of_client(token.key.client).is_some();
    if own
        || !placed
        || !caller.invoked_by.is_empty()
        || scene.machine(token.key.client).tool == Tool::Browser
    {
        return None;
    }
    let node = scene.actor(token)?;
    let console = scene.node(node)?.origin == Origin::Console;
    let portal = scene.lineage.principal(node).raw().contains(PORTAL_ROLE);
    (!console && !portal).then(|| SignIn {
        node,
        token,
        console: session(scene, (node, token)),
    })
}

/// The console session made of a token: a child of the credential, or of the key that the token got.
fn session<'l>(scene: &Scene<'_, 'l>, (node, token): (u32, &Fact)) -> Option<(u32, &'l Fact)> {
    let own = scene.lineage.children(node);
    let below = scene
        .lineage
        .children(node)
        .flat_map(|edge| scene.lineage.children(edge.child));
    own.chain(below)
        .filter(|edge| scene.is(edge.child, NodeKind::ConsoleSession) && edge.time >= token.time)
        .find_map(|edge| {
            let mut facts = scene.facts_of(edge);
            let login = facts.find(|fact| fact.deed == Deed::ConsoleLogin)?;
            Some((edge.child, login))
        })
}

/// Whether the browser is elsewhere than the program that asked for the token.
fn moved(scene: &Scene<'_, '_>, sign_in: &SignIn<'_>) -> bool {
    let network = |fact: &Fact| scene.networks.of_client(fact.key.client);
    let known = |fact: &Fact| scene.networks.is_known(network(fact));
    let v6 = |fact: &Fact| {
        scene
            .ledger
            .text(scene.address(fact.key.client))
            .contains(':')
    };
    sign_in.console.is_some_and(|(_, login)| {
        let other = network(login) != network(sign_in.token) && v6(login) == v6(sign_in.token);
        network(login).is_some() && other && !known(login)
    })
}

fn is_new(scene: &Scene<'_, '_>, sign_in: &SignIn<'_>) -> bool {
    let caller = scene.ledger.caller(sign_in.token.key.caller);
    let who = match caller.kind {
        IdentityType::FederatedUser => caller.issuer_id,
        _ => caller.unique_id,
    };
    let network = scene.networks.of_client(sign_in.token.key.client);
    // The token is asked for within minutes of the session's first call: that must not make it usual.
    let begin = scene.node(sign_in.node).and_then(|node| node.created);
    let time = begin.unwrap_or(sign_in.token.time).min(sign_in.token.time);
    let novelty = |who, time| scene.place_novelty(who, network, time);
    // It is at home where what it came from has been for a day.
    let mut above = scene.ancestors(sign_in.node).into_iter();
    let at_home = |parent: &Node| {
        let credential = parent.kind.is_credential() && !parent.unique_id.is_empty();
        credential && novelty(parent.unique_id, time.saturating_sub(DAY)) == Novelty::Known
    };
    novelty(who, time) == Novelty::New
        && !above.any(|edge| scene.node(edge.parent).is_some_and(at_home))
}

fn draft(scene: &Scene<'_, '_>, (who, sign_ins): (&str, &[SignIn<'_>])) -> Option<Draft> {
    let workload = |s: &&SignIn<'_>| is_workload(scene, s.node);
    let odd = |s: &&SignIn<'_>| moved(scene, s) || is_new(scene, s);
    let worst = sign_ins.iter().find(workload);
    let worst = worst
        .or_else(|| sign_ins.iter().find(odd))
        .or(sign_ins.first())?;
    let (severity, confidence) = if workload(&worst) {
        (Severity::High, Confidence::High)
    } else if odd(&worst) {
        (Severity::Medium, Confidence::Medium)
    } else {
        (Severity::Low, Confidence::Medium)
    };
    let token = worst.token;
    let address = |fact: &Fact| scene.ledger.text(scene.address(fact.key.client));
    let then = match worst.console {
        Some((_, login)) => format!("signed in to the console from {}", address(login)),
        None => "no sign-in with it is logged".to_owned(),
    };
    let what = format!(
        "{} asked for a sign-in token from {} with {}; {then}{}",
        scene.label(worst.node),
        address(token),
        scene.agent(token.key.client),
        match sign_ins.len() {
            1 => String::new(),
            times => format!(" (one of {times} tokens of this principal)"),
        },
    );
    let logins = sign_ins.iter().filter_map(|s| s.console);
    let facts = sign_ins
        .iter()
        .map(|s| s.token)
        .chain(logins.clone().map(|(_, login)| login));
    let draft = Draft::new(worst.node, what)
        .distinct(who)
        .severity(severity)
        .confidence(confidence)
        .also(
            sign_ins
                .iter()
                .map(|s| s.node)
                .chain(logins.map(|(node, _)| node)),
        )
        .seen_in(facts.map(|fact| (fact.time, fact.id)));
    Some(match worst.console {
        Some((_, login)) if moved(scene, worst) => draft.from(scene.address(login.key.client)),
        Some(_) => draft,
        None => {
            draft.not_visible("The console sign-in: federated sign-ins are logged in us-east-1.")
        }
    })
}
