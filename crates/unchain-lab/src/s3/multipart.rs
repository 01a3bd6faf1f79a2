//! Uploads in parts (docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::bodies::Body;
use super::bucket::owner;
use super::notify::Change;
use super::object::place;
use super::upload::{checksums, describe, stored};
use super::xml::{Node, malformed, parse};
use super::{
    Object, bucket_of, bucket_to_change, condition, document, fault, hexadecimal, invalid_argument,
    no_content, trouble_with_files, written,
};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// The smallest part but the last, bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// An upload that is not complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    /// The key it is for.
    pub key: String,
    /// When it began, virtual seconds since 1970.
    pub began_at: i64,
    /// Headers and tags the object will have; it has no bytes yet.
    pub described: Object,
    /// Parts by number.
    pub parts: BTreeMap<u16, Part>,
}

/// One part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// Where its bytes are.
    pub body: Body,
    /// Bytes.
    pub size: u64,
    /// MD5, hexadecimal.
    pub etag: String,
    /// Virtual seconds since 1970.
    pub uploaded_at: i64,
}

fn no_such_upload() -> Fault {
    fault(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed.",
    )
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let described = describe(call)?;
    let (id, now) = (world.ids.text(64).replace(['+', '/'], "_"), world.now);
    let (name, bucket) = bucket_to_change(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    let answer = Node::new("InitiateMultipartUploadResult")
        .text("Bucket", name)
        .text("Key", &key)
        .text("UploadId", &id);
    let upload = Upload {
        key,
        began_at: now,
        described,
        parts: BTreeMap::new(),
    };
    bucket.uploads.insert(id, upload);
    Ok(document(&answer))
}

pub(super) fn part(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let checksums = checksums(call.http, &call.body)?;
    let body = world
        .s3
        .bodies
        .keep(call.body.clone())
        .map_err(|error| trouble_with_files(&error))?;
    let etag = hexadecimal(&Md5::digest(&call.body));
    let part = Part {
        body,
        size: u64::try_from(call.body.len()).unwrap_or(u64::MAX),
        etag: etag.clone(),
        uploaded_at: world.now,
    };
    add(world, call, part)?;
    let mut headers = vec![("etag".to_owned(), format!("\"{etag}\""))];
    headers.extend(checksums);
    Ok(Reply {
        headers,
        ..Reply::default()
    })
}

/// Adds a part to the upload that the call names, in place of an earlier one of its number.
pub(super) fn add(world: &mut World, call: &Call<'_>, part: Part) -> Result<(), Fault> {
    let number = call
        .text("PartNumber")
        .and_then(|text| text.parse::<u16>().ok())
        .filter(|number| (1..=10_000).contains(number));
    let added = match number {
        None => Err(invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive",
        )),
        Some(number) => upload_to_change(world, call).map(|upload| (upload, number)),
    };
    let before = match added {
        Ok((upload, number)) => upload.parts.insert(number, part),
        Err(fault) => {
            world.s3.bodies.forget(&part.body);
            return Err(fault);
        }
    };
    if let Some(before) = before {
        world.s3.bodies.forget(&before.body);
    }
    Ok(())
}

fn upload_to_change<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Upload, Fault> {
    let (_, bucket) = bucket_to_change(world, call)?;
    let (id, key) = (call.text("UploadId"), call.text("Key"));
    let upload = id.and_then(|id| bucket.uploads.get_mut(&id));
    upload
        .filter(|upload| Some(&upload.key) == key.as_ref())
        .ok_or_else(no_such_upload)
}

pub(super) fn complete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    condition::of_write(call.http, bucket.objects.get(&key))?;
    let chosen = chosen(&upload_to_change(world, call)?.parts, &call.body)?;
    let (size, etag) = (
        chosen.iter().map(|part| part.size).sum(),
        joint_etag(&chosen),
    );
    let bodies: Vec<Body> = chosen.into_iter().map(|part| part.body).collect();
    let body = world
        .s3
        .bodies
        .join(&bodies)
        .map_err(|error| trouble_with_files(&error))?;
    let upload = take(world, call)?;
    let object = Object {
        body,
        size,
        etag,
        modified_at: world.now,
        ..upload.described
    };
    let host = call.http.header("host").unwrap_or_default();
    let answer = Node::new("CompleteMultipartUploadResult")
        .text("Location", format!("http://{host}/{name}/{key}"))
        .text("Bucket", &name)
        .text("Key", &key)
        .text("ETag", format!("\"{}\"", object.etag));
    let told = stored(&object);
    let change = Change::by_call(call, "ObjectCreated:CompleteMultipartUpload");
    place(world, (&name, &key), object, &change)?;
    Ok(Reply {
        recorded: told.recorded,
        ..document(&answer)
    })
}

