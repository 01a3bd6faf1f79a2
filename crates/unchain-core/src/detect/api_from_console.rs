//! A program that works with a key of a console session.

use super::calls::Kinds;
use super::visit::{Agent, Tool, Visit, addresses, records, told, visits};
use super::{Detection, Numbered, Scene};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Seconds, Symbol};
use crate::lineage::{Mixing, NodeKind, Origin};
use std::collections::HashSet;

/// API calls with a console session's key.
pub(super) const DETECTION: Detection = Detection {
    id: "api-from-console",
    title: "API calls with a key of a console session",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1528", "T1539"],
    finds: "The AWS CLI, Terraform or an SDK for Python or Go calls with a key that the console minted for itself, \
        outside CloudShell. From another network than the browser's: medium, and high if it then reads data, \
        changes IAM or does harm; from the same: low. One finding for each console session.",
    matters: "No record issues these keys. Whoever reads them out of a browser or CloudShell has the person's \
        rights, second factor included, until the console session ends.",
    evaded: "A browser's user agent, or a session whose calls by the browser are not in the log.",
    false_positives: &[
        "`aws login` where its CreateOAuth2Token is not in the log, and browser extensions that copy keys for the \
         owner's own use: the same network, low.",
        "CloudShell and the services behind the console: not counted.",
    ],
    references: &[
        "https://hackingthe.cloud/aws/post_exploitation/get_iam_creds_from_console_session/",
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html",
    ],
    run,
};

/// Whose console session, and since when.
type Session = (Symbol, Symbol, Option<Seconds>);

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let sessions = sessions(scene);
    if sessions.is_empty() {
        return;
    }
    let mut keys: Numbered<Session, Vec<u32>> = Numbered::default();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        let session = (node.unique_id, node.session, node.created);
        let minted = node.origin == Origin::Console && !by_grant(scene, number);
        if minted && sessions.contains(&session) {
            keys.entry(session).or_default().push(number);
        }
    }
    found.extend(keys.values().filter_map(|nodes| judge(scene, nodes)));
}

/// Programs that the console itself never is.
fn is_program(agent: Agent) -> bool {
    matches!(
        agent.tool,
        Tool::Cli | Tool::Terraform | Tool::Python | Tool::Go
    )
}

/// The console sessions with whose keys a program called.
fn sessions(scene: &Scene<'_, '_>) -> HashSet<Session, Mixing> {
    let clients = (0u32..).zip(scene.ledger.clients());
    let program = clients.map(|(number, _)| {
        let placed = scene.networks.of_client(number).is_some();
        placed && is_program(scene.machine(number))
    });
    let program: Vec<bool> = program.collect();
    let uses = scene.ledger.uses().iter();
    let by_program = uses.filter(|usage| program.get(usage.key.client as usize) == Some(&true));
    let nodes = by_program.filter_map(|usage| scene.lineage.node_of_caller(usage.key.caller));
    let own = nodes.filter(|&node| !by_grant(scene, node));
    let minted = own.filter_map(|n| scene.node(n).filter(|n| n.origin == Origin::Console));
    minted
        .map(|n| (n.unique_id, n.session, n.created))
        .collect()
}

/// Whether a key came by `aws login`.
fn by_grant(scene: &Scene<'_, '_>, node: u32) -> bool {
    let edge = scene.lineage.primary(node);
    edge.is_some_and(|edge| scene.is(edge.parent, NodeKind::OAuthSession))
}

fn judge(scene: &Scene<'_, '_>, nodes: &[u32]) -> Option<Draft> {
    let all: Vec<Visit<'_>> = nodes.iter().flat_map(|&node| visits(scene, node)).collect();
    let (mut calls, browsed): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|visit| is_program(visit.agent));
    calls.sort_by(|a, b| a.order(scene).cmp(&b.order(scene)));
    let beside = |visit: &Visit<'_>| {
        let known = scene.networks.is_known(visit.network);
        known || browsed.iter().any(|b| b.beside(visit, scene))
    };
    // Without the browser's own calls it is not sure that this is a console session.
    let away = calls
        .iter()
        .find(|visit| !beside(visit) && !browsed.is_empty());
    let first = away.or(calls.first().filter(|_| !browsed.is_empty()))?;
    let grave = Kinds::IAM.with(Kinds::DATA).with(Kinds::IMPACT);
    let grave = calls
        .iter()
        .any(|v| v.network == first.network && v.kinds.has(grave));
    let (severity, confidence) = match (away.is_some(), grave) {
        (true, true) => (Severity::High, Confidence::Medium),
        (true, false) => (Severity::Medium, Confidence::Medium),
        (false, _) => (Severity::Low, Confidence::Medium),
    };
    let what = format!(
        "{}, a key of a console session in use at {}, called from {} with {}: {}",
        scene.label(first.node),
        addresses(scene, &browsed),
        addresses(scene, &calls),
        first.text,
        told(
            scene,
            calls.iter().flat_map(|visit| visit.uses.iter().copied())
        ),
    );
    let draft = Draft::new(first.node, what)
        .severity(severity)
        .confidence(confidence)
        .also(calls.iter().map(|visit| visit.node))
        .seen_in(records(scene, &calls))
        .not_visible("Whether the key came by `aws login`: its CreateOAuth2Token would be in this account's log.");
    Some(match away {
        Some(visit) => draft.from(visit.symbol(scene)),
        None => draft,
    })
}
