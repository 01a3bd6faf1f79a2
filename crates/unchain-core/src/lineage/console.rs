//! Keys that no record issues: those of the console, of `aws login`, and of sessions whose issuing
//! record names another key.
//!
//! The console mints a key for about every request; all carry the sign-in's time as their creation
//! time, and so do keys of CloudShell and of `aws login`
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/
//! cloudtrail-event-reference-aws-console-sign-in-events.html). A role switched to in the console, and
//! a session vended through Identity Center, act with another key than AssumeRole or
//! AssumeRoleWithSAML returned, at the same principal and time.

use super::build::{Builder, Mixing, Session};
use super::content;
use super::named::Name;
use super::{Basis, Edge, Face, NONE, Node, NodeKind, Origin, adjacency, run};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, IdentityType, Seconds, Symbol};
use hashbrown::HashMap;
use std::cmp::Ordering;

/// Words in user agents of browsers and of the console.
const CONSOLE_AGENTS: [&str; 6] = [
    "console.amazonaws.com",
    "console.ec2.amazonaws.com",
    "signin.amazonaws.com",
    "S3Console/",
    "Mozilla/",
    "AWSCloudShell",
];
/// Words in user agents of services behind the console. Roles of services use them too, so they say
/// "console" only of users and root.
const INTERNAL_AGENTS: [&str; 2] = ["AWS Internal", "aws-internal/"];
/// In the ARN of every service-linked role.
const SERVICE_LINKED: &str = ":role/aws-service-role/";

/// A sign-in URL made with GetSigninToken is valid this long (IAM User Guide, "Enable custom identity
/// broker access to the AWS console").
const SIGN_IN_URL: Seconds = 15 * 60;

/// What the callers of one node say together.
#[derive(Clone, Copy, Default)]
struct Hints {
    callers: u32,
    forwarded: u32,
    flagged: bool,
    agent: bool,
    sign_in_session: Symbol,
    user: bool,
    service_linked: bool,
    /// A role was assumed with it through a service.
    issuer: bool,
}

