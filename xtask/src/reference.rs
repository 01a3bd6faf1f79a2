//! The plain reference: which access key issued which, and how often each was used, read in the most
//! obvious way that works.
//!
//! The bench compares the program's answer with this one. It is written from AWS's documents of the
//! issuing calls, holds every record as a `serde_json` tree, and is slow. Must not use any crate
//! of the program: a mistake that both share would not show.

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read, Write};
use std::path::Path;

/// What the records say, by access key id alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reference {
    /// For each key issued, the keys that asked for it; none where no record names one.
    pub(crate) issued: BTreeMap<String, BTreeSet<String>>,
    /// The records signed with each key.
    pub(crate) uses: BTreeMap<String, Uses>,
    /// Records read, without repetitions.
    pub(crate) records: u64,
    /// Records left out because their event id was there before.
    pub(crate) repeated: u64,
    /// Files that do not begin as JSON does.
    pub(crate) other_files: u64,
    seen: HashSet<String>,
}

/// How often and when a key was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uses {
    pub(crate) count: u64,
    /// `eventTime` as logged, `2024-05-01T09:00:00Z`: texts of this form sort as times do.
    pub(crate) first: String,
    pub(crate) last: String,
}

/// Calls whose response holds a new access key, and where in it.
///
/// docs.aws.amazon.com: STS API Reference; IAM API Reference, `CreateAccessKey`; Sign-In, Cognito
/// Identity, IAM Roles Anywhere and S3 API references. Calls whose records do not show the key
/// (`GetRoleCredentials`, `AssumeRoleForPodIdentity`, `CreateOAuth2Token`) give no edge by key id.
const ISSUING: [(&str, &str); 14] = [
    ("AssumeRole", "/credentials/accessKeyId"),
    ("AssumeRoleWithSAML", "/credentials/accessKeyId"),
    ("AssumeRoleWithWebIdentity", "/credentials/accessKeyId"),
    ("AssumeRoot", "/credentials/accessKeyId"),
    ("GetSessionToken", "/credentials/accessKeyId"),
    ("GetFederationToken", "/credentials/accessKeyId"),
    ("GetDelegatedAccessToken", "/credentials/accessKeyId"),
    ("GetSigninToken", "/credentials/accessKeyId"),
    ("GetCredentialsForIdentity", "/credentials/accessKeyId"),
    ("GetAccessToken", "/credentials/accessKeyId"),
    ("GetDataAccess", "/credentials/accessKeyId"),
    ("CreateSession", "/credentials/accessKeyId"),
    ("CreateSession", "/credentialSet/0/credentials/accessKeyId"),
    ("CreateAccessKey", "/accessKey/accessKeyId"),
];

/// Prints the answer for every file under `folder`, one JSON object per line.
pub(crate) fn run(folder: &Path, out: &mut dyn Write) -> Result<()> {
    let reference = Reference::read(folder)?;
    for (parent, child) in reference.edges() {
        writeln!(
            out,
            "{}",
            serde_json::json!({ "parent": parent, "child": child })
        )?;
    }
    for (key, uses) in &reference.uses {
        let line = serde_json::json!({ "key": key, "uses": uses.count, "first": uses.first, "last": uses.last });
        writeln!(out, "{line}")?;
    }
    let Reference {
        records,
        repeated,
        other_files,
        ..
    } = reference;
    let total =
        serde_json::json!({ "records": records, "repeated": repeated, "other_files": other_files });
    writeln!(out, "{total}")?;
    Ok(())
}

impl Reference {
    /// Reads every file under `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut reference = Self::default();
        for path in crate::files(folder)? {
            let bytes = std::fs::read(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            reference
                .file(&bytes)
                .with_context(|| format!("in `{}`", path.display()))?;
        }
        Ok(reference)
    }

