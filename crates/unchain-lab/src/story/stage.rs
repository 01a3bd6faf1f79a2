//! Puts into the lab what a story takes for granted: accounts, users with keys, passwords and devices, roles with
//! trust, buckets with objects. None of it is a call, so none of it is logged.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use unchain_trail::{Asked, CastKey, CastPrincipal, PrincipalKind, Script, Step, Who};

use super::{machines, trust};
use crate::call::{Call, Fault, Reply};
use crate::compute::Instance;
use crate::http::Request;
use crate::iam::{AccessKey, Attached, Document, Iam, InstanceProfile, Login, MfaDevice, Provider};
use crate::iam::{Role, User};
use crate::service::Service;
use crate::session::{Caller, Who as Principal};
use crate::world::World;

/// What whoever plays the story must know of what was set up.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Stage {
    /// Secrets of the declared keys, by access key id.
    pub(super) secrets: BTreeMap<String, String>,
    /// Seeds of the MFA devices, by serial.
    pub(super) seeds: BTreeMap<String, Vec<u8>>,
}

/// The password of everybody in a story.
pub(super) const PASSWORD: &str = "Not-a-secret-1";

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Sets up everything, a day before the story begins. What is there under the same names already is replaced.
///
/// # Errors
///
/// A policy that cannot be parsed; a bucket that belongs to another account.
pub(super) fn set(world: &mut World, script: &Script) -> Result<Stage, Fault> {
    const DAY: i64 = 86_400;
    let now = world.now;
    world.now = script.steps.first().map_or(now, |step| step.at - DAY);
    let mut stage = Stage::default();
    let done = accounts(world, script)
        .and_then(|()| principals(world, script, &mut stage))
        .and_then(|()| devices(world, script, &mut stage))
        .and_then(|()| things(world, script));
    machines::set(world, script);
    world.now = now;
    done.map(|()| stage)
}

/// Accounts; when somebody assumes root or asks Organizations, all of them in an organization under the first.
fn accounts(world: &mut World, script: &Script) -> Result<(), Fault> {
    let accounts = &script.cast.accounts;
    for account in accounts {
        if !world.accounts.contains_key(&account.number) {
            world.add_account(&account.number, &account.name);
        }
    }
    let organized = |step: &Step| {
        step.call == "AssumeRoot"
            || step
                .asked
                .iter()
                .any(|asked| asked.source == "organizations")
    };
    let Some((first, members)) = accounts.split_first() else {
        return Ok(());
    };
    let home = (Service::Organizations, first.number.as_str());
    if !script.steps.iter().any(organized)
        || quietly(world, home, ("DescribeOrganization", json!({}))).is_ok()
    {
        return Ok(());
    }
    quietly(
        world,
        home,
        ("CreateOrganization", json!({"FeatureSet": "ALL"})),
    )?;
    for member in members.iter().filter(|member| member.logged) {
        let target = json!({"Target": {"Id": member.number, "Type": "ACCOUNT"}});
        let invited = quietly(world, home, ("InviteAccountToOrganization", target))?;
        let handshake = invited.value.pointer("/Handshake/Id").cloned();
        let accept = json!({"HandshakeId": handshake});
        quietly(
            world,
            (Service::Organizations, &member.number),
            ("AcceptHandshake", accept),
        )?;
    }
    // Centralised root access, without which nobody assumes root.
    let made = world.organizations.organizations.get_mut(&first.number);
    if let Some(organization) = made {
        for feature in ["RootCredentialsManagement", "RootSessions"] {
            organization.root_features.insert(feature.to_owned());
        }
    }
    Ok(())
}

fn principals(world: &mut World, script: &Script, stage: &mut Stage) -> Result<(), Fault> {
    for principal in &script.cast.principals {
        match principal.kind {
            PrincipalKind::User => user(world, script, (principal, stage))?,
            PrincipalKind::Root => root(world, principal, stage),
            PrincipalKind::Role => role(world, script, principal)?,
            PrincipalKind::Person => {}
        }
    }
    Ok(())
}

