//! What a part of a case must hold so that a lineage built on it says of a node what one built on all would:
//! for each caller and fact, what to look for next.
//!
//! The rules follow the joins of `unchain_core::lineage` and `liveness`, one for one; they may bring too much
//! and must not bring too little (`tests/around.rs`). Must not know SQLite.

use crate::joins::{CallerTexts, FactTexts, Hasher, Join, PROVIDER, SPAN, of_number, of_span};
use crate::links::Kind;
use crate::usage::EventId;
use unchain_core::deed::{Attribute, Deed};
use unchain_core::id::Field;
use unchain_core::ledger::IdentityType;

/// How far to go from a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// The row alone.
    Here,
    /// And everything that it came from.
    Up,
    /// And everything that came from it, with what that came from.
    Down,
}

/// Which rows under a hash are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Filter {
    All,
    /// Facts of one deed from one second to another.
    Span(Deed, u32, u32),
    /// All, if facts have this other hash.
    If(u32),
    /// The callers of the facts.
    Callers,
    /// Rows whose principal id or ARN is the pivot.
    Principal,
    /// Facts of the event that is the pivot, and callers that the event is an end of.
    Event,
}

/// Rows to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    pub(crate) kind: Kind,
    pub(crate) hash: u32,
    pub(crate) reach: Reach,
    pub(crate) filter: Filter,
}

/// A list of rows to look for, in the making.
pub(crate) struct Looks<'h> {
    pub(crate) list: Vec<Look>,
    hasher: &'h mut Hasher,
}

/// A sign-in URL works this long, and SwitchRole and issue are this close: as in the lineage.
const SIGN_IN_URL: u32 = 15 * 60;
const SWITCH: u32 = 2;
const TOGETHER: u32 = 5;

impl<'h> Looks<'h> {
    pub(crate) fn new(hasher: &'h mut Hasher) -> Self {
        Self {
            list: Vec::new(),
            hasher,
        }
    }

    fn push(&mut self, kind: Kind, hash: u32, (reach, filter): (Reach, Filter)) {
        self.list.push(Look {
            kind,
            hash,
            reach,
            filter,
        });
    }

    fn facts(&mut self, join: Join, text: &str, reach: Reach) {
        if !text.is_empty() {
            let hash = self.hasher.text(join, text);
            self.push(Kind::Fact, hash, (reach, Filter::All));
        }
    }

    fn callers(&mut self, join: Join, text: &str, reach: Reach) {
        if !text.is_empty() {
            let hash = self.hasher.text(join, text);
            self.push(Kind::Caller, hash, (reach, Filter::All));
        }
    }

    fn session(&mut self, session: (&str, &str, u32), reach: Reach) {
        let hash = self.hasher.session(Join::Session, session);
        self.push(Kind::Caller, hash, (reach, Filter::All));
    }

    fn begun(&mut self, session: (&str, &str, u32), reach: Reach) {
        let hash = self.hasher.session(Join::Begun, session);
        self.push(Kind::Fact, hash, (reach, Filter::All));
    }

    /// Facts of one principal and deed in a span of time.
    fn by_principal(
        &mut self,
        (id, session): (&str, &str),
        (deed, from, to): (Deed, u32, u32),
        reach: Reach,
    ) {
        let hash = self
            .hasher
            .of(Join::Principal, &[id.as_bytes(), session.as_bytes()]);
        self.push(Kind::Fact, hash, (reach, Filter::Span(deed, from, to)));
    }

    /// Facts of one deed about a second.
    fn about(&mut self, join: Join, (deed, time): (Deed, u32), reach: Reach) {
        let (from, to) = (time.saturating_sub(TOGETHER), time.saturating_add(TOGETHER));
        for span in from / SPAN..=to / SPAN {
            let hash = of_span(join, deed, span);
            self.push(Kind::Fact, hash, (reach, Filter::All));
        }
    }