    /// Reads one file: gzip or plain, a `Records` object, an array, or values one after another.
    fn file(&mut self, bytes: &[u8]) -> Result<()> {
        let mut text = Vec::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(bytes)
                .read_to_end(&mut text)
                .context("cannot decompress")?;
        } else {
            text.extend_from_slice(bytes);
        }
        if !text.trim_ascii_start().starts_with(b"{") && !text.trim_ascii_start().starts_with(b"[")
        {
            self.other_files += 1;
            return Ok(());
        }
        for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
            match value.context("not JSON")? {
                Value::Array(records) => records.iter().for_each(|record| self.record(record)),
                value => match value.get("Records").and_then(Value::as_array) {
                    Some(records) => records.iter().for_each(|record| self.record(record)),
                    None => self.record(&value),
                },
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &Value) {
        let text = |path: &str| {
            record
                .pointer(path)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let (Some(name), Some(time)) = (text("/eventName"), text("/eventTime")) else {
            return;
        };
        if text("/eventID").is_some_and(|id| !self.seen.insert(id.to_owned())) {
            self.repeated += 1;
            return;
        }
        self.records += 1;
        let caller = text("/userIdentity/accessKeyId");
        if let Some(key) = caller {
            self.uses.entry(key.to_owned()).or_default().add(time);
        }
        if text("/errorCode").is_some() {
            return;
        }
        for (_, path) in ISSUING.iter().filter(|(issuing, _)| *issuing == name) {
            // GetSigninToken answers with the caller's own key when no duration was asked for.
            let child =
                text(&format!("/responseElements{path}")).filter(|child| Some(*child) != caller);
            if let Some(child) = child {
                self.issued
                    .entry(child.to_owned())
                    .or_default()
                    .extend(caller.map(str::to_owned));
            }
        }
    }

    /// Each edge as parent, where one is named, and child.
    pub(crate) fn edges(&self) -> BTreeSet<(Option<String>, String)> {
        edges(&self.issued)
    }
}

/// From each child's parents to edges; a child without parents has one edge from nobody.
pub(crate) fn edges(
    parents: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<(Option<String>, String)> {
    let mut edges = BTreeSet::new();
    for (child, parents) in parents {
        edges.extend(
            parents
                .iter()
                .map(|parent| (Some(parent.clone()), child.clone())),
        );
        if parents.is_empty() {
            edges.insert((None, child.clone()));
        }
    }
    edges
}

/// Whether records of the call `name` can show a new key.
pub(crate) fn issues(name: &str) -> bool {
    ISSUING.iter().any(|(issuing, _)| *issuing == name)
}

impl Uses {
    /// Counts one use at `time`.
    pub(crate) fn add(&mut self, time: &str) {
        self.count += 1;
        if self.first.is_empty() || time < self.first.as_str() {
            time.clone_into(&mut self.first);
        }
        if time > self.last.as_str() {
            time.clone_into(&mut self.last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A call by key A.
    fn call(id: u32, time: &str, name: &str) -> Value {
        json!({
            "eventID": format!("00000000-0000-4000-8000-{id:012}"),
            "eventTime": format!("2024-05-01T{time}Z"),
            "eventName": name,
            "userIdentity": { "type": "IAMUser", "accessKeyId": "A" },
        })
    }

    fn issue(id: u32, name: &str, caller: Option<&str>, child: &str) -> Value {
        let mut record = call(id, "09:00:00", name);
        record["userIdentity"]["accessKeyId"] = json!(caller);
        record["responseElements"] = json!({ "credentials": { "accessKeyId": child } });
        record
    }

    fn read(records: &[Value]) -> Reference {
        let mut reference = Reference::default();
        reference
            .file(json!({ "Records": records }).to_string().as_bytes())
            .unwrap();
        reference
    }

    fn edges(records: &[Value]) -> Vec<(Option<String>, String)> {
        read(records).edges().into_iter().collect()
    }

    fn edge(parent: Option<&str>, child: &str) -> (Option<String>, String) {
        (parent.map(str::to_owned), child.to_owned())
    }

    #[test]
    fn every_issuing_call_gives_its_edge() {
        for (name, path) in ISSUING {
            let key = json!({ "accessKeyId": "B" });
            let mut record = call(1, "09:00:00", name);
            record["responseElements"] = match path {
                "/credentialSet/0/credentials/accessKeyId" => {
                    json!({ "credentialSet": [{ "credentials": key }] })
                }
                "/accessKey/accessKeyId" => json!({ "accessKey": key }),
                _ => json!({ "credentials": key }),
            };
            let records = [record];
            assert_eq!(edges(&records), [edge(Some("A"), "B")], "{name}");
        }
    }

    #[test]
    fn other_calls_and_denied_ones_issue_nothing() {
        let mut denied = issue(1, "AssumeRole", Some("A"), "B");
        denied["errorCode"] = json!("AccessDenied");
        assert_eq!(
            edges(&[denied, issue(2, "DescribeInstances", Some("A"), "C")]),
            []
        );
    }

    #[test]
    fn the_copy_without_a_caller_adds_nothing_beside_the_one_with() {
        let twins = [
            issue(1, "AssumeRole", None, "B"),
            issue(2, "AssumeRole", Some("A"), "B"),
        ];
        assert_eq!(edges(&twins), [edge(Some("A"), "B")]);
        assert_eq!(edges(&twins[..1]), [edge(None, "B")]);
    }

    #[test]
    fn a_sign_in_token_with_the_same_key_is_no_edge() {
        assert_eq!(edges(&[issue(1, "GetSigninToken", Some("A"), "A")]), []);
    }

    #[test]
    fn uses_are_counted_once_per_event_id() {
        let records = [
            call(1, "09:00:00", "ListBuckets"),
            call(2, "08:00:00", "ListBuckets"),
            call(1, "09:00:00", "ListBuckets"),
        ];
        let reference = read(&records);
        let expected = Uses {
            count: 2,
            first: "2024-05-01T08:00:00Z".into(),
            last: "2024-05-01T09:00:00Z".into(),
        };
        assert_eq!(reference.uses.get("A"), Some(&expected));
        assert_eq!((reference.records, reference.repeated), (2, 1));
    }

    #[test]
    fn every_wrapping_gives_the_same() {
        let records = [
            issue(1, "AssumeRole", Some("A"), "B"),
            issue(2, "AssumeRole", Some("B"), "C"),
        ];
        let lines = format!("{}\n{}\n", records[0], records[1]);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(lines.as_bytes()).unwrap();
        for bytes in [
            lines.clone().into_bytes(),
            json!(records).to_string().into_bytes(),
            gzip.finish().unwrap(),
        ] {
            let mut reference = Reference::default();
            reference.file(&bytes).unwrap();
            assert_eq!(reference, read(&records));
        }
    }
}