impl Builder<'_> {
    /// For each caller, whether it called with the user agent of a browser or of the console.
    fn console_agents(&self) -> Vec<bool> {
        let clients = self.client_agents();
        let mut callers = vec![false; self.ledger.callers().len()];
        for usage in self.ledger.uses() {
            let (console, internal) = clients
                .get(usage.key.client as usize)
                .copied()
                .unwrap_or_default();
            if !console && !internal {
                continue;
            }
            let kind = self.kinds.get(usage.key.caller as usize);
            let user = kind.is_some_and(|&kind| is_user(kind));
            if let Some(slot) = callers.get_mut(usage.key.caller as usize) {
                *slot |= console || user;
            }
        }
        callers
    }

    /// For each client, whether its agent is of the console, and whether of a service behind it.
    fn client_agents(&self) -> Vec<(bool, bool)> {
        let holds = |agent: &str, words: &[&str]| words.iter().any(|word| agent.contains(word));
        let mut known: HashMap<Symbol, (bool, bool), Mixing> = HashMap::default();
        let clients = self.ledger.clients().iter().map(|client| {
            *known.entry(client.agent).or_insert_with(|| {
                let agent = self.ledger.text(client.agent);
                let console = agent.starts_with("console.") || holds(agent, &CONSOLE_AGENTS);
                (console, holds(agent, &INTERNAL_AGENTS))
            })
        });
        clients.collect()
    }

    /// Decides the origin of credentials that no record issues, and joins them to their sessions.
    pub(super) fn origins(&mut self) {
        self.console_agent = self.console_agents();
        let hints = self.hints();
        self.sign_ins = self.sign_ins();
        self.sessions_asked_for();
        let mut groups: HashMap<Session, u32, Mixing> = HashMap::default();
        for (node, hints) in self.unissued_nodes().zip(&hints) {
            if let Some(session) =
                unseen(node).filter(|_| hints.callers > hints.forwarded && hints.user)
            {
                *groups.entry(session).or_default() += 1;
            }
        }
        let nodes = self.unissued_nodes().zip(&hints);
        let origins: Vec<Option<Origin>> = nodes
            .map(|(node, hints)| {
                let session = unseen(node)?;
                let alone = groups.get(&session).copied().unwrap_or_default() < 2;
                let signed_in = self.sign_ins.contains_key(&session);
                // A key that a service forwarded is the console's own where a role was switched to
                // with it.
                let in_console = hints.issuer && (signed_in || groups.contains_key(&session));
                Some(if hints.callers == hints.forwarded && !in_console {
                    Origin::Forwarded
                } else if hints.service_linked {
                    Origin::Service
                } else if !hints.sign_in_session.is_empty() {
                    Origin::Issued
                } else if hints.flagged || hints.agent || !alone || signed_in {
                    Origin::Console
                } else if self.sessions.contains_key(&session) {
                    Origin::Issued
                } else {
                    Origin::Unseen
                })
            })
            .collect();
        for (node, origin) in self.nodes.iter_mut().skip(self.issued).zip(origins) {
            node.origin = origin.unwrap_or(node.origin);
        }
    }

    fn unissued_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().skip(self.issued)
    }

    /// Looks up the issues of sessions that keys without an issue and sign-ins say they are of.
    fn sessions_asked_for(&mut self) {
        let nodes = self.unissued_nodes().filter_map(unseen);
        let wanted: Vec<Session> = nodes.chain(self.sign_ins.keys().copied()).collect();
        self.find_sessions(wanted.into_iter());
    }

    /// What the callers of each node say that is not issued.
    fn hints(&self) -> Vec<Hints> {
        let ledger = self.ledger;
        let mut hints = vec![Hints::default(); self.nodes.len().saturating_sub(self.issued)];
        let mut linked: HashMap<Symbol, bool, Mixing> = HashMap::default();
        let nodes = self.caller_nodes.iter().map(|&node| node as usize);
        let called = self.console_agent.iter().zip(&self.issues.assumed);
        for ((caller, node), (agent, assumed)) in ledger.callers().iter().zip(nodes).zip(called) {
            let place = node.checked_sub(self.issued);
            let Some(hints) = place.and_then(|place| hints.get_mut(place)) else {
                continue;
            };
            hints.callers += 1;
            hints.forwarded += u32::from(!caller.invoked_by.is_empty());
            hints.issuer |= *assumed && !caller.invoked_by.is_empty() && !caller.key.is_empty();
            hints.flagged |= caller.from_console;
            hints.agent |= agent;
            hints.user |= is_user(caller.kind);
            hints.service_linked |= *linked.entry(caller.issuer_arn).or_insert_with(|| {
                let issuer = ledger.text(caller.issuer_arn);
                issuer.contains(SERVICE_LINKED)
            });
            let sign_in = ledger.rare(caller).sign_in_session;
            if sign_in.is_empty() {
                continue;
            }
            if ledger.text(sign_in) > ledger.text(hints.sign_in_session) {
                hints.sign_in_session = sign_in;
            }
        }
        hints
    }

    /// Successful console sign-ins by whose session they began.
    fn sign_ins(&self) -> HashMap<Session, u32, Mixing> {
        let mut found = HashMap::default();
        for (number, fact) in self.facts(|deed| deed == Deed::ConsoleLogin) {
            let caller = self.ledger.caller(fact.key.caller);
            found
                .entry((caller.unique_id, caller.session, fact.time))
                .or_insert(number);
        }
        found
    }

    /// Edges of console sessions, OAuth grants, and the keys that belong to them.
    pub(super) fn console_edges(&mut self) {
        let mut joins = Joins {
            switches: self.by_principal(Deed::SwitchRole),
            grants: Grants::default(),
        };
        let urls = self.by_principal(Deed::GetSigninToken);
        self.sign_in_edges(&urls);
        joins.grants = self.grant_edges();
        let first = u32::try_from(self.issued).unwrap_or(NONE);
        for number in first..u32::try_from(self.nodes.len()).unwrap_or(NONE) {
            let Some(node) = self.node(number).copied() else {
                continue;
            };
            let Some(session) = unissued(&node) else {
                continue;
            };
            match node.origin {
                Origin::Forwarded | Origin::Unseen | Origin::Service => {}
                Origin::Issued | Origin::Console => self.session_edge(number, session, &joins),
            }
        }
    }

    pub(super) fn placed(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.caller_nodes
            .iter()
            .copied()
            .zip(0u32..)
            .filter(|(node, _)| *node != NONE)
    }

    /// The facts of one deed by the principal that called.
    fn by_principal(&self, deed: Deed) -> HashMap<(Symbol, Symbol), Vec<u32>, Mixing> {
        let mut found: HashMap<_, Vec<u32>, Mixing> = HashMap::default();
        for (number, fact) in self.facts(|did| did == deed) {
            let caller = self.ledger.caller(fact.key.caller);
            found
                .entry((caller.unique_id, caller.session))
                .or_default()
                .push(number);
        }
        found
    }

    /// The edge that explains one key of a session.
    fn session_edge(&mut self, number: u32, session: Session, joins: &Joins) {
        if let Some((grant, fact, basis)) = self.grant_of(number, session, &joins.grants) {
            self.join((grant, number), fact, basis);
            return;
        }
        let issue = self.sessions.get(&session);
        if let Some(edge) = issue.and_then(|&node| self.issue_of(node)).copied() {
            let mut facts = edge.facts;
            if let (Some(switch), Some(slot)) = (
                self.switch_of(session, joins),
                facts.iter_mut().find(|f| **f == NONE),
            ) {
                *slot = switch;
            }
            self.edges.push(Edge {
                child: number,
                basis: Basis::Matched,
                facts,
                ..edge
            });
            return;
        }
        let (unique_id, name, created) = session;
        let id = Name {
            created: Some(created),
            ..Name::new(NodeKind::ConsoleSession, unique_id, name)
        };
        let face = self.node(number).map_or(Face::Name, |node| node.face);
        let parent = self.named(id, face);
        self.keep_first_face(parent, face);
        let sign_in = self.sign_ins.get(&session).copied();
        let basis = if sign_in.is_some() {
            Basis::Matched
        } else {
            Basis::Inferred
        };
        let api = self
            .ledger
            .symbols()
            .find("ConsoleLogin")
            .unwrap_or_default();
        let facts = [sign_in.unwrap_or(NONE), NONE, NONE];
        self.edges.push(Edge {
            parent,
            child: number,
            api,
            time: created,
            basis,
            facts,
        });
    }

    /// A session without callers of its own is described by those of its keys: by the first in content.
    fn keep_first_face(&mut self, session: u32, face: Face) {
        let known = self.node(session).map(|node| node.face);
        if let (Some(Face::Caller(known)), Face::Caller(new)) = (known, face)
            && content::compare(self.ledger, new, known) == Ordering::Less
            && let Some(node) = self.nodes.get_mut(session as usize)
        {
            node.face = face;
        }
    }

    fn join(&mut self, (parent, child): (u32, u32), number: u32, basis: Basis) {
        let Some(fact) = self.ledger.facts().get(number as usize) else {
            return;
        };
        let (api, time) = (self.api(fact), fact.time);
        self.edges.push(Edge {
            parent,
            child,
            api,
            time,
            basis,
            facts: [number, NONE, NONE],
        });
    }

    /// A SwitchRole record of a session.
    fn switch_of(&self, (unique_id, name, created): Session, joins: &Joins) -> Option<u32> {
        let switches = joins.switches.get(&(unique_id, name))?;
        let near = |n: &&u32| {
            self.ledger
                .facts()
                .get(**n as usize)
                .is_some_and(|f| f.time.abs_diff(created) <= 2)
        };
        switches.iter().find(near).copied()
    }

    /// From whoever signed in to the console session.
    fn sign_in_edges(&mut self, urls: &HashMap<(Symbol, Symbol), Vec<u32>, Mixing>) {
        let logins: Vec<(u32, Fact)> = self
            .facts(|deed| deed == Deed::ConsoleLogin)
            .map(|(n, f)| (n, *f))
            .collect();
        for (number, fact) in logins {
            let caller = self.ledger.caller(fact.key.caller);
            let own = if caller.unique_id.is_empty() {
                caller.arn
            } else {
                caller.unique_id
            };
            let id = Name {
                created: Some(fact.time),
                ..Name::new(NodeKind::ConsoleSession, own, caller.session)
            };
            let child = self.named(id, Face::Caller(fact.key.caller));
            if let Some(node) = self.nodes.get_mut(child as usize) {
                node.origin = Origin::Issued;
            }
            let (parent, more, basis) = match self.broker(&fact, urls) {
                Some((parent, signin)) => (parent, signin, Basis::Matched),
                None => (self.password(&fact), NONE, Basis::Recorded),
            };
            let (api, time) = (self.api(&fact), fact.time);
            self.edges.push(Edge {
                parent,
                child,
                api,
                time,
                basis,
                facts: [number, more, NONE],
            });
        }
    }

    /// The credential that made the sign-in URL with GetSigninToken, or that SAML issued just then.
    fn broker(
        &self,
        fact: &Fact,
        urls: &HashMap<(Symbol, Symbol), Vec<u32>, Mixing>,
    ) -> Option<(u32, u32)> {
        let caller = self.ledger.caller(fact.key.caller);
        if !matches!(
            caller.kind,
            IdentityType::AssumedRole | IdentityType::FederatedUser
        ) {
            return None;
        }
        let made = urls
            .get(&(caller.unique_id, caller.session))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let url = made
            .iter()
            .filter_map(|&n| Some((n, self.ledger.facts().get(n as usize)?)))
            .filter(|(_, f)| f.time <= fact.time && fact.time - f.time <= SIGN_IN_URL)
            .max_by_key(|(_, f)| (f.time, f.hash));
        if let Some((number, f)) = url {
            return self.caller_node(f).map(|node| (node, number));
        }
        let session = (caller.unique_id, caller.session, fact.time);
        self.sessions.get(&session).map(|&node| (node, NONE))
    }

    /// The login profile of a user, or the identity itself for root and unknown kinds.
    fn password(&mut self, fact: &Fact) -> u32 {
        let caller = self.ledger.caller(fact.key.caller);
        if caller.kind == IdentityType::IamUser && !caller.user_name.is_empty() {
            let id = Name {
                account: caller.account,
                ..Name::new(NodeKind::LoginProfile, caller.user_name, Symbol::EMPTY)
            };
            return self.named(id, Face::Name);
        }
        self.caller_node(fact).unwrap_or(NONE)
    }

    /// OAuth sessions, each from the console session that granted it.
    fn grant_edges(&mut self) -> Grants {
        let mut grants = Grants::default();
        let mut named: HashMap<Name, u32, Mixing> = HashMap::default();
        let facts: Vec<(u32, Fact)> = self
            .facts(|deed| deed == Deed::CreateOAuth2Token)
            .map(|(n, f)| (n, *f))
            .collect();
        for (number, fact) in facts {
            let caller = self.ledger.caller(fact.key.caller);
            let arn = self.ledger.attribute(&fact, Attribute::SignInSession);
            let name = if arn.is_empty() {
                caller.unique_id
            } else {
                arn
            };
            let session = if arn.is_empty() {
                caller.session
            } else {
                Symbol::EMPTY
            };
            let created = arn.is_empty().then_some(fact.time);
            let id = Name {
                created,
                ..Name::new(NodeKind::OAuthSession, name, session)
            };
            let child = *named
                .entry(id)
                .or_insert_with(|| self.add_named(&id, Face::Caller(fact.key.caller)));
            if let Some(node) = self.nodes.get_mut(child as usize) {
                node.origin = Origin::Issued;
                node.created = Some(node.created.unwrap_or(fact.time).min(fact.time));
                (node.unique_id, node.session) = (caller.unique_id, caller.session);
            }
            let parent = self.caller_node(&fact).unwrap_or(NONE);
            self.join((parent, child), number, Basis::Recorded);
            if !arn.is_empty() {
                grants.by_arn.entry(arn).or_insert((child, number));
            }
            if let Some(created) = caller.created {
                grants
                    .by_session
                    .entry((caller.unique_id, caller.session, created))
                    .or_insert((child, number));
            }
        }
        if !named.is_empty() {
            grants.callers = adjacency(self.nodes.len(), self.placed());
        }
        grants
    }

    /// The OAuth session of a key: by the session's ARN where its uses carry it; else by principal
    /// and creation time, if nothing says that the console used the key itself.
    fn grant_of(
        &self,
        number: u32,
        session: Session,
        grants: &Grants,
    ) -> Option<(u32, u32, Basis)> {
        if grants.by_arn.is_empty() && grants.by_session.is_empty() {
            return None;
        }
        let numbers = run(&grants.callers.0, &grants.callers.1, number);
        let callers = || numbers.iter().map(|&c| self.ledger.caller(c));
        let by_arn = callers().find_map(|caller| {
            grants
                .by_arn
                .get(&self.ledger.rare(&caller).sign_in_session)
        });
        if let Some(&(node, fact)) = by_arn {
            return Some((node, fact, Basis::Matched));
        }
        let &(node, fact) = grants.by_session.get(&session)?;
        let console = numbers.iter().any(|&n| {
            self.ledger.caller(n).from_console || self.console_agent.get(n as usize) == Some(&true)
        });
        (!console).then_some((node, fact, Basis::Matched))
    }
}

