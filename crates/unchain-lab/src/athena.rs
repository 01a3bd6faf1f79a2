//! Athena: work groups and query executions. The lab has no SQL engine: a `SELECT` of literals is answered, whatever
//! needs a table fails and says so. No rows are invented.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Call, Fault, Reply};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

/// The most query executions that are remembered; the oldest are forgotten.
const MOST_EXECUTIONS: usize = 10_000;

/// The longest query, bytes (docs.aws.amazon.com/athena/latest/ug/service-limits.html).
const LONGEST_QUERY: usize = 262_144;

/// Work groups and executions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Work groups by ARN; every account and region has `primary` without an entry here.
    pub work_groups: BTreeMap<String, WorkGroup>,
    /// Executions by id.
    pub executions: BTreeMap<String, Execution>,
    /// Execution ids, oldest first.
    order: std::collections::VecDeque<String>,
}

/// A work group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WorkGroup {
    /// Free text.
    pub description: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// `Configuration`, as given.
    pub configuration: Value,
}

/// One run of a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Execution {
    /// The work group's ARN.
    pub work_group: String,
    /// The query.
    pub query: String,
    /// `QueryExecutionContext`, as given.
    pub context: Value,
    /// `ResultConfiguration`, as given.
    pub result: Value,
    /// Virtual seconds since 1970.
    pub submitted_at: i64,
    /// Names and values of the one row, or why there is none.
    pub outcome: Result<Vec<(String, String)>, String>,
}

fn group_arn(call: &Call<'_>, name: &str) -> String {
    let (region, account) = (&call.region, &call.caller.account);
    format!("arn:aws:athena:{region}:{account}:workgroup/{name}")
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::api(400, "InvalidRequestException", message)
}

fn group_name(call: &Call<'_>) -> String {
    call.text("WorkGroup")
        .unwrap_or_else(|| "primary".to_owned())
}

/// The action on the work group that the call names by `WorkGroup`.
fn on_group(call: &Call<'_>, action: &str) -> Vec<Ask> {
    vec![Ask::on(action, group_arn(call, &group_name(call)))]
}

fn on_execution(world: &World, call: &Call<'_>, action: &str) -> Result<Vec<Ask>, Fault> {
    let execution = execution(world, call)?;
    Ok(vec![Ask::on(action, execution.work_group.clone())])
}

/// An execution of the caller's own account.
fn execution<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Execution, Fault> {
    let id = call.required("QueryExecutionId")?;
    let own = format!(":{}:workgroup/", call.caller.account);
    let found = world.athena.executions.get(&id);
    found
        .filter(|execution| execution.work_group.contains(&own))
        .ok_or_else(|| invalid(format!("QueryExecution {id} was not found")))
}

fn create_group(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("Name")?;
    let arn = group_arn(call, &name);
    if name == "primary" || world.athena.work_groups.contains_key(&arn) {
        return Err(invalid("WorkGroup is already created"));
    }
    let group = WorkGroup {
        description: call.text("Description").unwrap_or_default(),
        created_at: world.now,
        configuration: call
            .params
            .get("Configuration")
            .cloned()
            .unwrap_or_default(),
    };
    world.athena.work_groups.insert(arn, group);
    Ok(Reply::of(json!({})))
}

fn list_groups(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let first = group_arn(call, "");
    let engine = json!({
        "SelectedEngineVersion": "AUTO",
        "EffectiveEngineVersion": "Athena engine version 3",
    });
    let mut all = vec![json!({ "Name": "primary", "State": "ENABLED", "EngineVersion": engine })];
    all.extend(world.athena.work_groups.iter().filter_map(|(arn, group)| {
        Some(
            json!({ "Name": arn.strip_prefix(&first)?, "State": "ENABLED",
            "Description": group.description, "CreationTime": { "$time": group.created_at },
            "EngineVersion": engine }),
        )
    }));
    Ok(Reply::of(json!({ "WorkGroups": all })))
}

