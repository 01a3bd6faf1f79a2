//! Credentials that a service gives to a workload: an instance's metadata service, a function's environment, a task's
//! credential endpoint, a pod's agent. The service assumes the role for it; the workload finds the credentials, and
//! finds new ones when they are about to end. Operators and stories ask through the control address, in place of the
//! metadata service.
//!
//! It must not know what a workload does with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use unchain_policy::Decision;

use crate::call::Fault;
use crate::enforce;
use crate::operation::Ask;
use crate::session::{Caller, MadeBy, Who};
use crate::sts;
use crate::trail::draft::{Access, Draft};
use crate::trail::{self, elements, identity};
use crate::world::World;

/// Credentials that workloads hold now, by workload.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    held: BTreeMap<String, Held>,
}

/// What a metadata service gives until the credentials are about to end.
#[derive(Clone, Serialize, Deserialize)]
struct Held {
    access_key_id: String,
    /// The role that they are of.
    #[serde(default)]
    role: String,
    /// Virtual seconds since 1970.
    until: i64,
    credentials: Value,
}

shown!(Held: access_key_id, until);

/// New credentials are there this long before the old ones end, in seconds
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html: at least five minutes).
const AHEAD: i64 = 300;

/// A kind of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Instance,
    Function,
    Task,
    Pod,
}

impl Kind {
    fn service(self) -> &'static str {
        match self {
            Self::Instance => "ec2.amazonaws.com",
            Self::Function => "lambda.amazonaws.com",
            Self::Task => "ecs-tasks.amazonaws.com",
            Self::Pod => "pods.eks.amazonaws.com",
        }
    }

    /// How long the credentials last, in seconds: as observed for instances and functions.
    fn seconds(self) -> i64 {
        match self {
            Self::Instance => 23_700,
            Self::Function => 7200,
            Self::Task | Self::Pod => 21_600,
        }
    }

    /// EC2's and Lambda's records name neither duration nor session: both follow from the service.
    fn terse(self) -> bool {
        matches!(self, Self::Instance | Self::Function)
    }
}

/// What is asked: members of the control request.
struct Asked<'a> {
    kind: Kind,
    body: &'a Value,
    account: &'a str,
    role: &'a str,
    /// The session's name.
    session: String,
    region: &'a str,
}

/// Answers the control address: `path` is what follows `/_lab/workload/`, one of `instance`, `function`, `task`,
/// `pod`; `body` names `account`, `role` and the workload; of an instance that `RunInstances` made its id is enough. The answer is in the form of the metadata service.
///
/// # Errors
///
/// An unknown account or role, or a role that does not trust the service.
pub fn control(world: &mut World, path: &str, body: &Value) -> Result<Value, Fault> {
    let body = &of_instance(world, path, body)?;
    let asked = read(path, body)?;
    let name = format!(
        "{} {} {}",
        asked.account,
        asked.kind.service(),
        asked.session
    );
    let now = world.now;
    world.workload.held.retain(|_, held| held.until > now);
    if let Some(held) = world.workload.held.get(&name)
        && held.until - AHEAD > now
        && held.role == asked.role
    {
        return Ok(held.credentials.clone());
    }
    let held = assume(world, &asked)?;
    let credentials = held.credentials.clone();
    world.workload.held.insert(name, held);
    Ok(credentials)
}

/// What the metadata service of an instance that EC2 made knows by itself: account, region, and the role of its
/// instance profile. Of instances that nobody made, such as those of a story, the body says it all.
fn of_instance(world: &World, path: &str, body: &Value) -> Result<Value, Fault> {
    let mut body = body.clone();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let id = text("instance").filter(|_| path.trim_matches('/').ends_with("instance"));
    let Some(instance) = id.and_then(|id| world.compute.instances.get(id)) else {
        return Ok(body);
    };
    let missing = |message: &str| Err(Fault::api(404, "NotFound", message));
    if instance.terminated || text("account").is_some_and(|given| given != instance.account) {
        return missing("the account has no such instance that runs");
    }
    if instance.tokens_required && text("imds") == Some("1") {
        let message = "the instance's metadata service takes requests with a token only";
        return Err(Fault::api(401, "Unauthorized", message));
    }
    let iam = world.iam(&instance.account);
    let profile = instance.profile.as_ref();
    let role = profile.and_then(|(name, _)| iam?.instance_profiles.get(name)?.role.clone());
    let Some(role) = role else {
        return missing("the instance has no instance profile with a role");
    };
    if text("role").is_some_and(|given| given != role) {
        let message = format!("the role of the instance's profile is {role}");
        return Err(Fault::validation(message));
    }
    let known = [
        ("account", &instance.account),
        ("region", &instance.region),
        ("role", &role),
    ];
    if let Value::Object(fields) = &mut body {
        fields.extend(known.map(|(name, value)| (name.to_owned(), value.clone().into())));
    }
    Ok(body)
}