/// What keys without an issue are joined by.
struct Joins {
    switches: HashMap<(Symbol, Symbol), Vec<u32>, Mixing>,
    grants: Grants,
}

/// OAuth sessions and the facts that granted them.
#[derive(Default)]
struct Grants {
    by_arn: HashMap<Symbol, (u32, u32), Mixing>,
    by_session: HashMap<Session, (u32, u32), Mixing>,
    /// The callers of each node, if there are grants.
    callers: (Vec<u32>, Vec<u32>),
}

fn is_user(kind: IdentityType) -> bool {
    matches!(
        kind,
        IdentityType::IamUser | IdentityType::Root | IdentityType::Other
    )
}

/// The session of a temporary credential whose origin is not known yet.
fn unseen(node: &Node) -> Option<Session> {
    let temporary = matches!(
        node.kind,
        NodeKind::TemporaryCredential | NodeKind::FederatedSession
    );
    let open = temporary && node.origin == Origin::Unseen;
    node.created
        .filter(|_| open)
        .map(|created| (node.unique_id, node.session, created))
}

/// The session of a temporary credential that no record names as a child.
fn unissued(node: &Node) -> Option<Session> {
    let temporary = matches!(
        node.kind,
        NodeKind::TemporaryCredential | NodeKind::FederatedSession
    );
    let from_use = matches!(node.face, Face::Caller(_));
    node.created
        .filter(|_| temporary && from_use)
        .map(|created| (node.unique_id, node.session, created))
}