fn user(
    world: &mut World,
    script: &Script,
    (principal, stage): (&CastPrincipal, &mut Stage),
) -> Result<(), Fault> {
    let created_at = world.now;
    let signs_in = |step: &Step| {
        matches!(&step.who, Who::Principal { name, account, .. }
            if *name == principal.name && *account == principal.account)
    };
    let login = script.steps.iter().any(signs_in).then(|| Login {
        password: PASSWORD.to_owned(),
        created_at,
        reset_required: false,
    });
    let user = User {
        id: principal.id.clone(),
        path: principal.path.clone(),
        created_at,
        attached: attached(script, principal)?,
        keys: keys(world, principal, stage),
        login,
        mfa: Vec::new(),
        groups: Vec::new(),
        password_last_used: None,
    };
    for key in &user.keys {
        let owner = (principal.account.clone(), Some(principal.name.clone()));
        world.key_owners.insert(key.id.clone(), owner);
    }
    if let Some(iam) = iam(world, &principal.account) {
        iam.users.insert(principal.name.clone(), user);
    }
    Ok(())
}

fn root(world: &mut World, principal: &CastPrincipal, stage: &mut Stage) {
    let keys = keys(world, principal, stage);
    for key in &keys {
        let owner = (principal.account.clone(), None);
        world.key_owners.insert(key.id.clone(), owner);
    }
    if let Some(iam) = iam(world, &principal.account) {
        let known: BTreeSet<String> = keys.iter().map(|key| key.id.clone()).collect();
        iam.root_keys.retain(|key| !known.contains(&key.id));
        iam.root_keys.extend(keys);
    }
}

fn keys(world: &mut World, principal: &CastPrincipal, stage: &mut Stage) -> Vec<AccessKey> {
    let mut keys = Vec::new();
    for CastKey { id, .. } in &principal.keys {
        let secret = world.ids.secret();
        stage.secrets.insert(id.clone(), secret.clone());
        keys.push(AccessKey {
            id: id.clone(),
            secret,
            active: true,
            created_at: world.now,
            last_used: None,
        });
    }
    keys
}

fn role(world: &mut World, script: &Script, principal: &CastPrincipal) -> Result<(), Fault> {
    let trust = trust::document(script, principal).to_string();
    let role = Role {
        id: principal.id.clone(),
        path: principal.path.clone(),
        created_at: world.now,
        attached: attached(script, principal)?,
        trust: document("trust", &trust)?,
        max_session: principal.longest,
        description: None,
        last_used: None,
    };
    let profile = InstanceProfile {
        id: world.ids.unique("AIPA", &principal.account),
        path: "/".to_owned(),
        created_at: world.now,
        role: Some(principal.name.clone()),
    };
    if let Some(iam) = iam(world, &principal.account) {
        iam.roles.insert(principal.name.clone(), role);
        iam.instance_profiles
            .insert(principal.name.clone(), profile);
    }
    Ok(())
}

/// Everything is allowed, unless `allow` lines say what; `deny` lines hold in any case.
fn attached(script: &Script, principal: &CastPrincipal) -> Result<Attached, Fault> {
    let rules: Vec<_> = script
        .cast
        .rules
        .iter()
        .filter(|rule| rule.principal == principal.arn)
        .collect();
    let mut attached = Attached::default();
    if rules.iter().all(|rule| rule.effect == "Deny") {
        attached.managed.push(ADMINISTRATOR.to_owned());
    }
    if !rules.is_empty() {
        let statements: Vec<Value> = rules
            .iter()
            .map(|rule| {
                json!({"Effect": rule.effect, "Action": rule.actions, "Resource": rule.resources})
            })
            .collect();
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        attached
            .inline
            .insert("story".to_owned(), document("story", &text)?);
    }
    Ok(attached)
}

fn document(name: &str, text: &str) -> Result<Document, Fault> {
    Document::parse(name, text)
        .map_err(|error| Fault::api(400, "MalformedPolicyDocument", error.to_string()))
}

/// The devices that lines show without anybody having made them.
fn devices(world: &mut World, script: &Script, stage: &mut Stage) -> Result<(), Fault> {
    let mut made: BTreeSet<String> = BTreeSet::new();
    for step in &script.steps {
        let Some((account, owner)) = owner(step) else {
            continue;
        };
        if step.call == "CreateVirtualMFADevice" {
            let device = step.objects.first().cloned().unwrap_or_default();
            made.insert(format!("arn:aws:iam::{account}:mfa/{device}"));
            continue;
        }
        let Some(device) = step.option("mfa") else {
            continue;
        };
        let serial = format!("arn:aws:iam::{account}:mfa/{device}");
        if made.insert(serial.clone()) && step.call != "EnableMFADevice" {
            let seed = world.ids.text(20).into_bytes();
            stage.seeds.insert(serial.clone(), seed.clone());
            enable(world, &account, (&serial, &owner, seed));
        }
    }
    Ok(())
}

