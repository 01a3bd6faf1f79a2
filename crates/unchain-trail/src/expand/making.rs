//! Deeds that outlive the credential that did them: users, keys, login profiles, MFA devices, trust, and
//! machines with a role.

use super::Event;
use super::call::Link;
use super::console::wrong_actor;
use super::declare::{declared, long_term_key};
use super::sts::gives;
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Prefix, guid, instance_id};
use crate::time::{DateForm, elements_date};
use crate::truth::Edge;
use crate::world::{Principal, World};
use serde_json::{Value, json};

const NAMES: &[&str] = &[
    "CreateUser",
    "CreateRole",
    "CreateAccessKey",
    "CreateLoginProfile",
    "UpdateLoginProfile",
    "CreateVirtualMFADevice",
    "EnableMFADevice",
    "DeactivateMFADevice",
    "UpdateAssumeRolePolicy",
    "CreateSAMLProvider",
    "CreateOpenIDConnectProvider",
    "CreateTrustAnchor",
    "RunInstances",
    "AssociateIamInstanceProfile",
    "CreateFunction",
    "CreateFunction20150331",
];

/// A call about to be written, and what it makes.
struct Deed {
    source: &'static str,
    name: &'static str,
    params: Value,
    response: Value,
    thing: String,
}

pub(super) fn knows(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn call(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let home = world
        .home(event)
        .ok_or_else(|| wrong_actor(event, "a key or session"))?;
    let word = event.object(0, "what is made or changed")?;
    let deed = match event.name {
        "CreateAccessKey" => return create_access_key(world, event, &home),
        "CreateUser" => create_principal(world, event, (PrincipalKind::User, &home))?,
        "CreateRole" => create_principal(world, event, (PrincipalKind::Role, &home))?,
        "RunInstances" | "AssociateIamInstanceProfile" => instance(event, &home, word),
        "CreateFunction" | "CreateFunction20150331" => function(world, event, &home)?,
        "UpdateAssumeRolePolicy" => trust(world, event, &home)?,
        "CreateSAMLProvider" | "CreateOpenIDConnectProvider" | "CreateTrustAnchor" => {
            provider(world, event, &home)
        }
        _ => sign_in_means(world, event, &home)?,
    };
    if let Some(label) = &event.statement.gives {
        return Err(Fault::new(
            label,
            "`->` only behind a call that gives a credential",
        ));
    }
    write(world, event, deed);
    Ok(())
}

fn write(world: &mut World, event: &Event<'_>, deed: Deed) {
    let mut draft = world.draft(event, deed.source, deed.name);
    draft.params = deed.params;
    draft.response = deed.response;
    if !event.failed() {
        world.made(&draft, &deed.thing);
    }
    world.emit(draft);
}

/// CreateAccessKey for a user: the one deed that gives a credential at once.
fn create_access_key(world: &mut World, event: &Event<'_>, home: &str) -> Result<(), Fault> {
    let user = world
        .principal(PrincipalKind::User, event.object(0, "a user")?, Some(home))?
        .clone();
    let mut draft = world.draft(event, "iam", "CreateAccessKey");
    draft.params = json!({ "userName": user.name });
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let label = gives(event).to_owned();
    if world.has_label(&label) && label != "unnamed" {
        return Err(Fault::new(&label, "a key name not used before"));
    }
    let key = world.new_key(Prefix::LongTermKey, &user.account, &label);
    draft.response = json!({ "accessKey": {
        "userName": user.name,
        "accessKeyId": key,
        "status": "Active",
        "createDate": elements_date(event.at, DateForm::Narrow),
    }});
    let link = Link::recorded(&draft);
    world.truth.edges.push(Edge {
        parent_key: link.parent.key,
        parent_principal: link.parent.principal,
        child_key: Some(key.clone()),
        child_principal: user.arn(),
        api: link.api,
        time: event.at.to_string(),
        basis: link.basis,
        event_ids: link.event_ids,
        cross_account: false,
    });
    world.made(&draft, &key);
    let (address, agent) = (draft.address.clone(), draft.agent.clone());
    world.emit(draft);
    long_term_key(world, &user, (&label, &key), event.at);
    if let Some(credential) = world.credentials.last_mut() {
        (credential.address, credential.agent) = (address, agent);
    }
    Ok(())
}

/// CreateUser and CreateRole: the new name can be used by the lines below.
fn create_principal(
    world: &mut World,
    event: &Event<'_>,
    (kind, home): (PrincipalKind, &str),
) -> Result<Deed, Fault> {
    let new = declared(world, kind, home, event.object(0, "a name")?)?;
    let arn = new.arn();
    let date = elements_date(event.at, DateForm::Narrow);
    let (name, params, response) = if kind == PrincipalKind::User {
        let user = json!({
            "path": new.path, "userName": new.name, "userId": new.id, "arn": arn, "createDate": date,
        });
        (
            "CreateUser",
            json!({ "userName": new.name }),
            json!({ "user": user }),
        )
    } else {
        let document = trust_document(home, event.option("trust").unwrap_or(home), event);
        let role = json!({
            "path": new.path, "roleName": new.name, "roleId": new.id, "arn": arn, "createDate": date,
        });
        let params = json!({ "roleName": new.name, "assumeRolePolicyDocument": document });
        ("CreateRole", params, json!({ "role": role }))
    };
    if !event.failed() {
        world.principals.push(new);
    }
    Ok(Deed {
        source: "iam",
        name,
        params,
        response,
        thing: arn,
    })
}

/// Login profiles and MFA devices.
fn sign_in_means(world: &World, event: &Event<'_>, home: &str) -> Result<Deed, Fault> {
    let word = event.object(0, "a user or device")?;
    let serial = |device: &str| format!("arn:aws:iam::{home}:mfa/{device}");
    if event.name == "CreateVirtualMFADevice" {
        return Ok(Deed {
            source: "iam",
            name: "CreateVirtualMFADevice",
            params: json!({ "path": "/", "virtualMFADeviceName": word }),
            response: json!({ "virtualMFADevice": { "serialNumber": serial(word) } }),
            thing: serial(word),
        });
    }
    let user = world.principal(PrincipalKind::User, word, Some(home))?;
    let profile = json!({ "userName": user.name, "passwordResetRequired": false });
    let name = match event.name {
        "CreateLoginProfile" => {
            let date = elements_date(event.at, DateForm::Narrow);
            let made = json!({
                "userName": user.name, "createDate": date, "passwordResetRequired": false,
            });
            return Ok(Deed {
                source: "iam",
                name: "CreateLoginProfile",
                params: profile,
                response: json!({ "loginProfile": made }),
                thing: user.arn(),
            });
        }
        "UpdateLoginProfile" => {
            let (source, name) = ("iam", "UpdateLoginProfile");
            let thing = user.arn();
            return Ok(Deed {
                source,
                name,
                params: profile,
                response: Value::Null,
                thing,
            });
        }
        "EnableMFADevice" => "EnableMFADevice",
        _ => "DeactivateMFADevice",
    };
    let device = event
        .option("mfa")
        .ok_or_else(|| Fault::new("", "`mfa` and a device"))?;
    Ok(Deed {
        source: "iam",
        name,
        params: json!({ "userName": user.name, "serialNumber": serial(device) }),
        response: Value::Null,
        thing: serial(device),
    })
}

/// UpdateAssumeRolePolicy: who may assume the role from now on.
fn trust(world: &World, event: &Event<'_>, home: &str) -> Result<Deed, Fault> {
    let role: &Principal =
        world.principal(PrincipalKind::Role, event.object(0, "a role")?, Some(home))?;
    let trusted = event.option("trust").unwrap_or(home);
    let trusted = world
        .account(trusted)
        .map_or(trusted, |account| account.number.as_str());
    Ok(Deed {
        source: "iam",
        name: "UpdateAssumeRolePolicy",
        params: json!({
            "roleName": role.name, "policyDocument": trust_document(home, trusted, event),
        }),
        response: Value::Null,
        thing: role.arn(),
    })
}

fn provider(world: &World, event: &Event<'_>, home: &str) -> Deed {
    let word = event.objects.first().map_or("", String::as_str);
    match event.name {
        "CreateSAMLProvider" => {
            let arn = format!("arn:aws:iam::{home}:saml-provider/{word}");
            Deed {
                source: "iam",
                name: "CreateSAMLProvider",
                params: json!({ "name": word, "sAMLMetadataDocument": "<EntityDescriptor/>" }),
                response: json!({ "sAMLProviderArn": arn }),
                thing: arn,
            }
        }
        "CreateOpenIDConnectProvider" => {
            let host = word.strip_prefix("https://").unwrap_or(word);
            let arn = format!("arn:aws:iam::{home}:oidc-provider/{host}");
            Deed {
                source: "iam",
                name: "CreateOpenIDConnectProvider",
                params: json!({
                    "url": format!("https://{host}"),
                    "clientIDList": ["sts.amazonaws.com"],
                }),
                response: json!({ "openIDConnectProviderArn": arn }),
                thing: arn,
            }
        }
        _ => {
            let region = event.option("region").unwrap_or(&world.region);
            let id = guid(&["trust-anchor", home, word]);
            let arn = format!("arn:aws:rolesanywhere:{region}:{home}:trust-anchor/{id}");
            let anchor = json!({
                "enabled": true, "name": word, "trustAnchorArn": arn, "trustAnchorId": id,
            });
            let authority = event.option("using").unwrap_or("CERTIFICATE_BUNDLE");
            Deed {
                source: "rolesanywhere",
                name: "CreateTrustAnchor",
                params: json!({
                    "enabled": true,
                    "name": word,
                    "source": { "sourceType": authority, "sourceData": {} },
                }),
                response: json!({ "trustAnchor": anchor }),
                thing: arn,
            }
        }
    }
}

/// RunInstances and AssociateIamInstanceProfile, with a profile named like its role.
fn instance(event: &Event<'_>, home: &str, word: &str) -> Deed {
    let id = instance_id(word);
    let profile = event.option("profile").map(|name| {
        json!({ "arn": format!("arn:aws:iam::{home}:instance-profile/{name}"), "name": name })
    });
    if event.name == "AssociateIamInstanceProfile" {
        let association = json!({ "instanceId": id, "iamInstanceProfile": profile });
        return Deed {
            source: "ec2",
            name: "AssociateIamInstanceProfile",
            params: json!({ "AssociateIamInstanceProfileRequest": {
                "InstanceId": id, "IamInstanceProfile": profile,
            }}),
            response: json!({ "AssociateIamInstanceProfileResponse": {
                "iamInstanceProfileAssociation": association,
            }}),
            thing: id,
        };
    }
    let mut made = json!({ "instanceId": id, "instanceState": { "code": 0, "name": "pending" } });
    let mut params = json!({
        "instancesSet": { "items": [{ "minCount": 1, "maxCount": 1 }] },
        "instanceType": "t3.micro",
    });
    if let Some(profile) = profile {
        for value in [&mut made, &mut params] {
            if let Value::Object(fields) = value {
                fields.insert("iamInstanceProfile".to_owned(), profile.clone());
            }
        }
    }
    let response = json!({ "instancesSet": { "items": [made] } });
    Deed {
        source: "ec2",
        name: "RunInstances",
        params,
        response,
        thing: id,
    }
}

fn function(world: &World, event: &Event<'_>, home: &str) -> Result<Deed, Fault> {
    let name = event.object(0, "a function")?;
    let role = event
        .option("using")
        .ok_or_else(|| Fault::new("", "`using` and a role"))?;
    let role = world
        .principal(PrincipalKind::Role, role, Some(home))?
        .arn();
    let region = event.option("region").unwrap_or(&world.region);
    let arn = format!("arn:aws:lambda:{region}:{home}:function:{name}");
    Ok(Deed {
        source: "lambda",
        name: "CreateFunction20150331",
        params: json!({ "functionName": name, "runtime": "python3.13", "role": role }),
        response: json!({ "functionName": name, "functionArn": arn, "role": role }),
        thing: arn,
    })
}

/// A trust policy for an account number, an ARN or `*`, with `external-id` on that condition.
fn trust_document(home: &str, trusted: &str, event: &Event<'_>) -> String {
    let provider = [
        ("oidc-provider", "sts:AssumeRoleWithWebIdentity"),
        ("saml-provider", "sts:AssumeRoleWithSAML"),
    ];
    let provider = provider
        .iter()
        .find(|(kind, _)| trusted.starts_with("arn:") && trusted.contains(&format!(":{kind}/")));
    let (kind, action) = match provider {
        Some((_, action)) => ("Federated", *action),
        None => ("AWS", "sts:AssumeRole"),
    };
    let principal = match trusted {
        number if number.len() == 12 && number.bytes().all(|b| b.is_ascii_digit()) => {
            format!("arn:aws:iam::{number}:root")
        }
        "*" => "*".to_owned(),
        arn if arn.starts_with("arn:") => arn.to_owned(),
        user => format!("arn:aws:iam::{home}:user/{user}"),
    };
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { kind: principal },
        "Action": action,
    });
    if let (Some(id), Value::Object(fields)) = (event.option("external-id"), &mut statement) {
        let condition = json!({ "StringEquals": { "sts:ExternalId": id } });
        fields.insert("Condition".to_owned(), condition);
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}
