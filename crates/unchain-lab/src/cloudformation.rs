//! CloudFormation: stacks as records of themselves. A template is kept and not read, so no stack makes anything, and
//! every change of a stack is complete at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::params::text_list;
use crate::service::Service;
use crate::world::World;

/// The state of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Stacks by their id, an ARN. Those deleted are there for 90 days.
    pub stacks: BTreeMap<String, Stack>,
}

/// One stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    /// The name.
    pub name: String,
    /// `TemplateBody` or `TemplateURL`, as given.
    pub template: String,
    /// `Parameters`, as given.
    pub parameters: Vec<Value>,
    /// `Tags`, as given.
    pub tags: Vec<Value>,
    /// `Capabilities`, as given.
    pub capabilities: Vec<String>,
    /// The service role's ARN.
    pub role: Option<String>,
    /// Whether it cannot be deleted.
    pub protected: bool,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// The last update, virtual seconds since 1970.
    pub updated_at: Option<i64>,
    /// The deletion, virtual seconds since 1970.
    pub deleted_at: Option<i64>,
}

/// The most stacks of one account and region
/// (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const MOST: usize = 2000;

/// How long a deleted stack can still be described, in seconds: 90 days (API_ListStacks).
const SHOWN_DELETED: i64 = 90 * 86_400;

/// Rows of one page of a list.
const PAGE: usize = 100;

impl Stack {
    fn status(&self) -> &'static str {
        match (self.deleted_at, self.updated_at) {
            (Some(_), _) => "DELETE_COMPLETE",
            (None, Some(_)) => "UPDATE_COMPLETE",
            (None, None) => "CREATE_COMPLETE",
        }
    }

    fn shown(&self, id: &str) -> Value {
        let time = |at: i64| json!({ "$time": at });
        json!({
            "StackId": id,
            "StackName": self.name,
            "CreationTime": time(self.created_at),
            "LastUpdatedTime": self.updated_at.map(time),
            "DeletionTime": self.deleted_at.map(time),
            "StackStatus": self.status(),
        })
    }

    fn described(&self, id: &str) -> Value {
        let mut shown = self.shown(id);
        let more = json!({
            "Parameters": self.parameters,
            "Tags": self.tags,
            "Capabilities": self.capabilities,
            "NotificationARNs": [],
            "RoleARN": self.role,
            "DisableRollback": false,
            "EnableTerminationProtection": self.protected,
            "DriftInformation": { "StackDriftStatus": "NOT_CHECKED" },
        });
        if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
            shown.extend(more);
        }
        shown
    }

    /// Takes what a call says of it.
    fn take(&mut self, call: &Call<'_>) {
        if let Some(template) = template(call) {
            self.template = template;
        }
        if call.params.contains_key("Parameters") {
            self.parameters = call.list("Parameters").to_vec();
        }
        if call.params.contains_key("Tags") {
            self.tags = call.list("Tags").to_vec();
        }
        if call.params.contains_key("Capabilities") {
            self.capabilities = text_list(call, "Capabilities");
        }
        if let Some(role) = call.text("RoleARN") {
            self.role = Some(role);
        }
    }
}

fn template(call: &Call<'_>) -> Option<String> {
    call.text("TemplateBody")
        .or_else(|| call.text("TemplateURL"))
}

/// What the ids of the caller's stacks begin with.
fn first(call: &Call<'_>) -> String {
    format!(
        "arn:aws:cloudformation:{}:{}:stack/",
        call.region, call.caller.account
    )
}

fn own<'w>(world: &'w World, call: &Call<'_>) -> impl Iterator<Item = (&'w String, &'w Stack)> {
    let first = first(call);
    let own = world.cloudformation.stacks.range(first.clone()..);
    own.take_while(move |(id, _)| id.starts_with(&first))
}

/// The stack that a name or id means: by its name, only one that is not deleted.
fn find<'w>(world: &'w World, call: &Call<'_>, name: &str) -> Option<(&'w String, &'w Stack)> {
    own(world, call).find(|(id, stack)| match name.starts_with("arn:") {
        true => *id == name,
        false => stack.name == name && stack.deleted_at.is_none(),
    })
}

fn missing(name: &str) -> Fault {
    Fault::validation(format!("Stack with id {name} does not exist"))
}

/// The question on a stack by its name or id, with the role and template that it is given
/// (docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html).
fn asks(call: &Call<'_>, action: &str) -> Result<Vec<Ask>, Fault> {
    let resource = match call.text("StackName") {
        Some(name) if name.starts_with("arn:") => name,
        Some(name) => format!("{}{name}/*", first(call)),
        None => "*".to_owned(),
    };
    let role = call.text("RoleARN");
    let keys = [
        ("cloudformation:RoleArn", role.clone()),
        ("cloudformation:TemplateUrl", call.text("TemplateURL")),
    ];
    let given = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), vec![value?])));
    let mut asks = vec![Ask {
        context: given.collect(),
        ..Ask::on(action, resource)
    }];
    asks.extend(role.map(|role| crate::compute::pass_role(&role, "cloudformation.amazonaws.com")));
    Ok(asks)
}

/// Forgets stacks that were deleted long ago.
fn forget(world: &mut World) {
    let limit = world.now.saturating_sub(SHOWN_DELETED);
    let stacks = &mut world.cloudformation.stacks;
    stacks.retain(|_, stack| stack.deleted_at.is_none_or(|at| at >= limit));
}

