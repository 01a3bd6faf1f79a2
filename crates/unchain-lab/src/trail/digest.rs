//! Digest files: each hour and region says which log files there were, and signs it together with the digest before
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use unchain_core::time::Timestamp;

use super::deliver::{Stamp, packed};
use super::trails::Trail;
use super::{hex, place};
use crate::world::World;

/// Seconds that a digest is about.
pub(super) const HOUR: i64 = 3600;

/// Most digests written at once when the clock is moved: about three months of hours. After a longer leap the chain
/// begins anew.
const MOST: i64 = 2208;

/// The digests of one account and region, as far as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chain {
    /// The account the log files are of.
    pub account: String,
    /// The region.
    pub region: String,
    /// Where the next digest begins, virtual seconds since 1970.
    pub from: i64,
    /// Log files that no digest lists yet.
    pub files: Vec<LogFile>,
    /// The digest before.
    pub previous: Option<Previous>,
}

/// A log file that was delivered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogFile {
    /// The key.
    pub key: String,
    /// Hexadecimal SHA-256 of the uncompressed file.
    pub hash: String,
    /// The oldest and the newest event, virtual seconds since 1970.
    pub events: (i64, i64),
    /// When it was delivered, virtual seconds since 1970.
    pub at: i64,
}

/// What a digest says of the one before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Previous {
    key: String,
    hash: String,
    signature: String,
}

impl Chain {
    /// A chain that begins.
    pub(super) fn new(account: &str, region: &str, from: i64) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            from,
            files: Vec::new(),
            previous: None,
        }
    }

    /// When its next digest is due.
    pub(super) fn due(&self) -> i64 {
        self.from.saturating_add(HOUR)
    }
}

/// Writes every digest of a trail that is due.
pub(super) fn write_due(world: &mut World, trail: &mut Trail) {
    let now = world.now;
    for (name, mut chain) in std::mem::take(&mut trail.chains) {
        if now.saturating_sub(chain.from) > MOST.saturating_mul(HOUR) {
            chain = Chain::new(&chain.account, &chain.region, now - HOUR);
        }
        while chain.due() <= now {
            let end = chain.due();
            close(world, trail, &mut chain, end);
        }
        trail.chains.insert(name, chain);
    }
}

/// Ends all chains of a trail with a digest up to now.
pub(super) fn end_all(world: &mut World, trail: &mut Trail) {
    write_due(world, trail);
    for mut chain in std::mem::take(&mut trail.chains).into_values() {
        let now = world.now.max(chain.from);
        close(world, trail, &mut chain, now.saturating_add(1));
    }
}

/// Writes the digest up to `end`.
fn close(world: &mut World, trail: &mut Trail, chain: &mut Chain, end: i64) {
    let files = std::mem::take(&mut chain.files);
    let (listed, later) = files.into_iter().partition(|file: &LogFile| file.at < end);
    chain.files = later;
    let key = key(world, trail, chain, end);
    let World {
        trail: state, ids, ..
    } = world;
    let Some(signer) = state.keys.of(&chain.region, ids, chain.from) else {
        return;
    };
    let digest = document(trail, chain, (&key, end), (&listed, &signer.fingerprint));
    let text = digest.to_string();
    let hash = hex(&Sha256::digest(text.as_bytes()));
    let before = chain.previous.as_ref();
    let signed = format!(
        "{}\n{}/{key}\n{hash}\n{}",
        Timestamp::from_seconds(end),
        trail.bucket(),
        before.map_or("null", |before| before.signature.as_str()),
    );
    chain.from = end;
    let Some(signature) = signer.sign(&signed) else {
        return;
    };
    let headers = [
        ("x-amz-meta-signature", signature.as_str()),
        ("x-amz-meta-signature-algorithm", "SHA256withRSA"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let file = (packed(text.as_bytes()), headers.into_iter().collect());
    match place::put(world, trail, &key, file) {
        Ok(()) => trail.status.digested = Some(end),
        Err(error) => trail.status.delivery_error = Some(error),
    }
    chain.previous = Some(Previous {
        key,
        hash,
        signature,
    });
}

fn key(world: &World, trail: &Trail, chain: &Chain, end: i64) -> String {
    let (account, region) = (&chain.account, &chain.region);
    let stamp = Stamp::of(end);
    format!(
        "{}{account}/CloudTrail-Digest/{region}/{}/{account}_CloudTrail-Digest_{region}_{}_{}_{}.json.gz",
        super::deliver::root(world, trail),
        stamp.day,
        trail.name,
        trail.home,
        stamp.second,
    )
}

fn document(
    trail: &Trail,
    chain: &Chain,
    (key, end): (&str, i64),
    (files, fingerprint): (&[LogFile], &str),
) -> Value {
    let time = |seconds: i64| Timestamp::from_seconds(seconds).to_string();
    let before = chain.previous.as_ref();
    let listed = files.iter().map(|file| {
        json!({
            "s3Bucket": trail.bucket(), "s3Object": file.key,
            "hashValue": file.hash, "hashAlgorithm": "SHA-256",
            "newestEventTime": time(file.events.1), "oldestEventTime": time(file.events.0),
        })
    });
    json!({
        "awsAccountId": chain.account,
        "digestStartTime": time(chain.from),
        "digestEndTime": time(end),
        "digestS3Bucket": trail.bucket(),
        "digestS3Object": key,
        "digestPublicKeyFingerprint": fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": files.iter().map(|file| file.events.1).max().map(time),
        "oldestEventTime": files.iter().map(|file| file.events.0).min().map(time),
        "previousDigestS3Bucket": before.map(|_| trail.bucket()),
        "previousDigestS3Object": before.map(|before| &before.key),
        "previousDigestHashValue": before.map(|before| &before.hash),
        "previousDigestHashAlgorithm": before.map(|_| "SHA-256"),
        "previousDigestSignature": before.map(|before| &before.signature),
        "logFiles": listed.collect::<Vec<_>>(),
    })
}