fn start(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let query = call.required("QueryString")?;
    if query.len() > LONGEST_QUERY || query.trim().is_empty() {
        return Err(invalid("The query string must hold 1 to 262144 bytes"));
    }
    let name = group_name(call);
    let arn = group_arn(call, &name);
    if name != "primary" && !world.athena.work_groups.contains_key(&arn) {
        return Err(invalid(format!("WorkGroup {name} is not found.")));
    }
    let given = |name: &str| call.params.get(name).cloned().unwrap_or_default();
    let id = world.ids.guid();
    let execution = Execution {
        work_group: arn,
        outcome: literals(&query),
        query,
        context: given("QueryExecutionContext"),
        result: given("ResultConfiguration"),
        submitted_at: world.now,
    };
    let state = &mut world.athena;
    state.order.push_back(id.clone());
    state.executions.insert(id.clone(), execution);
    if state.order.len() > MOST_EXECUTIONS
        && let Some(oldest) = state.order.pop_front()
    {
        state.executions.remove(&oldest);
    }
    Ok(Reply::of(json!({ "QueryExecutionId": id })))
}

/// The one row of `SELECT 1, 'a' AS b`; else why the lab cannot answer.
fn literals(query: &str) -> Result<Vec<(String, String)>, String> {
    let cannot = || "the lab has no SQL engine: it answers a SELECT of literals only".to_owned();
    let query = query.trim().trim_end_matches(';').trim();
    let list = query
        .get(..7)
        .filter(|word| word.eq_ignore_ascii_case("select "))
        .and_then(|_| query.get(7..))
        .ok_or_else(cannot)?;
    let mut row = Vec::new();
    for (at, item) in split(list).iter().enumerate() {
        let (value, rest) = literal(item.trim()).ok_or_else(cannot)?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let name = match words.as_slice() {
            [] => format!("_col{at}"),
            [as_word, name] if as_word.eq_ignore_ascii_case("as") && is_name(name) => {
                (*name).trim_matches('"').to_owned()
            }
            _ => return Err(cannot()),
        };
        row.push((name, value));
    }
    Ok(row)
}

fn is_name(name: &str) -> bool {
    let letters = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !name.is_empty() && name.trim_matches('"').chars().all(letters)
}

/// Splits at commas outside of quotes.
fn split(list: &str) -> Vec<String> {
    let (mut items, mut item, mut quoted) = (Vec::new(), String::new(), false);
    for character in list.chars() {
        if character == '\'' {
            quoted = !quoted;
        }
        if character == ',' && !quoted {
            items.push(std::mem::take(&mut item));
        } else {
            item.push(character);
        }
    }
    items.push(item);
    items
}

/// A number, a quoted text, true, false or null, and what follows it.
fn literal(item: &str) -> Option<(String, &str)> {
    if let Some(rest) = item.strip_prefix('\'') {
        let (text, rest) = quoted(rest)?;
        return Some((text, rest));
    }
    let end = item.find(char::is_whitespace).unwrap_or(item.len());
    let (word, rest) = item.split_at_checked(end)?;
    let known = ["true", "false", "null"]
        .iter()
        .any(|literal| word.eq_ignore_ascii_case(literal));
    let number = word.parse::<f64>().is_ok_and(f64::is_finite);
    (known || number).then(|| (word.to_lowercase(), rest))
}

/// The text up to the closing quote; a doubled quote stands for itself.
fn quoted(rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = rest;
    loop {
        let (before, after) = rest.split_once('\'')?;
        text.push_str(before);
        match after.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                rest = after;
            }
            None => return Some((text, after)),
        }
    }
}

fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let execution = execution(world, call)?;
    let mut status = json!({
        "State": if execution.outcome.is_ok() { "SUCCEEDED" } else { "FAILED" },
        "SubmissionDateTime": { "$time": execution.submitted_at },
        "CompletionDateTime": { "$time": execution.submitted_at },
    });
    if let (Err(reason), Value::Object(fields)) = (&execution.outcome, &mut status) {
        fields.insert("StateChangeReason".to_owned(), json!(reason));
    }
    let name = execution.work_group.rsplit('/').next().unwrap_or_default();
    let mut answer = json!({
        "QueryExecutionId": call.text("QueryExecutionId"),
        "Query": execution.query,
        "StatementType": "DML",
        "Status": status,
        "WorkGroup": name,
        "Statistics": { "DataScannedInBytes": 0, "TotalExecutionTimeInMillis": 0 },
    });
    let given = [
        ("QueryExecutionContext", &execution.context),
        ("ResultConfiguration", &execution.result),
    ];
    if let Value::Object(fields) = &mut answer {
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_null()) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Reply::of(json!({ "QueryExecution": answer })))
}

