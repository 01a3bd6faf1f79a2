//! The lineage read from the delivered logs beside the truth of the story, to the last field.

use std::collections::BTreeSet;

use unchain_core::deed::{Attribute, Deed};
use unchain_core::ledger::{Fact, Ledger};
use unchain_core::lineage::Lineage;
use unchain_core::report::{EdgeRow, End, Report, Token};
use unchain_core::text::Untrusted;
use unchain_core::time::Timestamp;
use unchain_trail::{Basis, Edge, Ended, Kind, Made, Truth};

use super::play::Played;

/// Key and principal of one end.
type Side = (String, String);

/// An edge as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    child: Side,
    parent: Side,
    api: String,
    time: String,
    basis: &'static str,
    records: BTreeSet<String>,
    cross: bool,
}

/// The kinds of nodes that are no credentials but what credentials made.
const THINGS: [&str; 6] = [
    "identity-provider",
    "login-profile",
    "mfa-device",
    "role",
    "user",
    "workload",
];

/// All that differs: credentials and where they came from, what they made, what was ended, what was used.
pub(crate) fn differences(played: &Played) -> Vec<String> {
    let lineage = Lineage::build(&played.ledger);
    let report = Report::new(&lineage, Timestamp::from_seconds(0));
    let rows: Vec<EdgeRow> = report.edges().collect();
    let (things, credentials): (Vec<&EdgeRow>, Vec<&EdgeRow>) = rows
        .iter()
        .partition(|row| THINGS.contains(&row.child.kind));
    let ledger = &played.ledger;
    let truth = &played.truth;
    let mut wrong = edges(truth, ledger, &credentials);
    wrong.extend(made(truth, (ledger, &things)));
    wrong.extend(ended(truth, ledger));
    wrong.extend(tokens(played, &report));
    wrong
}

fn text(value: Option<&Untrusted>) -> String {
    value.map(|text| text.raw().to_owned()).unwrap_or_default()
}

fn side(end: &End) -> Side {
    let principal = text(end.principal_arn.as_ref());
    (text(end.access_key_id.as_ref()), principal)
}

fn found(row: &EdgeRow) -> Line {
    Line {
        parent: side(&row.parent),
        child: side(&row.child),
        api: row.api.raw().to_owned(),
        time: row.time.to_string(),
        basis: row.basis,
        records: row.event_ids.iter().map(|id| id.raw().to_owned()).collect(),
        cross: row.cross_account,
    }
}

/// What the story says of its edges, in the words of a report.
struct Teller<'t> {
    truth: &'t Truth,
    ledger: &'t Ledger,
}

