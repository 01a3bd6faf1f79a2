//! Session policies, and how much of the packed space they and the tags take
//! (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, `Policy`, `PolicyArns`, `PackedPolicySize`).

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;
use unchain_policy::PolicyError;

use super::input::{Checks, POLICY};
use crate::call::{Call, Fault};
use crate::enforce;
use crate::iam::Document;
use crate::world::World;

/// Characters of all session policies together, and of ARNs of managed ones.
const PLAIN: usize = 2048;
/// Managed session policies.
const MANAGED: usize = 10;
/// Bytes that a session's policies and tags may take when packed. AWS does not say how it packs; with this size and
/// DEFLATE the percentages of small policies agree with recorded ones.
const PACKED: usize = 1024;

/// Session policies of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Passed {
    /// Inline first, then managed, in the order given.
    pub(super) documents: Vec<Document>,
    /// ARNs of the managed ones.
    pub(super) arns: Vec<String>,
    /// The inline one as given.
    pub(super) inline: Option<String>,
}

impl Passed {
    /// Reads `Policy` and `PolicyArns`; managed policies are those of `account` and AWS's own.
    ///
    /// # Errors
    ///
    /// `ValidationError` for sizes, `MalformedPolicyDocument` for what is no policy.
    pub(super) fn read(world: &World, call: &Call<'_>, account: &str) -> Result<Self, Fault> {
        let inline = call.text("Policy");
        let arns: Vec<String> = call
            .list("PolicyArns")
            .iter()
            .filter_map(|each| each.get("arn").or_else(|| each.get("Arn"))?.as_str())
            .map(str::to_owned)
            .collect();
        check(inline.as_deref(), &arns)?;
        let mut documents = Vec::new();
        if let Some(text) = &inline {
            documents.push(parse(text)?);
        }
        for arn in &arns {
            let found = enforce::managed(world, account, arn);
            documents.push(found.ok_or_else(|| unknown(arn))?.clone());
        }
        Ok(Self {
            documents,
            arns,
            inline,
        })
    }

    /// The percentage of the packed space that policies and tags take; none when nothing was passed.
    ///
    /// # Errors
    ///
    /// `PackedPolicyTooLarge` beyond a hundred.
    pub(super) fn packed_size(
        &self,
        tags: &BTreeMap<String, String>,
    ) -> Result<Option<usize>, Fault> {
        if self.documents.is_empty() && tags.is_empty() {
            return Ok(None);
        }
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
        let inline = self.documents.first().filter(|_| self.inline.is_some());
        let policy = inline.map(|document| document.policy.to_json().to_string());
        let parts = policy.iter().chain(&self.arns);
        for part in parts.chain(tags.iter().flat_map(|(key, value)| [key, value])) {
            // Writing to memory cannot fail.
            let _ = packer.write_all(part.as_bytes());
        }
        let bytes = packer.finish().map_or(0, |packed| packed.len());
        let percent = (bytes * 100).div_ceil(PACKED);
        if percent > 100 {
            return Err(too_large(percent));
        }
        Ok(Some(percent))
    }

    /// Adds `policy` and `policyArns` to CloudTrail's `requestParameters`.
    pub(super) fn record(&self, request: &mut serde_json::Map<String, Value>) {
        if let Some(inline) = &self.inline {
            request.insert("policy".to_owned(), Value::from(inline.as_str()));
        }
        if !self.arns.is_empty() {
            let arns = self.arns.iter();
            let arns: Vec<_> = arns.map(|arn| serde_json::json!({"arn": arn})).collect();
            request.insert("policyArns".to_owned(), Value::from(arns));
        }
    }
}

fn check(inline: Option<&str>, arns: &[String]) -> Result<(), Fault> {
    let mut checks = Checks::default();
    if let Some(text) = inline {
        checks.length(("policy", text), (1, PLAIN));
        checks.pattern(("policy", text), POLICY);
    }
    for arn in arns {
        checks.length(("policyArns.1.member.arn", arn), (20, PLAIN));
    }
    checks.done()?;
    if arns.len() > MANAGED {
        return Err(Fault::validation(format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length \
             less than or equal to {MANAGED}"
        )));
    }
    let plain = inline.map_or(0, |text| text.chars().count());
    let plain = arns.iter().fold(plain, |sum, arn| sum + arn.len());
    if plain > PLAIN {
        return Err(too_large((plain * 100).div_ceil(PLAIN)));
    }
    Ok(())
}

/// Parses an inline session policy.
fn parse(text: &str) -> Result<Document, Fault> {
    let document = Document::parse("session policy", text).map_err(|error| malformed(&error))?;
    document
        .policy
        .check_identity_based()
        .map_err(|error| malformed(&error))?;
    Ok(document)
}

fn malformed(error: &PolicyError) -> Fault {
    let message = match error {
        PolicyError::Json(_) => "The policy is not in the valid JSON format.".to_owned(),
        other => format!("Syntax errors in policy: {other}"),
    };
    Fault::api(400, "MalformedPolicyDocument", message)
}

fn unknown(arn: &str) -> Fault {
    Fault::api(
        400,
        "MalformedPolicyDocument",
        format!("The managed policy {arn} does not exist or cannot be attached."),
    )
}

fn too_large(percent: usize) -> Fault {
    Fault::api(
        400,
        "PackedPolicyTooLarge",
        format!("Packed policy consumes {percent}% of allotted space, please use smaller policy."),
    )
}
