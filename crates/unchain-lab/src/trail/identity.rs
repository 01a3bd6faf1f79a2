//! `userIdentity`: what a record says of who made the call
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html).

use serde_json::{Map, Value, json};
use unchain_core::time::Timestamp;

use crate::session::{Caller, MadeBy, Session, Who};
use crate::world::World;

/// The identity in the log of the caller's own account.
pub fn of(world: &World, caller: &Caller) -> Value {
    let mut identity = Map::new();
    principal(world, caller, &mut identity);
    if let Some(session) = &caller.session {
        identity.insert("sessionContext".to_owned(), context(world, session));
        if let MadeBy::IdentityCenter { user_id, store } = &session.made_by {
            let person = json!({"userId": user_id, "identityStoreArn": store});
            identity.insert("onBehalfOf".to_owned(), person);
        }
    }
    if let Some(service) = &caller.invoked_by {
        identity.insert("invokedBy".to_owned(), service.clone().into());
    }
    Value::Object(identity)
}

/// The identity in the log of another account: whose it is and its unique id, neither name nor key.
pub fn foreign(caller: &Caller) -> Value {
    json!({"type": "AWSAccount", "principalId": caller.user_id(), "accountId": caller.account})
}

fn principal(world: &World, caller: &Caller, identity: &mut Map<String, Value>) {
    let mut put = |name: &str, value: String| identity.insert(name.to_owned(), value.into());
    match &caller.who {
        Who::Anonymous => {
            put("type", "AWSAccount".to_owned());
            put("principalId", String::new());
            put("accountId", "ANONYMOUS_PRINCIPAL".to_owned());
            return;
        }
        Who::Service(service) => {
            put("type", "AWSService".to_owned());
            put("invokedBy", service.clone());
            return;
        }
        Who::WebIdentity {
            issuer, subject, ..
        } => {
            put("type", "WebIdentityUser".to_owned());
            put("principalId", caller.user_id());
            put("userName", subject.clone());
            put("identityProvider", issuer.clone());
            return;
        }
        Who::Saml { provider, subject } => {
            put("type", "SAMLUser".to_owned());
            put("principalId", caller.user_id());
            put("userName", subject.clone());
            put("identityProvider", provider.clone());
            return;
        }
        Who::Root => put("type", "Root".to_owned()),
        Who::User { .. } => put("type", "IAMUser".to_owned()),
        Who::Role { .. } => put("type", "AssumedRole".to_owned()),
        Who::Federated { .. } => put("type", "FederatedUser".to_owned()),
    };
    put("principalId", caller.user_id());
    put("arn", arn(world, &caller.account, &caller.who));
    put("accountId", caller.account.clone());
    if let Some(key) = &caller.access_key_id {
        put("accessKeyId", key.clone());
    }
    if let Who::User { name, .. } = &caller.who {
        put("userName", name.clone());
    }
}

/// The ARN of a principal of an account: with its path for a user, without the role's path for a session.
pub fn arn(world: &World, account: &str, who: &Who) -> String {
    match who {
        Who::Root => format!("arn:aws:iam::{account}:root"),
        Who::User { name, .. } => {
            let user = world.iam(account).and_then(|iam| iam.users.get(name));
            let path = user.map_or("/", |user| user.path.as_str());
            format!("arn:aws:iam::{account}:user{path}{name}")
        }
        Who::Role { name, session, .. } => {
            format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")
        }
        Who::Federated { name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
        Who::Service(_) | Who::WebIdentity { .. } | Who::Saml { .. } | Who::Anonymous => {
            String::new()
        }
    }
}

/// A role's ARN with its path; a role that is gone is named without.
pub fn role_arn(world: &World, account: &str, name: &str) -> String {
    let role = world.iam(account).and_then(|iam| iam.roles.get(name));
    let path = role.map_or("/", |role| role.path.as_str());
    format!("arn:aws:iam::{account}:role{path}{name}")
}

fn context(world: &World, session: &Session) -> Value {
    let mut context = Map::new();
    if let Some(issuer) = issuer(world, session) {
        context.insert("sessionIssuer".to_owned(), issuer);
    }
    if let MadeBy::WebIdentity { provider } = &session.made_by {
        let federation = json!({"federatedProvider": provider, "attributes": {}});
        context.insert("webIdFederationData".to_owned(), federation);
    }
    context.insert(
        "attributes".to_owned(),
        json!({
            "creationDate": Timestamp::from_seconds(session.created_at).to_string(),
            "mfaAuthenticated": session.mfa_logged.to_string(),
        }),
    );
    if let Some(source) = &session.source_identity {
        context.insert("sourceIdentity".to_owned(), source.clone().into());
    }
    match &session.made_by {
        MadeBy::AssumeRoot { .. } => {
            context.insert("assumedRoot".to_owned(), "true".into());
        }
        MadeBy::Service {
            ec2_role_delivery: Some(version),
            ..
        } => {
            context.insert("ec2RoleDelivery".to_owned(), version.clone().into());
        }
        _ => {}
    }
    Value::Object(context)
}

/// The entity behind a session: a role, or the user or root who asked for a federated user.
fn issuer(world: &World, session: &Session) -> Option<Value> {
    let account = &session.account;
    match &session.who {
        Who::Role { name, id, .. } => Some(json!({
            "type": "Role", "principalId": id, "arn": role_arn(world, account, name),
            "accountId": account, "userName": name,
        })),
        Who::Federated {
            parent: Some((name, id)),
            ..
        } => {
            let user = Who::User {
                name: name.clone(),
                id: id.clone(),
            };
            Some(json!({
                "type": "IAMUser", "principalId": id, "arn": arn(world, account, &user),
                "accountId": account, "userName": name,
            }))
        }
        Who::Federated { parent: None, .. } => Some(json!({
            "type": "Root", "principalId": account, "arn": arn(world, account, &Who::Root),
            "accountId": account,
        })),
        _ => None,
    }
}
