//! The time line: credentials as bars, with a cursor at the instant of every view.

use super::{Reply, Visit, search};
use crate::html::{column, counted, log, maybe_time, pager, table, time, word};
use crate::query::Query;
use crate::timeline::axis::Window;
use crate::timeline::bar::Bar;
use crate::timeline::draw::{Chart, Links, chart, legend};
use crate::timeline::forest::Forest;
use crate::timeline::rows::{Line, Wanted, around, lines};
use crate::timeline::{LINES, Lane, What, about, fitting, lanes, of_incident};
use axum::http::StatusCode;
use maud::{Markup, html};
use std::collections::BTreeSet;
use unchain_core::liveness::Status;
use unchain_core::time::Timestamp;

/// So many credentials that a text means have a line of their own.
const NAMED: usize = 50;
/// The longest list of opened groups that an address holds.
const OPEN: usize = 50;

/// The time line of what the address names; of all lineages, those of incidents first, where it names nothing.
pub(crate) fn show(visit: &Visit<'_, '_>) -> Reply {
    let forest = visit.world.forest();
    let wanted = match wanted(visit, forest) {
        Ok(wanted) => wanted,
        Err(why) => return visit.refused(StatusCode::NOT_FOUND, ("Time line", why)),
    };
    let all = lines(forest, &wanted, |node| visit.name(node));
    let pages = all.len().div_ceil(LINES).max(1);
    let asked = visit.query.get("page").and_then(|page| page.parse().ok());
    let page = asked.unwrap_or(1usize).clamp(1, pages);
    let shown = all.chunks(LINES).nth(page - 1).unwrap_or_default();
    let lanes = lanes((&visit.report, forest), visit.judged(), shown);
    let window = window(visit, &lanes);
    let body = html! {
        (form(visit))
        p { (about_what(visit, (all.len(), &lanes))) }
        @if let Some(window) = window { (moves(visit, window, &lanes)) }
        (steps(visit, &lanes))
        (legend())
        (drawing(visit, (forest, window), &lanes))
        (pager(visit.query, "/timeline", (page, pages)))
        (as_table(visit, forest, &lanes))
        script type="module" src="/script/timeline.js" {}
    };
    visit.page("Time line", &body)
}

/// What the address asks for; why there is nothing of it.
fn wanted(visit: &Visit<'_, '_>, forest: &Forest) -> Result<Wanted, &'static str> {
    let open = visit.query.get("open").unwrap_or_default().split(',');
    let mut wanted = Wanted {
        alone: about(visit.judged()).map(|(_, subject)| subject).collect(),
        first: visit.judged().subjects_by_incident(),
        open: open.take(OPEN).map(str::to_owned).collect(),
        ..Wanted::default()
    };
    let lineage = visit.report.lineage();
    if let Some(name) = visit.query.get("of") {
        let node = visit.world.names.node(name);
        let node = node.ok_or("The case has no credential or thing of this name.")?;
        wanted.alone.insert(node);
        wanted.keep = Some(around(lineage, forest, &[node]));
    } else if let Some(id) = visit.query.get("incident") {
        let judged = visit.judged();
        if !judged
            .findings
            .incidents
            .iter()
            .any(|incident| incident.id == id)
        {
            return Err("The case has no incident of this name.");
        }
        let (_, keep) = of_incident((&visit.report, forest), judged, id);
        wanted.keep = Some(keep);
    } else if let Some(text) = visit.query.get("q") {
        let nodes: Vec<u32> = lineage
            .find(text.trim())
            .iter()
            .map(|found| found.node)
            .collect();
        if nodes.len() <= NAMED {
            wanted.alone.extend(&nodes);
        }
        wanted.keep = Some(around(lineage, forest, &nodes));
    }
    Ok(wanted)
}

