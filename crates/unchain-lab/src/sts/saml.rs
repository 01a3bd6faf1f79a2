//! `AssumeRoleWithSAML` (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::assertion::{Assertion, entity_id};
use super::assume_role::add_details;
use super::input::{Checks, NAME};
use super::issue::{Draft, issue, request_details};
use super::jwt::{expired, invalid};
use super::packed::Passed;
use super::role::{self, Bearing, RoleArn};
use super::tags::Tags;
use crate::call::{Call, Fault, Recorded, Reply};
use crate::iam::Provider;
use crate::session::{MadeBy, Who};
use crate::world::World;

/// How AWS's attributes of an assertion begin.
const ATTRIBUTE: &str = "https://aws.amazon.com/SAML/Attributes/";

/// The parameters, checked, and what the assertion says.
#[derive(Debug)]
struct Asked {
    role: RoleArn,
    provider: String,
    duration: Option<i64>,
    assertion: Assertion,
    session_name: String,
    tags: Tags,
    source_identity: Option<String>,
}

impl Asked {
    fn read(world: &World, call: &Call<'_>) -> Result<Self, Fault> {
        let mut checks = Checks::default();
        let role = checks.required(call, "RoleArn");
        let provider = checks.required(call, "PrincipalArn");
        let text = checks.required(call, "SAMLAssertion");
        let duration = call.number("DurationSeconds")?;
        checks.seconds(duration, role::LIMITS);
        checks.done()?;
        let role = RoleArn::read(&role)?;
        let assertion = Assertion::read(&text).ok_or_else(|| invalid("Invalid SAML assertion"))?;
        check_provider(world, (&role, &provider), &assertion)?;
        check_dates(world.now, &assertion)?;
        let pair = [
            format!("{},{provider}", role.text),
            format!("{provider},{}", role.text),
        ];
        let offered = assertion.values(&format!("{ATTRIBUTE}Role"));
        if !offered.iter().any(|offer| {
            let offer: String = offer.split_whitespace().collect();
            pair.contains(&offer)
        }) {
            return Err(refused());
        }
        let session_name = session_name(&assertion)?;
        let source_identity = assertion.value(&format!("{ATTRIBUTE}SourceIdentity"));
        Ok(Self {
            tags: tags(&assertion)?,
            source_identity: source_identity.map(str::to_owned),
            role,
            provider,
            duration,
            assertion,
            session_name,
        })
    }

    /// The keys of docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html, SAML.
    fn context(&self) -> Vec<(String, Vec<String>)> {
        let mut keys = self.tags.context();
        let mut add = |key: &str, value: &str| keys.push((key.to_owned(), vec![value.to_owned()]));
        add("sts:RoleSessionName", &self.session_name);
        if let Some(identity) = &self.source_identity {
            add("sts:SourceIdentity", identity);
        }
        add("saml:aud", &self.assertion.recipient);
        add("saml:iss", &self.assertion.issuer);
        add("saml:sub", &self.assertion.subject);
        add("saml:sub_type", self.subject_type());
        add("saml:namequalifier", &self.name_qualifier());
        add(
            "saml:doc",
            &format!("{}/{}", self.role.account, self.provider_name()),
        );
        keys
    }

    /// `persistent` and `transient` are given short, other formats in full.
    fn subject_type(&self) -> &str {
        let format = self.assertion.format.as_deref().unwrap_or_default();
        match format.rsplit_once(':') {
            Some((_, short @ ("persistent" | "transient"))) => short,
            _ => format,
        }
    }

    fn provider_name(&self) -> &str {
        self.provider
            .rsplit_once('/')
            .map_or(self.provider.as_str(), |(_, name)| name)
    }

    fn name_qualifier(&self) -> String {
        let (issuer, account) = (&self.assertion.issuer, &self.role.account);
        STANDARD.encode(Sha1::digest(format!(
            "{issuer}{account}/{}",
            self.provider_name()
        )))
    }

    /// Seconds until the first of: what is asked for, the assertion's own limits.
    fn seconds(&self, now: i64) -> i64 {
        let attribute = self.assertion.value(&format!("{ATTRIBUTE}SessionDuration"));
        let attribute = attribute.and_then(|seconds| seconds.parse::<i64>().ok());
        let left = self.assertion.session_ends.map(|ends| ends - now);
        let capped = self.duration.unwrap_or(role::DEFAULT);
        attribute.into_iter().chain(left).fold(capped, i64::min)
    }

    fn recorded(&self, passed: &Passed) -> Value {
        let mut request = Map::new();
        let mut put = |name: &str, value: Value| request.insert(name.to_owned(), value);
        put("sAMLAssertionID", json!(self.assertion.id));
        put("roleSessionName", json!(self.session_name));
        if let Some(seconds) = self.duration {
            put("durationSeconds", json!(seconds));
        }
        put("roleArn", json!(self.role.text));
        put("principalArn", json!(self.provider));
        if !self.tags.passed.is_empty() {
            put("principalTags", json!(self.tags.passed));
        }
        if !self.tags.transitive.is_empty() {
            put("transitiveTagKeys", json!(self.tags.transitive));
        }
        passed.record(&mut request);
        Value::Object(request)
    }
}

