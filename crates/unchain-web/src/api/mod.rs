//! The JSON API: its addresses and what each answers. Must not know access, threads or HTML.
//!
//! Rows are those that the commands print. What a reader of the API needs besides, such as the name of a node, stands
//! beside a row and never in it.

mod graph;
mod lists;
mod nodes;
#[cfg(test)]
mod openapi;
mod paging;
mod parameters;

use crate::problem::{Problem, ascii};
use crate::query::Query;
use crate::views::Visit;
use crate::workers::World;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use parameters::{Parameter, checked};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use std::collections::BTreeMap;
use unchain_core::time::Timestamp;

/// What the API is, for programs: made from the types below and reviewed. A test holds it to them.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// What a part of an answer is asked for, given the visit.
type Told = fn(&Visit<'_, '_>) -> Result<String, Problem>;

/// One address of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The address, with the name of its one variable part in braces.
    pub(crate) path: &'static str,
    /// The operation's id in the document.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the document is made by a test")
    )]
    id: &'static str,
    /// What it answers, in a few words.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the document is made by a test")
    )]
    says: &'static str,
    /// What the address may say after `?`, and nothing else.
    parameters: &'static [&'static Parameter],
    told: Told,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the document is made by a test")
    )]
    schema: fn(&mut SchemaGenerator) -> Schema,
}

/// An operation whose answer and schema are those of one type.
macro_rules! operation {
    ($path:literal, $id:literal, $says:literal, $parameters:expr, $of:path => $told:ty) => {
        Operation {
            path: concat!("/api/v1", $path),
            id: $id,
            says: $says,
            parameters: $parameters,
            told: |visit| $of(visit).and_then(|told: $told| written(&told)),
            schema: |generator| generator.subschema_for::<$told>(),
        }
    };
}

/// Every address of the API.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        path: "/api/v1/openapi.json",
        id: "openapi",
        says: "This document",
        parameters: &[],
        told: |_| Ok(DOCUMENT.to_owned()),
        schema: |generator| generator.subschema_for::<BTreeMap<String, serde_json::Value>>(),
    },
    operation!(
        "/incidents",
        "incidents",
        "Every incident, the worst first",
        &[&parameters::AT, &parameters::SEVERITY, &parameters::LIMIT, &parameters::CURSOR],
        lists::incidents => paging::List<lists::IncidentItem>
    ),
    operation!(
        "/incidents/{id}",
        "incident",
        "One incident",
        &[&parameters::AT],
        lists::incident => lists::IncidentAnswer
    ),
    operation!(
        "/findings",
        "findings",
        "Findings by time",
        &[
            &parameters::AT,
            &parameters::SEVERITY,
            &parameters::EXPECTED,
            &parameters::TEXT,
            &parameters::LIMIT,
            &parameters::CURSOR,
        ],
        lists::findings => paging::List<lists::FindingItem>
    ),
    operation!(
        "/findings/{id}",
        "finding",
        "One finding",
        &[&parameters::AT],
        lists::finding => lists::FindingAnswer
    ),
    operation!(
        "/tokens",
        "tokens",
        "Every credential, in order of creation or as asked",
        &[
            &parameters::AT,
            &parameters::STATUS,
            &parameters::KIND,
            &parameters::TEXT,
            &parameters::SORT,
            &parameters::ORDER,
            &parameters::LIMIT,
            &parameters::CURSOR,
        ],
        lists::tokens => paging::List<lists::TokenItem>
    ),
    operation!(
        "/edges",
        "edges",
        "Every step of the lineage, in order of time",
        &[
            &parameters::AT,
            &parameters::PARENT,
            &parameters::CHILD,
            &parameters::BASIS,
            &parameters::LIMIT,
            &parameters::CURSOR,
        ],
        nodes::edges => paging::List<nodes::EdgeItem>
    ),
    operation!(
        "/principals",
        "principals",
        "Whose the credentials are; who has most that may still work first",
        &[&parameters::AT, &parameters::TEXT, &parameters::LIMIT, &parameters::CURSOR],
        lists::principals => paging::List<lists::PrincipalItem>
    ),
    operation!(
        "/nodes/{name}",
        "node",
        "A credential, or something that credentials come from",
        &[&parameters::AT],
        nodes::node => nodes::NodeAnswer
    ),
    operation!(
        "/nodes/{name}/uses",
        "uses",
        "What a credential was used for, the latest first",
        &[&parameters::AT, &parameters::LIMIT, &parameters::CURSOR],
        nodes::uses => paging::List<nodes::UseItem>
    ),
    operation!(
        "/lineage",
        "lineage",
        "Nodes and steps around whatever is asked for: up to the roots, then down; without a question, down from all roots",
        &[&parameters::AT, &parameters::OF, &parameters::PIVOT, &parameters::LIMIT],
        graph::lineage => graph::LineageAnswer
    ),
    operation!(
        "/coverage",
        "coverage",
        "On what the answers rest, and what they cannot show",
        &[&parameters::AT],
        lists::coverage => lists::CoverageAnswer
    ),
];

