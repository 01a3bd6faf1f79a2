//! Credentials for pods, certificate holders and buckets.

use super::call::{Grant, Link, Parent, role_resource, role_session};
use super::console::wrong_actor;
use super::sts::new_child;
use super::{Actor, Event};
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Noise, guid, session_token};
use crate::record::Draft;
use crate::time::later;
use crate::truth::{Basis, Kind};
use crate::world::{Principal, World};
use serde_json::{Value, json};

const HOUR: i64 = 3_600;

/// The session tags that EKS sets, all of them transitive.
const POD_TAGS: [&str; 6] = [
    "eks-cluster-arn",
    "eks-cluster-name",
    "kubernetes-namespace",
    "kubernetes-service-account",
    "kubernetes-pod-name",
    "kubernetes-pod-uid",
];

/// EKS Pod Identity: the node's session asks, a service assumes the role, in the same second.
pub(super) fn pod_identity(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    const LASTS: i64 = 6 * HOUR;
    world.check_gives(event)?;
    let home = world
        .home(event)
        .ok_or_else(|| wrong_actor(event, "the role session of a node"))?;
    let role = world
        .principal(PrincipalKind::Role, event.object(0, "a role")?, Some(&home))?
        .clone();
    let cluster = event.option("cluster").unwrap_or("main");
    let namespace = event.option("namespace").unwrap_or("default");
    let pod = event.option("pod").unwrap_or("pod");
    let mut asked = world.draft(event, "eks-auth", "AssumeRoleForPodIdentity");
    asked.read_only = true;
    asked.params = json!({ "clusterName": cluster, "token": "HIDDEN_DUE_TO_SECURITY_REASONS" });
    if event.failed() {
        world.emit(asked);
        return Ok(());
    }
    let parent = Parent::of(&asked);
    let cluster_arn = format!("arn:aws:eks:{}:{home}:cluster/{cluster}", asked.region);
    let uid = guid(&["pod", cluster, namespace, pod]);
    let session: String = format!("eks-{cluster}-{pod}-{uid}")
        .chars()
        .take(64)
        .collect();
    let values = [
        &cluster_arn,
        cluster,
        namespace,
        role.name.as_str(),
        pod,
        &uid,
    ];
    let params = json!({
        "roleArn": role.arn(),
        "roleSessionName": session,
        "durationSeconds": LASTS,
        "tags": POD_TAGS
            .iter()
            .zip(values)
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect::<Vec<_>>(),
        "transitiveTagKeys": POD_TAGS,
    });
    let mut event_ids = vec![asked.event_id.clone()];
    world.emit(asked);
    let terms = ("pods.eks.amazonaws.com", params);
    let (assume, key) = service_assume(world, event, terms, (&role, LASTS));
    event_ids.push(assume.event_id.clone());
    world.emit(assume);
    let api = "AssumeRoleForPodIdentity".to_owned();
    let link = Link {
        parent,
        api,
        basis: Basis::Inferred,
        event_ids,
    };
    enter(world, event, link, (&role, &session, key, LASTS));
    Ok(())
}

/// CreateSession: of Roles Anywhere for a certificate, of S3 Express for a key; other services' calls of
/// that name issue nothing.
pub(super) fn create_session(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    match (&event.actor, event.source) {
        (Actor::Certificate(name), None | Some("rolesanywhere")) => {
            let name = name.clone();
            anywhere(world, event, &name)
        }
        (Actor::Credential(_), None | Some("s3express")) => bucket_session(world, event),
        _ => super::plain::call(world, event),
    }
}

/// GetDataAccess of S3 Access Grants: the service assumes the grant's role for the caller.
pub(super) fn data_access(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let home = world
        .home(event)
        .ok_or_else(|| wrong_actor(event, "a key or session"))?;
    let role = event
        .option("using")
        .ok_or_else(|| Fault::new("", "`using` and a role"))?;
    let role = world
        .principal(PrincipalKind::Role, role, Some(&home))?
        .clone();
    let target = event.object(0, "what is accessed, such as `s3://bucket/prefix`")?;
    let lasts = event.duration("for")?.unwrap_or(HOUR);
    let mut asked = world.draft(event, "s3", "GetDataAccess");
    asked.params = json!({ "Target": target, "Permission": "READ", "durationSeconds": lasts });
    if event.failed() {
        world.emit(asked);
        return Ok(());
    }
    let parent = Parent::of(&asked);
    let mut event_ids = vec![asked.event_id.clone()];
    let session = format!("access-grants-{}", guid(&["grant", &asked.event_id]));
    world.emit(asked);
    let params = json!({
        "roleArn": role.arn(),
        "roleSessionName": session,
        "durationSeconds": lasts,
    });
    let terms = ("access-grants.s3.amazonaws.com", params);
    let (assume, key) = service_assume(world, event, terms, (&role, lasts));
    event_ids.push(assume.event_id.clone());
    world.emit(assume);
    let link = Link {
        parent,
        api: "GetDataAccess".to_owned(),
        basis: Basis::Inferred,
        event_ids,
    };
    enter(world, event, link, (&role, &session, key, lasts));
    Ok(())
}

