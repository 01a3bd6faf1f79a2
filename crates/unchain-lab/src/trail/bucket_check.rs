//! A bucket's policy must let CloudTrail look at it and write below the trail's prefix
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html): asked when a trail
//! is made, and again for every file.

use super::place;
use super::trails::{Place, Trail};
use crate::call::Fault;
use crate::grant;
use crate::world::World;

/// Checks that the bucket is there and open to CloudTrail.
///
/// # Errors
///
/// `S3BucketDoesNotExistException`, `InsufficientS3BucketPolicyException`.
pub(super) fn check(world: &World, trail: &Trail) -> Result<(), Fault> {
    let Place::Bucket { name, .. } = &trail.place else {
        return Ok(());
    };
    if !world.s3.buckets.contains_key(name) {
        let message = format!("S3 bucket {name} does not exist!");
        return Err(Fault::api(400, "S3BucketDoesNotExistException", message));
    }
    let key = format!("{}AWSLogs/{}/CloudTrail/", trail.prefix(), trail.account);
    let arn = format!("arn:aws:s3:::{name}");
    if may(world, trail, (name, "s3:GetBucketAcl", &arn)) && may_write(world, trail, (name, &key)) {
        return Ok(());
    }
    let message = format!("Incorrect S3 bucket policy is detected for bucket: {name}");
    Err(Fault::api(
        400,
        "InsufficientS3BucketPolicyException",
        message,
    ))
}

/// Whether a file may be put.
pub(super) fn may_write(world: &World, trail: &Trail, (bucket, key): (&str, &str)) -> bool {
    let object = format!("arn:aws:s3:::{bucket}/{key}");
    may(world, trail, (bucket, "s3:PutObject", &object))
}

fn may(world: &World, trail: &Trail, (bucket, action, resource): (&str, &str, &str)) -> bool {
    let bucket = world.s3.buckets.get(bucket);
    let policy = bucket.and_then(|bucket| bucket.policy.as_ref());
    let acl = [("s3:x-amz-acl", "bucket-owner-full-control")];
    policy.is_some_and(|policy| {
        grant::allows(policy, &place::sender(trail), (action, resource), &acl)
    })
}
