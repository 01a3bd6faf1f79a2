//! A trace as a graph, for programs that draw or search graphs: Graphviz, Mermaid, GraphML.
//!
//! Every node stands once, and every edge. What is text in a log is text in all three: each has its own
//! escape, after controls were made visible as `\u{…}`. Must not know how the steps were chosen.

use super::walk::{Step, What};
use crate::output::words::{clipped, counted, moment};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use unchain_core::lineage::Edge;
use unchain_core::report::{Report, Token};
use unchain_core::text::{Untrusted, terminal};
use unchain_core::time::Timestamp;

/// What is told of a node, with GraphML's types. The names are a promise: see docs/output.md.
const NODE: [(&str, &str); 11] = [
    ("kind", "string"),
    ("access_key_id", "string"),
    ("workload", "string"),
    ("principal_arn", "string"),
    ("account", "string"),
    ("status", "string"),
    ("expires", "string"),
    ("uses", "long"),
    ("first_used", "string"),
    ("last_used", "string"),
    ("pivot", "boolean"),
];

/// The same of an edge.
const EDGE: [(&str, &str); 5] = [
    ("api", "string"),
    ("time", "string"),
    ("basis", "string"),
    ("cross_account", "boolean"),
    ("event_ids", "string"),
];

/// A node or an edge; the values stand in the order of [`NODE`] or [`EDGE`].
enum Part {
    Node {
        number: usize,
        pivot: bool,
        lines: Vec<String>,
        values: [Option<String>; NODE.len()],
    },
    Edge {
        from: usize,
        to: usize,
        label: String,
        values: [Option<String>; EDGE.len()],
    },
}

/// Graphviz: `unchain trace … --format dot | dot -Tsvg > lineage.svg`. The attributes that it does not
/// know it keeps.
pub(super) fn dot(out: &mut dyn Write, report: &Report<'_, '_>, steps: &[Step]) -> io::Result<()> {
    writeln!(
        out,
        "digraph lineage {{\n  rankdir=LR;\n  node [shape=box];"
    )?;
    let attributes = |fields: &[(&str, &str)], values: &[Option<String>]| {
        let mut text = String::new();
        for ((name, _), value) in fields.iter().zip(values) {
            let Some(value) = value else { continue };
            // Writing to a String cannot fail.
            let _ = write!(text, ", {name}=\"{}\"", dot_text(value));
        }
        text
    };
    each(report, steps, |part| match part {
        Part::Node {
            number,
            pivot,
            lines,
            values,
        } => {
            let label: Vec<String> = lines.iter().map(|line| dot_label(line)).collect();
            let width = if pivot { ", penwidth=3" } else { "" };
            let more = attributes(&NODE, &values);
            writeln!(
                out,
                "  n{number} [label=\"{}\"{width}{more}];",
                label.join("\\n")
            )
        }
        Part::Edge {
            from,
            to,
            label,
            values,
        } => {
            let more = attributes(&EDGE, &values);
            writeln!(
                out,
                "  n{from} -> n{to} [label=\"{}\"{more}];",
                dot_label(&label)
            )
        }
    })?;
    writeln!(out, "}}")
}

/// Mermaid: for a page or a ticket that draws it. It has labels only, so the evidence is in comments.
pub(super) fn mermaid(
    out: &mut dyn Write,
    report: &Report<'_, '_>,
    steps: &[Step],
) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    each(report, steps, |part| match part {
        Part::Node {
            number,
            pivot,
            lines,
            ..
        } => {
            let (left, right) = if pivot { ("[[", "]]") } else { ("[", "]") };
            let label: Vec<String> = lines.iter().map(|line| mermaid_text(line)).collect();
            writeln!(out, "  n{number}{left}\"{}\"{right}", label.join("<br>"))
        }
        Part::Edge {
            from,
            to,
            label,
            values: [.., ids],
        } => {
            let ids = mermaid_text(&ids.unwrap_or_default());
            writeln!(out, "  %% n{from} n{to} event_ids {ids}")?;
            writeln!(out, "  n{from} -->|\"{}\"| n{to}", mermaid_text(&label))
        }
    })
}