impl Teller<'_> {
    fn lines(&self) -> BTreeSet<Line> {
        self.truth
            .edges
            .iter()
            .flat_map(|edge| self.told(edge))
            .collect()
    }

    fn told(&self, edge: &Edge) -> Vec<Line> {
        let line = self.plain(edge);
        match (edge.api.as_str(), &edge.child_key) {
            // A sign-in to the portal has a bearer token and no key: a report begins with what it is exchanged for.
            ("CreateToken", None) => Vec::new(),
            ("SwitchRole", None) => Vec::new(),
            ("SwitchRole", Some(_)) => vec![self.switched(edge, line)],
            ("GetRoleCredentials", Some(_)) => self.handed_out(edge, line),
            ("CreateOAuth2Token", Some(_)) => granted(line),
            ("ConsoleLogin", None) => vec![self.signed_in(edge, line)],
            ("AssumeRoleWithWebIdentity", Some(_)) => self.vouched(&line),
            _ => vec![line],
        }
    }

    fn plain(&self, edge: &Edge) -> Line {
        Line {
            parent: (
                edge.parent_key.clone().unwrap_or_default(),
                subject(&edge.parent_principal).to_owned(),
            ),
            child: (
                edge.child_key.clone().unwrap_or_default(),
                edge.child_principal.clone(),
            ),
            api: edge.api.clone(),
            time: edge.time.clone(),
            basis: match edge.basis {
                Basis::Recorded => "recorded",
                Basis::Matched => "matched",
                Basis::Inferred => "inferred",
            },
            records: self.issuing(edge),
            cross: edge.cross_account,
        }
    }

    /// The records that issued the child: a use of it is evidence to the story, and to a report a use. How a console
    /// session came to be is told of the session, not of each of its keys.
    fn issuing(&self, edge: &Edge) -> BTreeSet<String> {
        let issues = |fact: &&Fact| {
            let caller = self.ledger.caller(fact.key.caller);
            let by_child = edge.child_key.as_deref() == Some(self.ledger.text(caller.key));
            let of_session = edge.child_key.is_some()
                && match edge.api.as_str() {
                    "ConsoleLogin" => fact.deed != Deed::ConsoleLogin,
                    "CreateOAuth2Token" => fact.deed != Deed::CreateOAuth2Token,
                    _ => false,
                };
            !by_child && !of_session
        };
        let facts = self.ledger.facts().iter().filter(issues);
        let ids = facts.map(|fact| self.ledger.event_id(fact.id).into_owned());
        ids.filter(|id| edge.event_ids.contains(id)).collect()
    }

    /// The story lets a switched session mint its keys; a record says which key assumed the role.
    fn switched(&self, edge: &Edge, line: Line) -> Line {
        let assumed = |e: &&Edge| {
            e.api == "AssumeRole"
                && e.time == edge.time
                && e.child_principal == edge.child_principal
        };
        match self.truth.edges.iter().find(assumed) {
            Some(by) => Line {
                parent: self.plain(by).parent,
                api: by.api.clone(),
                cross: by.cross_account,
                ..line
            },
            None => line,
        }
    }

    /// The portal's request and the role's record each explain both keys: the one in the record, which nobody has, and
    /// the one that acts. A portal session is named by its account; who it is stands in each use.
    fn handed_out(&self, edge: &Edge, line: Line) -> Vec<Line> {
        let recorded = |e: &&Edge| {
            e.api == "AssumeRoleWithSAML"
                && e.time == edge.time
                && e.child_principal == edge.child_principal
        };
        let portal = self
            .truth
            .tokens
            .iter()
            .find(|token| token.kind == Kind::PortalSession);
        let portal = portal
            .map(|token| token.account.clone())
            .unwrap_or_default();
        let line = Line {
            parent: (String::new(), portal),
            ..line
        };
        let mut lines = vec![line.clone()];
        if let Some(recorded) = self.truth.edges.iter().find(recorded) {
            let recorded = self.plain(recorded);
            lines.push(Line {
                child: recorded.child.clone(),
                ..line.clone()
            });
            lines.push(Line {
                child: line.child,
                basis: "matched",
                ..recorded
            });
        }
        lines
    }

    /// A sign-in token and the session that asked for it are one: a report names the session.
    fn signed_in(&self, edge: &Edge, line: Line) -> Line {
        let asked = |e: &&Edge| e.api == "GetSigninToken" && e.child_key == edge.parent_key;
        match self.truth.edges.iter().find(asked) {
            Some(asked) => Line {
                parent: self.plain(asked).parent,
                ..line
            },
            None => line,
        }
    }

    /// A provider that the story makes stands before the subjects that it vouches for.
    fn vouched(&self, line: &Line) -> Vec<Line> {
        let provider = |made: &&Made| {
            let fact = self
                .ledger
                .facts()
                .iter()
                .find(|fact| line.records.contains(&*self.ledger.event_id(fact.id)));
            made.api == "CreateOpenIDConnectProvider"
                && fact.is_some_and(|fact| {
                    self.ledger
                        .text(self.ledger.attribute(fact, Attribute::Provider))
                        == made.thing
                })
        };
        let made = self.truth.made.iter().find(provider);
        let before = made.map(|made| Line {
            parent: (String::new(), made.thing.clone()),
            child: line.parent.clone(),
            basis: "inferred",
            records: BTreeSet::new(),
            ..line.clone()
        });
        before.into_iter().chain([line.clone()]).collect()
    }
}

/// An outside subject by its name: `userIdentity.principalId` has the provider before it.
fn subject(principal: &str) -> &str {
    let name = principal
        .split_once(":sts.amazonaws.com:")
        .or(principal.split_once("=:"));
    name.map_or(principal, |(_, name)| name)
}

/// What `aws login` gives: a session, and the key that it mints.
fn granted(line: Line) -> Vec<Line> {
    let session = Line {
        child: (String::new(), line.child.1.clone()),
        basis: "recorded",
        ..line.clone()
    };
    vec![session, line]
}

fn edges(truth: &Truth, ledger: &Ledger, rows: &[&EdgeRow]) -> Vec<String> {
    let expected = Teller { truth, ledger }.lines();
    let real: BTreeSet<Line> = rows.iter().map(|row| found(row)).collect();
    let missing = expected
        .difference(&real)
        .map(|line| format!("missing {line:?}"));
    let extra = real
        .difference(&expected)
        .map(|line| format!("extra   {line:?}"));
    missing.chain(extra).collect()
}

/// What credentials made: each as an edge to it, or, of what only changes a thing, as a fact.
fn made(truth: &Truth, (ledger, rows): (&Ledger, &[&EdgeRow])) -> Vec<String> {
    let mut left: Vec<&&EdgeRow> = rows
        .iter()
        .filter(|row| !row.event_ids.is_empty())
        .collect();
    let mut wrong = Vec::new();
    for thing in &truth.made {
        match left.iter().position(|row| is(row, thing)) {
            Some(at) => drop(left.remove(at)),
            None if kept(ledger, thing) => {}
            None => wrong.push(format!("not found {thing:?}")),
        }
    }
    wrong.extend(left.iter().map(|row| format!("no line makes {row:?}")));
    wrong
}

/// Whether an edge tells of a thing made.
fn is(row: &EdgeRow, made: &Made) -> bool {
    let maker = (
        made.maker_key.clone().unwrap_or_default(),
        made.maker_principal.clone(),
    );
    let names = [&row.child.workload, &row.child.principal_arn].map(|name| text(name.as_ref()));
    let named = names
        .iter()
        .any(|name| *name == made.thing || made.thing.ends_with(&format!(":{name}")));
    let ids: Vec<&str> = row.event_ids.iter().map(Untrusted::raw).collect();
    side(&row.parent) == maker
        && named
        && row.api.raw() == made.api
        && row.time.to_string() == made.time
        && ids == [made.event_id.as_str()]
}

