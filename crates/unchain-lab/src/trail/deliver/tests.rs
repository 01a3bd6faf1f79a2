use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::draft::Draft;
use crate::trail::{deliver_all, deliver_due, deliver_to, emit};
use crate::world::{Settings, World};

const ACCOUNT: &str = "111122223333";

fn world(settings: Settings, folder: &Path) -> World {
    let mut world = World::new(7, settings);
    world.now = 1_793_700_000;
    world.add_account(ACCOUNT, "one");
    deliver_to(&mut world, Some(folder.to_owned()));
    world
}

fn say(world: &mut World, name: &str) {
    let draft = Draft {
        name: name.to_owned(),
        region: "eu-west-1".to_owned(),
        account: ACCOUNT.to_owned(),
        ..Draft::default()
    };
    emit(world, draft);
}

/// Every file below a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> (String, Value) {
    let bytes = std::fs::read(path).expect("a file");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*bytes)
        .read_to_string(&mut text)
        .expect("gzip");
    let value = serde_json::from_str(&text).expect("JSON");
    (text, value)
}

fn names(folder: &Path) -> Vec<String> {
    files(folder)
        .iter()
        .filter(|path| !path.display().to_string().contains("Digest"))
        .flat_map(|path| {
            read(path).1["Records"]
                .as_array()
                .cloned()
                .expect("records")
        })
        .map(|record| record["eventName"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn records_are_delivered_when_their_time_has_come_and_not_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = world(Settings::default(), folder.path());
    say(&mut world, "A");
    world.now += 299;
    deliver_due(&mut world);
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    world.now += 1;
    deliver_due(&mut world);
    assert_eq!(names(folder.path()), ["A"]);
    let path = files(folder.path())[0].display().to_string();
    assert!(
        path.contains("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/03/111122223333_CloudTrail_eu-west-1_20261103T1005Z_"),
        "{path}"
    );
}

#[test]
fn many_records_do_not_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = world(Settings::default(), folder.path());
    for _ in 0..8000 {
        say(&mut world, "A");
    }
    let written = names(folder.path()).len();
    assert!((1..8000).contains(&written), "{written}");
    deliver_all(&mut world);
    assert_eq!(names(folder.path()).len(), 8000);
}

#[test]
fn out_of_order_and_twice_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        out_of_order: true,
        duplicates: 20,
        ..Settings::default()
    };
    let mut world = world(settings, folder.path());
    let said: Vec<String> = (0..200).map(|number| format!("N{number:03}")).collect();
    for name in &said {
        say(&mut world, name);
    }
    deliver_all(&mut world);
    let found = names(folder.path());
    let different: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(different, said.iter().cloned().collect());
    assert!((210..280).contains(&found.len()), "{}", found.len());
    let order: Vec<&String> = found.iter().collect();
    assert!(!order.is_sorted());
}

/// Checks each digest as the AWS CLI does: hash and signature from the next one, files by their hashes.
#[test]
fn digests_are_chained_and_signed_and_list_every_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = world(Settings::default(), folder.path());
    for name in ["A", "B", "C"] {
        say(&mut world, name);
        world.now += 3700;
        deliver_due(&mut world);
    }
    world.now += 3 * 3600;
    deliver_due(&mut world);
    let key = world.trail.keys.get("eu-west-1").expect("a key");
    let der = STANDARD.decode(&key.public).expect("base64");
    let public = RsaPublicKey::from_pkcs1_der(&der).expect("a key");
    let verifier = VerifyingKey::<Sha256>::new(public);
    let all = files(folder.path());
    let digests = all
        .iter()
        .filter(|path| path.display().to_string().contains("CloudTrail-Digest"));
    let digests: Vec<(String, Value)> = digests.map(|path| read(path)).collect();
    assert!(digests.len() >= 5, "{}", digests.len());
    let mut listed = 0;
    for pair in digests.windows(2) {
        let [(text, digest), (_, next)] = pair else {
            continue;
        };
        let hash = super::hex(&Sha256::digest(text.as_bytes()));
        assert_eq!(next["previousDigestHashValue"], hash.as_str());
        assert_eq!(next["previousDigestS3Object"], digest["digestS3Object"]);
        assert_eq!(next["digestStartTime"], digest["digestEndTime"]);
        assert_eq!(
            digest["digestPublicKeyFingerprint"],
            key.fingerprint.as_str()
        );
        let text = |name: &str| digest[name].as_str().unwrap_or("null").to_owned();
        let signed = format!(
            "{}\n{}/{}\n{hash}\n{}",
            text("digestEndTime"),
            text("digestS3Bucket"),
            text("digestS3Object"),
            text("previousDigestSignature"),
        );
        let signature = next["previousDigestSignature"].as_str().expect("signature");
        let pairs = signature.as_bytes().chunks(2);
        let pairs = pairs.map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        let bytes: Vec<u8> = pairs
            .map(|pair| u8::from_str_radix(pair, 16).expect("hex"))
            .collect();
        let signature = Signature::try_from(&*bytes).expect("a signature");
        verifier
            .verify(signed.as_bytes(), &signature)
            .expect("right");
        for file in digest["logFiles"].as_array().expect("files") {
            let path = folder.path().join(file["s3Object"].as_str().expect("key"));
            let hash = super::hex(&Sha256::digest(read(&path).0.as_bytes()));
            assert_eq!(file["hashValue"], hash.as_str());
            listed += 1;
        }
        let core = unchain_core::digest::Digest::read(digest.as_object().expect("an object"));
        assert_eq!(core.expect("read").trail, "lab");
    }
    assert_eq!(listed, 3, "every log file is in a digest");
}
