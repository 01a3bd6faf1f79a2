//! Lines as HTML with SVG. Must not know which lines there are, or addresses.
//!
//! Every place is a part of the width, so that one drawing fits every screen; there is no inline style.

use super::axis::{Window, percent};
use super::bar::{BINS, Band, Bar, COLUMNS, Look, Ticks, marks};
use super::forest::Forest;
use super::rows::Line;
use super::{Lane, What};
use crate::html::{counted, outside, word};
use maud::{Markup, html};
use std::fmt::Write as _;
use unchain_core::report::{FindingRow, Report};
use unchain_core::time::Timestamp;

/// Deeper lines are not moved further in.
const DEEPEST: usize = 8;
/// Shades of a density.
const SHADES: usize = 4;

/// Where things of a drawing stand, for those that stand somewhere.
pub(crate) struct Links<'a> {
    /// A credential.
    pub(crate) node: &'a dyn Fn(u32) -> Option<String>,
    /// A finding, by its id.
    pub(crate) finding: &'a dyn Fn(&str) -> Option<String>,
    /// The drawing with a group opened or shut.
    pub(crate) group: &'a dyn Fn(&str) -> Option<String>,
}

/// What a drawing is made from.
pub(crate) struct Chart<'a> {
    pub(crate) report: &'a Report<'a, 'a>,
    pub(crate) forest: &'a Forest,
    pub(crate) links: &'a Links<'a>,
    /// What is shown; nothing where no line has a time.
    pub(crate) window: Option<Window>,
}

/// What the signs mean.
pub(crate) fn legend() -> Markup {
    let sign =
        |inside: Markup| html! { svg.sign aria-hidden="true" width="28" height="14" { (inside) } };
    let bar = |look: &str| sign(html! { rect class=(look) x="1" y="3" width="26" height="8" {} });
    html! {
        ul.signs aria-label="Signs" {
            li { (bar("held")) " may work" }
            li { (bar("bound")) " at the longest: a rule bounds it" }
            li { (bar("guess")) " not known" }
            li { (sign(html! { line.ended x1="1" x2="27" y1="7" y2="7" {} })) " ended before its time" }
            li { (sign(html! { path.uses d="M8 1v12M14 7H24M24 1v12" {} })) " first and last call of a kind" }
            li { (sign(html! { path.mark d="M14 2l5 5-5 5-5-5z" {} })) " finding" }
            li { (sign(html! { line.cursor x1="14" x2="14" y1="0" y2="14" {} })) " the instant" }
        }
    }
}

/// The lines under an axis.
pub(crate) fn chart(chart: &Chart<'_>, lanes: &[Lane<'_>]) -> Markup {
    let Some(window) = chart.window else {
        return html! { p { "The log shows no credential here whose time is known." } };
    };
    let at = chart.report.at().seconds();
    let ticks = window.ticks();
    html! {
        div.timeline data-from=(window.from().seconds()) data-to=(window.to().seconds()) data-at=(at) {
            div.axis {
                div { "Time (UTC)" }
                svg.scale aria-hidden="true" height="36" {
                    @for (n, tick) in ticks.iter().enumerate() {
                        text class=(placed(n, tick.place)) x=(percent(tick.place)) y="13" { (tick.label) }
                        @if let Some(under) = &tick.under {
                            text class=(placed(0, tick.place)) x=(percent(tick.place)) y="29" { (under) }
                        }
                    }
                }
            }
            div.lanes {
                svg.over aria-hidden="true" {
                    @for tick in &ticks { (upright("grid", tick.place)) }
                }
                ol { @for lane in lanes { (one(chart, window, lane)) } }
                svg.over aria-hidden="true" { (cursor(window, at)) }
            }
        }
    }
}

/// A label at an edge begins or ends there.
fn placed(number: usize, place: i64) -> &'static str {
    match (place, number % 2) {
        (..300, _) => "begins",
        (9_700.., _) => "ends",
        (_, 0) => "even",
        (_, _) => "odd",
    }
}

fn upright(class: &str, place: i64) -> Markup {
    let x = percent(place);
    html! { line class=(class) x1=(x) x2=(x) y1="0" y2="100%" {} }
}

fn cursor(window: Window, at: i64) -> Markup {
    let class = if window.holds(at) {
        "cursor"
    } else {
        "cursor away"
    };
    upright(class, window.place(at))
}

