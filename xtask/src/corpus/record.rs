//! The text of a record. Millions are written, so it is put together from strings and never from a tree
//! of values; that the text is JSON is for the tests to see.

use super::console::Session;
use super::days::Days;
use super::mix::{Caller, Form, Kind, REGIONS};
use super::noise::Noise;
use super::plan::{Account, Credential, Issue, Plan, Role, User};
use anyhow::Context;
use std::fmt::Write;

/// Hosts that a block of addresses holds. The second part of an address follows from its number by seven.
const BLOCK: u64 = 250;

/// Whether a call is answered or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Denied,
}

/// Writes one record after another into one text.
pub(super) struct Scribe<'a> {
    pub(super) plan: &'a Plan,
    pub(super) days: &'a Days,
    pub(super) agents: Vec<String>,
    pub(super) text: String,
}

/// What goes between the identity and the parameters of a record.
pub(super) struct Envelope<'e> {
    pub(super) at: i64,
    pub(super) source: &'e str,
    pub(super) name: &'e str,
    pub(super) region: usize,
    pub(super) address: Address<'e>,
    pub(super) agent: &'e str,
}

/// A call that issues nothing.
#[derive(Debug)]
pub(super) struct Spent<'k> {
    pub(super) caller: Caller,
    pub(super) kind: &'k Kind,
    pub(super) outcome: Outcome,
    /// Seconds since 1970.
    pub(super) at: i64,
}