fn check_name(name: &str) -> Result<(), Fault> {
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic());
    if begins && name.len() <= 128 && letters.all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return Ok(());
    }
    Err(Fault::validation(format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("StackName")?;
    check_name(&name)?;
    let no_template =
        || Fault::validation("Either Template URL or Template Body must be specified.");
    let template = template(call).ok_or_else(no_template)?;
    forget(world);
    if find(world, call, &name).is_some() {
        let message = format!("Stack [{name}] already exists");
        return Err(Fault::api(400, "AlreadyExistsException", message));
    }
    if own(world, call).count() >= MOST {
        let message = "The quota for the number of stacks has been reached";
        return Err(Fault::api(400, "LimitExceededException", message));
    }
    let id = format!("{}{name}/{}", first(call), world.ids.guid());
    let mut stack = Stack {
        name,
        template,
        parameters: Vec::new(),
        tags: Vec::new(),
        capabilities: Vec::new(),
        role: None,
        protected: call.text("EnableTerminationProtection").as_deref() == Some("true"),
        created_at: world.now,
        updated_at: None,
        deleted_at: None,
    };
    stack.take(call);
    world.cloudformation.stacks.insert(id.clone(), stack);
    Ok(Reply::of(json!({ "StackId": id })))
}

fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, now) = (call.required("StackName")?, world.now);
    let found = find(world, call, &name).filter(|(_, stack)| stack.deleted_at.is_none());
    let (id, before) = found.ok_or_else(|| missing(&name))?;
    let kept = call.text("UsePreviousTemplate").as_deref() == Some("true");
    if !kept && template(call).is_none() {
        return Err(Fault::validation(
            "Either Template URL or Template Body must be specified.",
        ));
    }
    let (id, mut stack) = (id.clone(), before.clone());
    stack.take(call);
    if stack.same(before) {
        return Err(Fault::validation("No updates are to be performed."));
    }
    stack.updated_at = Some(now);
    world.cloudformation.stacks.insert(id.clone(), stack);
    Ok(Reply::of(json!({ "StackId": id })))
}

impl Stack {
    /// Whether an update changes nothing.
    fn same(&self, other: &Self) -> bool {
        (&self.template, &self.parameters, &self.tags)
            == (&other.template, &other.parameters, &other.tags)
            && (&self.capabilities, &self.role) == (&other.capabilities, &other.role)
    }
}

/// A stack that does not exist is deleted as well as any.
fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, now) = (call.required("StackName")?, world.now);
    let found = find(world, call, &name).map(|(id, _)| id.clone());
    let stack = found.and_then(|id| world.cloudformation.stacks.get_mut(&id));
    if let Some(stack) = stack {
        if stack.protected {
            return Err(Fault::validation(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        stack.deleted_at.get_or_insert(now);
    }
    Ok(Reply {
        recorded: Recorded {
            response: Some(Value::Null),
            ..Recorded::default()
        },
        ..Reply::default()
    })
}

/// The rows behind the id that `NextToken` is, and the next token.
fn page<'w>(
    call: &Call<'_>,
    rows: impl Iterator<Item = (&'w String, &'w Stack)>,
) -> (Vec<(&'w String, &'w Stack)>, Option<String>) {
    let after = call.text("NextToken").unwrap_or_default();
    let mut rows: Vec<_> = rows.filter(|(id, _)| **id > after).take(PAGE + 1).collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let last = rows.last().map(|(id, _)| (*id).clone());
    (rows, last.filter(|_| more))
}

fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    if let Some(name) = call.text("StackName") {
        let (id, stack) = find(world, call, &name).ok_or_else(|| missing(&name))?;
        return Ok(Reply::of(json!({ "Stacks": [stack.described(id)] })));
    }
    let live = own(world, call).filter(|(_, stack)| stack.deleted_at.is_none());
    let (rows, next) = page(call, live);
    let stacks: Vec<Value> = rows.iter().map(|(id, stack)| stack.described(id)).collect();
    Ok(Reply::of(json!({ "Stacks": stacks, "NextToken": next })))
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let wanted = text_list(call, "StackStatusFilter");
    let limit = world.now.saturating_sub(SHOWN_DELETED);
    let rows = own(world, call)
        .filter(|(_, stack)| stack.deleted_at.is_none_or(|at| at >= limit))
        .filter(|(_, stack)| wanted.is_empty() || wanted.iter().any(|one| one == stack.status()));
    let (rows, next) = page(call, rows);
    let rows: Vec<Value> = rows.iter().map(|(id, stack)| stack.shown(id)).collect();
    Ok(Reply::of(
        json!({ "StackSummaries": rows, "NextToken": next }),
    ))
}

macro_rules! row {
    ($name:literal, $read_only:literal, $permission:expr, $run:path) => {
        Operation {
            service: Service::CloudFormation,
            name: $name,
            read_only: $read_only,
            event: Event::Management,
            permission: $permission,
            run: $run,
        }
    };
}

macro_rules! on_stack {
    ($action:literal) => {
        Permission::Asks(|_, call| asks(call, $action))
    };
}

/// CloudFormation's operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("CreateStack", false, on_stack!("cloudformation:CreateStack"), create),
    row!("DescribeStacks", true, on_stack!("cloudformation:DescribeStacks"), describe),
    row!("ListStacks", true, Permission::Any, list),
    row!("UpdateStack", false, on_stack!("cloudformation:UpdateStack"), update),
    row!("DeleteStack", false, on_stack!("cloudformation:DeleteStack"), delete),
];