/// GraphML (graphml.graphdrawing.org), with typed attributes.
pub(super) fn graphml(
    out: &mut dyn Write,
    report: &Report<'_, '_>,
    steps: &[Step],
) -> io::Result<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">"
    )?;
    for (on, fields) in [("node", &NODE[..]), ("edge", &EDGE)] {
        for (name, kind) in fields {
            writeln!(
                out,
                "  <key id=\"{on}-{name}\" for=\"{on}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
            )?;
        }
    }
    writeln!(out, "  <graph id=\"lineage\" edgedefault=\"directed\">")?;
    each(report, steps, |part| match part {
        Part::Node { number, values, .. } => {
            writeln!(out, "    <node id=\"n{number}\">")?;
            data(out, ("node", &NODE), &values)?;
            writeln!(out, "    </node>")
        }
        Part::Edge {
            from, to, values, ..
        } => {
            writeln!(out, "    <edge source=\"n{from}\" target=\"n{to}\">")?;
            data(out, ("edge", &EDGE), &values)?;
            writeln!(out, "    </edge>")
        }
    })?;
    writeln!(out, "  </graph>\n</graphml>")
}

fn data(
    out: &mut dyn Write,
    (on, fields): (&str, &[(&str, &str)]),
    values: &[Option<String>],
) -> io::Result<()> {
    for ((name, _), value) in fields.iter().zip(values) {
        if let Some(value) = value {
            writeln!(
                out,
                "      <data key=\"{on}-{name}\">{}</data>",
                xml_text(value)
            )?;
        }
    }
    Ok(())
}

/// Every node once, and every edge once.
fn each(
    report: &Report<'_, '_>,
    steps: &[Step],
    mut write: impl FnMut(Part) -> io::Result<()>,
) -> io::Result<()> {
    // Numbered as they come, so that the same lineage gives the same picture.
    let mut known: BTreeMap<u32, usize> = BTreeMap::new();
    let mut drawn = BTreeSet::new();
    for step in steps {
        let What::Node {
            node, edge, pivot, ..
        } = step.what
        else {
            continue;
        };
        let next = known.len();
        let number = *known.entry(node).or_insert(next);
        if number == next {
            write(node_part(report, node, (number, pivot)))?;
        }
        let Some(edge) = edge else { continue };
        let from = known.get(&edge.parent).copied().unwrap_or_default();
        if drawn.insert((from, number, edge.time, edge.api)) {
            write(edge_part(report, &edge, (from, number)))?;
        }
    }
    Ok(())
}

fn node_part(report: &Report<'_, '_>, node: u32, (number, pivot): (usize, bool)) -> Part {
    let token = report.token(node);
    let workload = report.end(node).workload;
    let text = |text: &Option<Untrusted>| text.as_ref().map(|text| text.raw().to_owned());
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    Part::Node {
        number,
        pivot,
        lines: lines(&token, workload.as_ref()),
        values: [
            Some(token.kind.to_owned()),
            text(&token.access_key_id),
            text(&workload),
            text(&token.principal_arn),
            text(&token.account),
            Some(token.status.to_owned()),
            time(token.expires_at),
            Some(token.uses.to_string()),
            time(token.first_used),
            time(token.last_used),
            Some(pivot.to_string()),
        ],
    }
}

