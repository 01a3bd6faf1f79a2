//! What was met lately, so that the next record of the same caller, call or client is placed without its
//! texts being looked up one by one.
//!
//! Rows are keyed by hashes ([`super::symbols::Symbols::hash`]) of the texts they were read from; equal hashes are taken for equal
//! texts.

use super::table::Table;
use super::waiting::Ref;
use crate::json::outlines::Outlines;

/// Look-ups of each sort that stay near.
const RECENT: usize = 1 << 12;

/// As many as a parser remembers, with and without the console flag.
const TOKENS: usize = 1 << 11;

/// Rows of a ledger by hashes of the texts that they were read from.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) callers: Table,
    pub(super) clients: Table,
    /// What a record says beside who called from where.
    pub(super) acts: Table,
    /// Callers by [`crate::event::Event::identity_token`] and the console flag, the last of each slot.
    tokens: Vec<(Token, Ref)>,
    pub(super) last_hour: Option<(u32, i64)>,
    pub(super) region: Last,
    pub(super) recipient: Last,
    /// Of identities.
    pub(super) identities: Outlines,
    /// Of the parts of deeds.
    pub(super) parts: Outlines,
}

/// A text of the last event and its hash: all events of a file are of one region and one account.
#[derive(Clone, Debug, Default)]
pub(super) struct Last {
    text: String,
    hash: u128,
}

impl Last {
    /// The hash of a text, which is computed only if it is another than the last time.
    #[inline]
    pub(super) fn hash(&mut self, text: &str, hash: impl Fn(&str) -> u128) -> u128 {
        // Nothing is known of the empty text at first.
        if self.text != text || text.is_empty() {
            self.hash = hash(text);
            text.clone_into(&mut self.text);
        }
        self.hash
    }
}

/// An identity that a parser remembers, and the console flag of the record that it stood in.
pub(super) type Token = (u64, bool);

impl Default for Memory {
    fn default() -> Self {
        Self {
            callers: Table::new(RECENT),
            clients: Table::new(RECENT),
            acts: Table::new(RECENT),
            tokens: vec![((0, false), Ref::Row(0)); TOKENS],
            last_hour: None,
            region: Last::default(),
            recipient: Last::default(),
            identities: Outlines::default(),
            parts: Outlines::default(),
        }
    }
}

impl Memory {
    /// The caller of an identity that a parser remembers.
    #[inline]
    pub(super) fn by_token(&self, token: Token) -> Option<Ref> {
        let (known, caller) = self.tokens.get(slot(token))?;
        (*known == token).then_some(*caller)
    }

    pub(super) fn set_token(&mut self, token: Token, caller: Ref) {
        if let Some(known) = self.tokens.get_mut(slot(token)) {
            *known = (token, caller);
        }
    }
}

#[inline]
fn slot((token, from_console): Token) -> usize {
    usize::try_from(token << 1 | u64::from(from_console)).unwrap_or_default() % TOKENS
}
