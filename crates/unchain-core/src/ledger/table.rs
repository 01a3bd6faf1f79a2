//! Numbers by the hash of what they stand for.
//!
//! An open-addressing table of sixteen-byte slots: a look-up in far memory touches one line of it, where a
//! general table touches two, and that is most of what a look-up costs. Must not know what is hashed.

/// Numbers found by 96 bits of a hash.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Slots met lately, so that most look-ups stay in the processor's near memory.
    recent: Vec<Slot>,
    /// A power of two of slots, at most three quarters of them full.
    slots: Vec<Slot>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    high: u64,
    low: u32,
    number: u32,
}

const EMPTY: Slot = Slot {
    high: 0,
    low: 0,
    number: u32::MAX,
};

const FEWEST: usize = 64;

impl Table {
    /// An empty table that remembers about so many look-ups, a power of two.
    pub(super) fn new(recent: usize) -> Self {
        Self {
            recent: vec![EMPTY; recent],
            slots: vec![EMPTY; FEWEST],
            len: 0,
        }
    }

    /// The number under a hash, if it was looked up lately; touches no far memory.
    #[inline]
    pub(super) fn near(&self, hash: u128) -> Option<u32> {
        self.known(Slot::of(hash, u32::MAX))
    }

    /// Reads the places of many hashes, so that they are near when they are looked up. The loads depend
    /// on nothing, so the processor waits for many at once. The answer means nothing.
    pub(super) fn touch(&self, hashes: impl Iterator<Item = u128>) -> u32 {
        let slots = self.slots.len();
        let places = hashes.map(|hash| Slot::of(hash, u32::MAX).start(slots));
        let touched = places.map(|at| self.slots.get(at).map_or(0, |slot| slot.number));
        touched.fold(0, |all, number| all ^ number)
    }

    /// The number under a hash.
    #[inline]
    pub(super) fn get(&mut self, hash: u128) -> Option<u32> {
        let wanted = Slot::of(hash, u32::MAX);
        if let Some(number) = self.known(wanted) {
            return Some(number);
        }
        let found = *self.slots.get(self.place(wanted))?;
        self.remember(found);
        (found.number != u32::MAX).then_some(found.number)
    }

    /// The number under a hash, without learning from the question.
    pub(super) fn find(&self, hash: u128) -> Option<u32> {
        let found = self.slots.get(self.place(Slot::of(hash, u32::MAX)))?;
        Some(found.number).filter(|&number| number != u32::MAX)
    }

    /// The number under a hash; `number`, and `true`, if there was none.
    #[inline]
    pub(super) fn get_or_add(&mut self, hash: u128, number: u32) -> (u32, bool) {
        let wanted = Slot::of(hash, number);
        match self.known(wanted) {
            Some(number) => (number, false),
            None => self.add(wanted),
        }
    }

    fn add(&mut self, wanted: Slot) -> (u32, bool) {
        if self.len * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let place = self.place(wanted);
        let Some(slot) = self.slots.get_mut(place) else {
            return (wanted.number, true);
        };
        let new = slot.number == u32::MAX;
        if new {
            *slot = wanted;
            self.len += 1;
        }
        let found = *slot;
        self.remember(found);
        (found.number, new)
    }

    #[inline]
    fn known(&self, wanted: Slot) -> Option<u32> {
        let recent = self.recent.get(wanted.start(self.recent.len()))?;
        (recent.tells(wanted) && recent.number != u32::MAX).then_some(recent.number)
    }

    fn remember(&mut self, slot: Slot) {
        let at = slot.start(self.recent.len());
        if let Some(recent) = self.recent.get_mut(at) {
            *recent = slot;
        }
    }

    /// The place of the wanted slot, or of the empty one where it would be.
    #[inline]
    fn place(&self, wanted: Slot) -> usize {
        let mut at = wanted.start(self.slots.len());
        while let Some(slot) = self.slots.get(at)
            && slot.number != u32::MAX
            && !slot.tells(wanted)
        {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![EMPTY; self.slots.len() * 2];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot.number != u32::MAX {
                let place = self.place(slot);
                if let Some(space) = self.slots.get_mut(place) {
                    *space = slot;
                }
            }
        }
    }
}

impl Slot {
    #[inline]
    fn of(hash: u128, number: u32) -> Self {
        Self {
            high: u64::try_from(hash >> 64).unwrap_or_default(),
            low: u32::try_from(hash & u128::from(u32::MAX)).unwrap_or_default(),
            number,
        }
    }

    #[inline]
    fn tells(&self, wanted: Self) -> bool {
        (self.high, self.low) == (wanted.high, wanted.low)
    }

    /// Where to begin in a power of two of slots.
    #[inline]
    fn start(&self, slots: usize) -> usize {
        usize::try_from(self.high).unwrap_or_default() & slots.wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::mix::Keys;
    use std::collections::HashMap;

    #[test]
    fn numbers_are_kept_by_hash_while_the_table_grows() {
        let keys = Keys::new(3);
        let mut table = Table::new(16);
        let mut model = HashMap::new();
        for n in 0..5000u32 {
            let hash = keys.hash(&(n % 3000).to_string());
            let known = *model.entry(hash).or_insert(n);
            assert_eq!(table.get_or_add(hash, n), (known, known == n));
        }
        for (hash, number) in model {
            assert_eq!(
                (table.get(hash), table.find(hash)),
                (Some(number), Some(number))
            );
        }
        let unknown = keys.hash("unknown");
        assert_eq!((table.get(unknown), table.find(unknown)), (None, None));
    }
}