/// One request, as far as a worker needs it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) operation: &'static Operation,
    pub(crate) path: String,
    pub(crate) query: Query,
    /// The variable part of the address; empty where it has none.
    pub(crate) name: String,
}

/// Answers a request.
pub(crate) fn answer(world: &World<'_>, asked: &Asked) -> Result<String, Problem> {
    checked(&asked.query, asked.operation.parameters)?;
    let said = asked.query.get("at").and_then(Timestamp::parse);
    let at = said.unwrap_or_else(|| world.now());
    let place = (&*asked.path, &asked.query, &*asked.name);
    (asked.operation.told)(&Visit::new(world, place, at))
}

/// Whether whoever asks takes JSON (RFC 9110, section 12.5.1).
pub(crate) fn takes_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .filter(|range| !range.trim().is_empty())
        .peekable();
    if ranges.peek().is_none() || ranges.any(fits) {
        return Ok(());
    }
    let why = "Here everything is application/json.";
    let hint = "Leave the header Accept out, or accept that.";
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, why, hint))
}

/// Whether a media range means JSON and does not refuse it by its weight.
fn fits(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let refused = |part: &str| {
        let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
        weight.is_some_and(|weight| weight.trim().parse() == Ok(0.0))
    };
    matches!(&*kind, "application/json" | "application/*" | "*/*") && !parts.any(refused)
}

/// An answer as a response.
pub(crate) fn response(answer: Result<String, Problem>, path: &str) -> Response {
    match answer {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(problem) => problem.answer(path),
    }
}

/// Writes an answer, and checks that its type has a schema.
fn written<T: Serialize + JsonSchema>(told: &T) -> Result<String, Problem> {
    let json = serde_json::to_string(told).map_err(|_| {
        let why = "The answer could not be written.";
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            why,
            "Please report this.",
        )
    })?;
    Ok(ascii(&json) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_given_to_whoever_takes_it() {
        let takes = |accept: &[&'static str]| {
            let values = accept.iter();
            let headers: HeaderMap = values
                .map(|value| (ACCEPT, axum::http::HeaderValue::from_static(value)))
                .fold(HeaderMap::new(), |mut headers, (name, value)| {
                    headers.append(name, value);
                    headers
                });
            takes_json(&headers).is_ok()
        };
        for yes in [
            &[][..],
            &[""],
            &["*/*"],
            &["Application/JSON; charset=utf-8"],
            &["text/html, application/*;q=0.1"],
            &["text/html", "application/json"],
        ] {
            assert!(takes(yes), "{yes:?}");
        }
        for no in [
            &["text/html"][..],
            &["application/json;q=0"],
            &["application/jsonl, image/*"],
            &["*/*; q=0.000"],
        ] {
            assert!(!takes(no), "{no:?}");
        }
    }
}
