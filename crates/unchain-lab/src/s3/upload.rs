//! Objects that come in whole.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::notify::Change;
use super::object::place;
use super::{
    Object, bucket_of, condition, fault, hexadecimal, invalid_argument, no_such_bucket,
    trouble_with_files,
};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::http::{Request, form};
use crate::world::World;

/// The most bytes of a request's own metadata (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
const LARGEST_METADATA: usize = 2048;

pub(super) fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    condition::of_write(call.http, bucket.objects.get(&key))?;
    let described = describe(call)?;
    let checksums = checksums(call.http, &call.body)?;
    let body = world
        .s3
        .bodies
        .keep(call.body.clone())
        .map_err(|error| trouble_with_files(&error))?;
    let object = Object {
        body,
        size: size(&call.body),
        etag: hexadecimal(&Md5::digest(&call.body)),
        modified_at: world.now,
        checksums,
        ..described
    };
    let reply = stored(&object);
    let change = Change::by_call(call, "ObjectCreated:Put");
    place(world, (&name, &key), object, &change)?;
    Ok(reply)
}

/// What a reply says of an object that was just stored.
pub(super) fn stored(object: &Object) -> Reply {
    let mut headers = vec![
        ("etag".to_owned(), format!("\"{}\"", object.etag)),
        (
            "x-amz-server-side-encryption".to_owned(),
            "AES256".to_owned(),
        ),
    ];
    headers.extend(object.checksums.clone());
    Reply {
        headers,
        recorded: Recorded {
            response: Some(serde_json::json!({ "x-amz-server-side-encryption": "AES256" })),
            ..Recorded::default()
        },
        ..Reply::default()
    }
}

/// Puts an object as an AWS service does: no permission is asked, no call is recorded; notifications go out. `headers`
/// are kept with the object: `content-type`, `x-amz-meta-…`. `service` is such as `cloudtrail.amazonaws.com`.
///
/// # Errors
///
/// `NoSuchBucket`; `InternalError` when the bytes cannot be kept.
pub fn put_internal(
    world: &mut World,
    (bucket, key): (&str, &str),
    body: Vec<u8>,
    (service, headers): (&str, BTreeMap<String, String>),
) -> Result<(), Fault> {
    if !super::bucket_exists(world, bucket) {
        return Err(no_such_bucket());
    }
    let (size, etag) = (size(&body), hexadecimal(&Md5::digest(&body)));
    let body = world
        .s3
        .bodies
        .keep(body)
        .map_err(|error| trouble_with_files(&error))?;
    let object = Object {
        body,
        size,
        etag,
        modified_at: world.now,
        headers,
        ..Object::default()
    };
    let change = Change::by_service(service, &world.ids.guid());
    place(world, (bucket, key), object, &change)
}

fn size(body: &[u8]) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

/// Headers and tags that an uploading request gives its object.
pub(super) fn describe(call: &Call<'_>) -> Result<Object, Fault> {
    let kept = kept_headers(call.http);
    let metadata: usize = kept
        .iter()
        .filter(|(name, _)| name.starts_with("x-amz-meta-"))
        .map(|(name, value)| name.len().saturating_add(value.len()))
        .sum();
    if metadata > LARGEST_METADATA {
        return Err(fault(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    if call.text("Key").is_some_and(|key| key.len() > 1024) {
        return Err(fault(400, "KeyTooLongError", "Your key is too long"));
    }
    let tags: BTreeMap<String, String> =
        form(call.http.header("x-amz-tagging").unwrap_or_default())
            .into_iter()
            .collect();
    if tags.len() > 10 {
        return Err(invalid_argument("Object tags cannot be greater than 10"));
    }
    Ok(Object {
        headers: kept,
        tags,
        ..Object::default()
    })
}

fn kept_headers(request: &Request) -> BTreeMap<String, String> {
    const KEPT: &[&str] = &[
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
    ];
    let mut headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with("x-amz-meta-"))
        .cloned()
        .collect();
    if let Some(encodings) = headers.remove("content-encoding") {
        let own: Vec<&str> = encodings
            .split(',')
            .map(str::trim)
            .filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked")
            .collect();
        if !own.is_empty() {
            headers.insert("content-encoding".to_owned(), own.join(", "));
        }
    }
    headers
        .entry("content-type".to_owned())
        .or_insert_with(|| "binary/octet-stream".to_owned());
    headers
}

/// The checksums of an upload. `Content-MD5`, CRC-32 and SHA-256 are compared with the body; those of other
/// algorithms are kept as given. A CRC-32 promised in the trailer is computed.
pub(super) fn checksums(request: &Request, body: &[u8]) -> Result<BTreeMap<String, String>, Fault> {
    if request
        .header("content-md5")
        .is_some_and(|given| given != STANDARD.encode(Md5::digest(body)))
    {
        return Err(fault(
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    let mut kept = BTreeMap::new();
    for (name, given) in &request.headers {
        let Some(algorithm) = name.strip_prefix("x-amz-checksum-") else {
            continue;
        };
        if matches!(algorithm, "type" | "mode" | "algorithm") {
            continue;
        }
        if computed(algorithm, body).is_some_and(|computed| computed != *given) {
            let message = format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.to_uppercase()
            );
            return Err(fault(400, "BadDigest", &message));
        }
        kept.insert(name.clone(), given.clone());
    }
    if let Some(name) = request.header("x-amz-trailer")
        && let Some(algorithm) = name.strip_prefix("x-amz-checksum-")
        && let Some(computed) = computed(algorithm, body)
    {
        kept.insert(name.to_owned(), computed);
    }
    Ok(kept)
}

fn computed(algorithm: &str, body: &[u8]) -> Option<String> {
    match algorithm {
        "sha256" => Some(STANDARD.encode(Sha256::digest(body))),
        "crc32" => {
            let mut crc = flate2::Crc::new();
            crc.update(body);
            Some(STANDARD.encode(crc.sum().to_be_bytes()))
        }
        _ => None,
    }
}