/// Whether the ledger keeps the call: a key that was made is an edge, a device that was taken off is an end.
fn kept(ledger: &Ledger, made: &Made) -> bool {
    let wanted = |fact: &&Fact| {
        matches!(fact.deed, Deed::CreateAccessKey | Deed::DeactivateMfaDevice)
            && ledger.event_id(fact.id) == made.event_id
    };
    ledger.facts().iter().find(wanted).is_some_and(|fact| {
        let attribute = match fact.deed {
            Deed::CreateAccessKey => Attribute::ChildKey,
            _ => Attribute::Serial,
        };
        ledger.text(ledger.attribute(fact, attribute)) == made.thing
            && fact.time().to_string() == made.time
    })
}

/// What was ended or weakened: each is one fact with its target, and no such fact is untold.
fn ended(truth: &Truth, ledger: &Ledger) -> Vec<String> {
    let ends = |fact: &&Fact| {
        (Deed::UpdateAccessKey..=Deed::DetachPolicy).contains(&fact.deed)
            && fact.deed != Deed::DeactivateMfaDevice
    };
    let mut left: Vec<&Fact> = ledger.facts().iter().filter(ends).collect();
    let mut wrong = Vec::new();
    for end in &truth.ended {
        match left.iter().position(|fact| ends_it(ledger, fact, end)) {
            Some(at) => drop(left.remove(at)),
            None => wrong.push(format!("not found {end:?}")),
        }
    }
    wrong.extend(left.iter().map(|fact| format!("no line ends {fact:?}")));
    wrong
}

fn ends_it(ledger: &Ledger, fact: &Fact, end: &Ended) -> bool {
    let text = |attribute| ledger.text(ledger.attribute(fact, attribute));
    let target = end.target.rsplit('/').next().unwrap_or_default();
    let policy = text(Attribute::PolicyArn)
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let details = [text(Attribute::Status), text(Attribute::PolicyName), policy];
    let before = ledger.number(fact, Attribute::DenyBefore);
    let before = before.map(|at| Timestamp::from_seconds(i64::from(at)).to_string());
    ledger.event_id(fact.id) == end.event_id
        && fact.time().to_string() == end.time
        && [Attribute::Key, Attribute::User, Attribute::Role]
            .map(text)
            .contains(&target)
        && (end.detail == "deleted" && fact.deed == Deed::DeleteAccessKey
            || details.contains(&end.detail.as_str()))
        && before == end.issued_before
}

/// Every credential with its principal, uses and times: none is missing, none is more.
fn tokens(played: &Played, report: &Report<'_, '_>) -> Vec<String> {
    let rows = report
        .credentials()
        .into_iter()
        .map(|node| report.token(node));
    let mut left: Vec<Token> = rows.filter(|row| row.access_key_id.is_some()).collect();
    let mut wrong = Vec::new();
    for token in &played.truth.tokens {
        let key = token.key.as_deref();
        let own = |row: &Token| row.access_key_id.as_ref().map(Untrusted::raw) == key;
        match left.iter().position(own) {
            Some(at) => {
                let row = left.remove(at);
                if !same(&played.truth, token, &row) {
                    wrong.push(format!("told {token:?}, found {row:?}"));
                }
            }
            None if key.is_none() || unseen(played, token) => {}
            None => wrong.push(format!("not found {token:?}")),
        }
    }
    wrong.extend(left.iter().map(|row| format!("no line gives {row:?}")));
    wrong
}

/// Whether no log in our hands names a key: nobody used it, and nothing recorded it or its account has no trail.
fn unseen(played: &Played, token: &unchain_trail::Token) -> bool {
    let handed_out = |edge: &Edge| edge.child_key == token.key && edge.api == "GetRoleCredentials";
    let logged = played.logged.contains(&token.account);
    let recorded = token.issued_at.is_some() && !played.truth.edges.iter().any(handed_out);
    !logged || (token.uses == 0 && !recorded)
}

fn same(truth: &Truth, token: &unchain_trail::Token, row: &Token) -> bool {
    let known = row.expiry_basis == "recorded" && token.expires_at.is_some();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    text(row.principal_arn.as_ref()) == token.principal
        && row.uses == token.uses - logins(truth, token)
        && (token.issued_at.is_none()
            || token.kind == Kind::LoginKey
            || time(row.issued_at) == token.issued_at)
        && (!known || time(row.expires_at) == token.expires_at)
}

/// How often a key opened the console: a use to the story, and the record of it names no key.
fn logins(truth: &Truth, token: &unchain_trail::Token) -> u64 {
    let opened = |edge: &&Edge| edge.api == "ConsoleLogin" && edge.parent_key == token.key;
    match token.key {
        Some(_) => truth.edges.iter().filter(opened).count() as u64,
        None => 0,
    }
}
