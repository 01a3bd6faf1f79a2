//! Which records belong to a pivot. Decided from the ledger, then tested on each record again, since
//! a ledger holds counts and not records.
//!
//! Who made a call is read by the ledger itself: the record is applied to an empty one. So this can
//! never disagree with the lineage about who a caller is.

use crate::store::Search;
use std::collections::{HashMap, HashSet};
use unchain_core::event::Event;
use unchain_core::json::Node;
use unchain_core::ledger::{Caller, Ledger};
use unchain_core::lineage::{Lineage, Match, Pivot};
use unchain_core::time::Timestamp;
use unchain_source::Filter;

/// Callers that are remembered from record to record.
const REMEMBERED: usize = 1 << 12;

/// What a record is tested for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    callers: HashSet<Identity>,
    /// The access key ids and principal ids of these callers.
    names: HashSet<String>,
    /// The same of those who issued them, with the times at which they did.
    issuers: HashSet<String>,
    issued: Option<(Timestamp, Timestamp)>,
    /// Records that are wanted whoever called.
    ids: HashSet<String>,
    /// Only calls from this address or with this user agent.
    client: Option<String>,
    known: HashMap<String, bool>,
}

/// A caller in texts, so that callers of two ledgers can be compared.
type Identity = ([String; 9], Option<u32>, bool);

impl Wanted {
    /// The record with this event id.
    pub(super) fn event(id: &str) -> Self {
        Self {
            ids: HashSet::from([id.to_owned()]),
            ..Self::default()
        }
    }

    /// All records of the credentials that a pivot means, and those that issued them.
    pub(super) fn of(lineage: &Lineage<'_>, pivot: &str, matches: &[Match]) -> Self {
        let ledger = lineage.ledger();
        let mut wanted = Self::default();
        if matches.iter().any(|m| m.pivot == Pivot::EventId) {
            return Self::event(pivot);
        }
        let by_client = |m: &Match| matches!(m.pivot, Pivot::Address | Pivot::UserAgent);
        if matches.iter().all(by_client) {
            wanted.client = Some(pivot.to_owned());
        }
        for found in matches {
            for &number in lineage.callers_of(found.node) {
                let caller = ledger.caller(number);
                wanted.names.extend(names(ledger, &caller));
                wanted.callers.insert(identity(ledger, &caller));
            }
            if wanted.client.is_none() {
                let edges = lineage.parents(found.node);
                for edge in edges {
                    wanted.issued_at(Timestamp::from_seconds(i64::from(edge.time)));
                    wanted.ids.extend(lineage.evidence(edge));
                    let issuers = lineage.callers_of(edge.parent);
                    for &issuer in issuers {
                        let names = names(ledger, &ledger.caller(issuer));
                        wanted.issuers.extend(names);
                    }
                    if issuers.is_empty() {
                        // A workload or a person stands for a service's call, which names no key.
                        wanted.issuers.insert(String::new());
                    }
                }
            }
        }
        wanted
    }

    /// Which files to look into; none where every file must be.
    pub(super) fn searches(&self, filter: &Filter) -> Vec<Search> {
        let names = |names: &HashSet<String>| names.iter().cloned().collect();
        let own = Search {
            names: names(&self.names),
            since: filter.since,
            until: filter.until,
        };
        let issuing = self.issued.map(|(first, last)| Search {
            names: names(&self.issuers),
            since: filter.since.max(Some(first)),
            until: Some(filter.until.map_or(last, |until| until.min(last))),
        });
        [Some(own), issuing]
            .into_iter()
            .flatten()
            .filter(|search| !search.names.is_empty())
            .collect()
    }

    fn issued_at(&mut self, time: Timestamp) {
        let (first, last) = self.issued.unwrap_or((time, time));
        self.issued = Some((first.min(time), last.max(time)));
    }

    /// Whether a record is wanted.
    pub(super) fn has(&mut self, event: &Event<'_>) -> bool {
        if self.ids.contains(event.id) {
            return true;
        }
        if let Some(client) = &self.client
            && client != event.address
            && client != event.user_agent
        {
            return false;
        }
        let Some(node) = event.identity.filter(|node| self.mentions(*node)) else {
            return false;
        };
        let Node::Text(text) = node else {
            return self.callers.contains(&read(event));
        };
        // The console flag of the record is part of who called.
        let key = format!("{}{text}", u8::from(event.from_console));
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let answer = self.callers.contains(&read(event));
        self.known.insert(key, answer);
        answer
    }

    /// A quick look before the caller is read in full.
    fn mentions(&self, identity: Node<'_>) -> bool {
        let fields = identity.fields(["accessKeyId", "principalId"]);
        let mut texts = fields.into_iter().flatten().filter_map(Node::scalar);
        texts.any(|text| self.names.contains(text.as_ref())) || self.names.contains("")
    }
}

/// The caller of one record.
fn read(event: &Event<'_>) -> Identity {
    let mut ledger = Ledger::default();
    ledger.apply(event);
    ledger.settle();
    let caller = ledger.callers().first().copied().unwrap_or_default();
    identity(&ledger, &caller)
}

/// What a record of a caller mentions: its key id and its principal id as logged. A caller without
/// either is found by looking at every record, which the empty name stands for.
pub(crate) fn names(ledger: &Ledger, caller: &Caller) -> Vec<String> {
    let [key, id, session] = [caller.key, caller.unique_id, caller.session].map(|s| ledger.text(s));
    let principal = match session {
        "" => id.to_owned(),
        _ => format!("{id}:{session}"),
    };
    let found: Vec<String> = [key.to_owned(), principal]
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect();
    if found.is_empty() {
        vec![String::new()]
    } else {
        found
    }
}

fn identity(ledger: &Ledger, caller: &Caller) -> Identity {
    let texts = [
        caller.key,
        caller.unique_id,
        caller.session,
        caller.arn,
        caller.account,
        caller.user_name,
        caller.issuer_arn,
        caller.issuer_id,
        caller.invoked_by,
    ];
    (
        texts.map(|symbol| ledger.text(symbol).to_owned()),
        caller.created,
        caller.from_console,
    )
}