fn read<'a>(path: &str, body: &'a Value) -> Result<Asked<'a>, Fault> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let required =
        |name: &str| text(name).ok_or_else(|| Fault::validation(format!("`{name}` is missing")));
    let path = path.trim_start_matches("/_lab/workload").trim_matches('/');
    let (kind, session) = match path {
        "instance" => (Kind::Instance, required("instance")?.to_owned()),
        "function" => (Kind::Function, required("function")?.to_owned()),
        "task" => (Kind::Task, required("task")?.to_owned()),
        "pod" => {
            let (cluster, pod) = (required("cluster")?, required("pod")?);
            (
                Kind::Pod,
                format!("eks-{cluster}-{pod}").chars().take(64).collect(),
            )
        }
        _ => {
            return Err(Fault::api(
                404,
                "NotFound",
                "there is no such kind of workload",
            ));
        }
    };
    Ok(Asked {
        kind,
        body,
        account: required("account")?,
        role: required("role")?,
        session,
        region: text("region").unwrap_or("us-east-1"),
    })
}

fn assume(world: &mut World, asked: &Asked<'_>) -> Result<Held, Fault> {
    let role = world
        .iam(asked.account)
        .and_then(|iam| iam.roles.get(asked.role));
    let missing = || Fault::no_such_entity("the account has no such role");
    let (id, trust) = role
        .map(|role| (role.id.clone(), role.trust.policy.clone()))
        .ok_or_else(missing)?;
    let arn = identity::role_arn(world, asked.account, asked.role);
    let ask = Ask {
        resource_account: Some(asked.account.to_owned()),
        resource_policy: Some(trust),
        trust: true,
        ..Ask::on("sts:AssumeRole", &arn)
    };
    let service = Caller {
        who: Who::Service(asked.kind.service().to_owned()),
        ..Caller::anonymous()
    };
    if !matches!(enforce::decide(world, &service, &ask), Decision::Allowed(_)) {
        let message = format!("{} cannot assume the role {arn}", asked.kind.service());
        return Err(Fault::denied(message));
    }
    let issued = sts::issue(world, session(asked, id));
    record(world, asked, (&service, &arn, &issued));
    if asked.kind == Kind::Pod {
        agent(world, asked);
    }
    let session = &issued.session;
    Ok(Held {
        access_key_id: session.access_key_id.clone(),
        role: asked.role.to_owned(),
        until: session.expires_at,
        credentials: answer(asked, &issued, world.now),
    })
}

fn session(asked: &Asked<'_>, role_id: String) -> sts::Draft {
    let delivery = match asked.body.get("imds").and_then(Value::as_str) {
        _ if asked.kind != Kind::Instance => None,
        Some("1") => Some("1.0".to_owned()),
        _ => Some("2.0".to_owned()),
    };
    let who = Who::Role {
        name: asked.role.to_owned(),
        id: role_id,
        session: asked.session.clone(),
    };
    let made_by = MadeBy::Service {
        service: asked.kind.service().to_owned(),
        ec2_role_delivery: delivery,
    };
    let tags = tags(asked);
    sts::Draft {
        transitive: tags.keys().cloned().collect(),
        tags,
        ..sts::Draft::new(asked.account, who, made_by, asked.kind.seconds())
    }
}

