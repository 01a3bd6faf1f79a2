//! What accounts hold, read by single calls, each kept beside its answer in the form that [`Facts::read`] takes.
//!
//! A call that is refused is kept with its code: it becomes a line of [`Facts::unread`], and the others go on. Every
//! call only reads, but for `GenerateCredentialReport`, which has IAM write a report.

mod account;
mod organization;
mod regional;

use crate::actions;
use crate::refusal::refused;
use crate::session::{Session, call};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use unchain_core::contain::{Actuator as _, Call, Facts, Refusal, RefusalKind};

/// Calls that are under way at a time. IAM lets more through; the SDK waits where it does not.
const AT_ONCE: usize = 8;

/// What is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Ids of the accounts; none is the caller's own.
    pub accounts: Vec<String>,
    /// Where Roles Anywhere and CloudTrail are asked; none is the session's own region.
    pub regions: Vec<String>,
}

/// A call, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The call.
    pub call: Call,
    /// The answer's members, or the refusal.
    pub outcome: Result<Value, Refusal>,
}

impl Piece {
    /// The call and what came of it as JSON, for [`Facts::read`].
    pub fn text(&self) -> String {
        let call = &self.call;
        let value = match &self.outcome {
            Ok(answer) => json!({"unchain_call": call, "answer": answer}),
            Err(refusal) => json!({"unchain_call": call, "error": refusal.code.raw()}),
        };
        value.to_string()
    }
}

/// Reads accounts, and the organization they are in as far as it may be read. `progress` is told each piece.
///
/// # Errors
///
/// When nothing of any account could be read: the first refusal.
pub fn snapshot(
    session: &mut Session,
    scope: &Scope,
    progress: &mut dyn FnMut(&Piece),
) -> Result<Vec<Piece>, Refusal> {
    let own = session.identity().account.clone();
    let accounts = match scope.accounts.as_slice() {
        [] => vec![own],
        accounts => accounts.to_vec(),
    };
    let mut reader = Reader {
        session,
        progress,
        pieces: Vec::new(),
    };
    for account in &accounts {
        if reader
            .read(call(("sts", "GetCallerIdentity"), account, &[]))
            .is_some()
        {
            reader.account(account);
            reader.regional(account, &scope.regions);
        }
    }
    reader.organization(&accounts);
    let pieces = reader.pieces;
    let read = |piece: &Piece| piece.outcome.is_ok() && piece.call.service == "iam";
    if pieces.iter().any(read) {
        return Ok(pieces);
    }
    let first = pieces.into_iter().find_map(|piece| piece.outcome.err());
    Err(first.unwrap_or_else(|| refused(RefusalKind::Refused, "NoAccount", "no account to read")))
}

/// The facts that pieces tell. What could not be read is in [`Facts::unread`].
pub fn facts(pieces: &[Piece]) -> Facts {
    let mut facts = Facts::default();
    for piece in pieces {
        if let Err(error) = facts.read(&piece.text(), None) {
            let Call {
                service,
                action,
                account,
                ..
            } = &piece.call;
            let words = format!("{service} {action} in {}: {error}", account.terminal());
            facts.unread.insert(words);
        }
    }
    facts
}

/// Makes the calls of a snapshot, and keeps what comes of them.
struct Reader<'s> {
    session: &'s mut Session,
    progress: &'s mut dyn FnMut(&Piece),
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    /// Makes one call and keeps it; its answer.
    fn read(&mut self, call: Call) -> Option<Value> {
        let outcome = self.session.call(&call).map(|answer| answer.value);
        let answer = outcome.as_ref().ok().cloned();
        self.keep(Piece { call, outcome });
        answer
    }

    fn keep(&mut self, piece: Piece) {
        (self.progress)(&piece);
        self.pieces.push(piece);
    }

    /// Makes calls in one account, several at a time, and keeps them in their order; the answers that came.
    fn read_all(&mut self, account: &str, calls: Vec<Call>) -> Vec<Value> {
        let clients = match self.session.clients(account, None) {
            Ok(clients) => clients,
            Err(refusal) => {
                for call in calls {
                    let outcome = Err(refusal.clone());
                    self.keep(Piece { call, outcome });
                }
                return Vec::new();
            }
        };
        let Self {
            session,
            progress,
            pieces,
        } = self;
        let before = pieces.len();
        session.run(async {
            let under_way = calls.into_iter().map(async |call| {
                let outcome = actions::call(&clients, &call).await;
                let outcome = outcome.map(|answer| answer.value);
                Piece { call, outcome }
            });
            let mut answered = stream::iter(under_way).buffered(AT_ONCE);
            while let Some(piece) = answered.next().await {
                progress(&piece);
                pieces.push(piece);
            }
        });
        let new = pieces.iter().skip(before);
        new.filter_map(|piece| piece.outcome.as_ref().ok().cloned())
            .collect()
    }
}

/// The members of a list, each as a text.
fn texts<'v>(value: &'v Value, list: &str, member: &'v str) -> impl Iterator<Item = &'v str> {
    let items = value.get(list).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(move |item| item.get(member)?.as_str())
}