/// What a picture says of a node.
fn lines(token: &Token, workload: Option<&Untrusted>) -> Vec<String> {
    let name = token.access_key_id.as_ref().or(workload);
    let raw = |text: Option<&Untrusted>| text.map(|text| text.raw().to_owned());
    let expires = token.expires_at.map(|at| format!("expires {}", moment(at)));
    let used = token.first_used.zip(token.last_used).map(|(first, last)| {
        let uses = counted(token.uses, "use");
        format!("{uses}, {} to {}", moment(first), moment(last))
    });
    [
        raw(name),
        Some(format!("{} {}", token.kind, token.status)),
        raw(token.principal_arn.as_ref()),
        raw(token.account.as_ref()),
        expires,
        used,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn edge_part(report: &Report<'_, '_>, edge: &Edge, (from, to): (usize, usize)) -> Part {
    let row = report.edge(edge);
    let ids: Vec<&str> = row.event_ids.iter().map(Untrusted::raw).collect();
    Part::Edge {
        from,
        to,
        label: format!("{} {} {}", row.api.raw(), row.time, row.basis),
        values: [
            Some(row.api.raw().to_owned()),
            Some(row.time.to_string()),
            Some(row.basis.to_owned()),
            Some(row.cross_account.to_string()),
            Some(ids.join(" ")),
        ],
    }
}

/// Inside a quoted string of DOT, which keeps a doubled backslash as it is
/// (graphviz.org/doc/info/lang.html).
fn dot_text(text: &str) -> String {
    terminal(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// The same for a label, where Graphviz also reads entities.
fn dot_label(text: &str) -> String {
    let shown = clipped(text).replace('\\', "\\\\").replace('"', "\\\"");
    shown.replace('&', "&amp;")
}

/// Inside a quoted label of Mermaid: what is no letter or digit as a character code
/// (mermaid.js.org/syntax/flowchart.html, entity codes). A point or sign that could begin a list in
/// Markdown is no exception.
fn mermaid_text(text: &str) -> String {
    let shown = clipped(text);
    let mut out = String::with_capacity(shown.len());
    let mut next = shown.chars().skip(1);
    for c in shown.chars() {
        let after = next.next();
        let between = !out.is_empty() && after.is_some_and(char::is_alphanumeric);
        if c.is_alphanumeric() || " :,/@".contains(c) || (between && "-_.+=".contains(c)) {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// Inside an element of XML 1.0, which two characters more may not be in at all.
fn xml_text(text: &str) -> String {
    let shown = Untrusted::new(text).html().into_owned();
    let shown = shown.replace('\u{fffe}', "\\u{fffe}");
    shown.replace('\u{ffff}', "\\u{ffff}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quick_xml::events::Event;

    const EVIL: &str =
        "a\"b\\ <c> ]]> & &amp; #quot; `x` -- %%{init}%% \n\u{1b}\u{202e}\u{ffff}\\\"";

    /// What an XML reader gets of a text.
    fn read(text: &str) -> String {
        let document = format!("<d>{}</d>", xml_text(text));
        let mut reader = quick_xml::Reader::from_str(&document);
        let mut found = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Text(text) => found.push_str(&text.decode().unwrap()),
                Event::GeneralRef(name) => {
                    let name = format!("&{};", name.decode().unwrap());
                    found.push_str(&quick_xml::escape::unescape(&name).unwrap());
                }
                Event::Eof => return found,
                Event::Start(_) | Event::End(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn each_language_has_its_escape() {
        assert_eq!(dot_text("a\"b\\"), "a\\\"b\\\\");
        assert_eq!(dot_label("<b> &lt; \\N"), "<b> &amp;lt; \\\\N");
        assert_eq!(mermaid_text("a\"#<"), "a#34;#35;#60;");
        assert_eq!(mermaid_text("- x. y.z-1"), "#45; x#46; y.z-1");
        assert_eq!(read(EVIL), terminal(EVIL).replace('\u{ffff}', "\\u{ffff}"));
    }

    proptest! {
        #[test]
        fn no_text_ends_a_quoted_string_of_dot(text in "([\"\\\\&\n]|\\PC){0,30}") {
            for quoted in [dot_text(&text), dot_label(&text)] {
                let mut rest = quoted.chars();
                while let Some(c) = rest.next() {
                    prop_assert!(c != '"' && c != '\n');
                    if c == '\\' {
                        prop_assert!(matches!(rest.next(), Some('\\' | '"')));
                    }
                }
            }
        }

        #[test]
        fn no_text_ends_a_label_of_mermaid(text in "([\"#;<>&`%{}\n\\[\\]|]|\\PC){0,30}") {
            let label = mermaid_text(&text);
            let codes = label.split('#').skip(1);
            for code in codes {
                let number = code.split_once(';').unwrap().0;
                prop_assert!(number.parse::<u32>().is_ok_and(|n| char::from_u32(n).is_some()));
            }
            let loose = label.contains(|c: char| "\"<>&`%{}[]|\n\\".contains(c));
            prop_assert!(!loose);
        }

        #[test]
        fn xml_gives_the_text_back(text in "([<>&'\"\\]]|\\PC|[\u{fffe}\u{ffff}]){0,30}") {
            let visible = terminal(&text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
            prop_assert_eq!(read(&text), visible);
        }
    }
}
