//! `AssumeRoleWithWebIdentity` (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).

use serde_json::{Map, Value, json};
use unchain_core::time::Timestamp;

use super::assume_role::add_details;
use super::input::{Checks, NAME};
use super::issue::{Draft, issue, request_details};
use super::jwt::{Token, expired, invalid};
use super::packed::Passed;
use super::role::{self, Bearing, RoleArn};
use super::tags::Tags;
use crate::call::{Call, Fault, Recorded, Reply};
use crate::iam::Provider;
use crate::session::MadeBy;
use crate::world::World;

/// Providers that need no registration and give tokens that can be read
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc.html).
const BUILT_IN: &[&str] = &["accounts.google.com", "cognito-identity.amazonaws.com"];
/// Where a token carries session tags and a source identity
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html).
const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";

/// The parameters, checked, and the token, verified.
#[derive(Debug)]
struct Asked {
    role: RoleArn,
    session_name: String,
    duration: Option<i64>,
    token: Token,
    /// What a trust policy names: a provider's ARN, or the host of one that is built in.
    provider: String,
    tags: Tags,
    source_identity: Option<String>,
}

impl Asked {
    fn read(world: &World, call: &Call<'_>) -> Result<Self, Fault> {
        let mut checks = Checks::default();
        let role = checks.required(call, "RoleArn");
        let session_name = checks.required(call, "RoleSessionName");
        let token = checks.required(call, "WebIdentityToken");
        let duration = call.number("DurationSeconds")?;
        if call.text("RoleSessionName").is_some() {
            checks.length(("roleSessionName", &session_name), (2, 64));
            checks.pattern(("roleSessionName", &session_name), NAME);
        }
        checks.seconds(duration, role::LIMITS);
        checks.done()?;
        if let Some(provider) = call.text("ProviderId") {
            let message = format!("the lab cannot ask {provider} about its access tokens");
            return Err(Fault::api(400, "IDPCommunicationError", message));
        }
        let role = RoleArn::read(&role)?;
        let token = Token::read(&token)?;
        let provider = provider(world, &role.account, &token)?;
        verify(world, &token)?;
        Ok(Self {
            role,
            session_name,
            duration,
            tags: tags(&token)?,
            source_identity: token.claim(SOURCE_IDENTITY_CLAIM).map(str::to_owned),
            token,
            provider,
        })
    }

    fn context(&self) -> Vec<(String, Vec<String>)> {
        let issuer = self.token.issuer();
        let mut keys = self.tags.context();
        let mut add = |key: String, values: Vec<String>| {
            if !values.is_empty() {
                keys.push((key, values));
            }
        };
        add(
            "sts:RoleSessionName".to_owned(),
            vec![self.session_name.clone()],
        );
        add(
            "sts:SourceIdentity".to_owned(),
            self.source_identity.iter().cloned().collect(),
        );
        let audience = self.token.audience();
        add(format!("{issuer}:aud"), audience.into_iter().collect());
        add(
            format!("{issuer}:sub"),
            vec![self.token.subject().to_owned()],
        );
        add(format!("{issuer}:amr"), self.token.texts("amr"));
        if self.token.claim("azp").is_some() {
            add(format!("{issuer}:oaud"), self.token.texts("aud"));
        }
        keys
    }

    fn recorded(&self, passed: &Passed) -> Value {
        let mut request = Map::new();
        request.insert("roleArn".to_owned(), json!(self.role.text));
        request.insert("roleSessionName".to_owned(), json!(self.session_name));
        if let Some(seconds) = self.duration {
            request.insert("durationSeconds".to_owned(), json!(seconds));
        }
        passed.record(&mut request);
        Value::Object(request)
    }
}

/// The provider that a trust policy must name: one of the role's account, unless it is built in.
fn provider(world: &World, account: &str, token: &Token) -> Result<String, Fault> {
    let issuer = token.issuer();
    if BUILT_IN.contains(&issuer) {
        return Ok(issuer.to_owned());
    }
    let arn = format!("arn:aws:iam::{account}:oidc-provider/{issuer}");
    let iam = world
        .accounts
        .get(account)
        .map(|account| account.enforced(world.now));
    match iam.and_then(|iam| iam.providers.get(&arn)) {
        Some(Provider::Oidc { client_ids, .. }) => {
            let known = |audience: &String| client_ids.contains(audience);
            let audiences = token.texts("aud");
            if audiences.iter().chain(&token.audience()).any(known) {
                Ok(arn)
            } else {
                Err(invalid("Incorrect token audience"))
            }
        }
        _ => Err(invalid(format!(
            "No OpenIDConnect provider found in your account for https://{issuer}"
        ))),
    }
}

