//! The lineage as a drawing, and what may be drawn.

use super::{Reply, Visit, search};
use crate::drawing::{Drawing, Link, Shown, Slice, Wanted, What, legend, list, name_of, picture};
use crate::html::{column, counted, log, maybe, maybe_time, nothing, outside, pager, table, word};
use crate::query::Query;
use maud::{Markup, html};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use unchain_core::lineage::{Match, NodeKind};
use unchain_core::time::Timestamp;

const PATH: &str = "/lineage";

/// Places of one drawing.
const PLACES: usize = 400;
/// Of what an address says is open, so much is heeded.
const OPEN: usize = 64;

/// What is open in a drawing: the position of the first child that is shown.
type Open = BTreeMap<String, usize>;

/// The address of the drawing of a node.
pub(super) fn drawn(visit: &Visit<'_, '_>, node: u32) -> String {
    address(visit, node, &Open::new())
}

/// The drawing of the node that is asked for; what is to choose from, where it is not one; else the roots.
pub(crate) fn show(visit: &Visit<'_, '_>) -> Reply {
    if let Some(name) = visit.query.get("of") {
        return match visit.world.names.node(name) {
            Some(node) => visit.page("Lineage", &html! { (find(visit)) (draw(visit, node)) }),
            None => visit.missing("credential or thing"),
        };
    }
    let body = match visit.query.get("q") {
        Some(text) => meant(visit, text.trim()),
        None => roots(visit),
    };
    visit.page("Lineage", &html! { (find(visit)) (body) })
}

fn find(visit: &Visit<'_, '_>) -> Markup {
    html! {
        form.find action=(PATH) method="get" role="search" {
            (search(visit.query)) (visit.kept_instant()) button { "Trace" }
            span.soft { "a key id, ARN, role, user, session name, MFA device, address, user agent, event id …" }
        }
    }
}

/// What a pivot means.
fn meant(visit: &Visit<'_, '_>, text: &str) -> Markup {
    let matches = matches(visit, text);
    match matches.as_slice() {
        [] => {
            html! { p { "Nothing here is called " (outside(text)) ". Check the spelling, and under "
            a href=(visit.link("/coverage")) { "Coverage" } " what the log holds." } }
        }
        [found] => draw(visit, found.node),
        _ => choose(visit, &matches),
    }
}

/// The nodes that a text means. A caller of whom another account's record alone tells is another one seen
/// again, and counts only where there is no other.
fn matches(visit: &Visit<'_, '_>, text: &str) -> Vec<Match> {
    let lineage = visit.report.lineage();
    let known = lineage.find(text).into_iter();
    let known = known.filter(|found| lineage.node(found.node).is_some());
    let (whole, bare): (Vec<Match>, Vec<Match>) =
        known.partition(|found| !is_bare(visit, found.node));
    if whole.is_empty() { bare } else { whole }
}

fn is_bare(visit: &Visit<'_, '_>, node: u32) -> bool {
    let lineage = visit.report.lineage();
    let mut edges = lineage.children(node).chain(lineage.parents(node));
    lineage
        .node(node)
        .is_some_and(|node| node.kind == NodeKind::Identity)
        && edges.next().is_none()
}

fn choose(visit: &Visit<'_, '_>, matches: &[Match]) -> Markup {
    let lineage = visit.report.lineage();
    let roots: BTreeSet<u32> = matches
        .iter()
        .map(|found| lineage.root(found.node))
        .collect();
    let (rows, pages) = visit.paged(matches);
    let head = html! {
        (column("Draw")) (column("Found by")) (column("Kind")) (column("Status")) (column("Principal")) (column("Account"))
    };
    let lines = html! {
        @for found in rows {
            tr { (drawable(visit, found.node)) td { (found.pivot.name()) } (described(visit, found.node)) }
        }
    };
    html! {
        p { "This means " (counted(matches.len(), "node")) ". Choose one"
            @if let (Some(root), 1) = (roots.first(), roots.len()) {
                ", or draw all that came of " a href=(drawn(visit, *root)) { (log(&visit.report.label(*root))) }
            }
            "."
        }
        (table(&counted(matches.len(), "node"), &head, &lines))
        (pager(visit.query, PATH, pages))
    }
}