fn enable(world: &mut World, account: &str, (serial, owner, seed): (&str, &str, Vec<u8>)) {
    let enabled = Some((owner.to_owned(), world.now));
    if let Some(iam) = iam(world, account) {
        let device = MfaDevice {
            seed,
            enabled,
            last_step: None,
        };
        iam.mfa_devices.insert(serial.to_owned(), device);
        if let Some(user) = iam.users.get_mut(owner) {
            user.mfa.push(serial.to_owned());
        }
    }
}

/// The account and user whose device a step shows.
fn owner(step: &Step) -> Option<(String, String)> {
    if let Who::Principal { name, account, .. } = &step.who {
        return Some((account.clone(), name.clone()));
    }
    let identity = step.own()?.record.get("userIdentity")?;
    let text = |name: &str| identity.get(name).and_then(Value::as_str);
    let named = step.call == "DeactivateMFADevice";
    let user = match step.objects.first().filter(|_| named) {
        Some(user) => user.clone(),
        None => text("userName").unwrap_or("root").to_owned(),
    };
    Some((text("accountId")?.to_owned(), user))
}

/// Providers, instances, buckets, objects, secrets, tables, functions, parameters, nodes and stacks that lines use
/// without anybody having made them.
fn things(world: &mut World, script: &Script) -> Result<(), Fault> {
    providers(world, script);
    for bucket in &script.cast.buckets {
        make_bucket(world, &bucket.name, &bucket.account)?;
    }
    let mut made: BTreeSet<(String, String)> = BTreeSet::new();
    for step in &script.steps {
        let Some(own) = step.own() else { continue };
        let param = |name: &str| own.params.get(name).and_then(Value::as_str);
        if let Some(bucket) = param("bucketName").filter(|_| own.source == "s3") {
            make_bucket(world, bucket, &own.recipient)?;
            let key = param("key").unwrap_or_default();
            let new = made.insert((bucket.to_owned(), key.to_owned()));
            if new && matches!(own.name.as_str(), "GetObject" | "HeadObject" | "CopyObject") {
                put_object(world, &own.recipient, (bucket, key))?;
            }
        }
        if own.name == "AssociateIamInstanceProfile" {
            make_instance(world, script, own);
        }
        let Some((name, kind)) = needed(&own.name) else {
            continue;
        };
        if let Some(id) = param(name).filter(|id| made.insert((kind.to_owned(), (*id).to_owned())))
        {
            make_thing(world, &own.recipient, (kind, id))?;
        }
    }
    Ok(())
}

/// The instance that is given a profile, unless the story launches it.
fn make_instance(world: &mut World, script: &Script, asked: &Asked) {
    let id = asked
        .params
        .pointer("/AssociateIamInstanceProfileRequest/InstanceId");
    let Some(id) = id.and_then(Value::as_str) else {
        return;
    };
    let launched = script.steps.iter().filter_map(Step::own).any(|own| {
        let made = "/responseElements/instancesSet/items/0/instanceId";
        own.record.pointer(made).and_then(Value::as_str) == Some(id)
    });
    if launched {
        return;
    }
    let instance = Instance {
        account: asked.recipient.clone(),
        region: asked.region.clone(),
        reservation: format!("r-0{:016x}", world.ids.number()),
        image: "ami-0123456789abcdef0".to_owned(),
        kind: "t3.micro".to_owned(),
        launched_at: world.now,
        profile: None,
        tokens_required: false,
        terminated: false,
        tags: BTreeMap::new(),
    };
    world.compute.instances.insert(id.to_owned(), instance);
}

/// The parameter that names what a reading call needs, and what that is.
fn needed(call: &str) -> Option<(&'static str, &'static str)> {
    match call {
        "GetSecretValue" => Some(("secretId", "secret")),
        "GetItem" | "PutItem" | "Query" | "Scan" => Some(("tableName", "table")),
        "Invoke" => Some(("functionName", "function")),
        "GetParameter" => Some(("name", "parameter")),
        "SendCommand" => Some(("instanceIds", "node")),
        "DescribeStacks" => Some(("stackName", "stack")),
        _ => None,
    }
}

