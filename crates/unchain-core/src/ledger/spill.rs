//! A place outside of memory for what grows with events. This crate touches no file, so whoever makes a
//! ledger gives it one.
//! Must not know what the words mean.

use std::fmt::Debug;
use std::sync::Arc;

/// Keeps bytes that are not needed soon, for one or more ledgers.
pub trait Spill: Debug + Send + Sync {
    /// Keeps bytes and says where; `None` if there is no room.
    fn put(&self, bytes: &[u8]) -> Option<u64>;

    /// Gives back bytes from there on; `None` if they cannot be read.
    fn get(&self, at: u64, bytes: &mut [u8]) -> Option<()>;
}

/// Words of a block: eight kilobytes, so that the unfinished ones of all heaps weigh little.
pub(super) const BLOCK: usize = if cfg!(test) { 16 } else { 1 << 10 };
/// So many full blocks stay in memory where there is a spill: four megabytes.
const HERE: usize = if cfg!(test) { 3 } else { 1 << 9 };

/// A run of words.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Here(Vec<u64>),
    /// In the spill; it is full.
    There(u64),
}

/// How much memory blocks may take.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    spill: Option<Arc<dyn Spill>>,
    /// Full blocks in memory.
    here: usize,
    bytes: Vec<u8>,
    /// Something could not be read again.
    lost: bool,
}

impl Room {
    /// From now on, what is too much for the memory goes to a spill.
    pub(super) fn set_spill(&mut self, spill: Arc<dyn Spill>) {
        self.spill = Some(spill);
    }

    /// Whether something could not be read again.
    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Notes that another's blocks are gone.
    pub(super) fn unite(&mut self, other: &Self) {
        self.lost |= other.lost;
    }

    /// Keeps a block that is full.
    pub(super) fn keep(&mut self, mut words: Vec<u64>) -> Block {
        if self.here >= HERE
            && let Some(spill) = &self.spill
        {
            words.resize(BLOCK, 0);
            self.bytes.clear();
            self.bytes
                .extend(words.iter().flat_map(|word| word.to_le_bytes()));
            if let Some(at) = spill.put(&self.bytes) {
                return Block::There(at);
            }
        }
        self.here += 1;
        Block::Here(words)
    }

    /// The words of a block that is not needed any more.
    pub(super) fn take(&mut self, block: Block) -> Vec<u64> {
        match block {
            Block::Here(words) => {
                self.here = self.here.saturating_sub(usize::from(is_full(&words)));
                words
            }
            Block::There(_) => {
                let words = self.words(&block, 0..BLOCK);
                self.lost |= words.is_none();
                words.unwrap_or_default()
            }
        }
    }

    /// Some words of a block.
    pub(super) fn words(&self, block: &Block, range: std::ops::Range<usize>) -> Option<Vec<u64>> {
        match block {
            Block::Here(words) => words
                .get(range.start..range.end.min(words.len()))
                .map(Vec::from),
            Block::There(at) => {
                let mut bytes = vec![0; range.len() * size_of::<u64>()];
                let start = range.start * size_of::<u64>();
                self.spill.as_ref()?.get(at + start as u64, &mut bytes)?;
                let (words, _) = bytes.as_chunks();
                Some(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
            }
        }
    }
}

/// Whether nothing more fits: a piece has a head and one word at least.
pub(super) fn is_full(words: &[u64]) -> bool {
    words.len() + 2 > BLOCK
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A spill in memory, of which a part may be read again.
    #[derive(Debug)]
    pub(in crate::ledger) struct Board {
        pub(in crate::ledger) bytes: Mutex<Vec<u8>>,
        pub(in crate::ledger) room: usize,
        pub(in crate::ledger) readable: usize,
    }

    impl Board {
        pub(in crate::ledger) fn new(room: usize, readable: usize) -> Arc<Self> {
            let bytes = Mutex::default();
            Arc::new(Self {
                bytes,
                room,
                readable,
            })
        }
    }

    impl Spill for Board {
        fn put(&self, bytes: &[u8]) -> Option<u64> {
            let mut all = self.bytes.lock().unwrap();
            let at = all.len();
            (at + bytes.len() <= self.room).then(|| {
                all.extend_from_slice(bytes);
                at as u64
            })
        }

        fn get(&self, at: u64, bytes: &mut [u8]) -> Option<()> {
            let all = self.bytes.lock().unwrap();
            let start = usize::try_from(at).unwrap();
            let found = all[..self.readable.min(all.len())].get(start..start + bytes.len())?;
            bytes.copy_from_slice(found);
            Some(())
        }
    }

    #[test]
    fn blocks_go_to_the_spill_when_the_memory_is_full() {
        let mut room = Room::default();
        let board = Board::new(2 * 8 * BLOCK, usize::MAX);
        room.set_spill(board.clone());
        let words = |n: u64| -> Vec<u64> { (n..n + BLOCK as u64).collect() };
        let blocks: Vec<Block> = (0..8).map(|n| room.keep(words(n))).collect();
        let there = |block: &&Block| matches!(block, Block::There(_));
        assert_eq!(blocks.iter().filter(there).count(), 2);
        for (n, block) in (0..).zip(&blocks) {
            assert_eq!(room.words(block, 3..5), Some(vec![n + 3, n + 4]));
        }
        for (n, block) in (0..).zip(blocks) {
            assert_eq!(room.take(block), words(n));
        }
        assert_eq!((room.here, room.has_lost()), (0, false));
    }

    #[test]
    fn what_is_lost_is_known() {
        let mut room = Room::default();
        room.set_spill(Board::new(usize::MAX, 0));
        let blocks: Vec<Block> = (0..=HERE).map(|_| room.keep(vec![1; BLOCK])).collect();
        for block in blocks {
            room.take(block);
        }
        assert!(room.has_lost());
    }
}