/// The cell that leads to a node's drawing.
fn drawable(visit: &Visit<'_, '_>, node: u32) -> Markup {
    let name = name_of(&visit.report, node);
    html! {
        th scope="row" {
            a href=(drawn(visit, node)) { @if name.is_empty() { "unnamed" } @else { (log(&name)) } }
        }
    }
}

/// Kind, status, principal and account.
fn described(visit: &Visit<'_, '_>, node: u32) -> Markup {
    let end = visit.report.end(node);
    let kind = visit.report.lineage().node(node).map(|node| node.kind);
    html! {
        td { (end.kind.replace('-', " ")) }
        td {
            @if kind.is_some_and(NodeKind::is_credential) { (word(visit.report.life(node).status.name())) }
            @else { (nothing()) }
        }
        td { (maybe(end.principal_arn.as_ref())) }
        td { (maybe(end.account.as_ref())) }
    }
}

/// Where one may begin: the worst incident's lineage, the incidents, and every root of the case.
fn roots(visit: &Visit<'_, '_>) -> Markup {
    let judged = visit.judged();
    let all = sized(visit);
    let first = judged.roots.first().or(all.first().map(|(root, _)| root));
    let (rows, pages) = visit.paged(&all);
    let head = html! {
        (column("Root")) (column("Nodes")) (column("Kind")) (column("Status")) (column("Principal"))
        (column("Account")) (column("Created"))
    };
    let created = |node: u32| visit.report.lineage().node(node)?.created;
    let lines = html! {
        @for (root, size) in rows {
            tr {
                (drawable(visit, *root)) td.number { (size) } (described(visit, *root))
                td { (maybe_time(created(*root).map(|time| Timestamp::from_seconds(i64::from(time))))) }
            }
        }
    };
    html! {
        @if !judged.roots.is_empty() { (incidents(visit)) }
        @if let (Some(&first), 1) = (first, pages.0) { (draw(visit, first)) }
        h2 { "Roots" }
        @if all.is_empty() { p { "The log shows no credential." } }
        @else {
            (table(&counted(all.len(), "root"), &head, &lines))
            (pager(visit.query, PATH, pages))
        }
    }
}

/// The incidents on top, each by its root.
fn incidents(visit: &Visit<'_, '_>) -> Markup {
    let judged = visit.judged();
    let all = judged.findings.incidents.iter().zip(&judged.roots);
    html! {
        h2 { "Incidents" }
        ul {
            @for (incident, root) in all.take(FIRST) {
                li { a href=(drawn(visit, *root)) { (log(&incident.title)) } " " (word(incident.severity)) }
            }
            @if judged.roots.len() > FIRST { li { a href=(visit.link("/incidents")) { "all incidents" } } }
        }
    }
}

/// Incidents that are named before the drawing.
const FIRST: usize = 5;

/// Every root with the number of nodes below it and itself, the largest first.
fn sized(visit: &Visit<'_, '_>) -> Vec<(u32, usize)> {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for root in visit.report.lineage().roots() {
        *sizes.entry(root).or_default() += 1;
    }
    let mut all: Vec<(u32, usize)> = sizes
        .into_iter()
        .filter(|(root, _)| !is_bare(visit, *root))
        .collect();
    let names = &visit.world.names;
    let created = |node: u32| visit.report.lineage().node(node)?.created;
    all.sort_by_key(|&(root, size)| (Reverse(size), created(root), names.name(root)));
    all
}

/// What is above and below a node, as a drawing and as a list.
fn draw(visit: &Visit<'_, '_>, pivot: u32) -> Markup {
    let open = open(visit.query);
    let names = &visit.world.names;
    let name = |node: u32| names.name(node).to_owned();
    let wanted = Wanted {
        pivot,
        most: PLACES,
        open: &open,
        name: &name,
    };
    let drawing = Drawing::new(&visit.report, wanted);
    let link = |what: &What| link(visit, (pivot, &open), what);
    html! {
        (said(visit, (pivot, &drawing)))
        div.lineage {
            div.canvas role="region" aria-label="Drawing" tabindex="0" { (picture(&drawing, Some(&link))) }
        }
        (legend())
        details { summary { "The same as a list" } (list(&drawing, &link)) }
        script type="module" src="/script/lineage.js" {}
    }
}

