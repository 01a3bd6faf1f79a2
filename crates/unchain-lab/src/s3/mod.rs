//! Simple Storage Service: buckets, objects, multipart uploads, bucket policies and notifications, as far as a log
//! archive, a state backend and an exfiltration need them.
//!
//! One version of each object is kept, whatever the bucket's versioning says. A bucket answers in any region; its own
//! is where `CreateBucket` put it. Ask for bytes through [`Bodies`] only: they may be in files.

mod bodies;
mod bucket;
mod condition;
mod copy;
mod list;
mod multipart;
mod notify;
mod object;
mod permission;
mod policy;
mod record;
pub mod route;
mod setting;
mod upload;
mod xml;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unchain_core::time::Timestamp;

use crate::call::{Call, Fault, Reply};
use crate::iam::Document;
use crate::operation::{Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

pub use bodies::{Bodies, Body};
pub use multipart::Upload;
pub use notify::Notification;
pub use object::Object;
pub use policy::PublicAccessBlock;
pub use record::{event_name, recorded};
pub(crate) use route::bucket_of_host;
pub use upload::put_internal;

/// All buckets; their names are unique in the world (docs.aws.amazon.com/AmazonS3/latest/userguide/
/// bucketnamingrules.html).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// The objects' bytes.
    pub bodies: Bodies,
}

/// One bucket.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// The owner's account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Objects by key.
    pub objects: BTreeMap<String, Object>,
    /// Multipart uploads that are not complete, by upload id.
    pub uploads: BTreeMap<String, Upload>,
    /// The bucket policy.
    pub policy: Option<Document>,
    /// `Enabled` or `Suspended`; none: never set.
    pub versioning: Option<String>,
    /// Block Public Access.
    pub public_access: PublicAccessBlock,
    /// The encryption configuration as given; none: the default, SSE-S3.
    pub encryption: Option<String>,
    /// The notification configuration as given.
    pub notification: Option<String>,
    /// What follows from it.
    pub notifications: Vec<Notification>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Bucket {
    /// The bucket's ARN.
    pub fn arn(name: &str) -> String {
        format!("arn:aws:s3:::{name}")
    }
}

/// Whether there is a bucket of this name.
pub fn bucket_exists(world: &World, name: &str) -> bool {
    world.s3.buckets.contains_key(name)
}

/// The canonical user id that S3 shows as an account's owner id
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/finding-canonical-user-id.html): here a hash of the account number.
pub fn canonical_id(account: &str) -> String {
    hexadecimal(&Sha256::digest(account.as_bytes()))
}

/// An error of S3. CloudTrail keeps the request's parameters of a failed S3 call.
pub(crate) fn fault(status: u16, code: &str, message: &str) -> Fault {
    Fault {
        keep_request: true,
        ..Fault::api(status, code, message)
    }
}

fn bucket_of<'a>(world: &'a World, call: &Call<'_>) -> Result<(String, &'a Bucket), Fault> {
    let name = call.text("Bucket").unwrap_or_default();
    match world.s3.buckets.get(&name) {
        Some(bucket) => Ok((name, bucket)),
        None => Err(no_such_bucket()),
    }
}

fn bucket_to_change<'a>(
    world: &'a mut World,
    call: &Call<'_>,
) -> Result<(String, &'a mut Bucket), Fault> {
    let name = call.text("Bucket").unwrap_or_default();
    match world.s3.buckets.get_mut(&name) {
        Some(bucket) => Ok((name, bucket)),
        None => Err(no_such_bucket()),
    }
}

fn no_such_bucket() -> Fault {
    fault(404, "NoSuchBucket", "The specified bucket does not exist")
}

fn no_such_key() -> Fault {
    fault(404, "NoSuchKey", "The specified key does not exist.")
}

fn invalid_argument(message: &str) -> Fault {
    fault(400, "InvalidArgument", message)
}

fn trouble_with_files(error: &std::io::Error) -> Fault {
    let message = format!("We encountered an internal error. Please try again. ({error})");
    fault(500, "InternalError", &message)
}

fn document(node: &xml::Node) -> Reply {
    Reply {
        headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
        body: Some(node.document()),
        ..Reply::default()
    }
}

fn no_content() -> Reply {
    Reply {
        status: Some(204),
        ..Reply::default()
    }
}

/// An instant in S3's documents: to the millisecond.
fn written(seconds: i64) -> String {
    Timestamp::from_seconds(seconds)
        .to_string()
        .replace('Z', ".000Z")
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reading or writing, and what CloudTrail calls the event
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html).
#[derive(Clone, Copy)]
enum Kind {
    Reads,
    Writes,
    ReadsData,
    WritesData,
}

impl Kind {
    const fn read_only(self) -> bool {
        matches!(self, Self::Reads | Self::ReadsData)
    }

    const fn event(self) -> Event {
        match self {
            Self::Reads | Self::Writes => Event::Management,
            Self::ReadsData | Self::WritesData => Event::Data,
        }
    }
}

