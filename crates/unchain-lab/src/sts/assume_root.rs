//! `AssumeRoot` (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html,
//! docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html).

use serde_json::{Map, Value, json};

use super::input::Checks;
use super::issue::{Draft, is_global, issue, request_details};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::enforce;
use crate::operation::Ask;
use crate::session::{MadeBy, Who};
use crate::world::World;

/// How the ARNs of the five task policies begin.
const TASK: &str = "arn:aws:iam::aws:policy/root-task/";
/// Their names.
const TASKS: [&str; 5] = [
    "IAMAuditRootUserCredentials",
    "IAMCreateRootUserPassword",
    "IAMDeleteRootUserCredentials",
    "S3UnlockBucketPolicy",
    "SQSUnlockQueuePolicy",
];
/// The longest session and the default, seconds.
const LONGEST: i64 = 900;

/// The parameters, checked.
#[derive(Debug)]
struct Asked {
    /// Twelve digits.
    target: String,
    /// As given: an account number, or an ARN of its root user.
    given: String,
    task: String,
    duration: Option<i64>,
}

impl Asked {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let mut checks = Checks::default();
        let given = checks.required(call, "TargetPrincipal");
        let duration = call.number("DurationSeconds")?;
        if call.text("TargetPrincipal").is_some() {
            checks.length(("targetPrincipal", &given), (12, 2048));
        }
        checks.seconds(duration, (0, LONGEST));
        checks.done()?;
        let task = call.params.get("TaskPolicyArn").and_then(|task| {
            let arn = task.get("arn").or_else(|| task.get("Arn"))?;
            arn.as_str()
        });
        let task = task.ok_or_else(|| {
            Fault::validation(
                "1 validation error detected: Value null at 'taskPolicyArn' failed to satisfy constraint: Member \
                 must not be null",
            )
        })?;
        let known = task
            .strip_prefix(TASK)
            .is_some_and(|name| TASKS.contains(&name));
        if !known {
            return Err(no_task(task));
        }
        let target = given
            .strip_prefix("arn:aws:iam::")
            .and_then(|rest| rest.strip_suffix(":root"))
            .unwrap_or(&given);
        Ok(Self {
            target: target.to_owned(),
            task: task.to_owned(),
            duration,
            given: given.clone(),
        })
    }
}

fn no_task(arn: &str) -> Fault {
    Fault::validation(format!("{arn} is not a valid task policy"))
}

/// The permission is the caller's identity's alone: a root user has no policy that could allow.
pub(super) fn asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let asked = Asked::read(call)?;
    if is_global(call) {
        return Err(Fault::validation(
            "AssumeRoot is not supported on the global endpoint, use a Regional endpoint",
        ));
    }
    let target = format!("arn:aws:iam::{}:root", asked.target);
    Ok(vec![Ask {
        resource_account: Some(call.caller.account.clone()),
        context: vec![("sts:TaskPolicyArn".to_owned(), vec![asked.task])],
        ..Ask::on("sts:AssumeRoot", target)
    }])
}

/// Issues the session, to the management account or IAM's delegated administrator, on a member of their organization.
pub(super) fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = Asked::read(call)?;
    if !enforce::may_assume_root(world, &call.caller.account, &asked.target) {
        let caller = enforce::arn(world, &call.caller);
        return Err(Fault::denied(format!(
            "User: {caller} is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::{}:root",
            asked.target
        )));
    }
    let task = enforce::managed(world, &asked.target, &asked.task);
    let task = task.ok_or_else(|| no_task(&asked.task))?.clone();
    let duration = asked
        .duration
        .filter(|seconds| *seconds > 0)
        .unwrap_or(LONGEST);
    let made_by = MadeBy::AssumeRoot {
        task: asked.task.clone(),
    };
    let identity = call
        .caller
        .session
        .as_ref()
        .and_then(|session| session.source_identity.clone());
    let draft = Draft {
        policies: vec![task],
        source_identity: identity.clone(),
        chained: call.caller.session.is_some(),
        ..Draft::new(&asked.target, Who::Root, made_by, duration)
    };
    let issued = issue(world, draft);
    let mut value = json!({"Credentials": issued.credentials()});
    let mut response = json!({"credentials": issued.recorded()});
    super::assume_role::add_details(&mut value, &mut response, (None, &identity));
    let mut reply = Reply::of(value);
    // AWS documents a record in the caller's account and none in the member's
    // (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html).
    reply.recorded = Recorded {
        request: Some(recorded(&asked)),
        response: Some(response),
        additional: Some(request_details(call)),
        ..Recorded::default()
    };
    Ok(reply)
}

fn recorded(asked: &Asked) -> Value {
    let mut request = Map::new();
    request.insert("targetPrincipal".to_owned(), json!(asked.given));
    request.insert("taskPolicyArn".to_owned(), json!({"arn": asked.task}));
    if let Some(seconds) = asked.duration {
        request.insert("durationSeconds".to_owned(), json!(seconds));
    }
    Value::Object(request)
}