fn make_thing(world: &mut World, account: &str, (kind, id): (&str, &str)) -> Result<(), Fault> {
    let (service, operation, params) = match kind {
        "secret" => (
            Service::SecretsManager,
            "CreateSecret",
            json!({"Name": id, "SecretString": "not a secret"}),
        ),
        "table" => (
            Service::DynamoDb,
            "CreateTable",
            json!({
                "TableName": id,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            }),
        ),
        "parameter" => (
            Service::Ssm,
            "PutParameter",
            json!({"Name": id, "Type": "String", "Value": "not a secret"}),
        ),
        "node" => (
            Service::Ssm,
            "UpdateInstanceInformation",
            json!({"InstanceId": id, "AgentVersion": "3.3.0.0", "PlatformType": "Linux"}),
        ),
        "stack" => (
            Service::CloudFormation,
            "CreateStack",
            json!({"StackName": id, "TemplateBody": "{\"Resources\": {}}"}),
        ),
        _ => (Service::Lambda, "CreateFunction", function(account, id)),
    };
    there(quietly(world, (service, account), (operation, params)))
}

/// A function under a role named like it.
fn function(account: &str, id: &str) -> Value {
    json!({
        "FunctionName": id,
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": format!("arn:aws:iam::{account}:role/{id}"),
        "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
    })
}

/// What exists already is as good as made.
fn there(made: Result<Reply, Fault>) -> Result<(), Fault> {
    match made {
        Err(fault) if !matches!(fault.status, 400 | 409) => Err(fault),
        _ => Ok(()),
    }
}

fn make_bucket(world: &mut World, bucket: &str, account: &str) -> Result<(), Fault> {
    let params = json!({"Bucket": bucket});
    there(quietly(
        world,
        (Service::S3, account),
        ("CreateBucket", params),
    ))
}

fn put_object(world: &mut World, account: &str, (bucket, key): (&str, &str)) -> Result<(), Fault> {
    let params = json!({"Bucket": bucket, "Key": key});
    there(quietly(
        world,
        (Service::S3, account),
        ("PutObject", params),
    ))
}

/// The identity providers whose subjects come without anybody having made the provider.
fn providers(world: &mut World, script: &Script) {
    let made = |name: &str| {
        let makes = |step: &Step| {
            step.call.starts_with("Create")
                && step
                    .objects
                    .iter()
                    .any(|word| word.trim_start_matches("https://") == name)
        };
        script.steps.iter().any(makes)
    };
    for step in &script.steps {
        let Who::Provider(name) = &step.who else {
            continue;
        };
        let Some(own) = step.own().filter(|_| !made(name)) else {
            continue;
        };
        let created_at = world.now;
        let (kind, provider) = match step.call.as_str() {
            "AssumeRoleWithSAML" => ("saml-provider", saml_provider(name, created_at)),
            _ => ("oidc-provider", oidc_provider(name, created_at)),
        };
        let arn = format!("arn:aws:iam::{}:{kind}/{name}", own.recipient);
        if let Some(iam) = iam(world, &own.recipient) {
            iam.providers.entry(arn).or_insert(provider);
        }
    }
}

fn saml_provider(name: &str, created_at: i64) -> Provider {
    Provider::Saml {
        metadata: super::assertion::metadata(name),
        created_at,
    }
}

fn oidc_provider(name: &str, created_at: i64) -> Provider {
    Provider::Oidc {
        url: name.to_owned(),
        client_ids: vec!["sts.amazonaws.com".to_owned()],
        thumbprints: vec!["0".repeat(40)],
        created_at,
    }
}

fn iam<'w>(world: &'w mut World, account: &str) -> Option<&'w mut Iam> {
    world.accounts.get_mut(account).map(|found| &mut found.iam)
}

/// An operation by the account's root user that nobody checks and nobody logs.
fn quietly(
    world: &mut World,
    (service, account): (Service, &str),
    (name, params): (&str, Value),
) -> Result<Reply, Fault> {
    let Some(operation) = service.operation(name) else {
        let message = format!("the lab has no {}:{name}", service.name());
        return Err(Fault::api(501, "NotImplemented", message));
    };
    let http = Request::default();
    let call = Call {
        operation,
        caller: Caller {
            account: account.to_owned(),
            who: Principal::Root,
            access_key_id: None,
            session: None,
            invoked_by: None,
        },
        region: "us-east-1".to_owned(),
        params: match params {
            Value::Object(fields) => fields,
            _ => Map::new(),
        },
        http: &http,
        body: Vec::new(),
        at: world.time(),
        source_ip: "127.0.0.1".to_owned(),
        user_agent: String::new(),
        request_id: String::new(),
    };
    (operation.run)(world, &call)
}