fn results(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let row = match &execution(world, call)?.outcome {
        Ok(row) => row,
        Err(_) => {
            return Err(invalid(
                "Query did not finish successfully. Final query state: FAILED",
            ));
        }
    };
    let cells = |side: fn(&(String, String)) -> &String| {
        let cells: Vec<Value> = row
            .iter()
            .map(|pair| json!({ "VarCharValue": side(pair) }))
            .collect();
        json!({ "Data": cells })
    };
    let columns: Vec<Value> = row
        .iter()
        .map(|(name, _)| json!({ "Name": name, "Label": name, "Type": "varchar" }))
        .collect();
    Ok(Reply::of(json!({
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [cells(|pair| &pair.0), cells(|pair| &pair.1)],
            "ResultSetMetadata": { "ColumnInfo": columns },
        },
    })))
}

/// Every query is over before it can be stopped; stopping it then does nothing, as in AWS.
fn stop(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    execution(world, call).map(|_| Reply::of(json!({})))
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = group_arn(call, &group_name(call));
    let most = call.number("MaxResults")?.unwrap_or(50).clamp(0, 50);
    let state = &world.athena;
    let newest_first = state.order.iter().rev();
    let ids: Vec<&String> = newest_first
        .filter(|id| {
            let found = state.executions.get(*id);
            found.is_some_and(|execution| execution.work_group == arn)
        })
        .take(usize::try_from(most).unwrap_or_default())
        .collect();
    Ok(Reply::of(json!({ "QueryExecutionIds": ids })))
}

macro_rules! row {
    ($name:literal, $read_only:literal, $asks:expr, $run:path) => {
        Operation {
            service: Service::Athena,
            name: $name,
            read_only: $read_only,
            event: Event::Management,
            permission: Permission::Asks($asks),
            run: $run,
        }
    };
}

/// Its operations.
pub const OPERATIONS: &[Operation] = &[
    row!(
        "CreateWorkGroup",
        false,
        |_, call| {
            let name = call.text("Name").unwrap_or_default();
            Ok(vec![Ask::on(
                "athena:CreateWorkGroup",
                group_arn(call, &name),
            )])
        },
        create_group
    ),
    row!(
        "ListWorkGroups",
        true,
        |_, _| Ok(vec![Ask::on("athena:ListWorkGroups", "*")]),
        list_groups
    ),
    row!(
        "StartQueryExecution",
        false,
        |_, call| Ok(on_group(call, "athena:StartQueryExecution")),
        start
    ),
    row!(
        "GetQueryExecution",
        true,
        |world, call| on_execution(world, call, "athena:GetQueryExecution"),
        get
    ),
    row!(
        "GetQueryResults",
        true,
        |world, call| on_execution(world, call, "athena:GetQueryResults"),
        results
    ),
    row!(
        "StopQueryExecution",
        false,
        |world, call| on_execution(world, call, "athena:StopQueryExecution"),
        stop
    ),
    row!(
        "ListQueryExecutions",
        true,
        |_, call| Ok(on_group(call, "athena:ListQueryExecutions")),
        list
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_answered_and_tables_are_not() {
        let row = literals("SELECT 1, 'it''s, so' AS b;").unwrap();
        assert_eq!(row[0], ("_col0".to_owned(), "1".to_owned()));
        assert_eq!(row[1], ("b".to_owned(), "it's, so".to_owned()));
        for query in [
            "select * from t",
            "select 1 from t",
            "select a",
            "drop table t",
            "select ",
            "",
            "selec",
            "select 'open",
            "select 1 as",
            "ßelect 1",
        ] {
            assert!(literals(query).is_err(), "{query}");
        }
    }
}
