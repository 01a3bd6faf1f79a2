//! Where ledgers put what is too much for the memory: a file that has no name and is gone with the process.
//! It holds times and hashes of events, no text of a log.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use unchain_core::ledger::Spill;

/// The file, made when it is needed first.
#[derive(Debug, Default)]
pub(crate) struct SpillFile(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Unopened,
    Open(Arc<File>),
    /// There is no room. What is in the file can still be read.
    Full(Option<Arc<File>>),
}

impl Spill for SpillFile {
    fn put(&self, bytes: &[u8]) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (State::Open(file) | State::Full(Some(file))) = &*state else {
            return None;
        };
        #[cfg(unix)]
        {
            // Many read at once: none waits for another's.
            let file = Arc::clone(file);
            drop(state);
            std::os::unix::fs::FileExt::read_exact_at(&*file, bytes, at).ok()
        }
        #[cfg(not(unix))]
        {
            let mut file: &File = file;
            file.seek(SeekFrom::Start(at)).ok()?;
            io::Read::read_exact(&mut file, bytes).ok()
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
    fn a_full_disk_is_no_place() {
        let spill = SpillFile::default();
        let at = spill.put(b"kept").unwrap();
        let state = std::mem::take(&mut *spill.0.lock().unwrap());
        let State::Open(file) = state else {
            panic!("not open")
        };
        *spill.0.lock().unwrap() = State::Full(Some(file));
        assert_eq!(spill.put(b"more"), None);
        let mut bytes = [0; 4];
        assert_eq!(spill.get(at, &mut bytes), Some(()));
        assert_eq!(&bytes, b"kept");
    }
}
