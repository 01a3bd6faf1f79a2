//! Buckets themselves.

use std::net::Ipv4Addr;

use super::policy::PublicAccessBlock;
use super::xml::Node;
use super::{
    Bucket, bucket_of, canonical_id, document, fault, no_content, no_such_bucket, written, xml,
};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let own = world
        .s3
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.account == call.caller.account);
    let buckets = Node::new("Buckets").all(own.map(|(name, bucket)| {
        Node::new("Bucket")
            .text("Name", name)
            .text("CreationDate", written(bucket.created_at))
            .text("BucketRegion", &bucket.region)
    }));
    let answer = Node::new("ListAllMyBucketsResult")
        .with(owner(&call.caller.account))
        .with(buckets);
    Ok(document(&answer))
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.text("Bucket").unwrap_or_default();
    if !is_valid(&name) {
        return Err(fault(
            400,
            "InvalidBucketName",
            "The specified bucket is not valid.",
        ));
    }
    let region = region(call)?;
    let reply = Reply {
        headers: vec![("location".to_owned(), format!("/{name}"))],
        ..Reply::default()
    };
    if let Some(bucket) = world.s3.buckets.get(&name) {
        return taken(bucket, call).map(|()| reply);
    }
    let bucket = Bucket {
        account: call.caller.account.clone(),
        region,
        created_at: world.now,
        public_access: PublicAccessBlock::all(),
        ..Bucket::default()
    };
    world.s3.buckets.insert(name, bucket);
    Ok(reply)
}

/// In us-east-1 an owner may create again what exists
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, errors).
fn taken(bucket: &Bucket, call: &Call<'_>) -> Result<(), Fault> {
    if bucket.account != call.caller.account {
        return Err(fault(
            409,
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
             Please select a different name and try again.",
        ));
    }
    if call.region == "us-east-1" && bucket.region == "us-east-1" {
        return Ok(());
    }
    Err(fault(
        409,
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    ))
}

fn region(call: &Call<'_>) -> Result<String, Fault> {
    let asked = match call.body.is_empty() {
        true => None,
        false => xml::parse(&call.body)?
            .value("LocationConstraint")
            .map(str::to_owned),
    };
    match asked.as_deref() {
        None | Some("") if call.region == "us-east-1" => Ok("us-east-1".to_owned()),
        None | Some("") => Err(fault(
            400,
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint this request was \
             sent to.",
        )),
        Some("EU") => Ok("eu-west-1".to_owned()),
        Some(region) => Ok(region.to_owned()),
    }
}

/// docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
fn is_valid(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| letters(byte) || byte == b'-' || byte == b'.')
        && name.bytes().next().is_some_and(letters)
        && name.bytes().last().is_some_and(letters)
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
}

pub(super) fn head(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    Ok(Reply {
        headers: vec![("x-amz-bucket-region".to_owned(), bucket.region.clone())],
        ..Reply::default()
    })
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    if !bucket.objects.is_empty() {
        return Err(fault(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty",
        ));
    }
    let bucket = world.s3.buckets.remove(&name).ok_or_else(no_such_bucket)?;
    for part in bucket
        .uploads
        .values()
        .flat_map(|upload| upload.parts.values())
    {
        world.s3.bodies.forget(&part.body);
    }
    Ok(no_content())
}

pub(super) fn location(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    let region = match bucket.region.as_str() {
        "us-east-1" => "",
        region => region,
    };
    Ok(document(&Node::leaf("LocationConstraint", region)))
}

pub(super) fn acl(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    let grantee = Node::new("Grantee").text("ID", canonical_id(&bucket.account));
    let grant = Node::new("Grant")
        .with(grantee.typed("CanonicalUser"))
        .text("Permission", "FULL_CONTROL");
    let answer = Node::new("AccessControlPolicy")
        .with(owner(&bucket.account))
        .with(Node::new("AccessControlList").with(grant));
    Ok(document(&answer))
}

pub(super) fn owner(account: &str) -> Node {
    Node::new("Owner").text("ID", canonical_id(account))
}