/// The bearer of an assertion given to a provider.
pub(super) fn who(provider: &str, assertion: &Assertion) -> Who {
    Who::Saml {
        provider: provider.to_owned(),
        subject: assertion.subject.clone(),
    }
}

fn refused() -> Fault {
    Fault::denied("Not authorized to perform sts:AssumeRoleWithSAML")
}

/// The provider must be of the role's account, and the assertion by the party that its metadata names.
fn check_provider(
    world: &World,
    (role, provider): (&RoleArn, &str),
    assertion: &Assertion,
) -> Result<(), Fault> {
    let account = world.accounts.get(&role.account);
    let of_account = provider.starts_with(&format!("arn:aws:iam::{}:saml-provider/", role.account));
    let found = account
        .filter(|_| of_account)
        .and_then(|account| account.enforced(world.now).providers.get(provider));
    match found {
        Some(Provider::Saml { metadata, .. }) => {
            if entity_id(metadata).is_none_or(|id| id == assertion.issuer) {
                Ok(())
            } else {
                Err(invalid("Issuer not present in specified provider"))
            }
        }
        _ => Err(invalid("Specified provider doesn't exist")),
    }
}

fn check_dates(now: i64, assertion: &Assertion) -> Result<(), Fault> {
    if assertion.ends.is_some_and(|ends| ends <= now)
        || assertion.session_ends.is_some_and(|ends| ends <= now)
    {
        return Err(expired("Token must be redeemed before it ends"));
    }
    if assertion.begins.is_some_and(|begins| begins > now) {
        return Err(invalid("SAML assertion is not yet valid"));
    }
    Ok(())
}

fn session_name(assertion: &Assertion) -> Result<String, Fault> {
    let name = assertion
        .value(&format!("{ATTRIBUTE}RoleSessionName"))
        .ok_or_else(|| invalid("RoleSessionName is required in AuthnResponse"))?;
    let mut checks = Checks::default();
    checks.length(("roleSessionName", name), (2, 64));
    checks.pattern(("roleSessionName", name), NAME);
    checks.done().map_err(|_| {
        invalid("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
    })?;
    Ok(name.to_owned())
}

fn tags(assertion: &Assertion) -> Result<Tags, Fault> {
    let prefix = format!("{ATTRIBUTE}PrincipalTag:");
    let attributes = assertion.attributes.iter();
    let claimed = attributes.filter_map(|(name, values)| {
        let key = name.strip_prefix(&prefix)?;
        Some((key.to_owned(), values.first()?.clone()))
    });
    let transitive = assertion.values(&format!("{ATTRIBUTE}TransitiveTagKeys"));
    Tags::claimed(claimed, transitive.to_vec())
}

/// Checks the assertion and the trust policy, and issues the session.
pub(super) fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = Asked::read(world, call)?;
    let role = asked.role.find(world).ok_or_else(refused)?.clone();
    let bearing = Bearing {
        provider: &asked.provider,
        action: "sts:AssumeRoleWithSAML",
        tagged: asked.tags.any(),
        named: asked.source_identity.is_some(),
        context: asked.context(),
    };
    if !asked.role.trusts(world, call, (&role, &bearing)) {
        return Err(refused());
    }
    role::duration(&role, asked.duration, false)?;
    let duration = role::duration(&role, Some(asked.seconds(world.now)), false)?;
    let passed = Passed::read(world, call, &asked.role.account)?;
    let size = passed.packed_size(&asked.tags.all())?;
    let who = asked.role.session(&role, &asked.session_name);
    let draft = Draft {
        policies: passed.documents.clone(),
        tags: asked.tags.all(),
        transitive: asked.tags.all_transitive(),
        source_identity: asked.source_identity.clone(),
        ..Draft::new(&asked.role.account, who, MadeBy::Saml, duration)
    };
    let issued = issue(world, draft);
    let said = &asked.assertion;
    let mut value = json!({
        "Credentials": issued.credentials(),
        "AssumedRoleUser": asked.role.assumed(&role, &asked.session_name),
        "Subject": said.subject,
        "SubjectType": asked.subject_type(),
        "Issuer": said.issuer,
        "Audience": said.recipient,
        "NameQualifier": asked.name_qualifier(),
    });
    let mut response = json!({
        "subjectType": asked.subject_type(),
        "issuer": said.issuer,
        "credentials": issued.recorded(),
        "nameQualifier": asked.name_qualifier(),
        "assumedRoleUser": asked.role.recorded(&role, &asked.session_name),
        "subject": said.subject,
        "audience": said.recipient,
    });
    add_details(&mut value, &mut response, (size, &asked.source_identity));
    let mut reply = Reply::of(value);
    reply.recorded = Recorded {
        request: Some(asked.recorded(&passed)),
        response: Some(response),
        additional: Some(request_details(call)),
        resources: vec![
            asked.role.resource(),
            json!({"accountId": asked.role.account, "type": "AWS::IAM::SAMLProvider", "ARN": asked.provider}),
        ],
        also_in: vec![asked.role.account.clone()],
        silent: false,
    };
    Ok(reply)
}