/// A pod's session tags, all of them transitive
/// (docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html).
fn tags(asked: &Asked<'_>) -> BTreeMap<String, String> {
    if asked.kind != Kind::Pod {
        return BTreeMap::new();
    }
    let text = |name: &str| {
        let text = asked.body.get(name).and_then(Value::as_str);
        text.unwrap_or("default").to_owned()
    };
    let cluster = text("cluster");
    let arn = format!(
        "arn:aws:eks:{}:{}:cluster/{cluster}",
        asked.region, asked.account
    );
    [
        ("eks-cluster-arn", arn),
        ("eks-cluster-name", cluster),
        ("kubernetes-namespace", text("namespace")),
        ("kubernetes-service-account", text("serviceAccount")),
        ("kubernetes-pod-name", text("pod")),
        ("kubernetes-pod-uid", text("uid")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// `AssumeRole` by a service.
fn record(
    world: &mut World,
    asked: &Asked<'_>,
    (service, arn, issued): (&Caller, &str, &sts::Issued),
) {
    let mut request = Map::new();
    request.insert("roleArn".to_owned(), arn.into());
    request.insert("roleSessionName".to_owned(), asked.session.clone().into());
    let mut response = Map::new();
    response.insert("credentials".to_owned(), issued.recorded());
    if !asked.kind.terse() {
        request.insert("durationSeconds".to_owned(), asked.kind.seconds().into());
        let who = &issued.session.who;
        let user = json!({
            "assumedRoleId": format!("{}:{}", role_id(who), asked.session),
            "arn": identity::arn(world, asked.account, who),
        });
        response.insert("assumedRoleUser".to_owned(), user);
    }
    let tags = tags(asked);
    if !tags.is_empty() {
        let pairs = tags
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}));
        request.insert("tags".to_owned(), pairs.collect());
        let keys = tags.keys().cloned().map(Value::from);
        request.insert("transitiveTagKeys".to_owned(), keys.collect());
    }
    let draft = Draft {
        identity: identity::of(world, service),
        source: "sts.amazonaws.com".to_owned(),
        name: "AssumeRole".to_owned(),
        request: request.into(),
        response: response.into(),
        resources: vec![json!({
            "accountId": asked.account, "type": "AWS::IAM::Role", "ARN": arn,
        })],
        shared: Some(world.ids.guid()),
        ..draft(world, asked)
    };
    trail::emit(world, draft);
}

fn role_id(who: &Who) -> &str {
    match who {
        Who::Role { id, .. } => id,
        _ => "",
    }
}

fn draft(world: &mut World, asked: &Asked<'_>) -> Draft {
    Draft {
        version: "1.11",
        region: asked.region.to_owned(),
        source_ip: asked.kind.service().to_owned(),
        user_agent: asked.kind.service().to_owned(),
        access: Access::Read,
        request_id: Some(world.ids.guid()),
        account: asked.account.to_owned(),
        ..Draft::default()
    }
}

/// `AssumeRoleForPodIdentity`: the agent on the node asks with the node's credentials, if the node (`node`, an
/// instance that took its credentials before) is named.
fn agent(world: &mut World, asked: &Asked<'_>) {
    let node = asked
        .body
        .get("node")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let name = format!("{} {} {node}", asked.account, Kind::Instance.service());
    let held = world.workload.held.get(&name);
    let session = held
        .and_then(|held| world.sessions.get(&held.access_key_id))
        .cloned();
    let Some(session) = session else {
        return;
    };
    let caller = Caller {
        account: session.account.clone(),
        who: session.who.clone(),
        access_key_id: Some(session.access_key_id.clone()),
        session: Some(session),
        invoked_by: None,
    };
    let text = |name: &str| {
        asked
            .body
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let draft = Draft {
        identity: identity::of(world, &caller),
        source: "eks-auth.amazonaws.com".to_owned(),
        name: "AssumeRoleForPodIdentity".to_owned(),
        source_ip: text("ip").unwrap_or("127.0.0.1".to_owned()),
        user_agent: "eks-pod-identity-agent".to_owned(),
        request: json!({"clusterName": text("cluster"), "token": elements::HIDDEN_TEXT}),
        host: Some(format!("eks-auth.{}.api.aws", asked.region)),
        ..draft(world, asked)
    };
    trail::emit(world, draft);
}

/// Credentials as the workload's own source of them writes them: a function has them in its environment.
fn answer(asked: &Asked<'_>, issued: &sts::Issued, now: i64) -> Value {
    let given = issued.credentials();
    let text = |name: &str| given.get(name).cloned().unwrap_or_default();
    let time = |seconds: i64| unchain_core::time::Timestamp::from_seconds(seconds).to_string();
    let until = time(issued.session.expires_at);
    let (key, secret, token) = (
        text("AccessKeyId"),
        text("SecretAccessKey"),
        text("SessionToken"),
    );
    match asked.kind {
        Kind::Instance => json!({
            "Code": "Success", "LastUpdated": time(now), "Type": "AWS-HMAC",
            "AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": until,
        }),
        Kind::Function => json!({
            "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token,
        }),
        Kind::Task | Kind::Pod => json!({
            "AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": until,
        }),
    }
}
