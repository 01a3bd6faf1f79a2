//! Where files are put: the lab's own S3 or a folder of the host.

use std::fs;
use std::io;
use std::path::Path;

use super::trails::{Place, Trail};
use crate::world::World;

/// A file's bytes and its metadata, names without `x-amz-meta-`.
pub(super) type File = (Vec<u8>, Vec<(String, String)>);

/// Puts a file; the error is the one that `GetTrailStatus` shows.
pub(super) fn put(
    world: &mut World,
    trail: &Trail,
    key: &str,
    (body, _metadata): File,
) -> Result<(), String> {
    match &trail.place {
        Place::Folder(folder) => write(&folder.join(key), &body).map_err(|error| error.to_string()),
        Place::Bucket { .. } => {
            let _ = world;
            Err("NoSuchBucket".to_owned())
        }
    }
}

/// Writes beside and renames, so that who reads the folder never sees half a file.
fn write(path: &Path, body: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("part");
    fs::write(&beside, body)?;
    fs::rename(&beside, path)
}

/// The account that owns a bucket.
pub(super) fn bucket_owner(_world: &World, _bucket: &str) -> Option<String> {
    None
}

/// Tells a topic of a delivered file; whether it could.
pub(super) fn notify(_world: &mut World, _topic: &str, _message: &str) -> bool {
    false
}

/// The organization that an account belongs to, and its management account.
pub(super) fn organization(_world: &World, _account: &str) -> Option<(String, String)> {
    None
}