fn one(chart: &Chart<'_>, window: Window, lane: &Lane<'_>) -> Markup {
    let (Line::One { depth, .. } | Line::Many { depth, .. }) = &lane.line;
    let depth = (*depth).min(DEEPEST);
    let at = chart.report.at().seconds();
    match (&lane.line, &lane.what) {
        (Line::One { node, .. }, What::One(bar)) => html! {
            li.lane data-status=(bar.at(at).0.name()) data-states=(states(bar)) {
                div class=(format!("name in-{depth}")) { (name(chart, *node, (bar, lane))) }
                svg.plot role="img" height="36" {
                    title { (told(bar, at, lane.findings.len())) }
                    (of_bar(bar, window))
                    (ticks(&Ticks::of(&bar.kinds, window)))
                    @for mark in marks(&lane.findings, window) { (marked(mark)) }
                }
            }
        },
        (
            Line::Many {
                group, nodes, open, ..
            },
            What::Many(band),
        ) => html! {
            li.lane.many {
                div class=(format!("name in-{depth}")) { (many(chart, (group, nodes, *open), band)) }
                svg.plot role="img" height="36" {
                    title { (told_of_many(band)) }
                    @if !open { (of_band(band, window)) (ticks(&band.ticks(window))) }
                }
            }
        },
        _ => html! {},
    }
}

/// From when each state holds, for the script that moves the cursor.
fn states(bar: &Bar) -> String {
    let states = bar.states.iter();
    let states: Vec<String> = states
        .map(|(from, status, _)| format!("{from}:{}", status.name()))
        .collect();
    states.join(" ")
}

fn name(chart: &Chart<'_>, node: u32, (bar, lane): (&Bar, &Lane<'_>)) -> Markup {
    let end = chart.report.end(node);
    let label = chart.report.label(node);
    let label =
        html! { @if label.is_empty() { "unnamed" } @else { (outside(short(label.raw()))) } };
    let whose = chart.report.lineage().principal(node);
    let own = end.access_key_id.is_some();
    html! {
        div {
            (linked((chart.links.node)(node), &label)) " "
            (word(bar.at(chart.report.at().seconds()).0.name()))
        }
        div.soft {
            (findings(chart, &lane.findings, node))
            (end.kind.replace('-', " ")) @if own { " · " (outside(short(whose.raw()))) }
        }
    }
}

/// An ARN without what is alike in all of an account.
pub(crate) fn short(arn: &str) -> &str {
    let resource = arn
        .splitn(6, ':')
        .nth(5)
        .filter(|_| arn.starts_with("arn:"));
    let resource = resource.unwrap_or(arn);
    resource.strip_prefix("assumed-role/").unwrap_or(resource)
}

fn linked(address: Option<String>, words: &Markup) -> Markup {
    html! { @if let Some(address) = address { a href=(address) { (words) } } @else { (words) } }
}

fn findings(chart: &Chart<'_>, findings: &[&FindingRow], node: u32) -> Markup {
    let address = match findings {
        [only] => (chart.links.finding)(&only.id),
        _ => (chart.links.node)(node),
    };
    let words = html! { (counted(findings.len(), "finding")) };
    html! { @if !findings.is_empty() { (linked(address, &words)) " · " } }
}

fn many(chart: &Chart<'_>, (group, nodes, open): (&str, &[u32], bool), band: &Band) -> Markup {
    let class = nodes
        .first()
        .map_or(u32::MAX, |&node| chart.forest.class(node));
    let (kind, whose) = chart.forest.alike(class);
    let words = html! { @if open { "together" } @else { "one by one" } };
    html! {
        div {
            (counted(band.members, &kind.replace('-', " "))) " · "
            @if let Some(address) = (chart.links.group)(group) { a href=(address) { (words) } }
            @else { "drawn together" }
        }
        div.soft {
            (outside(short(whose))) " · " (band.may_work) " may work"
            @if band.below > 0 { " · " (band.below) " came of them" }
        }
    }
}

/// `2026-03-02 09:20:00`.
pub(crate) fn said(at: i64) -> String {
    let text = Timestamp::from_seconds(at).to_string();
    text.replace('T', " ").replace('Z', "")
}

