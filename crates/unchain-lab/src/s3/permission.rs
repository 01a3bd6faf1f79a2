//! What permission each operation needs (docs.aws.amazon.com/service-authorization/latest/reference/
//! list_amazons3.html).

use super::{Bucket, bucket_of, copy, no_such_bucket, policy, xml};
use crate::call::{Call, Fault};
use crate::operation::Ask;
use crate::session::Who;
use crate::world::World;

/// An action on the bucket that the call names.
pub(super) fn on_bucket(
    world: &World,
    call: &Call<'_>,
    action: &'static str,
) -> Result<Vec<Ask>, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    Ok(vec![ask((&name, bucket), call, (action, ""))])
}

/// An action on the object that the call names, whether it exists or not.
pub(super) fn on_object(
    world: &World,
    call: &Call<'_>,
    action: &'static str,
) -> Result<Vec<Ask>, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    let mut ask = ask((&name, bucket), call, (action, &key));
    if let Some(object) = bucket.objects.get(&key) {
        for (tag, value) in &object.tags {
            let name = format!("s3:ExistingObjectTag/{tag}");
            ask.context.push((name, vec![value.clone()]));
        }
    }
    Ok(vec![ask])
}

/// Policies are written with `*` or with `arn:aws:s3:::*` here, and both allow it.
pub(super) fn list_buckets(_world: &World, _call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    Ok(vec![Ask::on("s3:ListAllMyBuckets", "arn:aws:s3:::*")])
}

pub(super) fn create_bucket(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let arn = Bucket::arn(&call.text("Bucket").unwrap_or_default());
    Ok(vec![Ask::on("s3:CreateBucket", arn)])
}

pub(super) fn list_objects(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let mut asks = on_bucket(world, call, "s3:ListBucket")?;
    let keys = [
        ("s3:prefix", "Prefix"),
        ("s3:delimiter", "Delimiter"),
        ("s3:max-keys", "MaxKeys"),
    ];
    for ask in &mut asks {
        for (key, name) in keys {
            ask.context
                .extend(call.text(name).map(|value| (key.to_owned(), vec![value])));
        }
    }
    Ok(asks)
}

/// Who asks for an object that does not exist learns so only with permission to list the bucket
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, permissions).
pub(super) fn get_object(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let mut asks = on_object(world, call, "s3:GetObject")?;
    let (_, bucket) = bucket_of(world, call)?;
    let key = call.text("Key").unwrap_or_default();
    if !bucket.objects.contains_key(&key) {
        asks.extend(on_bucket(world, call, "s3:ListBucket")?);
    }
    Ok(asks)
}

pub(super) fn put_object(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let mut asks = on_object(world, call, "s3:PutObject")?;
    if call.http.header("x-amz-acl").is_some() {
        asks.extend(on_object(world, call, "s3:PutObjectAcl")?);
    }
    if call.http.header("x-amz-tagging").is_some() {
        asks.extend(on_object(world, call, "s3:PutObjectTagging")?);
    }
    Ok(asks)
}

pub(super) fn copy_object(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let mut asks = put_object(world, call)?;
    let (name, key) = copy::source(call)?;
    let bucket = world.s3.buckets.get(&name).ok_or_else(no_such_bucket)?;
    asks.push(ask((&name, bucket), call, ("s3:GetObject", &key)));
    if !bucket.objects.contains_key(&key) {
        asks.push(ask((&name, bucket), call, ("s3:ListBucket", "")));
    }
    Ok(asks)
}

/// Every key of the list must be allowed; S3 itself would delete those that are.
pub(super) fn delete_objects(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let keys = xml::parse(&call.body)?;
    Ok(keys
        .named("Object")
        .filter_map(|object| object.value("Key"))
        .map(|key| ask((&name, bucket), call, ("s3:DeleteObject", key)))
        .collect())
}

fn ask((name, bucket): (&str, &Bucket), call: &Call<'_>, (action, key): (&str, &str)) -> Ask {
    let arn = Bucket::arn(name);
    let resource = match key {
        "" => arn,
        key => format!("{arn}/{key}"),
    };
    Ask {
        action: action.to_owned(),
        resource,
        resource_account: Some(bucket.account.clone()),
        resource_policy: policy_for(bucket, call, action),
        trust: false,
        context: context(bucket, call),
    }
}

/// The bucket policy as it counts for this caller. The owner's root user is never locked out of the policy itself
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html); `RestrictPublicBuckets` takes a public
/// policy's effect from everyone outside the account.
fn policy_for(
    bucket: &Bucket,
    call: &Call<'_>,
    action: &str,
) -> Option<std::sync::Arc<unchain_policy::Policy>> {
    let document = bucket.policy.as_ref()?;
    let own = call.caller.account == bucket.account;
    let about_policy = matches!(
        action,
        "s3:PutBucketPolicy" | "s3:GetBucketPolicy" | "s3:DeleteBucketPolicy"
    );
    if own && call.caller.who == Who::Root && about_policy {
        return None;
    }
    if !own && bucket.public_access.restrict_public_buckets && policy::is_public(document) {
        return None;
    }
    Some(document.policy.clone())
}

/// Condition keys of S3 that come with the request.
fn context(bucket: &Bucket, call: &Call<'_>) -> Vec<(String, Vec<String>)> {
    let headers = [
        "x-amz-acl",
        "x-amz-server-side-encryption",
        "x-amz-storage-class",
        "x-amz-copy-source",
        "x-amz-metadata-directive",
    ];
    let presigned = call.http.query.contains("X-Amz-Signature=");
    let mut keys = vec![
        ("s3:ResourceAccount".to_owned(), bucket.account.clone()),
        (
            "s3:authType".to_owned(),
            match presigned {
                true => "REST-QUERY-STRING".to_owned(),
                false => "REST-HEADER".to_owned(),
            },
        ),
        (
            "s3:signatureversion".to_owned(),
            "AWS4-HMAC-SHA256".to_owned(),
        ),
    ];
    keys.extend(headers.iter().filter_map(|name| {
        let value = call.http.header(name)?;
        Some((format!("s3:{name}"), value.to_owned()))
    }));
    keys.into_iter()
        .map(|(name, value)| (name, vec![value]))
        .collect()
}
