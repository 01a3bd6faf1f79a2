//! Copies within S3.

use std::ops::Range;

use md5::{Digest, Md5};

use super::multipart::{self, Part};
use super::notify::Change;
use super::object::place;
use super::upload::describe;
use super::xml::Node;
use super::{
    Object, bucket_of, document, fault, hexadecimal, invalid_argument, no_such_bucket, no_such_key,
    trouble_with_files, written,
};
use crate::call::{Call, Fault, Reply};
use crate::http::{Request, decode};
use crate::world::World;

/// Bucket and key that `x-amz-copy-source` names: `/bucket/key`, percent-encoded.
pub(super) fn source(call: &Call<'_>) -> Result<(String, String), Fault> {
    let given = call.http.header("x-amz-copy-source").unwrap_or_default();
    let given = given.split("?versionId=").next().unwrap_or_default();
    let path = decode(given);
    path.strip_prefix('/')
        .unwrap_or(&path)
        .split_once('/')
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))
        .ok_or_else(|| {
            invalid_argument(
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            )
        })
}

fn original(world: &World, call: &Call<'_>) -> Result<Object, Fault> {
    let (name, key) = source(call)?;
    let bucket = world.s3.buckets.get(&name).ok_or_else(no_such_bucket)?;
    let object = bucket.objects.get(&key).ok_or_else(no_such_key)?;
    let tag = |header: &str| {
        let tag = call.http.header(header)?;
        Some(tag.trim_matches('"') == object.etag)
    };
    let refused = tag("x-amz-copy-source-if-match") == Some(false)
        || tag("x-amz-copy-source-if-none-match") == Some(true);
    match refused {
        true => Err(fault(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        )),
        false => Ok(object.clone()),
    }
}

pub(super) fn copy(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, _) = bucket_of(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    let original = original(world, call)?;
    let replaces = call.http.header("x-amz-metadata-directive") == Some("REPLACE");
    if !replaces && source(call)? == (name.clone(), key.clone()) {
        return Err(fault(
            400,
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let described = match replaces {
        true => describe(call)?,
        false => original.clone(),
    };
    let body = world
        .s3
        .bodies
        .join(&[original.body])
        .map_err(|error| trouble_with_files(&error))?;
    let object = Object {
        body,
        size: original.size,
        etag: original.etag,
        modified_at: world.now,
        checksums: original.checksums,
        ..described
    };
    let answer = Node::new("CopyObjectResult")
        .text("ETag", format!("\"{}\"", object.etag))
        .text("LastModified", written(world.now));
    let change = Change::by_call(call, "ObjectCreated:Copy");
    place(world, (&name, &key), object, &change)?;
    Ok(document(&answer))
}

/// `UploadPartCopy`.
pub(super) fn part(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let original = original(world, call)?;
    let range = range(call.http, original.size)?;
    let bytes = world
        .s3
        .bodies
        .read(&original.body, range)
        .map_err(|error| trouble_with_files(&error))?;
    let etag = hexadecimal(&Md5::digest(&bytes));
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let body = world
        .s3
        .bodies
        .keep(bytes)
        .map_err(|error| trouble_with_files(&error))?;
    let part = Part {
        body,
        size,
        etag: etag.clone(),
        uploaded_at: world.now,
    };
    multipart::add(world, call, part)?;
    let answer = Node::new("CopyPartResult")
        .text("ETag", format!("\"{etag}\""))
        .text("LastModified", written(world.now));
    Ok(document(&answer))
}

fn range(request: &Request, size: u64) -> Result<Option<Range<u64>>, Fault> {
    let Some(asked) = request.header("x-amz-copy-source-range") else {
        return Ok(None);
    };
    asked
        .strip_prefix("bytes=")
        .and_then(|asked| asked.split_once('-'))
        .and_then(|(first, last)| {
            Some(first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?)
        })
        .filter(|range: &Range<u64>| range.start < range.end && range.end <= size)
        .map(Some)
        .ok_or_else(|| invalid_argument("The x-amz-copy-source-range value is not valid"))
}