    /// What a caller needs.
    pub(crate) fn of_caller(
        &mut self,
        id: u32,
        (caller, sign_in_session): (&CallerTexts<'_>, &str),
        reach: Reach,
    ) {
        if reach == Reach::Here {
            return;
        }
        let node = caller.node(self.hasher);
        self.push(Kind::Caller, node, (reach, Filter::All));
        self.facts(Join::ChildKey, caller.key, reach);
        self.facts(Join::SignIn, sign_in_session, Reach::Up);
        if let Some(created) = caller.created {
            let session = (caller.own(), caller.session, created);
            // The keys of a console session are its children; those of a key's session its siblings.
            let keyless = caller.key.is_empty();
            self.session(session, if keyless { reach } else { Reach::Up });
            self.begun(session, if keyless { reach } else { Reach::Up });
            let span = (
                created.saturating_sub(SWITCH),
                created.saturating_add(SWITCH),
            );
            let switch = (Deed::SwitchRole, span.0, span.1);
            self.by_principal((caller.unique_id, caller.session), switch, Reach::Up);
        }
        self.of_kind(id, caller);
        self.facts(Join::KeyStatus, caller.key, Reach::Here);
        self.facts(Join::Owner, caller.user_name, Reach::Here);
        self.facts(Join::Owner, owner(caller.arn), Reach::Here);
        if reach == Reach::Down {
            let hash = of_number(Join::ByCaller, id);
            self.push(Kind::Fact, hash, (Reach::Down, Filter::All));
        }
    }

    /// What a caller needs because of what it is.
    fn of_kind(&mut self, id: u32, caller: &CallerTexts<'_>) {
        // A long-term key is its user's whatever type its calls name; callers of these types have no such key.
        if !matches!(
            caller.kind,
            IdentityType::AssumedRole | IdentityType::FederatedUser
        ) {
            self.facts(Join::Made, caller.user_name, Reach::Up);
        }
        if caller.kind == IdentityType::AssumedRole && caller.key.is_empty() {
            self.facts(Join::Workload, caller.session, Reach::Up);
        }
        if matches!(
            caller.kind,
            IdentityType::SamlUser | IdentityType::WebIdentityUser
        ) {
            // A provider's edge to its subject is that of the subject's first issue.
            let made = self.hasher.text(Join::Mentioned, PROVIDER);
            let own = of_number(Join::ByCaller, id);
            self.push(Kind::Fact, own, (Reach::Here, Filter::If(made)));
        }
        if !caller.key.is_empty() && !caller.invoked_by.is_empty() {
            // A forwarded key with which a role was assumed may be the console's own.
            let own = of_number(Join::ByCaller, id);
            let assumed = Filter::Span(Deed::AssumeRole, 0, u32::MAX);
            self.push(Kind::Fact, own, (Reach::Here, assumed));
        }
    }

    /// What a fact needs beside its caller.
    pub(crate) fn of_fact(&mut self, fact: &FactTexts<'_>, reach: Reach) {
        if reach == Reach::Here {
            return;
        }
        let key = fact.get(Attribute::ChildKey);
        self.facts(Join::ChildKey, key, reach);
        self.callers(Join::Key, key, reach);
        self.facts(Join::KeyStatus, key, Reach::Here);
        self.liveness(fact);
        for name in fact.made() {
            self.facts(Join::Made, name, Reach::Up);
        }
        if let Some(deed) = fact.answers() {
            self.about(Join::Asked, (deed, fact.time), Reach::Up);
            self.child_session(fact, Reach::Up);
        }
        if fact.deed.issues() && fact.caller.kind == IdentityType::AwsService {
            self.facts(Join::Made, fact.get(Attribute::SessionName), Reach::Up);
        }
        match fact.deed {
            Deed::AssumeRoleWithSaml | Deed::AssumeRoleWithWebIdentity => {
                self.facts(Join::Made, fact.get(Attribute::Provider), Reach::Up);
            }
            Deed::CreateOAuth2Token => {
                self.facts(Join::SignIn, fact.get(Attribute::SignInSession), reach);
                // Without the ARN, grants of one second to one session are one.
                let own = (fact.caller.own(), fact.caller.session, fact.time);
                self.begun(own, reach);
            }
            Deed::ConsoleLogin => self.sign_in(fact),
            _ => {}
        }
        if reach == Reach::Down {
            self.below(fact);
        }
    }

    /// What ends a credential that nobody used: there is no caller to ask for it.
    fn liveness(&mut self, fact: &FactTexts<'_>) {
        let role = fact.get(Attribute::Role);
        let (user, role) = (
            fact.get(Attribute::User),
            role.rsplit('/').next().unwrap_or_default(),
        );
        for name in [user, role, owner(fact.get(Attribute::ChildArn))] {
            self.facts(Join::Owner, name, Reach::Here);
        }
    }

    /// From where somebody could sign in to the console.
    fn sign_in(&mut self, fact: &FactTexts<'_>) {
        let caller = &fact.caller;
        let url = (
            Deed::GetSigninToken,
            fact.time.saturating_sub(SIGN_IN_URL),
            fact.time,
        );
        self.by_principal((caller.unique_id, caller.session), url, Reach::Up);
        self.begun((caller.own(), caller.session, fact.time), Reach::Up);
        self.facts(Join::Made, caller.user_name, Reach::Up);
    }

    /// Whoever acts in the session that a fact began.
    fn child_session(&mut self, fact: &FactTexts<'_>, reach: Reach) {
        let (id, session) = fact.child;
        if !id.is_empty() {
            self.session((id, session, fact.time), reach);
        }
    }

    /// What came of a fact.
    fn below(&mut self, fact: &FactTexts<'_>) {
        let caller = &fact.caller;
        match fact.deed {
            Deed::ConsoleLogin => {
                self.session((caller.own(), caller.session, fact.time), Reach::Down);
            }
            Deed::SwitchRole => {
                for created in fact.time.saturating_sub(SWITCH)..=fact.time.saturating_add(SWITCH) {
                    self.session((caller.unique_id, caller.session, created), Reach::Down);
                }
            }
            Deed::CreateOAuth2Token => {
                let created = caller.created.unwrap_or(fact.time);
                self.session((caller.own(), caller.session, created), Reach::Down);
                let arn = fact.get(Attribute::SignInSession);
                let hash = self.hasher.text(Join::Identity, arn);
                self.push(Kind::Identity, hash, (Reach::Down, Filter::All));
            }
            _ => {
                self.child_session(fact, Reach::Down);
                let (id, session) = fact.child;
                self.begun((id, session, fact.time), Reach::Down);
                let url = (
                    Deed::ConsoleLogin,
                    fact.time,
                    fact.time.saturating_add(SIGN_IN_URL),
                );
                if fact.deed == Deed::GetSigninToken {
                    self.by_principal((id, session), url, Reach::Down);
                }
            }
        }
        self.below_made(fact);
    }

    fn below_made(&mut self, fact: &FactTexts<'_>) {
        for name in fact.made() {
            match fact.deed {
                Deed::CreateUser => {
                    let hash = self.hasher.text(Join::Identity, name);
                    self.push(Kind::Identity, hash, (Reach::Down, Filter::All));
                    self.facts(Join::Owner, name, Reach::Down);
                }
                Deed::CreateLoginProfile | Deed::UpdateLoginProfile => {
                    self.facts(Join::Owner, name, Reach::Down);
                }
                Deed::IdentityProvider | Deed::TrustAnchor => {
                    let hash = self.hasher.text(Join::Provider, name);
                    self.push(Kind::Fact, hash, (Reach::Down, Filter::Callers));
                }
                _ => self.facts(Join::Workload, name, Reach::Down),
            }
        }
        if fact.asks() {
            self.about(Join::Answered, (fact.deed, fact.time), Reach::Down);
        }
    }

    /// Where a text that a responder has in hand may stand.
    pub(crate) fn of_pivot(&mut self, text: &str) {
        for join in [Join::Key, Join::SessionName] {
            self.callers(join, text, Reach::Down);
        }
        for join in [
            Join::ChildKey,
            Join::ChildSession,
            Join::Made,
            Join::Mentioned,
            Join::Owner,
            Join::SignIn,
            Join::Workload,
        ] {
            self.facts(join, text, Reach::Down);
        }
        let hash = self.hasher.text(Join::Identity, text);
        self.push(Kind::Identity, hash, (Reach::Down, Filter::All));
        let hash = event_of_text(text).hash(self.hasher);
        self.push(Kind::Fact, hash, (Reach::Down, Filter::Event));
        // A principal id or an ARN ends with the session's name.
        for (at, _) in text.match_indices([':', '/']) {
            let session = text.get(at + 1..).unwrap_or_default().as_bytes();
            let principal = (Reach::Down, Filter::Principal);
            let hash = self.hasher.of(Join::SessionName, &[session]);
            self.push(Kind::Caller, hash, principal);
            let hash = self.hasher.of(Join::ChildSession, &[session]);
            self.push(Kind::Fact, hash, principal);
        }
    }

    /// Callers that used a client.
    pub(crate) fn of_client(&mut self, client: u32) {
        let hash = of_number(Join::Client, client);
        self.push(Kind::Caller, hash, (Reach::Down, Filter::All));
    }
}

/// The event id that a text is.
pub(crate) fn event_of_text(text: &str) -> EventId<'_> {
    let guid = Field::<unchain_core::id::EventId<'_>>::read(text).known();
    guid.map_or_else(
        || EventId::Text(text.into()),
        |id| EventId::Guid(id.bytes()),
    )
}

/// The user or role in the ARN of a principal, whose policies are those of the principal.
fn owner(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.split_once('/') {
        Some(("assumed-role", rest)) => rest.split('/').next().unwrap_or_default(),
        Some(("user", rest)) => rest.rsplit('/').next().unwrap_or_default(),
        _ => "",
    }
}