/// What a bar shows, in words.
fn told(bar: &Bar, at: i64, findings: usize) -> String {
    let status = bar.at(at).0.name().replace('-', " ");
    // Writing to a String cannot fail.
    let mut words = format!("{status} at {}", said(at));
    let _ = match bar.created {
        Some(created) => write!(words, "; issued {}", said(created)),
        None => write!(words, "; issue not seen"),
    };
    let _ = match bar.expires {
        Some(end) => write!(words, "; expires {} ({})", said(end), bar.basis.name()),
        None => write!(words, "; {}", bar.basis.name()),
    };
    for (from, why) in bar.stops() {
        let _ = write!(words, "; {why} {}", said(from));
    }
    if let Some((first, last)) = bar.first_used.zip(bar.last_used) {
        let uses = counted(usize::try_from(bar.uses).unwrap_or(usize::MAX), "use");
        let _ = write!(words, "; {uses} from {} to {}", said(first), said(last));
    }
    if findings > 0 {
        let _ = write!(words, "; {}", counted(findings, "finding"));
    }
    words
}

fn told_of_many(band: &Band) -> String {
    let mut words = format!(
        "{} drawn together, {} may work",
        band.members, band.may_work
    );
    if let Some((first, last)) = band.span {
        // Writing to a String cannot fail.
        let _ = write!(words, "; from {} to {}", said(first), said(last));
    }
    words
}

fn of_bar(bar: &Bar, window: Window) -> Markup {
    let (before, after) = bar.beyond(window);
    let wide = |from: i64, to: i64| percent((to - from).max(15));
    html! {
        @for piece in bar.pieces(window) {
            @let (from, to) = (percent(piece.from), percent(piece.to));
            @match piece.look {
                Look::Held => rect.held x=(from) y="14" width=(wide(piece.from, piece.to)) height="12" {},
                Look::Bound => rect.bound x=(from) y="14" width=(wide(piece.from, piece.to)) height="12" {},
                Look::Guess => rect.guess x=(from) y="14" width=(wide(piece.from, piece.to)) height="12" {},
                Look::Ended => line.ended x1=(from) x2=(to) y1="20" y2="20" {},
            }
        }
        @for (at, why) in bar.stops().filter(|(at, _)| window.holds(*at)) {
            svg x=(percent(window.place(at))) y="13" {
                title { (why) ", " (said(at)) }
                path.stop d="M-4 3l8 8M4 3l-8 8" {}
            }
        }
        @if before { (arrow(0, "M-2 15l-5 5 5 5")) }
        @if after { (arrow(super::axis::WIDTH, "M2 15l5 5-5 5")) }
    }
}

fn arrow(place: i64, path: &str) -> Markup {
    html! { svg x=(percent(place)) { path.beyond d=(path) {} } }
}

fn of_band(band: &Band, window: Window) -> Markup {
    let density = band.density(window);
    let most = density
        .iter()
        .map(|(_, _, number)| *number)
        .max()
        .unwrap_or(1);
    let whole = super::axis::WIDTH / BINS;
    html! {
        @for (from, to, number) in density {
            rect class=(format!("dense-{}", (number * SHADES).div_ceil(most)))
                x=(percent(from * whole)) y="14" width=(percent((to - from) * whole)) height="12" {}
        }
    }
}

/// Marks of use in a box of their own, which is as wide as there is room.
fn ticks(ticks: &Ticks) -> Markup {
    let mut path = String::new();
    for at in &ticks.at {
        // Writing to a String cannot fail.
        let _ = write!(path, "M{at} 0v16");
    }
    for (from, to) in &ticks.between {
        let _ = write!(path, "M{from} 8H{to}");
    }
    html! {
        @if !path.is_empty() {
            svg y="12" width="100%" height="16" viewBox=(format!("0 0 {COLUMNS} 16")) preserveAspectRatio="none" {
                path.uses d=(path) {}
            }
        }
    }
}

fn marked((place, finding, number): (i64, &FindingRow, usize)) -> Markup {
    html! {
        svg x=(percent(place)) y="1" {
            title {
                (finding.severity) ": " (finding.title) ", " (said(finding.first.seconds()))
                @if number > 1 { ", and " (number - 1) " more" }
            }
            path.mark data-word=(finding.severity) d="M0 0l5 5-5 5-5-5z" {}
        }
    }
}