macro_rules! row {
    ($name:literal, $kind:ident, $asks:expr, $run:path) => {
        Operation {
            service: Service::S3,
            name: $name,
            read_only: Kind::$kind.read_only(),
            event: Kind::$kind.event(),
            permission: Permission::Asks($asks),
            run: |world, call| {
                let reply = $run(world, call)?;
                Ok(record::finished(world, call, reply))
            },
        }
    };
}

macro_rules! on_bucket {
    ($action:literal) => {
        |world, call| permission::on_bucket(world, call, $action)
    };
}

macro_rules! on_object {
    ($action:literal) => {
        |world, call| permission::on_object(world, call, $action)
    };
}

/// Its operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("ListBuckets", Reads, permission::list_buckets, bucket::list),
    row!("CreateBucket", Writes, permission::create_bucket, bucket::create),
    row!("HeadBucket", ReadsData, on_bucket!("s3:ListBucket"), bucket::head),
    row!("DeleteBucket", Writes, on_bucket!("s3:DeleteBucket"), bucket::delete),
    row!("GetBucketLocation", Reads, on_bucket!("s3:GetBucketLocation"), bucket::location),
    row!("GetBucketAcl", Reads, on_bucket!("s3:GetBucketAcl"), bucket::acl),
    row!("ListObjects", ReadsData, permission::list_objects, list::objects),
    row!("ListObjectsV2", ReadsData, permission::list_objects, list::objects_v2),
    row!("GetBucketVersioning", Reads, on_bucket!("s3:GetBucketVersioning"), setting::get_versioning),
    row!("PutBucketVersioning", Writes, on_bucket!("s3:PutBucketVersioning"), setting::put_versioning),
    row!("GetBucketEncryption", Reads, on_bucket!("s3:GetEncryptionConfiguration"), setting::get_encryption),
    row!("PutBucketEncryption", Writes, on_bucket!("s3:PutEncryptionConfiguration"), setting::put_encryption),
    row!("GetBucketTagging", Reads, on_bucket!("s3:GetBucketTagging"), setting::get_tagging),
    row!("PutBucketTagging", Writes, on_bucket!("s3:PutBucketTagging"), setting::put_tagging),
    row!("DeleteBucketTagging", Writes, on_bucket!("s3:PutBucketTagging"), setting::delete_tagging),
    row!("GetBucketPolicy", Reads, on_bucket!("s3:GetBucketPolicy"), policy::get),
    row!("PutBucketPolicy", Writes, on_bucket!("s3:PutBucketPolicy"), policy::put),
    row!("DeleteBucketPolicy", Writes, on_bucket!("s3:DeleteBucketPolicy"), policy::delete),
    row!("GetBucketPolicyStatus", Reads, on_bucket!("s3:GetBucketPolicyStatus"), policy::status),
    row!("GetPublicAccessBlock", Reads, on_bucket!("s3:GetBucketPublicAccessBlock"), policy::get_block),
    row!("PutPublicAccessBlock", Writes, on_bucket!("s3:PutBucketPublicAccessBlock"), policy::put_block),
    row!("DeletePublicAccessBlock", Writes, on_bucket!("s3:PutBucketPublicAccessBlock"), policy::delete_block),
    row!("GetBucketNotificationConfiguration", Reads, on_bucket!("s3:GetBucketNotification"), notify::get),
    row!("PutBucketNotificationConfiguration", Writes, on_bucket!("s3:PutBucketNotification"), notify::put),
    row!("GetObject", ReadsData, permission::get_object, object::get),
    row!("HeadObject", ReadsData, permission::get_object, object::head),
    row!("PutObject", WritesData, permission::put_object, upload::put),
    row!("CopyObject", WritesData, permission::copy_object, copy::copy),
    row!("DeleteObject", WritesData, on_object!("s3:DeleteObject"), object::delete),
    row!("DeleteObjects", WritesData, permission::delete_objects, object::delete_many),
    row!("GetObjectTagging", ReadsData, on_object!("s3:GetObjectTagging"), object::get_tagging),
    row!("PutObjectTagging", WritesData, on_object!("s3:PutObjectTagging"), object::put_tagging),
    row!("DeleteObjectTagging", WritesData, on_object!("s3:DeleteObjectTagging"), object::delete_tagging),
    row!("CreateMultipartUpload", WritesData, permission::put_object, multipart::create),
    row!("UploadPart", WritesData, on_object!("s3:PutObject"), multipart::part),
    row!("UploadPartCopy", WritesData, permission::copy_object, copy::part),
    row!("CompleteMultipartUpload", WritesData, on_object!("s3:PutObject"), multipart::complete),
    row!("AbortMultipartUpload", WritesData, on_object!("s3:AbortMultipartUpload"), multipart::abort),
    row!("ListParts", ReadsData, on_object!("s3:ListMultipartUploadParts"), multipart::parts),
    row!("ListMultipartUploads", ReadsData, on_bucket!("s3:ListBucketMultipartUploads"), multipart::uploads),
];
