//! Tables and items, by primary key only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

/// One table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// The name.
    pub name: String,
    /// `KeySchema`, as given.
    pub key_schema: Value,
    /// `AttributeDefinitions`, as given.
    pub definitions: Value,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Items by the text of their key.
    items: BTreeMap<String, Map<String, Value>>,
}

impl Table {
    /// The text of an item's key; none if an attribute of it is missing.
    fn key(&self, item: &Map<String, Value>) -> Option<String> {
        let schema = self.key_schema.as_array()?;
        let parts = schema.iter().map(|part| {
            let name = part.get("AttributeName")?.as_str()?;
            item.get(name)
        });
        let parts: Option<Vec<&Value>> = parts.collect();
        Some(json!(parts?).to_string())
    }
}

fn arn(call: &Call<'_>) -> String {
    let name = call.text("TableName").unwrap_or_default();
    match name.starts_with("arn:") {
        true => name,
        false => format!(
            "arn:aws:dynamodb:{}:{}:table/{name}",
            call.region, call.caller.account
        ),
    }
}

fn invalid(message: &str) -> Fault {
    Fault::api(400, "ValidationException", message)
}

fn table<'a>(world: &'a mut World, call: &Call<'_>) -> Result<&'a mut Table, Fault> {
    world.compute.tables.get_mut(&arn(call)).ok_or_else(|| {
        Fault::api(
            400,
            "ResourceNotFoundException",
            "Requested resource not found",
        )
    })
}

fn described(arn: &str, table: &Table) -> Value {
    json!({
        "TableName": table.name,
        "TableArn": arn,
        "TableStatus": "ACTIVE",
        "CreationDateTime": { "$time": table.created_at },
        "KeySchema": table.key_schema,
        "AttributeDefinitions": table.definitions,
        "ItemCount": table.items.len(),
    })
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, arn) = (call.required("TableName")?, arn(call));
    if world.compute.tables.contains_key(&arn) {
        let message = format!("Table already exists: {name}");
        return Err(Fault::api(400, "ResourceInUseException", message));
    }
    if call.list("KeySchema").is_empty() {
        return Err(invalid("KeySchema must hold one or two attributes"));
    }
    let given = |name: &str| call.params.get(name).cloned().unwrap_or_default();
    let table = Table {
        name,
        key_schema: given("KeySchema"),
        definitions: given("AttributeDefinitions"),
        created_at: world.now,
        items: BTreeMap::new(),
    };
    let answer = json!({ "TableDescription": described(&arn, &table) });
    world.compute.tables.insert(arn, table);
    Ok(Reply::of(answer))
}

fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let described = described(&arn(call), table(world, call)?);
    Ok(Reply::of(json!({ "Table": described })))
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let first = format!(
        "arn:aws:dynamodb:{}:{}:table/",
        call.region, call.caller.account
    );
    let all = world.compute.tables.keys();
    let names: Vec<&str> = all.filter_map(|arn| arn.strip_prefix(&first)).collect();
    Ok(Reply::of(json!({ "TableNames": names })))
}

/// Data events name the table and the key, not the item
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html).
fn recorded(call: &Call<'_>) -> Recorded {
    Recorded {
        request: Some(json!({
            "tableName": call.text("TableName"),
            "key": call.params.get("Key"),
        })),
        response: Some(Value::Null),
        resources: vec![json!({ "accountId": call.caller.account,
            "type": "AWS::DynamoDB::Table", "ARN": arn(call) })],
        ..Recorded::default()
    }
}

fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let item = call.params.get("Item").and_then(Value::as_object);
    let item = item.ok_or_else(|| invalid("Item must be given"))?;
    let table = table(world, call)?;
    let key = table.key(item);
    let key = key.ok_or_else(|| {
        invalid("One or more parameter values were invalid: Missing the key in the item")
    })?;
    table.items.insert(key, item.clone());
    Ok(Reply {
        recorded: recorded(call),
        ..Reply::of(json!({}))
    })
}

fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let given = call.params.get("Key").and_then(Value::as_object);
    let given = given.ok_or_else(|| invalid("Key must be given"))?;
    let table = table(world, call)?;
    let key = table
        .key(given)
        .ok_or_else(|| invalid("The provided key element does not match the schema"))?;
    let answer = match table.items.get(&key) {
        Some(item) => json!({ "Item": item }),
        None => json!({}),
    };
    Ok(Reply {
        recorded: recorded(call),
        ..Reply::of(answer)
    })
}

macro_rules! row {
    ($name:literal, $read_only:literal, $event:ident, $permission:expr, $run:path) => {
        Operation {
            service: Service::DynamoDb,
            name: $name,
            read_only: $read_only,
            event: Event::$event,
            permission: $permission,
            run: $run,
        }
    };
}

macro_rules! on_table {
    ($action:literal) => {
        Permission::Asks(|_, call| Ok(vec![Ask::on($action, arn(call))]))
    };
}

/// DynamoDB's operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("ListTables", true, Management, Permission::Any, list),
    row!("CreateTable", false, Management, on_table!("dynamodb:CreateTable"), create),
    row!("DescribeTable", true, Management, on_table!("dynamodb:DescribeTable"), describe),
    row!("PutItem", false, Data, on_table!("dynamodb:PutItem"), put),
    row!("GetItem", true, Data, on_table!("dynamodb:GetItem"), get),
];
