//! Texts kept once each. Must not know what the texts mean.

use super::mix::Keys;
use super::table::Table;

/// A text in [`Symbols`]. The number is local to its table: never store or compare across ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Symbol(u32);

impl Symbol {
    /// The empty text, in every table.
    pub const EMPTY: Self = Self(0);

    /// Whether this is the empty text.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// The number, for arrays that run parallel to the table.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// An append-only table of texts.
///
/// INVARIANT: a text is told by 96 bits of its keyed hash. Comparing the texts themselves would touch
/// far memory twice for every text met again, and with a key that the writer of a log cannot know, equal
/// hashes of different texts are rarer than errors of the machine.
#[derive(Clone, Debug)]
pub struct Symbols {
    arena: String,
    ends: Vec<usize>,
    table: Table,
    keys: Keys,
}

/// Look-ups that stay near: as many texts as an hour of a busy account brings.
const RECENT: usize = 1 << 14;

impl Symbols {
    /// An empty table. `seed` keys the hash so that a log cannot be written to make it slow or wrong.
    pub fn new(seed: u64) -> Self {
        Self {
            arena: String::new(),
            ends: vec![0],
            table: Table::new(RECENT),
            keys: Keys::new(seed),
        }
    }

    /// The number of texts, the empty one included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether only the empty text is there.
    pub fn is_empty(&self) -> bool {
        self.ends.len() == 1
    }

    /// The text of a symbol of this table.
    pub fn get(&self, symbol: Symbol) -> &str {
        slice(&self.arena, &self.ends, symbol.0)
    }

    /// The first bytes of a text as a number: where two differ, so do their texts, in the same order.
    pub fn start(&self, symbol: Symbol) -> u128 {
        let mut start = [0; 16];
        for (slot, byte) in start.iter_mut().zip(self.get(symbol).bytes()) {
            *slot = byte;
        }
        u128::from_be_bytes(start)
    }

    /// The hash that tells texts apart.
    #[inline]
    pub(super) fn hash(&self, text: &str) -> u128 {
        self.keys.hash(text)
    }

    /// See [`Table::touch`].
    pub(super) fn touch(&self, hashes: impl Iterator<Item = u128>) -> u32 {
        self.table.touch(hashes)
    }

    /// The symbol of a text, if it is there.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::EMPTY);
        }
        self.table.find(self.hash(text)).map(Symbol)
    }

    /// The symbol of a text, added if it is new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        self.intern_hashed(text, self.hash(text))
    }

    /// As [`Symbols::intern`], where the hash is known already.
    #[inline]
    pub(super) fn intern_hashed(&mut self, text: &str, hash: u128) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        // Four thousand million distinct texts do not fit into memory; the last one is reused.
        let next = u32::try_from(self.ends.len()).unwrap_or(u32::MAX - 1);
        let (number, new) = self.table.get_or_add(hash, next);
        if new {
            self.arena.push_str(text);
            self.ends.push(self.arena.len());
        }
        Symbol(number)
    }

    /// Every symbol with its text, in the order of first meeting.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        (0..self.ends.len()).map(|n| {
            let symbol = Symbol(u32::try_from(n).unwrap_or(u32::MAX));
            (symbol, self.get(symbol))
        })
    }
}

fn slice<'a>(arena: &'a str, ends: &[usize], number: u32) -> &'a str {
    let n = number as usize;
    let start = n
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .copied()
        .unwrap_or(0);
    let end = ends.get(n).copied().unwrap_or(start);
    arena.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once() {
        let mut symbols = Symbols::new(7);
        let a = symbols.intern("alpha");
        let b = symbols.intern("beta");
        assert_eq!(symbols.intern("alpha"), a);
        assert_eq!(
            (symbols.get(a), symbols.get(b), symbols.get(Symbol::EMPTY)),
            ("alpha", "beta", "")
        );
        assert_eq!(
            (symbols.find("beta"), symbols.find("gamma"), symbols.len()),
            (Some(b), None, 3)
        );
    }
}
