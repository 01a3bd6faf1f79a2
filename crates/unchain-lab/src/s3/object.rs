//! Objects: reading, deleting and tagging them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bodies::{Body, Bytes};
use super::condition::{self, Outcome, http_date};
use super::notify::{self, Change};
use super::setting::{read_tags, tagging};
use super::xml::{Node, parse};
use super::{
    Bucket, bucket_of, bucket_to_change, document, fault, no_content, no_such_key,
    trouble_with_files,
};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// One object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Object {
    /// Where its bytes are.
    pub body: Body,
    /// Bytes.
    pub size: u64,
    /// The entity tag without quotes: MD5, or for an upload in parts MD5 of the parts' and their number.
    pub etag: String,
    /// Virtual seconds since 1970.
    pub modified_at: i64,
    /// `content-type`, `x-amz-meta-…` and others that come back with the object, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// `x-amz-checksum-…` headers, given back when asked for.
    pub checksums: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Default for Object {
    fn default() -> Self {
        Self {
            body: Body::Memory(Bytes::default()),
            size: 0,
            etag: String::new(),
            modified_at: 0,
            headers: BTreeMap::new(),
            checksums: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }
}

/// Parameters of a reading request that replace headers of the reply.
const OVERRIDES: &[(&str, &str)] = &[
    ("ResponseContentType", "content-type"),
    ("ResponseContentDisposition", "content-disposition"),
    ("ResponseContentEncoding", "content-encoding"),
    ("ResponseContentLanguage", "content-language"),
    ("ResponseCacheControl", "cache-control"),
    ("ResponseExpires", "expires"),
];

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let object = wanted(world, call)?;
    if condition::of_read(call.http, object)? == Outcome::NotModified {
        return Ok(not_modified(object));
    }
    let range = condition::range(call.http, object.size)?;
    let mut headers = headers(object, call);
    let body = world
        .s3
        .bodies
        .read(&object.body, range.clone())
        .map_err(|error| trouble_with_files(&error))?;
    if let Some(range) = &range {
        let last = range.end.saturating_sub(1);
        let said = format!("bytes {}-{last}/{}", range.start, object.size);
        headers.push(("content-range".to_owned(), said));
    } else {
        headers.extend(checksums(object, call));
    }
    Ok(Reply {
        status: Some(if range.is_some() { 206 } else { 200 }),
        headers,
        body: Some(body),
        ..Reply::default()
    })
}

pub(super) fn head(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let object = wanted(world, call)?;
    if condition::of_read(call.http, object)? == Outcome::NotModified {
        return Ok(not_modified(object));
    }
    let range = condition::range(call.http, object.size)?;
    let size = range
        .as_ref()
        .map_or(object.size, |range| range.end.saturating_sub(range.start));
    let mut headers = headers(object, call);
    headers.push(("content-length".to_owned(), size.to_string()));
    headers.extend(checksums(object, call));
    Ok(Reply {
        status: Some(if range.is_some() { 206 } else { 200 }),
        headers,
        ..Reply::default()
    })
}

/// The object that the call names. No old versions are kept: any version asked for by id but `null` is unknown.
fn wanted<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Object, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    if call.text("VersionId").is_some_and(|id| id != "null") {
        return Err(fault(
            404,
            "NoSuchVersion",
            "The specified version does not exist.",
        ));
    }
    let key = call.text("Key").unwrap_or_default();
    bucket.objects.get(&key).ok_or_else(no_such_key)
}

fn not_modified(object: &Object) -> Reply {
    Reply {
        status: Some(304),
        headers: vec![
            ("etag".to_owned(), format!("\"{}\"", object.etag)),
            ("last-modified".to_owned(), http_date(object.modified_at)),
        ],
        ..Reply::default()
    }
}

fn headers(object: &Object, call: &Call<'_>) -> Vec<(String, String)> {
    let mut all = object.headers.clone();
    let common = [
        ("etag", format!("\"{}\"", object.etag)),
        ("last-modified", http_date(object.modified_at)),
        ("accept-ranges", "bytes".to_owned()),
        ("x-amz-server-side-encryption", "AES256".to_owned()),
    ];
    all.extend(common.map(|(name, value)| (name.to_owned(), value)));
    if !object.tags.is_empty() {
        all.insert(
            "x-amz-tagging-count".to_owned(),
            object.tags.len().to_string(),
        );
    }
    for (param, header) in OVERRIDES {
        if let Some(value) = call.text(param) {
            all.insert((*header).to_owned(), value);
        }
    }
    all.into_iter().collect()
}

fn checksums(object: &Object, call: &Call<'_>) -> Vec<(String, String)> {
    let wanted = call
        .http
        .header("x-amz-checksum-mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    match wanted {
        true => object.checksums.clone().into_iter().collect(),
        false => Vec::new(),
    }
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    if call.http.header("if-match").is_some() {
        condition::of_write(call.http, bucket.objects.get(&key))?;
    }
    remove(world, call, (&name, &key));
    Ok(no_content())
}

fn remove(world: &mut World, call: &Call<'_>, (name, key): (&str, &str)) {
    let found = world.s3.buckets.get_mut(name);
    let Some(object) = found.and_then(|bucket| bucket.objects.remove(key)) else {
        return;
    };
    world.s3.bodies.forget(&object.body);
    let change = Change::by_call(call, "ObjectRemoved:Delete");
    notify::tell(world, (name, key), &change);
}

/// The most keys of one call (docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
const MOST_KEYS: usize = 1000;

pub(super) fn delete_many(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, _) = bucket_of(world, call)?;
    let asked = parse(&call.body)?;
    let keys: Vec<&str> = asked
        .named("Object")
        .filter_map(|object| object.value("Key"))
        .collect();
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(super::xml::malformed());
    }
    for key in &keys {
        remove(world, call, (&name, key));
    }
    let quiet = asked.value("Quiet") == Some("true");
    let deleted = keys.iter().filter(|_| !quiet);
    let answer =
        Node::new("DeleteResult").all(deleted.map(|key| Node::new("Deleted").text("Key", key)));
    Ok(document(&answer))
}

pub(super) fn get_tagging(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    Ok(document(&tagging(&wanted(world, call)?.tags)))
}

pub(super) fn put_tagging(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let tags = read_tags(&call.body)?;
    if tags.len() > 10 {
        return Err(fault(
            400,
            "BadRequest",
            "Object tags cannot be greater than 10",
        ));
    }
    set_tags(world, call, tags)?;
    Ok(Reply::default())
}

pub(super) fn delete_tagging(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    set_tags(world, call, BTreeMap::new())?;
    Ok(no_content())
}

fn set_tags(
    world: &mut World,
    call: &Call<'_>,
    tags: BTreeMap<String, String>,
) -> Result<(), Fault> {
    let (_, bucket) = bucket_to_change(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    let object = bucket.objects.get_mut(&key).ok_or_else(no_such_key)?;
    object.tags = tags;
    Ok(())
}

/// Puts an object in its place and tells whoever asked to be told.
pub(super) fn place(
    world: &mut World,
    (name, key): (&str, &str),
    object: Object,
    change: &Change,
) -> Result<(), Fault> {
    let bucket: &mut Bucket = world
        .s3
        .buckets
        .get_mut(name)
        .ok_or_else(super::no_such_bucket)?;
    if let Some(before) = bucket.objects.insert(key.to_owned(), object) {
        world.s3.bodies.forget(&before.body);
    }
    notify::tell(world, (name, key), change);
    Ok(())
}