/// What the address says, or what the lines show; with it the instant, where it names one among their ends.
fn window(visit: &Visit<'_, '_>, lanes: &[Lane<'_>]) -> Option<Window> {
    let whole = fitting(lanes, What::span)?;
    let fits = fitting(lanes, What::activity)?;
    let said = |name| visit.query.get(name).and_then(Timestamp::parse);
    if let (Some(from), Some(to)) = (said("from"), said("to")) {
        return Some(Window::new(from.seconds(), to.seconds()));
    }
    let at = visit.report.at().seconds();
    if visit.query.get("at").is_none() || !whole.holds(at) || fits.holds(at) {
        return Some(fits);
    }
    let (from, to) = (fits.from().seconds(), fits.to().seconds());
    Some(Window::around(from.min(at), to.max(at)))
}

fn drawing(
    visit: &Visit<'_, '_>,
    (forest, window): (&Forest, Option<Window>),
    lanes: &[Lane<'_>],
) -> Markup {
    let node = |node: u32| visit.href(&visit.address(node));
    let finding = |id: &str| visit.href(&format!("/findings/{id}"));
    let group = |group: &str| visit.asks(&toggled(visit.query, group), "/timeline");
    let links = Links {
        node: &node,
        finding: &finding,
        group: &group,
    };
    let of = Chart {
        report: &visit.report,
        forest,
        links: &links,
        window,
    };
    chart(&of, lanes)
}

/// The address with a group opened, or shut where it is open.
fn toggled(query: &Query, group: &str) -> Query {
    let known = query.get("open").unwrap_or_default().split(',');
    let mut open: BTreeSet<&str> = known.filter(|name| !name.is_empty()).take(OPEN).collect();
    if !open.remove(group) {
        open.insert(group);
    }
    let open: Vec<&str> = open.into_iter().collect();
    query.with("open", &open.join(","))
}

fn form(visit: &Visit<'_, '_>) -> Markup {
    html! {
        form action="/timeline" method="get" role="search" {
            (search(visit.query)) (visit.kept_instant()) button { "Find" }
        }
    }
}

/// What is shown, in words.
fn about_what(visit: &Visit<'_, '_>, (all, lanes): (usize, &[Lane<'_>])) -> Markup {
    let named = ["of", "incident", "q"]
        .iter()
        .any(|name| visit.query.get(name).is_some());
    let lines = if all > lanes.len() {
        format!("{} of {}", lanes.len(), counted(all, "line"))
    } else {
        counted(all, "line")
    };
    html! {
        @if let Some(node) = visit.query.get("of").and_then(|name| visit.world.names.node(name)) {
            "What " (visit.labelled(node)) " came from, and what came of it: "
        } @else if let Some(id) = visit.query.get("incident") {
            "The lineages of "
            a href=(visit.link(&format!("/incidents/{id}"))) { "an incident" } ": "
        } @else if visit.query.get("q").is_some() {
            "What the text means, with what it came from and what came of it: "
        } @else {
            "All lineages, those of incidents first, then what was used last: "
        }
        (lines) ". "
        @if named { a href=(visit.link("/timeline")) { "All lineages" } }
    }
}

/// Links to other windows.
fn moves(visit: &Visit<'_, '_>, window: Window, lanes: &[Lane<'_>]) -> Markup {
    let link = |window: Window| {
        let (from, to) = (window.from().to_string(), window.to().to_string());
        visit
            .query
            .with("from", &from)
            .with("to", &to)
            .link("/timeline")
    };
    let fit = visit
        .query
        .with("from", "")
        .with("to", "")
        .link("/timeline");
    let at = visit.report.at().seconds();
    html! {
        nav.moves aria-label="Window" {
            span { (time(window.from())) " to " (time(window.to())) }
            a href=(link(window.moved(-1))) { "Earlier" }
            a href=(link(window.moved(1))) { "Later" }
            @if window.span() > 10 { a href=(link(window.scaled(at, (1, 2)))) { "Zoom in" } }
            a href=(link(window.scaled(at, (2, 1)))) { "Zoom out" }
            a href=(fit) { "Fit what happened" }
            @if let Some(whole) = fitting(lanes, What::span) { a href=(link(whole)) { "Fit to the ends" } }
        }
    }
}

/// An instant at which a line changes.
struct Turn {
    at: i64,
    node: u32,
    what: &'static str,
}

/// The turns of some lines.
fn turns(lanes: &[Lane<'_>]) -> Vec<Turn> {
    let mut found = Vec::new();
    for lane in lanes {
        let (Line::One { node, .. }, What::One(bar)) = (&lane.line, &lane.what) else {
            continue;
        };
        let turn = |at, what| Turn {
            at,
            node: *node,
            what,
        };
        found.extend(of_states(bar).map(|(at, what)| turn(at, what)));
        let seen = lane.findings.iter();
        found.extend(seen.map(|finding| turn(finding.first.seconds(), finding.title)));
    }
    found
}

/// What a state after another is called.
fn of_states(bar: &Bar) -> impl Iterator<Item = (i64, &'static str)> + '_ {
    let pairs = bar.states.iter().zip(bar.states.iter().skip(1));
    pairs.map(|((_, before, _), (at, status, why))| {
        let what = match (before, status) {
            (Status::NotYet, _) => "issued",
            (_, Status::Revoked) => why.unwrap_or("revoked"),
            (_, Status::Expired) => "expires",
            (_, Status::Alive | Status::Unknown | Status::NotYet) => "given back",
        };
        (*at, what)
    })
}

/// Links to the nearest turns before and after the instant.
fn steps(visit: &Visit<'_, '_>, lanes: &[Lane<'_>]) -> Markup {
    let at = visit.report.at().seconds();
    let turns = turns(lanes);
    let before = turns
        .iter()
        .filter(|turn| turn.at < at)
        .max_by_key(|turn| turn.at);
    let after = turns
        .iter()
        .filter(|turn| turn.at > at)
        .min_by_key(|turn| turn.at);
    let step = |turn: &Turn, rel: &str, word: &str| {
        let to = Timestamp::from_seconds(turn.at);
        let link = visit.query.with("at", &to.to_string()).link("/timeline");
        let label = visit.report.label(turn.node);
        html! { span { a href=(link) rel=(rel) { (word) ": " (time(to)) } " " (log(&label)) " " (turn.what) } }
    };
    html! {
        nav.moves aria-label="Instant" {
            span { "Instant: " (time(visit.report.at())) }
            @if let Some(turn) = before { (step(turn, "prev", "Previous")) }
            @if let Some(turn) = after { (step(turn, "next", "Next")) }
        }
    }
}

/// The same lines as a table, for those who do not see the drawing.
fn as_table(visit: &Visit<'_, '_>, forest: &Forest, lanes: &[Lane<'_>]) -> Markup {
    let head = html! {
        (column("Credential")) (column("Came from")) (column("Status")) (column("Issued")) (column("Ends"))
        (column("First used")) (column("Last used")) (column("Uses")) (column("Findings"))
    };
    let rows = html! {
        @for lane in lanes {
            @match (&lane.line, &lane.what) {
                (Line::One { node, .. }, What::One(bar)) => (row(visit, forest, (*node, bar, lane))),
                (Line::Many { nodes, .. }, What::Many(band)) => tr {
                    th scope="row" { (counted(band.members, "credential")) " drawn together" }
                    td { @if let Some(above) = nodes.first().and_then(|&node| forest.above(node)) { (visit.labelled(above)) } }
                    td { (band.may_work) " may work" }
                    td { (maybe_time(instant(band.span.map(|(first, _)| first)))) }
                    td { (maybe_time(instant(band.span.map(|(_, last)| last)))) }
                    td { (maybe_time(instant(band.activity.map(|(first, _)| first)))) }
                    td { (maybe_time(instant(band.activity.map(|(_, last)| last)))) }
                    td.number { (band.uses) }
                    td.number { "0" }
                },
                _ => {},
            }
        }
    };
    html! {
        @if !lanes.is_empty() {
            details { summary { "The same as a table" } (table(&counted(lanes.len(), "line"), &head, &rows)) }
        }
    }
}

fn instant(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.map(Timestamp::from_seconds)
}

fn row(
    visit: &Visit<'_, '_>,
    forest: &Forest,
    (node, bar, lane): (u32, &Bar, &Lane<'_>),
) -> Markup {
    let (status, why) = bar.at(visit.report.at().seconds());
    html! {
        tr {
            th scope="row" { (visit.labelled(node)) }
            td { @if let Some(above) = forest.above(node) { (visit.labelled(above)) } }
            td { (word(status.name())) @if let Some(why) = why { ": " (why) } }
            td { (maybe_time(instant(bar.created))) }
            td { (maybe_time(instant(bar.expires))) br; span.soft { (bar.basis.name()) } }
            td { (maybe_time(instant(bar.first_used))) }
            td { (maybe_time(instant(bar.last_used))) }
            td.number { (bar.uses) }
            td.number { (lane.findings.len()) }
        }
    }
}
