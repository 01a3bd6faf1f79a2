//! The JSON API: what it answers, to whom, and that its document says so.

use crate::common::{ADDRESS, NOON, Said, Site, on, story};
use crate::hostile::{EVIL, poison};
use crate::schema::faults;
use serde_json::Value;
use std::collections::BTreeSet;
use unchain_core::ledger::Ledger;
use unchain_core::lineage::Lineage;
use unchain_core::record::plain;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;

const PROBLEM: &str = "application/problem+json";

fn token(site: &Site) -> String {
    let (_, token) = site.entrance().split_once('=').unwrap();
    format!("Bearer {token}")
}

fn ask(site: &Site, path: &str) -> Said {
    let bearer = token(site);
    site.ask(
        "GET",
        path,
        &[("host", ADDRESS), ("authorization", &bearer)],
    )
}

fn json(site: &Site, path: &str) -> Value {
    let said = ask(site, path);
    assert_eq!(said.status.as_u16(), 200, "{path}: {}", said.body);
    assert_eq!(said.headers["content-type"], "application/json", "{path}");
    serde_json::from_str(&said.body).unwrap()
}

/// The items of all pages.
fn items(site: &Site, path: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(address) = next {
        let page = json(site, &address);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
        let total = page["total"].as_u64().unwrap();
        assert!(
            next.is_some() || found.len() as u64 == total,
            "{address}: {total}"
        );
        assert_eq!(page["at"], NOON);
    }
    found
}

