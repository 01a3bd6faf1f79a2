//! The world in a folder: one file, replaced as a whole, so that a crash leaves the last world or the new one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::world::World;

/// The form of the file; one that a program does not know it does not read.
const VERSION: u32 = 1;

/// A folder that holds a world, taken by this process for as long as the value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked; the lock goes with the file.
    _lock: File,
}

/// Why a world could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The folder cannot be made or opened.
    #[error("the state folder `{path}` cannot be used")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another lab has the folder.
    #[error(
        "the state folder `{path}` is in use by another lab; stop it, or give this one another folder"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("the state file `{path}` cannot be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold a world.
    #[error("the state file `{path}` does not hold a lab's world; move it away to begin anew")]
    Form {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file is of another version of this program.
    #[error("the state file `{path}` has version {found}, and this program reads version 1")]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
}

#[derive(Serialize)]
struct Kept<'a> {
    version: u32,
    world: &'a World,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

#[derive(Deserialize)]
struct Found {
    world: World,
}

impl Folder {
    /// Takes a folder, made where it is missing. It holds secret keys of the pretended accounts, so only the user
    /// may read it.
    ///
    /// # Errors
    ///
    /// It cannot be made, or another lab has it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Folder {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(failed)?;
        private(path).map_err(failed)?;
        let lock = File::create(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The folder's path, for what is kept beside the world.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> PathBuf {
        self.path.join("world.json")
    }

    /// The world that the folder holds; none where it is new.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is damaged or of another version.
    pub fn load(&self) -> Result<Option<World>, StateError> {
        let path = self.file();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::File { path, source }),
        };
        let form = |source| StateError::Form {
            path: path.clone(),
            source,
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(form)?;
        if head.version != VERSION {
            return Err(StateError::Version {
                path,
                found: head.version,
            });
        }
        let found: Found = serde_json::from_slice(&bytes).map_err(form)?;
        Ok(Some(found.world))
    }

    /// The world that the folder holds, or a new one; the bodies of S3's objects are files in the folder too.
    ///
    /// # Errors
    ///
    /// As [`Folder::load`], or the folder of the bodies cannot be made.
    pub fn world(&self, new: impl FnOnce() -> World) -> Result<World, StateError> {
        let mut world = match self.load()? {
            Some(world) => world,
            None => new(),
        };
        let path = self.path.join("objects");
        match world.s3.bodies.keep_in(&path) {
            Ok(()) => Ok(world),
            Err(source) => Err(StateError::Folder { path, source }),
        }
    }

    /// Writes a world, as [`bytes`] gave it, in place of the one before.
    ///
    /// # Errors
    ///
    /// The file cannot be written; the one before stays.
    pub fn save(&self, bytes: &[u8]) -> Result<(), StateError> {
        let path = self.file();
        replace(&path, bytes).map_err(|source| StateError::File { path, source })
    }
}

/// A world as the file holds it. Apart from writing, so that the world need not be locked while the disk works.
///
/// # Errors
///
/// A part of the world has no form in JSON.
pub fn bytes(world: &World) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Kept {
        version: VERSION,
        world,
    })
}

/// Writes beside the file, waits for the disk, then renames.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Settings;

    #[test]
    fn a_world_is_what_it_was_after_saving_and_loading() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        assert!(folder.load().unwrap().is_none());
        let mut world = World::new(7, Settings::default());
        world.add_account("111122223333", "one");
        folder.save(&bytes(&world).unwrap()).unwrap();
        let mut again = folder.load().unwrap().unwrap();
        assert_eq!(bytes(&again).unwrap(), bytes(&world).unwrap());
        assert_eq!(
            again.ids.guid(),
            world.ids.guid(),
            "identifiers go on, none is given twice"
        );
    }

    #[test]
    fn a_damaged_or_foreign_file_is_not_read() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        folder.save(b"{\"version\":1,\"world\":{").unwrap();
        assert!(matches!(folder.load(), Err(StateError::Form { .. })));
        folder.save(b"{\"version\":2,\"world\":5}").unwrap();
        assert!(matches!(
            folder.load(),
            Err(StateError::Version { found: 2, .. })
        ));
    }

    #[test]
    fn a_half_written_file_does_not_count() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        folder
            .save(&bytes(&World::new(7, Settings::default())).unwrap())
            .unwrap();
        fs::write(temp.path().join("world.json.new"), b"{\"vers").unwrap();
        assert!(folder.load().unwrap().is_some());
    }

    #[test]
    fn a_folder_has_one_lab_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let first = Folder::open(temp.path()).unwrap();
        assert!(matches!(
            Folder::open(temp.path()),
            Err(StateError::InUse { .. })
        ));
        drop(first);
        assert!(Folder::open(temp.path()).is_ok());
    }
}