/// Dates against the lab's clock, and the signature where the lab has the issuer's keys.
fn verify(world: &World, token: &Token) -> Result<(), Fault> {
    let ends = token
        .number("exp")
        .ok_or_else(|| invalid("Missing a required claim: exp"))?;
    if ends <= world.now {
        return Err(expired(format!(
            "Token expired: current date/time {} must be before the expiration date/time {}",
            world.now, ends
        )));
    }
    if token.number("nbf").is_some_and(|begins| begins > world.now) {
        let begins = Timestamp::from_seconds(token.number("nbf").unwrap_or_default());
        return Err(invalid(format!("The token is not valid before {begins}")));
    }
    match world.key_sets.get(token.issuer()) {
        Some(keys) => token.verify(keys),
        None => Ok(()),
    }
}

fn tags(token: &Token) -> Result<Tags, Fault> {
    let Some(claim) = token.object(TAGS_CLAIM) else {
        return Ok(Tags::default());
    };
    let principal = claim.get("principal_tags").and_then(Value::as_object);
    let claimed = principal.into_iter().flatten().filter_map(|(key, values)| {
        let value = values.as_array().and_then(|values| values.first());
        let value = value.unwrap_or(values).as_str()?;
        Some((key.clone(), value.to_owned()))
    });
    let transitive = claim.get("transitive_tag_keys").and_then(Value::as_array);
    let transitive = transitive.into_iter().flatten().filter_map(Value::as_str);
    Tags::claimed(claimed, transitive.map(str::to_owned).collect())
}

fn refused() -> Fault {
    Fault::denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
}

/// Checks the token and the trust policy, and issues the session.
pub(super) fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = Asked::read(world, call)?;
    let role = asked.role.find(world).ok_or_else(refused)?.clone();
    let bearing = Bearing {
        provider: &asked.provider,
        action: "sts:AssumeRoleWithWebIdentity",
        tagged: asked.tags.any(),
        named: asked.source_identity.is_some(),
        context: asked.context(),
    };
    if !asked.role.trusts(world, call, (&role, &bearing)) {
        return Err(refused());
    }
    let duration = role::duration(&role, asked.duration, false)?;
    let passed = Passed::read(world, call, &asked.role.account)?;
    let size = passed.packed_size(&asked.tags.all())?;
    let who = asked.role.session(&role, &asked.session_name);
    let made_by = MadeBy::WebIdentity {
        provider: asked.provider.clone(),
    };
    let issued = issue(
        world,
        Draft {
            policies: passed.documents.clone(),
            tags: asked.tags.all(),
            transitive: asked.tags.all_transitive(),
            source_identity: asked.source_identity.clone(),
            ..Draft::new(&asked.role.account, who, made_by, duration)
        },
    );
    let mut value = json!({
        "Credentials": issued.credentials(),
        "SubjectFromWebIdentityToken": asked.token.subject(),
        "AssumedRoleUser": asked.role.assumed(&role, &asked.session_name),
        "Provider": asked.provider,
        "Audience": asked.token.audience(),
    });
    let mut response = json!({
        "credentials": issued.recorded(),
        "subjectFromWebIdentityToken": asked.token.subject(),
        "assumedRoleUser": asked.role.recorded(&role, &asked.session_name),
        "provider": asked.provider,
        "audience": asked.token.audience(),
    });
    add_details(&mut value, &mut response, (size, &asked.source_identity));
    let mut reply = Reply::of(value);
    reply.recorded = Recorded {
        request: Some(asked.recorded(&passed)),
        response: Some(response),
        additional: Some(additional(call, &asked.provider)),
        resources: vec![asked.role.resource()],
        also_in: vec![asked.role.account.clone()],
        silent: false,
    };
    Ok(reply)
}

/// How AWS would have checked the provider's certificate is recorded for registered providers.
fn additional(call: &Call<'_>, provider: &str) -> Value {
    let mut details = request_details(call);
    if let Some(details) = details
        .as_object_mut()
        .filter(|_| provider.starts_with("arn:"))
    {
        details.insert(
            "identityProviderConnectionVerificationMethod".to_owned(),
            json!("IAMTrustStore"),
        );
    }
    details
}