/// CreateSession of Roles Anywhere, and the AssumeRole that it wraps, which shows the same key.
fn anywhere(world: &mut World, event: &Event<'_>, name: &str) -> Result<(), Fault> {
    world.check_gives(event)?;
    let role = event.object(0, "a role")?;
    let role = world.principal(PrincipalKind::Role, role, None)?.clone();
    let lasts = event.duration("for")?.unwrap_or(HOUR);
    let mut draft = world.draft(event, "rolesanywhere", "CreateSession");
    let subject = anywhere_request(&mut draft, &role, (name, lasts));
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let subject_name = format!("CN={name}");
    let session = format!("{:016x}", Noise::new(&["serial", name]).next());
    let params = json!({
        "roleArn": role.arn(),
        "roleSessionName": session,
        "durationSeconds": lasts,
        "sourceIdentity": subject_name,
        "tags": [{ "key": "x509Subject/CN", "value": name }],
    });
    let terms = ("rolesanywhere.amazonaws.com", params);
    let (assume, key) = service_assume(world, event, terms, (&role, lasts));
    let identity = role_session(&role, &session);
    draft.response = json!({
        "credentialSet": [{
            "assumedRoleUser": { "arn": identity.arn, "assumedRoleId": identity.principal_id },
            "credentials": {
                "accessKeyId": key,
                "expiration": later(event.at, lasts).to_string(),
                "sessionToken": session_token(&key),
            },
            "packedPolicySize": 30,
            "roleArn": role.arn(),
            "sourceIdentity": subject_name,
        }],
        "subjectArn": subject,
    });
    let mut link = Link::recorded(&draft);
    link.event_ids.push(assume.event_id.clone());
    world.emit(draft);
    world.emit(assume);
    enter(world, event, link, (&role, &session, key, lasts));
    if let Some(credential) = world.credentials.last_mut() {
        credential.identity.source_identity = Some(subject_name);
    }
    Ok(())
}

/// Who asks Roles Anywhere, and for what. Gives the ARN of the subject.
fn anywhere_request(draft: &mut Draft, role: &Principal, (name, lasts): (&str, i64)) -> String {
    let (region, account) = (&draft.region, &role.account);
    let arn = |kind: &str| {
        let id = guid(&[kind, account, name]);
        format!("arn:aws:rolesanywhere:{region}:{account}:{kind}/{id}")
    };
    let subject = arn("subject");
    let params = json!({
        "cert": "MIIB",
        "profileArn": arn("profile"),
        "roleArn": role.arn(),
        "trustAnchorArn": arn("trust-anchor"),
        "durationSeconds": lasts,
    });
    draft.params = params;
    draft.identity = json!({
        "type": "Unknown",
        "principalId": subject,
        "arn": subject,
        "accountId": account,
        "userName": format!("CN={name}"),
    });
    draft.recipient.clone_from(account);
    subject
}

/// CreateSession of S3 Express: five minutes on one bucket, for the same principal.
fn bucket_session(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    const LASTS: i64 = 300;
    world.check_gives(event)?;
    let bucket = event.object(0, "a directory bucket")?;
    let bucket = bucket.strip_prefix("s3://").unwrap_or(bucket);
    let mut draft = world.draft(event, "s3express", "CreateSession");
    draft.data = true;
    draft.read_only = true;
    draft.params = json!({ "bucketName": bucket, "x-amz-create-session-mode": "ReadWrite" });
    let account = draft.recipient.clone();
    draft.resources = vec![json!({
        "accountId": account,
        "type": "AWS::S3Express::DirectoryBucket",
        "ARN": format!("arn:aws:s3express:{}:{account}:bucket/{bucket}", draft.region),
    })];
    let parent = world.acting(event).filter(|_| !event.failed()).cloned();
    let Some(parent) = parent else {
        world.emit(draft);
        return Ok(());
    };
    let key = new_child(world, event, &account);
    draft.response =
        json!({ "credentials": world.credentials_element(&key, later(event.at, LASTS)) });
    let link = Link::recorded(&draft);
    world.emit(draft);
    let grant = Grant {
        kind: Kind::BucketSession,
        key: Some(key),
        identity: parent.identity,
        lasts: Some(LASTS),
        mfa: parent.mfa,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// Enters the session of a role that a service assumed for someone.
fn enter(
    world: &mut World,
    event: &Event<'_>,
    link: Link,
    (role, session, key, lasts): (&Principal, &str, String, i64),
) {
    let grant = Grant {
        kind: Kind::RoleSession,
        key: Some(key),
        identity: role_session(role, session),
        lasts: Some(lasts),
        mfa: false,
    };
    world.grant(event, grant, link);
}

/// AssumeRole as a service calls it while it serves `event`.
fn service_assume(
    world: &mut World,
    event: &Event<'_>,
    (service, params): (&str, Value),
    (role, lasts): (&Principal, i64),
) -> (Draft, String) {
    let called = Event {
        at: event.at,
        actor: Actor::Service(service.to_owned()),
        source: None,
        name: "AssumeRole",
        objects: event.objects,
        statement: event.statement,
    };
    let mut draft = world.draft(&called, "sts", "AssumeRole");
    // Options such as `from` speak of the caller, not of the service.
    service.clone_into(&mut draft.address);
    service.clone_into(&mut draft.agent);
    let key = new_child(world, event, &role.account);
    let session = params
        .get("roleSessionName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let child = role_session(role, session);
    draft.response = json!({
        "credentials": world.credentials_element(&key, later(event.at, lasts)),
        "assumedRoleUser": { "assumedRoleId": child.principal_id, "arn": child.arn },
    });
    draft.params = params;
    draft.resources = vec![role_resource(role)];
    draft.recipient.clone_from(&role.account);
    draft.shared = Some(guid(&["shared", &draft.event_id]));
    (draft, key)
}