/// Account, region, address and user agent, as `From` names them.
type Place = (usize, usize, Address<'static>, usize);

/// Where the caller of a record sits: places of account, region and user agent.
struct From {
    account: usize,
    region: usize,
    address: Address<'static>,
    agent: usize,
}

/// Where a call comes from.
#[derive(Clone, Copy)]
pub(super) enum Address<'e> {
    /// An address of the network, from a number.
    Network(u64),
    Service(&'e str),
}

impl<'a> Scribe<'a> {
    pub(super) fn new(plan: &'a Plan, days: &'a Days) -> Self {
        Self {
            plan,
            days,
            agents: (0..64).map(agent).collect(),
            text: String::with_capacity(8_192),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn time(&self, at: i64) -> String {
        let (day, [hour, minute, second]) = self.days.split(at);
        format!("{}T{hour:02}:{minute:02}:{second:02}Z", day.iso)
    }

    /// Writes a record that issues nothing; gives the places of account and region.
    pub(super) fn spend(
        &mut self,
        spent: &Spent<'_>,
        noise: &mut Noise,
    ) -> anyhow::Result<(usize, usize)> {
        self.text.clear();
        self.text
            .push_str("{\"eventVersion\":\"1.11\",\"userIdentity\":");
        let from = self.caller(spent, noise)?;
        let (source, name, at) = (spent.kind.source, spent.kind.name, spent.at);
        let region = if source == "iam" { 0 } else { from.region };
        let agents = std::mem::take(&mut self.agents);
        let agent = match from.address {
            Address::Service(service) => service,
            Address::Network(_) => agents.get(from.agent).map_or("aws-cli", String::as_str),
        };
        let address = from.address;
        self.envelope(&Envelope {
            at,
            source,
            name,
            region,
            address,
            agent,
        })?;
        self.agents = agents;
        self.body(spent, (from.account, region), noise)?;
        Ok((from.account, region))
    }

    /// Writes who calls, and tells where that is.
    fn caller(&mut self, spent: &Spent<'_>, noise: &mut Noise) -> anyhow::Result<From> {
        let plan = self.plan;
        let (account, region, address, agent) = match spent.caller {
            Caller::Credential(place) => {
                let credential = plan
                    .credentials
                    .get(place)
                    .context("a credential of the plan")?;
                self.credential_identity(credential)?;
                let region = self.role(credential).map_or(0, |role| role.region);
                let address = Address::Network(address_of(place, noise));
                (credential.account, region, address, place % 64)
            }
            Caller::Service => {
                let service = "cloudtrail.amazonaws.com";
                write!(
                    self.text,
                    r#"{{"type":"AWSService","invokedBy":"{service}"}}"#
                )?;
                let region = noise.place(REGIONS.len());
                (
                    noise.skewed(plan.accounts.len()),
                    region,
                    Address::Service(service),
                    0,
                )
            }
            Caller::Account => {
                self.other_account(noise)?;
                let of = noise.skewed(plan.accounts.len());
                (of, 0, Address::Network(noise.below(64)), 3)
            }
            Caller::User | Caller::Temporary | Caller::Forwarded | Caller::Console => {
                self.person(spent, noise)?
            }
        };
        Ok(From {
            account,
            region,
            address,
            agent,
        })
    }

    /// A user, by the long-term key or by a session of the console, where the plan has any.
    fn person(&mut self, spent: &Spent<'_>, noise: &mut Noise) -> anyhow::Result<Place> {
        let plan = self.plan;
        let unseen = matches!(spent.caller, Caller::Forwarded | Caller::Console);
        let session = Session::at(plan, spent.at, noise).filter(|_| unseen);
        let (account, user) = match session {
            Some(session) => {
                self.unseen_identity(spent.caller, session, noise)?;
                session.owner(plan)
            }
            None => {
                let account = noise.skewed(plan.accounts.len());
                let people = plan
                    .accounts
                    .get(account)
                    .map_or(0, |account| account.users.len());
                let user = noise.skewed(people);
                self.user_identity((account, user))?;
                (account, user)
            }
        };
        let address = match (session, spent.caller) {
            (Some(_), Caller::Forwarded) => Address::Service("cloudformation.amazonaws.com"),
            _ => Address::Network(u64::try_from(account * 64 + user)?),
        };
        Ok((account, 0, address, user % 64))
    }

    /// A caller of another account, as its copy shows it: no key.
    fn other_account(&mut self, noise: &mut Noise) -> anyhow::Result<()> {
        let accounts = &self.plan.accounts;
        let other = accounts
            .get(noise.place(accounts.len()))
            .context("an account of the plan")?;
        let role = other.roles.first().map_or("", |role| role.id.as_str());
        Ok(write!(
            self.text,
            r#"{{"type":"AWSAccount","principalId":"{role}:signer","accountId":"{}"}}"#,
            other.number
        )?)
    }

    /// The identity of a temporary credential at work.
    pub(super) fn credential_identity(&mut self, credential: &Credential) -> anyhow::Result<()> {
        let plan = self.plan;
        let account = plan
            .accounts
            .get(credential.account)
            .context("an account of the plan")?;
        let (number, key) = (&account.number, &credential.key);
        let Some(role) = self.role(credential) else {
            let user = account
                .users
                .get(credential.principal)
                .context("a user of the plan")?;
            write!(
                self.text,
                r#"{{"type":"IAMUser","principalId":"{}","arn":"arn:aws:iam::{number}:user/{}","accountId":"{number}","accessKeyId":"{key}","userName":"{}","sessionContext":{{"sessionIssuer":{{}},"webIdFederationData":{{}},"attributes":{{"creationDate":""#,
                user.id, user.name, user.name
            )?;
            self.clock(credential.issued)?;
            self.text.push_str("\",\"mfaAuthenticated\":\"false\"}}}");
            return Ok(());
        };
        let (id, name, session) = (&role.id, &role.name, session(credential));
        write!(
            self.text,
            r#"{{"type":"AssumedRole","principalId":"{id}:{session}","arn":"arn:aws:sts::{number}:assumed-role/{name}/{session}","accountId":"{number}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{id}","arn":"arn:aws:iam::{number}:role/{name}","accountId":"{number}","userName":"{name}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":""#
        )?;
        self.clock(credential.issued)?;
        self.text.push_str("\",\"mfaAuthenticated\":\"false\"}");
        if credential.issue == Issue::ByService {
            self.text.push_str(",\"ec2RoleDelivery\":\"2.0\"");
        }
        self.text.push_str("}}");
        Ok(())
    }

    /// A user with the long-term key.
    pub(super) fn user_identity(&mut self, (account, user): (usize, usize)) -> anyhow::Result<()> {
        let plan = self.plan;
        let account: &Account = plan
            .accounts
            .get(account)
            .context("an account of the plan")?;
        let user: &User = account.users.get(user).context("a user of the plan")?;
        let number = &account.number;
        Ok(write!(
            self.text,
            r#"{{"type":"IAMUser","principalId":"{}","arn":"arn:aws:iam::{number}:user/{}","accountId":"{number}","accessKeyId":"{}","userName":"{}"}}"#,
            user.id, user.name, user.key, user.name
        )?)
    }

    pub(super) fn envelope(&mut self, of: &Envelope<'_>) -> anyhow::Result<()> {
        self.text.push_str(",\"eventTime\":\"");
        self.clock(of.at)?;
        let region = REGIONS.get(of.region).copied().unwrap_or("us-east-1");
        write!(
            self.text,
            r#"","eventSource":"{}.amazonaws.com","eventName":"{}","awsRegion":"{region}","sourceIPAddress":""#,
            of.source, of.name
        )?;
        match of.address {
            Address::Service(service) => self.text.push_str(service),
            Address::Network(number) => {
                let (high, low) = (number / BLOCK % 250, number % BLOCK + 1);
                write!(self.text, "10.{}.{high}.{low}", number % 7 + 16)?;
            }
        }
        Ok(write!(self.text, r#"","userAgent":"{}","#, of.agent)?)
    }

    /// Everything behind the user agent.
    fn body(
        &mut self,
        spent: &Spent<'_>,
        (account, region): (usize, usize),
        noise: &mut Noise,
    ) -> anyhow::Result<()> {
        let (plan, kind) = (self.plan, spent.kind);
        let number = plan
            .accounts
            .get(account)
            .map_or("", |account| account.number.as_str());
        let place = REGIONS.get(region).copied().unwrap_or("us-east-1");
        let thing = noise.skewed(400);
        if spent.outcome == Outcome::Denied {
            write!(
                self.text,
                r#""errorCode":"AccessDenied","errorMessage":"not authorized to perform: {}:{} because no identity-based policy allows the action","requestParameters":null,"responseElements":null,"#,
                kind.source, kind.name
            )?;
        } else {
            self.parameters(kind, (number, place, thing), noise)?;
        }
        let (request, event) = (guid(noise), guid(noise));
        write!(
            self.text,
            r#""requestID":"{request}","eventID":"{event}","readOnly":{},"#,
            kind.read_only
        )?;
        self.resources(kind.form, (number, place, thing))?;
        let data = kind.form == Form::Object;
        write!(
            self.text,
            r#""eventType":"AwsApiCall","managementEvent":{},"recipientAccountId":"{number}","eventCategory":"{}""#,
            !data,
            if data { "Data" } else { "Management" }
        )?;
        self.tls(kind.source, region)?;
        self.text.push('}');
        Ok(())
    }

    fn parameters(
        &mut self,
        kind: &Kind,
        (number, region, thing): (&str, &str, usize),
        noise: &mut Noise,
    ) -> anyhow::Result<()> {
        let text = &mut self.text;
        match kind.form {
            Form::Bare => text.push_str(r#""requestParameters":null,"responseElements":null,"#),
            Form::Describe => {
                write!(
                    text,
                    r#""requestParameters":{{"maxResults":100,"filterSet":{{"items":[{{"name":"tag:application","valueSet":{{"items":[{{"value":"app-{thing}"}}]}}}},{{"name":"vpc-id","valueSet":{{"items":[{{"value":"vpc-0{:016x}"}}]}}}}]}},"nextToken":""#,
                    noise.next()
                )?;
                push_base64(text, 9, noise);
                text.push_str(r#""},"responseElements":null,"#);
            }
            Form::Object => {
                write!(
                    text,
                    r#""requestParameters":{{"bucketName":"data-{number}-{thing}","Host":"data-{number}-{thing}.s3.{region}.amazonaws.com","key":"part/{:016x}.parquet"}},"responseElements":null,"#,
                    noise.next()
                )?;
                transfer(text, noise)?;
            }
            Form::Bucket => {
                write!(
                    text,
                    r#""requestParameters":{{"bucketName":"data-{number}-{thing}","Host":"data-{number}-{thing}.s3.{region}.amazonaws.com","acl":""}},"responseElements":null,"#
                )?;
                transfer(text, noise)?;
            }
            Form::Key => write!(
                text,
                r#""requestParameters":{{"keyId":"arn:aws:kms:{region}:{number}:key/7c9e6679-7425-40de-944b-{thing:012x}","encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{{"application":"app-{thing}","aws:s3:arn":"arn:aws:s3:::data-{number}-{thing}/part/{:016x}{:016x}.parquet"}}}},"responseElements":null,"additionalEventData":{{"keyMaterialId":"{:016x}{:016x}{:016x}{:016x}"}},"#,
                noise.next(),
                noise.next(),
                noise.next(),
                noise.next(),
                noise.next(),
                noise.next()
            )?,
            Form::Named => write!(
                text,
                r#""requestParameters":{{"name":"/app-{thing}/settings","withDecryption":true,"clientRequestToken":"{}","versionId":"{}"}},"responseElements":{{"name":"/app-{thing}/settings","version":{},"arn":"arn:aws:{}:{region}:{number}:thing/app-{thing}-{:08x}","lastModified":"Feb 27, 2026, 10:11:12 AM"}},"#,
                guid(noise),
                guid(noise),
                noise.below(40),
                kind.source,
                noise.next() >> 32
            )?,
        }
        Ok(())
    }

    fn resources(
        &mut self,
        form: Form,
        (number, region, thing): (&str, &str, usize),
    ) -> anyhow::Result<()> {
        let text = &mut self.text;
        match form {
            Form::Object => write!(
                text,
                r#""resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::data-{number}-{thing}/part"}},{{"accountId":"{number}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::data-{number}-{thing}"}}],"#
            )?,
            Form::Bucket => write!(
                text,
                r#""resources":[{{"accountId":"{number}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::data-{number}-{thing}"}}],"#
            )?,
            Form::Key => write!(
                text,
                r#""resources":[{{"accountId":"{number}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{region}:{number}:key/7c9e6679-7425-40de-944b-{thing:012x}"}}],"#
            )?,
            Form::Describe | Form::Named | Form::Bare => {}
        }
        Ok(())
    }

    pub(super) fn tls(&mut self, source: &str, region: usize) -> anyhow::Result<()> {
        let region = REGIONS.get(region).copied().unwrap_or("us-east-1");
        Ok(write!(
            self.text,
            r#","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}.{region}.amazonaws.com"}}"#
        )?)
    }

    pub(super) fn clock(&mut self, at: i64) -> anyhow::Result<()> {
        let (day, [hour, minute, second]) = self.days.split(at);
        Ok(write!(
            self.text,
            "{}T{hour:02}:{minute:02}:{second:02}Z",
            day.iso
        )?)
    }

    /// The role of a credential; none when it is a user's session token.
    pub(super) fn role(&self, credential: &Credential) -> Option<&'a Role> {
        let plan = self.plan;
        let account = plan.accounts.get(credential.account)?;
        let of_user = credential.issue == Issue::SessionToken;
        account.roles.get(credential.principal).filter(|_| !of_user)
    }
}

/// What S3 adds about a transfer.
fn transfer(text: &mut String, noise: &mut Noise) -> anyhow::Result<()> {
    text.push_str(r#""additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":""#);
    push_base64(text, 10, noise);
    Ok(write!(
        text,
        r#"=","bytesTransferredOut":{}}},"#,
        noise.below(9_000_000)
    )?)
}

/// `roleSessionName`, which follows from the key.
pub(super) fn session(credential: &Credential) -> String {
    let tail = credential.key.get(12..).unwrap_or("session");
    match credential.issue {
        Issue::ByService => format!("i-0{}", tail.to_ascii_lowercase()),
        Issue::AssumeRole | Issue::SessionToken => format!("session-{tail}"),
        Issue::WebIdentity => format!("run-{tail}"),
        Issue::Saml => format!("{}@example.com", tail.to_ascii_lowercase()),
    }
}

/// Most credentials stay where they are; one use in two hundred comes from the other address of the same
/// exit, seven further on in its block.
fn address_of(place: usize, noise: &mut Noise) -> u64 {
    let home = u64::try_from(place).unwrap_or(0) % 60_000;
    match (noise.below(200), home % BLOCK) {
        (0, host) if host + 7 < BLOCK => home + 7,
        (0, _) => home - 7,
        _ => home,
    }
}

pub(super) fn guid(noise: &mut Noise) -> String {
    let (high, low) = (noise.next(), noise.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// `tens` times ten letters of base64.
pub(super) fn push_base64(text: &mut String, tens: usize, noise: &mut Noise) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for _ in 0..tens {
        let mut bits = noise.next();
        for _ in 0..10 {
            let digit = usize::try_from(bits & 63).unwrap_or(0);
            text.extend(ALPHABET.get(digit).copied().map(char::from));
            bits >>= 6;
        }
    }
}

/// A user agent of some client; short ones, and some as long as they really are.
fn agent(number: u64) -> String {
    let minor = number % 9;
    match number % 4 {
        0 => format!(
            "aws-cli/2.3{minor}.4 md/Botocore#1.40.4{minor} ua/2.1 os/linux#6.1.0 lang/python#3.13.{minor} cfg/retry-mode#standard"
        ),
        1 => format!(
            "aws-sdk-go-v2/1.39.{minor} os/linux lang/go#1.25.{minor} md/GOOS#linux md/GOARCH#arm64 api/sts#1.38.{minor} m/E,g"
        ),
        2 => format!(
            "aws-sdk-java/2.34.{minor} md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.0 lang/java#21.0.{minor} exec-env/AWS_ECS_FARGATE"
        ),
        _ => format!(
            "APN/1.0 Builder/1.0 Provisioner/1.13.{minor} provider-aws/6.1{minor}.0 aws-sdk-go-v2/1.39.{minor} os/linux lang/go#1.25.{minor} api/ec2#1.254.{minor}"
        ),
    }
}
