//! Where the bytes of objects are: in files below a folder when the lab keeps its state in one, else in memory. The
//! serialised state then holds only names, so gigabytes of delivered logs are not held.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The store of bodies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Bodies {
    #[serde(skip)]
    folder: Option<PathBuf>,
    made: u64,
}

/// One object's bytes, or where they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Body {
    /// In memory.
    Memory(Bytes),
    /// In a file of this name in the folder.
    File(String),
}

/// Bytes in memory; base64 when serialised.
#[derive(Debug, Clone, Default)]
pub struct Bytes(Arc<Vec<u8>>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        STANDARD.encode(self.0.as_slice()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        Ok(Self(Arc::new(bytes)))
    }
}

impl Bodies {
    /// From now on bodies are files in `folder`, which is made if it does not exist. To be called at every start,
    /// since the state does not say where it lies itself.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn keep_in(&mut self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        self.folder = Some(folder.to_owned());
        Ok(())
    }

    /// Takes bytes in.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn keep(&mut self, bytes: Vec<u8>) -> io::Result<Body> {
        match self.new_file()? {
            None => Ok(Body::Memory(Bytes(Arc::new(bytes)))),
            Some((name, mut file)) => {
                file.write_all(&bytes)?;
                Ok(Body::File(name))
            }
        }
    }

    /// One body out of several, in their order.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written.
    pub fn join(&mut self, parts: &[Body]) -> io::Result<Body> {
        match self.new_file()? {
            None => {
                let mut whole = Vec::new();
                for part in parts {
                    whole.extend(self.read(part, None)?);
                }
                Ok(Body::Memory(Bytes(Arc::new(whole))))
            }
            Some((name, mut file)) => {
                for part in parts {
                    file.write_all(&self.read(part, None)?)?;
                }
                Ok(Body::File(name))
            }
        }
    }

    /// A body's bytes, or those of a range that lies within it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or there is no folder and the body is in one.
    pub fn read(&self, body: &Body, range: Option<Range<u64>>) -> io::Result<Vec<u8>> {
        match body {
            Body::Memory(Bytes(bytes)) => Ok(match range {
                None => bytes.to_vec(),
                Some(range) => within(bytes, &range).to_vec(),
            }),
            Body::File(name) => {
                let mut file = File::open(self.path(name)?)?;
                let range = range.unwrap_or(0..u64::MAX);
                file.seek(SeekFrom::Start(range.start))?;
                let mut bytes = Vec::new();
                file.take(range.end.saturating_sub(range.start))
                    .read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Drops a body that no object has any more. A file that will not go is left: it costs space and nothing else.
    pub fn forget(&self, body: &Body) {
        if let Body::File(name) = body
            && let Ok(path) = self.path(name)
        {
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.as_ref();
        let folder = folder.ok_or_else(|| io::Error::other("the folder of bodies is not set"))?;
        Ok(folder.join(name))
    }

    fn new_file(&mut self) -> io::Result<Option<(String, File)>> {
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        self.made = self.made.saturating_add(1);
        let name = format!("{:016x}", self.made);
        let file = File::create(folder.join(&name))?;
        Ok(Some((name, file)))
    }
}

fn within<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    bytes
        .get(at(range.start)..at(range.end).min(bytes.len()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_answers(bodies: &mut Bodies) {
        let one = bodies.keep(b"hello ".to_vec()).unwrap();
        let two = bodies.keep(b"world".to_vec()).unwrap();
        let whole = bodies.join(&[one.clone(), two.clone()]).unwrap();
        assert_eq!(bodies.read(&whole, None).unwrap(), b"hello world");
        assert_eq!(bodies.read(&whole, Some(4..8)).unwrap(), b"o wo");
        assert_eq!(bodies.read(&whole, Some(8..80)).unwrap(), b"rld");
        let text = serde_json::to_string(&whole).unwrap();
        let again: Body = serde_json::from_str(&text).unwrap();
        bodies.forget(&one);
        bodies.forget(&two);
        assert_eq!(bodies.read(&again, None).unwrap(), b"hello world");
    }

    #[test]
    fn memory_and_folder_give_the_same() {
        same_answers(&mut Bodies::default());
        let folder = tempfile::tempdir().unwrap();
        let mut bodies = Bodies::default();
        bodies.keep_in(folder.path()).unwrap();
        same_answers(&mut bodies);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "forgotten bodies are gone");
    }
}