/// The same for a file: a drawing that is folded as it is, with links to what the file tells of.
pub(crate) fn filed(visit: &Visit<'_, '_>, pivot: u32, most: usize) -> Markup {
    let open = Open::new();
    let wanted = Wanted {
        pivot,
        most,
        open: &open,
        name: &|_| String::new(),
    };
    let drawing = Drawing::new(&visit.report, wanted);
    let link = |what: &What| Link {
        href: match what {
            What::Node(node) | What::Beyond(node) | What::Between(_, node) => {
                visit.href(&visit.address(*node))
            }
            What::Group(..) | What::Further(_) => None,
        },
        id: None,
    };
    html! {
        div.canvas role="group" aria-label="Drawing" tabindex="0" { (picture(&drawing, Some(&link))) }
        (legend())
    }
}

fn said(visit: &Visit<'_, '_>, (pivot, drawing): (u32, &Drawing<'_, '_, '_>)) -> Markup {
    let lineage = visit.report.lineage();
    let root = lineage.root(pivot);
    let all = lineage.ancestors(pivot).len() + lineage.descendants(pivot).len();
    let days = drawing.days();
    html! {
        p {
            "What led to " (visit.node(pivot, &name_of(&visit.report, pivot))) " and what came of it: " (counted(all, "node")) ", "
            @if drawing.nodes() >= all { "all drawn" } @else { (drawing.nodes()) " drawn, the others folded" }
            @if let Some((first, last)) = &days {
                ". Times are UTC, " (first) @if first != last { " to " (last) }
            }
            "."
            @if root != pivot { " " a href=(drawn(visit, root)) { "Draw it from its root" } }
        }
    }
}

/// What an address says is open: names of nodes and groups, each with the position of the first child.
fn open(query: &Query) -> Open {
    let values = query.all("open").take(OPEN);
    let parsed = values.map(|value| {
        let (key, from) = value.split_once('.').unwrap_or((value, "0"));
        (key.to_owned(), from.parse().unwrap_or_default())
    });
    parsed.collect()
}

/// The drawing of a node with these open.
fn address(visit: &Visit<'_, '_>, node: u32, open: &Open) -> String {
    let of = visit
        .query
        .instant()
        .with("of", visit.world.names.name(node));
    let query = open.iter().fold(of, |query, (key, from)| {
        query.and("open", &format!("{key}.{from}"))
    });
    query.link(PATH)
}

/// Where a place of a drawing leads.
fn link(visit: &Visit<'_, '_>, (pivot, open): (u32, &Open), what: &What) -> Link {
    let with = |key: &str, from: Option<usize>| {
        let mut open = open.clone();
        open.remove(key);
        open.extend(from.map(|from| (key.to_owned(), from)));
        format!("{}#node-{key}", address(visit, pivot, &open))
    };
    let named = |key: &str| Some(format!("node-{key}"));
    match what {
        What::Node(node) => {
            let name = visit.world.names.name(*node);
            Link {
                href: Some(visit.link(&format!("/nodes/{name}"))),
                id: named(name),
            }
        }
        What::Group(group, shown) => {
            let from = (*shown == Shown::Folded).then_some(0);
            Link {
                href: Some(with(&group.key, from)),
                id: named(&group.key),
            }
        }
        What::Further(Slice { key, from, .. }) => Link {
            href: Some(with(key, Some(*from))),
            id: None,
        },
        What::Beyond(node) | What::Between(_, node) => Link {
            href: Some(drawn(visit, *node)),
            id: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_say_anything_is_open() {
        let query = Query::read("open=ab.100&open=cd&open=ef.x&open=&open=.7");
        let open: Vec<_> = open(&query).into_iter().collect();
        let expected = [("", 7), ("ab", 100), ("cd", 0), ("ef", 0)];
        assert_eq!(open, expected.map(|(key, from)| (key.to_owned(), from)));
        let many: String = (0..1000).map(|n| format!("open={n}&")).collect();
        assert_eq!(super::open(&Query::read(&many)).len(), OPEN);
    }
}
