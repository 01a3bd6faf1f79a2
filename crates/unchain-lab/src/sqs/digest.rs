//! The digests by which SDKs check that a message arrived whole
//! (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html, calculating the MD5
//! message digest for message attributes).

use std::collections::BTreeMap;
use std::fmt::Write;

use md5::{Digest, Md5};

use super::message::Attribute;

/// MD5 of a body, hexadecimal.
pub(super) fn of_body(body: &str) -> String {
    hexadecimal(Md5::digest(body.as_bytes()).as_slice())
}

/// MD5 of the attributes, in the order of their names; none where there are no attributes.
pub(super) fn of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        part(&mut digest, name.as_bytes());
        part(&mut digest, attribute.data_type.as_bytes());
        digest.update([if attribute.is_binary() { 2 } else { 1 }]);
        part(&mut digest, &attribute.bytes());
    }
    Some(hexadecimal(digest.finalize().as_slice()))
}

fn part(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
