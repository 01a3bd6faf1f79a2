//! Where files are put: the lab's own S3 or a folder of the host.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::bucket_check;
use super::trails::{Place, Trail};
use crate::call::Trouble;
use crate::grant::Sender;
use crate::organizations;
use crate::s3;
use crate::world::World;

/// A file's bytes and its headers, names in lower case.
pub(super) type File = (Vec<u8>, BTreeMap<String, String>);

/// The service in whose name files are put.
pub(super) const SERVICE: &str = "cloudtrail.amazonaws.com";

/// Puts a file; the error is the one that `GetTrailStatus` shows.
pub(super) fn put(
    world: &mut World,
    trail: &Trail,
    key: &str,
    (body, mut headers): File,
) -> Result<(), String> {
    match &trail.place {
        Place::Folder(folder) => write(&folder.join(key), &body).map_err(|error| error.to_string()),
        Place::Bucket { name, .. } => {
            if !bucket_check::may_write(world, trail, (name, key)) {
                return Err("AccessDenied".to_owned());
            }
            headers.insert("content-type".to_owned(), "application/json".to_owned());
            headers.insert("content-encoding".to_owned(), "gzip".to_owned());
            s3::put_internal(world, (name, key), body, (SERVICE, headers)).map_err(|fault| {
                match fault.trouble {
                    Trouble::Api(code) => code,
                    _ => fault.message,
                }
            })
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
pub(super) fn bucket_owner(world: &World, bucket: &str) -> Option<String> {
    let bucket = world.s3.buckets.get(bucket);
    bucket.map(|bucket| bucket.account.clone())
}

/// Tells the trail's topic of a delivered file; whether the topic lets it.
pub(super) fn notify(world: &mut World, trail: &Trail, message: &str) -> bool {
    let sender = sender(trail);
    let topic = trail.topic.as_deref().unwrap_or_default();
    crate::sns::announce(world, topic, &sender, (None, message))
}

/// CloudTrail on behalf of a trail.
pub(super) fn sender(trail: &Trail) -> Sender {
    Sender {
        service: SERVICE,
        arn: trail.arn.clone(),
        account: trail.account.clone(),
    }
}

/// The organization that an account belongs to, and its management account.
pub(super) fn organization<'a>(world: &'a World, account: &str) -> Option<(&'a str, &'a str)> {
    let organization = organizations::of(world, account)?;
    Some((&organization.id, &organization.management))
}
