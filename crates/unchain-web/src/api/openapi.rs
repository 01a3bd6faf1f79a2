//! The document that describes the API, made from its table of operations and the types of its answers.

use super::parameters::{LIMIT_DEFAULT, LIMIT_MOST, Parameter, Shape};
use super::{DOCUMENT, OPERATIONS, Operation};
use crate::problem::ProblemBody;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// What a reader of the document must know before anything else.
const INTRODUCTION: &str = "\
What one case says: the same rows as the commands print, with the same names of fields. \
Fields and addresses are added, never renamed or removed; what would break a reader gets another version in its address.

Send the token of the address that `unchain serve` prints as `Authorization: Bearer TOKEN`. Everything can be asked \
with GET and HEAD, nothing can be changed: other methods are answered with 405. An address that says what it may not \
is answered with 400.

A list has `items`, their `total`, and `next`, the address of the next page, which speaks of the same instant. A row \
that a growing case adds appears on a later page if it belongs there; no row appears twice, and none that was there is \
left out. Where the row after which a page begins is gone, the answer is 410: begin again.

`node_name`, `parent_name`, `child_name` and `root_name` name nodes: ask `/api/v1/nodes/{name}`.";

/// Answers of every operation besides its own.
const ALWAYS: [(&str, &str, &str); 7] = [
    ("400", "BadRequest", "The address says what it may not."),
    ("401", "Unauthorized", "The token is missing or another."),
    (
        "403",
        "Forbidden",
        "Another site asked, as a browser says in `Origin`.",
    ),
    (
        "406",
        "NotAcceptable",
        "The header `Accept` does not take JSON.",
    ),
    (
        "421",
        "MisdirectedRequest",
        "The header `Host` is not a name of this server.",
    ),
    ("500", "InternalServerError", "This could not be answered."),
    ("503", "ServiceUnavailable", "Too many questions wait."),
];
const MISSING: (&str, &str, &str) = ("404", "NotFound", "The case has nothing of this name.");
const GONE: (&str, &str, &str) = (
    "410",
    "Gone",
    "The row after which the page begins is not there any more.",
);

fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.for_serialize().into_generator();
    let paths: Map<String, Value> = OPERATIONS
        .iter()
        .map(|operation| {
            (
                operation.path.to_owned(),
                json!({ "get": told(operation, &mut generator) }),
            )
        })
        .collect();
    let problem = generator.subschema_for::<ProblemBody<'_>>();
    let schemas = generator.take_definitions(true);
    let answers = ALWAYS.iter().chain([&MISSING, &GONE]);
    let responses: Map<String, Value> = answers
        .map(|(_, name, says)| {
            let content = json!({ "application/problem+json": { "schema": problem } });
            (
                (*name).to_owned(),
                json!({ "description": says, "content": content }),
            )
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Unchain",
            "version": "1.0.0",
            "description": INTRODUCTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of the address that the program prints.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "unchain-8080",
                    "description": "For browsers: `/enter?token=TOKEN` gives it. The number is the server's port.",
                },
            },
        },
    })
}

fn told(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let schema = (operation.schema)(generator);
    let mut responses = Map::new();
    let content = json!({ "application/json": { "schema": schema } });
    let mut good = json!({ "description": operation.says, "content": content });
    if let Some(links) = links(operation) {
        good["links"] = links;
    }
    responses.insert("200".to_owned(), good);
    let names = |name: &str| operation.parameters.iter().any(|known| known.name == name);
    let looks_up = operation.path.contains('{') || names("of") || names("parent");
    let further = [(looks_up, &MISSING), (names("cursor"), &GONE)];
    let further = further
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, answer)| *answer);
    for (status, name, _) in ALWAYS.iter().chain(further) {
        let reference = format!("#/components/responses/{name}");
        responses.insert((*status).to_owned(), json!({ "$ref": reference }));
    }
    responses.sort_keys();
    let variable = variable(operation).into_iter();
    let parameters: Vec<Value> = variable
        .chain(operation.parameters.iter().map(|known| query(known)))
        .collect();
    json!({
        "operationId": operation.id,
        "summary": operation.says,
        "parameters": parameters,
        "responses": responses,
    })
}

/// Where the first item of a list leads on to.
fn links(operation: &Operation) -> Option<Value> {
    let (id, name, from) = match operation.id {
        "incidents" => ("incident", "id", "incident/id"),
        "findings" => ("finding", "id", "finding/id"),
        "tokens" => ("node", "name", "node_name"),
        "edges" => ("uses", "name", "child_name"),
        _ => return None,
    };
    let parameters = json!({ (name): format!("$response.body#/items/0/{from}") });
    Some(json!({ (id): { "operationId": id, "parameters": parameters } }))
}

/// The variable part of an address.
fn variable(operation: &Operation) -> Option<Value> {
    let (_, rest) = operation.path.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    let says = match name {
        "name" => "The name of a node.",
        _ => "Its id, as in a list.",
    };
    Some(json!({
        "name": name, "in": "path", "required": true, "description": says,
        "schema": { "type": "string", "minLength": 1 },
    }))
}

fn query(parameter: &Parameter) -> Value {
    let schema = match parameter.shape {
        Shape::Instant => json!({
            "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "string", "format": "date" }],
        }),
        Shape::Limit => json!({
            "type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT_DEFAULT,
        }),
        Shape::Cursor => json!({ "type": "string", "pattern": "^[0-9]{1,10}-[0-9a-f]{12}$" }),
        Shape::Text => json!({ "type": "string", "pattern": "\\S" }),
        Shape::Node => json!({ "type": "string", "pattern": "^[0-9a-f]{12}(-[0-9]{1,10})?$" }),
        Shape::OneOf(names) => json!({ "type": "string", "enum": names() }),
    };
    json!({
        "name": parameter.name, "in": "query", "description": parameter.says, "schema": schema,
    })
}

/// Set to anything, it has the test write what it would compare.
const WRITE: &str = "UNCHAIN_WRITE_OPENAPI";

#[test]
fn the_document_is_what_the_types_say() {
    let made = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os(WRITE).is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        std::fs::write(path, &made).unwrap();
        return;
    }
    assert!(
        made == DOCUMENT,
        "openapi.json is another; run this test again with {WRITE}=1 and review what it wrote"
    );
}
