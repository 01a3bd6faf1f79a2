//! Where ledgers put what is too much for the memory: a file that has no name and is gone with the process.
//! It holds times and hashes of events, no text of a log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use unchain_core::ledger::Spill;

/// So many bytes are read at once where a few are asked for: next, those beside them most often are.
const PIECE: usize = 8 << 10;
/// Pieces that are kept: of 82,000 readings for a case of two million events, 1,600 remain.
const NEAR: usize = 4;

/// The file, and what was read of it last.
#[derive(Debug, Default)]
pub(crate) struct SpillFile {
    state: Mutex<State>,
    near: Mutex<VecDeque<Piece>>,
}

/// The file, made when it is needed first.
#[derive(Debug, Default)]
enum State {
    #[default]
    Unopened,
    Open(Arc<File>),
    /// There is no room. What is in the file can still be read.
    Full(Option<Arc<File>>),
}

/// Bytes of the file, which never change once they are there.
#[derive(Debug)]
struct Piece {
    start: u64,
    /// At most [`PIECE`]; fewer at what was the end of the file.
    bytes: Vec<u8>,
}

impl Spill for SpillFile {
    fn put(&self, bytes: &[u8]) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match std::mem::take(&mut *state) {
            State::Full(file) => {
                *state = State::Full(file);
                return None;
            }
            State::Open(file) => Some(file),
            State::Unopened => tempfile::tempfile().ok().map(Arc::new),
        };
        let at = file.as_ref().and_then(|file| append(file, bytes).ok());
        *state = match file {
            Some(file) if at.is_some() => State::Open(file),
            file => State::Full(file),
        };
        at
    }

    fn get(&self, at: u64, bytes: &mut [u8]) -> Option<()> {
        let within = usize::try_from(at % PIECE as u64).ok()?;
        let range = within..within + bytes.len();
        if range.end > PIECE || bytes.len() == PIECE {
            return self.read(at, bytes);
        }
        let start = at - within as u64;
        let mut near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = near.iter().filter(|piece| piece.start == start);
        if let Some(own) = own.find_map(|piece| piece.bytes.get(range.clone())) {
            bytes.copy_from_slice(own);
            return Some(());
        }
        let mut piece = vec![0; PIECE];
        let read = self.read_some(start, &mut piece)?;
        piece.truncate(read);
        let Some(own) = piece.get(range) else {
            return self.read(at, bytes);
        };
        bytes.copy_from_slice(own);
        near.truncate(NEAR - 1);
        near.push_front(Piece {
            start,
            bytes: piece,
        });
        Some(())
    }
}

impl SpillFile {
    fn read(&self, mut at: u64, mut bytes: &mut [u8]) -> Option<()> {
        while !bytes.is_empty() {
            let read = self.read_some(at, bytes).filter(|read| *read > 0)?;
            bytes = bytes.get_mut(read..)?;
            at += read as u64;
        }
        Some(())
    }

    /// Reads from a place on, and says how much.
    fn read_some(&self, at: u64, bytes: &mut [u8]) -> Option<usize> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (State::Open(file) | State::Full(Some(file))) = &*state else {
            return None;
        };
        #[cfg(unix)]
        {
            // Many read at once: none waits for another's.
            let file = Arc::clone(file);
            drop(state);
            again(|| std::os::unix::fs::FileExt::read_at(&*file, bytes, at))
        }
        #[cfg(not(unix))]
        {
            let mut file: &File = file;
            file.seek(SeekFrom::Start(at)).ok()?;
            again(|| io::Read::read(&mut file, bytes))
        }
    }
}

/// Once more, whenever a signal came between.
fn again(mut read: impl FnMut() -> io::Result<usize>) -> Option<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.ok(),
        }
    }
}

fn append(mut file: &File, bytes: &[u8]) -> io::Result<u64> {
    let at = file.seek(SeekFrom::End(0))?;
    file.write_all(bytes)?;
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_given_back() {
        let spill = SpillFile::default();
        assert_eq!(spill.get(0, &mut [0]), None);
        let places: Vec<u64> = (0u8..9).map(|n| spill.put(&[n; 5]).unwrap()).collect();
        for (n, at) in (0u8..9).zip(places).rev() {
            let mut bytes = [0; 4];
            assert_eq!(spill.get(at + 1, &mut bytes), Some(()));
            assert_eq!(bytes, [n; 4]);
        }
        assert_eq!(spill.get(42, &mut [0; 9]), None);
    }

    #[test]
    fn pieces_are_those_of_the_file_while_it_grows() {
        let spill = SpillFile::default();
        let part = |n: u8| vec![n; PIECE / 3 + 1];
        let mut all = Vec::new();
        for n in 0..20 {
            let at = spill.put(&part(n)).unwrap();
            assert_eq!(at, all.len() as u64);
            all.extend(part(n));
            // At the end, in the middle, across pieces, and long ago.
            for (from, length) in [
                (0, 7),
                (all.len() / 2, 9),
                (all.len() - 5, 5),
                (0, all.len()),
            ] {
                let mut bytes = vec![0; length];
                assert_eq!(spill.get(from as u64, &mut bytes), Some(()));
                assert_eq!(bytes, all[from..from + length], "{n} {from}");
            }
        }
        for from in (0..all.len() - 40).step_by(PIECE / 2 - 1) {
            let mut bytes = [0; 40];
            assert_eq!(spill.get(from as u64, &mut bytes), Some(()));
            assert_eq!(bytes, all[from..from + 40]);
        }
        assert_eq!(spill.get(all.len() as u64 - 1, &mut [0; 2]), None);
    }

    #[test]
    fn a_full_disk_is_no_place() {
        let spill = SpillFile::default();
        let at = spill.put(b"kept").unwrap();
        let state = std::mem::take(&mut *spill.state.lock().unwrap());
        let State::Open(file) = state else {
            panic!("not open")
        };
        *spill.state.lock().unwrap() = State::Full(Some(file));
        assert_eq!(spill.put(b"more"), None);
        let mut bytes = [0; 4];
        assert_eq!(spill.get(at, &mut bytes), Some(()));
        assert_eq!(&bytes, b"kept");
    }
}
