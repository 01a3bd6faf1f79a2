//! The graphs that `trace` writes, read back: they have the nodes and edges of its JSON, whatever the
//! log says.

use crate::common::{NOON, Room, lines, log, scenario, scenarios};
use crate::hostile::{EVIL, poison};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::text::terminal;

/// What a reader of GraphML gets.
#[derive(Default)]
struct Graph {
    /// By id.
    nodes: BTreeMap<String, BTreeMap<String, String>>,
    /// From, to, and the rest.
    edges: Vec<(String, String, BTreeMap<String, String>)>,
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.try_get_attribute(name).unwrap().expect(name);
    String::from_utf8(found.value.into_owned()).unwrap()
}

fn read(document: &str) -> Graph {
    let mut graph = Graph::default();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let (mut values, mut name, mut value) = (BTreeMap::new(), String::new(), String::new());
    let (mut node, mut ends) = (String::new(), (String::new(), String::new()));
    let mut reader = Reader::from_str(document);
    loop {
        match reader.read_event().unwrap() {
            Event::Empty(tag) if tag.name().as_ref() == b"key" => {
                names.insert(attribute(&tag, "id"), attribute(&tag, "attr.name"));
            }
            Event::Start(tag) => match tag.name().as_ref() {
                b"node" => node = attribute(&tag, "id"),
                b"edge" => ends = (attribute(&tag, "source"), attribute(&tag, "target")),
                b"data" => {
                    name = names[&attribute(&tag, "key")].clone();
                    value.clear();
                }
                _ => {}
            },
            Event::Text(text) => value.push_str(&text.decode().unwrap()),
            Event::GeneralRef(entity) => {
                let entity = format!("&{};", entity.decode().unwrap());
                value.push_str(&quick_xml::escape::unescape(&entity).unwrap());
            }
            Event::End(tag) => match tag.name().as_ref() {
                b"data" => _ = values.insert(name.clone(), value.clone()),
                b"node" => {
                    _ = graph
                        .nodes
                        .insert(node.clone(), std::mem::take(&mut values))
                }
                b"edge" => {
                    let (from, to) = ends.clone();
                    graph.edges.push((from, to, std::mem::take(&mut values)));
                }
                _ => {}
            },
            Event::Eof => return graph,
            _ => {}
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(terminal(text).into_owned()),
        Value::Array(list) => Some(list.iter().filter_map(text).collect::<Vec<_>>().join(" ")),
        other => Some(other.to_string()),
    }
}

/// What GraphML says against what JSON lines say.
fn compare(room: &Room, pivot: &str) -> Graph {
    let ask = |format| {
        let said = room.run(&[
            "trace", pivot, "--source", "logs", "--at", NOON, "--format", format,
        ]);
        assert_eq!(said.code, 0, "{pivot}: {}", said.err);
        said
    };
    let graph = read(&ask("graphml").out);
    let members = |of: &Value, names: &[(&str, &str)]| -> BTreeMap<String, String> {
        let each = names
            .iter()
            .filter_map(|(name, member)| Some(((*name).to_owned(), text(&of[*member])?)));
        each.collect()
    };
    let told: BTreeSet<BTreeMap<String, String>> = lines(&ask("jsonl"))
        .iter()
        .map(|line| {
            let names = [
                "kind",
                "access_key_id",
                "principal_arn",
                "account",
                "status",
                "uses",
                "first_used",
                "last_used",
            ];
            let mut pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
            pairs.push(("expires", "expires_at"));
            let mut node = members(&line["token"], &pairs);
            node.extend(members(&line["node"], &[("workload", "workload")]));
            node.extend(members(line, &[("pivot", "pivot")]));
            node
        })
        .collect();
    assert_eq!(
        graph.nodes.values().cloned().collect::<BTreeSet<_>>(),
        told,
        "{pivot}"
    );
    let edges: BTreeSet<BTreeMap<String, String>> = lines(&ask("jsonl"))
        .iter()
        .filter(|line| !line["edge"].is_null())
        .map(|line| {
            let names = ["api", "time", "basis", "cross_account", "event_ids"];
            members(&line["edge"], &names.map(|name| (name, name)))
        })
        .collect();
    let drawn: BTreeSet<_> = graph
        .edges
        .iter()
        .map(|(_, _, values)| values.clone())
        .collect();
    assert_eq!(drawn, edges, "{pivot}");
    for (from, to, _) in &graph.edges {
        assert!(graph.nodes.contains_key(from) && graph.nodes.contains_key(to));
    }
    graph
}

#[test]
fn graphml_has_the_nodes_and_edges_of_json() {
    for (name, trail) in scenarios() {
        let room = Room::with(&trail);
        let truth = trail.truth();
        let used = truth.tokens.iter().filter(|token| token.uses > 0);
        for key in used.filter_map(|token| token.key.as_deref()).step_by(3) {
            let graph = compare(&room, key);
            assert!(!graph.nodes.is_empty(), "{name}");
        }
    }
}

#[test]
fn hostile_text_is_text_in_a_graph() {
    let evil = format!("\"\\<b>]]>&#quot;`%%{{init}}%%\u{fffe}{EVIL}");
    let mut records = scenario("role-chain").records();
    for record in &mut records {
        poison(record, &evil);
    }
    let room = Room::new();
    room.write("logs/trail.json", log(&records).as_bytes());
    let pivot = records[0]["userIdentity"]["accessKeyId"].as_str().unwrap();
    let ask = |format| room.run(&["trace", pivot, "--source", "logs", "--format", format]);
    let graph = read(&ask("graphml").out);
    let shown = terminal(&evil).replace('\u{fffe}', "\\u{fffe}");
    let hit = graph
        .nodes
        .values()
        .flat_map(BTreeMap::values)
        .filter(|value| value.ends_with(&shown));
    assert!(hit.count() > 3);
    // A line is a statement in both; hostile text makes none.
    let plain = |line: &str| line.starts_with("  n") || line.starts_with("  %% n");
    let (dot, mermaid) = (ask("dot").out, ask("mermaid").out);
    let body = dot.lines().skip(3).filter(|line| *line != "}");
    assert!(
        body.chain(mermaid.lines().skip(1)).all(plain),
        "{dot}\n{mermaid}"
    );
    assert_eq!(
        dot.lines().filter(|line| line.contains(" -> ")).count(),
        graph.edges.len()
    );
    assert_eq!(mermaid.matches("-->").count(), graph.edges.len());
}
