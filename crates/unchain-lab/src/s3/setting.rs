//! Versioning, encryption and tags of a bucket.

use std::collections::BTreeMap;

use super::xml::{Node, malformed, parse};
use super::{bucket_of, bucket_to_change, document, fault, invalid_argument, no_content};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

pub(super) fn get_versioning(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    let answer = Node::new("VersioningConfiguration").maybe("Status", bucket.versioning.as_ref());
    Ok(document(&answer))
}

pub(super) fn put_versioning(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = parse(&call.body)?;
    let status = asked
        .value("Status")
        .filter(|status| matches!(*status, "Enabled" | "Suspended"))
        .ok_or_else(malformed)?;
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.versioning = Some(status.to_owned());
    Ok(Reply::default())
}

/// Every bucket is encrypted with SSE-S3 unless told otherwise
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html).
pub(super) fn get_encryption(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    if let Some(given) = &bucket.encryption {
        return Ok(document(&parse(given.as_bytes())?));
    }
    let rule = Node::new("Rule")
        .with(Node::new("ApplyServerSideEncryptionByDefault").text("SSEAlgorithm", "AES256"))
        .text("BucketKeyEnabled", false);
    let answer = Node::new("ServerSideEncryptionConfiguration").with(rule);
    Ok(document(&answer))
}

pub(super) fn put_encryption(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = parse(&call.body)?;
    let algorithm = asked
        .child("Rule")
        .and_then(|rule| rule.child("ApplyServerSideEncryptionByDefault"))
        .and_then(|default| default.value("SSEAlgorithm"));
    if !matches!(algorithm, Some("AES256" | "aws:kms" | "aws:kms:dsse")) {
        return Err(malformed());
    }
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.encryption = String::from_utf8(asked.document()).ok();
    Ok(Reply::default())
}

pub(super) fn get_tagging(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    if bucket.tags.is_empty() {
        return Err(fault(404, "NoSuchTagSet", "The TagSet does not exist"));
    }
    Ok(document(&tagging(&bucket.tags)))
}

pub(super) fn put_tagging(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let tags = read_tags(&call.body)?;
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.tags = tags;
    Ok(no_content())
}

pub(super) fn delete_tagging(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.tags.clear();
    Ok(no_content())
}

/// Tags as a document.
pub(super) fn tagging(tags: &BTreeMap<String, String>) -> Node {
    let set = tags
        .iter()
        .map(|(key, value)| Node::new("Tag").text("Key", key).text("Value", value));
    Node::new("Tagging").with(Node::new("TagSet").all(set))
}

/// Tags out of a document.
pub(super) fn read_tags(body: &[u8]) -> Result<BTreeMap<String, String>, Fault> {
    let asked = parse(body)?;
    let set = asked.child("TagSet").ok_or_else(malformed)?;
    let tags = set.named("Tag").map(|tag| {
        let key = tag.value("Key").filter(|key| !key.is_empty())?;
        Some((key.to_owned(), tag.value("Value")?.to_owned()))
    });
    let tags: Option<BTreeMap<_, _>> = tags.collect();
    let tags = tags.ok_or_else(malformed)?;
    match tags.len() {
        0..=50 => Ok(tags),
        _ => Err(invalid_argument("The tag set holds more than 50 tags")),
    }
}