/// One address of each operation, with the path as the document has it.
fn addresses(site: &Site) -> Vec<(&'static str, String)> {
    let first = |list: &str| json(site, &format!("/api/v1/{list}"))["items"][0].clone();
    let name = first("tokens")["node_name"].as_str().unwrap().to_owned();
    let incident = first("incidents")["incident"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let finding = first("findings")["finding"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    vec![
        ("/api/v1/openapi.json", "/api/v1/openapi.json".to_owned()),
        ("/api/v1/incidents", "/api/v1/incidents".to_owned()),
        (
            "/api/v1/incidents/{id}",
            format!("/api/v1/incidents/{incident}"),
        ),
        (
            "/api/v1/findings",
            "/api/v1/findings?expected=with".to_owned(),
        ),
        (
            "/api/v1/findings/{id}",
            format!("/api/v1/findings/{finding}"),
        ),
        (
            "/api/v1/tokens",
            "/api/v1/tokens?sort=uses&order=desc".to_owned(),
        ),
        ("/api/v1/edges", "/api/v1/edges?limit=3".to_owned()),
        ("/api/v1/principals", "/api/v1/principals".to_owned()),
        ("/api/v1/nodes/{name}", format!("/api/v1/nodes/{name}")),
        (
            "/api/v1/nodes/{name}/uses",
            format!("/api/v1/nodes/{name}/uses"),
        ),
        ("/api/v1/lineage", format!("/api/v1/lineage?of={name}")),
        ("/api/v1/coverage", "/api/v1/coverage".to_owned()),
    ]
}

#[test]
fn every_answer_is_what_the_document_says() {
    on(&story().records(), |site| {
        let document = json(site, "/api/v1/openapi.json");
        let addresses = addresses(site);
        let declared: BTreeSet<&str> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(declared, addresses.iter().map(|(path, _)| *path).collect());
        for (path, address) in addresses {
            let operation = &document["paths"][path]["get"];
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            assert_eq!(
                faults(&document, schema, &json(site, &address)),
                [""; 0],
                "{address}"
            );
            let wrong = ask(site, &format!("{path}?no=1"));
            let name = operation["responses"]["400"]["$ref"].as_str().unwrap();
            let refused = document.pointer(name.strip_prefix('#').unwrap()).unwrap();
            let schema = &refused["content"][PROBLEM]["schema"];
            let body: Value = serde_json::from_str(&wrong.body).unwrap();
            assert_eq!(faults(&document, schema, &body), [""; 0], "{address}");
            assert_eq!(
                (wrong.status.as_u16(), &body["status"]),
                (400, &Value::from(400))
            );
        }
    });
}

#[test]
fn rows_are_those_of_the_commands() {
    let records = story().records();
    let mut ledger = Ledger::default();
    for record in &records {
        ledger.apply(&plain(record).unwrap());
    }
    ledger.settle();
    let lineage = Lineage::build(&ledger);
    let report = Report::new(&lineage, Timestamp::parse(NOON).unwrap());
    on(&records, |site| {
        let rows = |path: &str, member: &str| -> Vec<Value> {
            items(site, path)
                .iter()
                .map(|item| item[member].clone())
                .collect()
        };
        let value = |row: Result<Value, serde_json::Error>| row.unwrap();
        let tokens: Vec<Value> = report
            .credentials()
            .into_iter()
            .map(|node| value(serde_json::to_value(report.token(node))))
            .collect();
        assert!(tokens.len() > 3);
        assert_eq!(rows("/api/v1/tokens?limit=2", "token"), tokens);
        let edges: Vec<Value> = report
            .edges()
            .map(|edge| value(serde_json::to_value(edge)))
            .collect();
        assert!(edges.len() > 3);
        assert_eq!(rows("/api/v1/edges?limit=1", "edge"), edges);
        assert_eq!(rows("/api/v1/edges?limit=1000", "edge"), edges);
    });
}

#[test]
fn filters_keep_what_the_page_keeps() {
    let story = story();
    let key = story.key("B").unwrap();
    on(&story.records(), |site| {
        let tokens = |query: &str| items(site, &format!("/api/v1/tokens?{query}"));
        assert!(
            tokens("status=alive")
                .iter()
                .all(|item| item["token"]["status"] == "alive")
        );
        let found = tokens(&format!("q={key}"));
        let b = found
            .iter()
            .find(|item| item["token"]["access_key_id"] == key)
            .unwrap();
        let name = b["node_name"].as_str().unwrap();
        let node = json(site, &format!("/api/v1/nodes/{name}"));
        assert_eq!(
            (&node["token"], &node["node_name"]),
            (&b["token"], &b["node_name"])
        );
        for (side, other) in [("parents", "child"), ("children", "parent")] {
            let steps = items(site, &format!("/api/v1/edges?{other}={name}"));
            assert_eq!(node[side]["items"], Value::from(steps), "{side}");
        }
        let uses = items(site, &format!("/api/v1/nodes/{name}/uses?limit=1"));
        let count: u64 = uses
            .iter()
            .map(|item| item["count"].as_u64().unwrap())
            .sum();
        assert_eq!(b["token"]["uses"], count);
        assert!(!node["findings"].as_array().unwrap().is_empty());
        assert!(
            items(site, "/api/v1/findings?severity=low")
                .iter()
                .all(|item| item["finding"]["severity"] == "low")
        );
    });
}

#[test]
fn the_lineage_is_that_around_a_pivot_and_within_its_limit() {
    let story = story();
    let key = story.key("B").unwrap();
    on(&story.records(), |site| {
        let around = json(site, &format!("/api/v1/lineage?q={key}"));
        let nodes = around["nodes"].as_array().unwrap();
        assert_eq!(
            (&nodes[0]["node"]["access_key_id"], &nodes[0]["pivot"]),
            (&Value::from(key), &true.into())
        );
        let root = nodes[0]["root_name"].as_str().unwrap();
        assert!(nodes.iter().any(|node| node["node_name"] == root));
        let names: BTreeSet<&str> = nodes
            .iter()
            .map(|node| node["node_name"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), nodes.len(), "each once");
        let edges = around["edges"].as_array().unwrap();
        assert!(edges.len() >= nodes.len() - 1);
        for end in ["parent_name", "child_name"] {
            assert!(
                edges
                    .iter()
                    .all(|edge| names.contains(edge[end].as_str().unwrap()))
            );
        }
        assert_eq!(
            (&around["nodes_left_out"], &around["edges_left_out"]),
            (&0.into(), &0.into())
        );
        let few = json(site, &format!("/api/v1/lineage?q={key}&limit=2"));
        assert_eq!(few["nodes"].as_array().unwrap(), &nodes[..2]);
        assert_eq!(few["nodes_left_out"], nodes.len() - 2);
        let all = json(site, "/api/v1/lineage?limit=1000");
        assert!(all["nodes"].as_array().unwrap().len() >= nodes.len());
        assert_eq!(
            ask(site, "/api/v1/lineage?q=no-such-thing").status.as_u16(),
            404
        );
    });
}

#[test]
fn programs_are_let_in_by_the_token_and_told_why_not() {
    on(&story().records(), |site| {
        let bearer = token(site);
        let host = ("host", ADDRESS);
        let said = |path: &str, headers: &[(&str, &str)]| site.ask("GET", path, headers);
        for authorization in [
            &*bearer,
            &bearer.replace("Bearer", "bearer"),
            &bearer.replace(' ', "  "),
        ] {
            let headers = [host, ("authorization", authorization)];
            assert_eq!(
                said("/api/v1/tokens", &headers).status.as_u16(),
                200,
                "{authorization}"
            );
        }
        assert_eq!(
            said("/api/v1/tokens", &[host, ("cookie", &site.cookie())])
                .status
                .as_u16(),
            200
        );
        let cookie = site.cookie().split_once('=').unwrap().1.to_owned();
        for authorization in [
            "",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            &format!("Bearer {cookie}"),
            bearer.get(7..).unwrap(),
        ] {
            let refused = said("/api/v1/tokens", &[host, ("authorization", authorization)]);
            assert_eq!(refused.status.as_u16(), 401, "{authorization}");
            assert_eq!(
                refused.headers["www-authenticate"],
                "Bearer realm=\"unchain\""
            );
            assert_eq!(refused.headers["content-type"], PROBLEM);
        }
    });
}

#[test]
fn the_token_opens_the_api_alone_and_only_by_our_name() {
    on(&story().records(), |site| {
        let bearer = token(site);
        let (host, authorization) = (("host", ADDRESS), ("authorization", &*bearer));
        let said = |path: &str, headers: &[(&str, &str)]| site.ask("GET", path, headers);
        let page = said("/tokens", &[host, authorization]);
        assert_eq!(page.status.as_u16(), 403);
        let rebound = said(
            "/api/v1/tokens",
            &[("host", "rebound.example"), authorization],
        );
        assert_eq!(rebound.status.as_u16(), 421);
        assert_eq!(rebound.headers["content-type"], PROBLEM);
        let foreign = [host, ("origin", "http://evil.example"), authorization];
        assert_eq!(said("/api/v1/tokens", &foreign).status.as_u16(), 403);
    });
}

#[test]
fn what_cannot_be_answered_is_a_problem_with_a_hint() {
    on(&story().records(), |site| {
        let bearer = token(site);
        let mine = [("host", ADDRESS), ("authorization", &*bearer)];
        let html = [mine[0], mine[1], ("accept", "text/html")];
        for (status, method, path, headers) in [
            (404, "GET", "/api/v1/no-such-thing", &mine[..]),
            (404, "GET", "/api/v2/tokens", &mine),
            (404, "GET", "/api/v1/nodes/000000000000", &mine),
            (404, "GET", "/api/v1/nodes/%20%22%3Cb%3E/uses", &mine),
            (404, "GET", "/api/v1/findings/none", &mine),
            (404, "GET", "/api/v1/incidents/none", &mine),
            (404, "GET", "/api/v1/edges?parent=000000000000", &mine),
            (400, "GET", "/api/v1/nodes/%ff", &mine),
            (400, "GET", "/api/v1/tokens?at=yesterday", &mine),
            (400, "GET", "/api/v1/tokens?limit=0", &mine),
            (400, "GET", "/api/v1/tokens?%ff=%zz", &mine),
            (410, "GET", "/api/v1/tokens?cursor=3-000000000000", &mine),
            (405, "POST", "/api/v1/tokens", &mine),
            (405, "OPTIONS", "/api/v1/no-such-thing", &mine),
            (406, "GET", "/api/v1/tokens", &html),
        ] {
            let said = site.ask(method, path, headers);
            assert_eq!(said.status.as_u16(), status, "{method} {path}");
            assert_eq!(said.headers["content-type"], PROBLEM, "{path}");
            assert_eq!(said.headers.get("allow").is_some(), status == 405);
            let body: Value = serde_json::from_str(&said.body).unwrap();
            assert!(!body["hint"].as_str().unwrap().is_empty(), "{path}: {body}");
            assert_eq!(body["status"], status);
        }
        let head = site.ask("HEAD", "/api/v1/tokens", &mine);
        assert_eq!((head.status.as_u16(), &*head.body), (200, ""));
        assert_eq!(head.headers["content-type"], "application/json");
    });
}

#[test]
fn the_next_page_speaks_of_the_same_instant() {
    on(&story().records(), |site| {
        let page = json(site, "/api/v1/tokens?limit=1&at=2026-03-02&sort=uses");
        let next = page["next"].as_str().unwrap();
        assert!(
            next.contains("at=2026-03-02T00%3A00%3A00Z") && next.contains("sort=uses"),
            "{next}"
        );
        let without = json(site, "/api/v1/tokens?limit=1");
        assert!(
            without["next"]
                .as_str()
                .unwrap()
                .contains("at=2026-03-02T12%3A05%3A00Z")
        );
    });
}

#[test]
fn hostile_text_comes_back_as_it_was_logged_and_drives_no_terminal() {
    let mut records = story().records();
    records.iter_mut().for_each(|record| poison(record, EVIL));
    on(&records, |site| {
        let document = json(site, "/api/v1/openapi.json");
        for (path, address) in addresses(site) {
            let said = ask(site, &address);
            let harmless = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
            assert!(said.body.bytes().all(harmless), "{address}");
            let pointer = "/responses/200/content/application~1json/schema";
            let schema = document["paths"][path]["get"].pointer(pointer).unwrap();
            let body: Value = serde_json::from_str(&said.body).unwrap();
            assert_eq!(faults(&document, schema, &body), [""; 0], "{address}");
        }
        let tokens = items(site, "/api/v1/tokens");
        let arn = |item: &Value| {
            item["token"]["principal_arn"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(tokens.iter().any(|item| arn(item).ends_with(EVIL)));
    });
}
