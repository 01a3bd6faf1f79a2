//! Texts kept once each. Must not know what the texts mean.

use super::mix::{half, mix, spread};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

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

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// An append-only table of texts.
#[derive(Clone, Debug)]
pub struct Symbols {
    arena: String,
    ends: Vec<usize>,
    /// (upper half of the hash, number): growing the table must not visit every text.
    table: HashTable<(u32, u32)>,
    /// Numbers met lately, in slots chosen by length and last bytes: many texts come again at once.
    recent: Vec<u32>,
    seed: u64,
}

const RECENT: usize = 8192;

impl Symbols {
    /// An empty table. `seed` keys the hash so that a log cannot be written to make it slow.
    pub fn new(seed: u64) -> Self {
        Self {
            arena: String::new(),
            ends: vec![0],
            table: HashTable::new(),
            recent: vec![0; RECENT],
            seed,
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

    /// The symbol of a text, if it is there.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::EMPTY);
        }
        self.look_up(self.hash(text), text)
    }

    /// The symbol of a text, added if it is new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        let slot = slot(text);
        let known = self.recent.get(slot).copied().unwrap_or_default();
        if known != 0 && slice(&self.arena, &self.ends, known) == text {
            return Symbol(known);
        }
        let symbol = self.intern_cold(text);
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = symbol.0;
        }
        symbol
    }

    fn intern_cold(&mut self, text: &str) -> Symbol {
        let hash = self.hash(text);
        if let Some(symbol) = self.look_up(hash, text) {
            return symbol;
        }
        // Four thousand million distinct texts do not fit into memory; the last one is reused.
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.table
            .insert_unique(spread(hash), (hash, number), |(hash, _)| spread(*hash));
        self.arena.push_str(text);
        self.ends.push(self.arena.len());
        Symbol(number)
    }

    fn hash(&self, text: &str) -> u32 {
        half(xxh3_64_with_seed(text.as_bytes(), self.seed))
    }

    fn look_up(&self, hash: u32, text: &str) -> Option<Symbol> {
        let same = |&(h, n): &(u32, u32)| h == hash && slice(&self.arena, &self.ends, n) == text;
        self.table.find(spread(hash), same).map(|&(_, n)| Symbol(n))
    }

    /// Every symbol with its text, in the order of first meeting.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        (0..self.ends.len()).map(|n| {
            let symbol = Symbol(u32::try_from(n).unwrap_or(u32::MAX));
            (symbol, self.get(symbol))
        })
    }
}

/// Length and last bytes tell most texts apart.
fn slot(text: &str) -> usize {
    let last = match text.as_bytes().last_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => text
            .bytes()
            .fold(0, |word, byte| word << 8 | u64::from(byte)),
    };
    let hash = mix(text.len() as u64, &[last]);
    usize::try_from(hash).unwrap_or_default() % RECENT
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