/// The parts that the request lists, which must be there, in order, and not too small.
fn chosen(parts: &BTreeMap<u16, Part>, body: &[u8]) -> Result<Vec<Part>, Fault> {
    let asked = parse(body)?;
    let (mut chosen, mut last) = (Vec::new(), 0);
    for listed in asked.named("Part") {
        let number: u16 = listed
            .value("PartNumber")
            .and_then(|text| text.parse().ok())
            .ok_or_else(malformed)?;
        if number <= last {
            return Err(fault(
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        last = number;
        let etag = listed.value("ETag").unwrap_or_default().trim_matches('"');
        let part = parts.get(&number).filter(|part| part.etag == etag);
        chosen.push(part.cloned().ok_or_else(invalid_part)?);
    }
    let all_but_last = chosen.len().saturating_sub(1);
    if chosen.is_empty() {
        return Err(malformed());
    }
    match chosen
        .iter()
        .take(all_but_last)
        .any(|part| part.size < SMALLEST_PART)
    {
        true => Err(fault(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        )),
        false => Ok(chosen),
    }
}

fn invalid_part() -> Fault {
    fault(
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
         entity tag may not match the part's entity tag.",
    )
}

/// MD5 of the parts' MD5s, and how many there are.
fn joint_etag(parts: &[Part]) -> String {
    let mut joint = Md5::new();
    for part in parts {
        let pairs = part.etag.as_bytes().chunks(2);
        let bytes: Vec<u8> = pairs
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        joint.update(&bytes);
    }
    format!("{}-{}", hexadecimal(&joint.finalize()), parts.len())
}

/// Takes the upload away and drops its parts' bytes.
fn take(world: &mut World, call: &Call<'_>) -> Result<Upload, Fault> {
    upload_to_change(world, call)?;
    let (_, bucket) = bucket_to_change(world, call)?;
    let id = call.text("UploadId").unwrap_or_default();
    let upload = bucket.uploads.remove(&id).ok_or_else(no_such_upload)?;
    for part in upload.parts.values() {
        world.s3.bodies.forget(&part.body);
    }
    Ok(upload)
}

pub(super) fn abort(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    take(world, call).map(|_| no_content())
}

pub(super) fn parts(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_to_change(world, call)?;
    let account = bucket.account.clone();
    let id = call.text("UploadId").unwrap_or_default();
    let upload = upload_to_change(world, call)?;
    let number = |param: &str| call.text(param).and_then(|text| text.parse::<u16>().ok());
    let most = usize::from(number("MaxParts").unwrap_or(1000).min(1000));
    let after = number("PartNumberMarker").unwrap_or(0);
    let mut rest = upload.parts.range(after.saturating_add(1)..);
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let answer = Node::new("ListPartsResult")
        .text("Bucket", name)
        .text("Key", &upload.key)
        .text("UploadId", id)
        .with(owner(&account))
        .text("PartNumberMarker", after)
        .maybe(
            "NextPartNumberMarker",
            page.last().map(|(number, _)| *number),
        )
        .text("MaxParts", most)
        .text("IsTruncated", rest.next().is_some());
    Ok(document(&answer.all(page.into_iter().map(
        |(number, part)| {
            Node::new("Part")
                .text("PartNumber", number)
                .text("LastModified", written(part.uploaded_at))
                .text("ETag", format!("\"{}\"", part.etag))
                .text("Size", part.size)
        },
    ))))
}

/// One page with all uploads: the lab has never so many that a second is needed.
pub(super) fn uploads(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let prefix = call.text("Prefix").unwrap_or_default();
    let mut listed: Vec<_> = bucket
        .uploads
        .iter()
        .filter(|(_, upload)| upload.key.starts_with(&prefix))
        .collect();
    listed.sort_by_key(|(id, upload)| (&upload.key, upload.began_at, *id));
    let answer = Node::new("ListMultipartUploadsResult")
        .text("Bucket", name)
        .text("Prefix", &prefix)
        .text("MaxUploads", listed.len().max(1000))
        .text("IsTruncated", false);
    Ok(document(&answer.all(listed.into_iter().map(
        |(id, upload)| {
            Node::new("Upload")
                .text("Key", &upload.key)
                .text("UploadId", id)
                .with(owner(&bucket.account))
                .text("Initiated", written(upload.began_at))
        },
    ))))
}
