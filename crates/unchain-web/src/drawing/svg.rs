//! A drawing as SVG. Its colours are classes, so that it follows the scheme of the page it stands in.
//!
//! Lengths are in CSS pixels. A text has one source: what the log says never shares a `text` element with
//! words of ours, so that its direction cannot reorder them.

use super::card::{Action, Call, Card, Shown, cut};
use super::layout::Spot;
use super::select::{Across, Place};
use super::symbols::Outline;
use super::{Address, Drawing, Link};
use crate::html::counted;
use maud::{Markup, html};
use std::collections::BTreeMap;
use unchain_core::lineage::Basis;
use unchain_core::time::Timestamp;

/// A card.
const WIDE: usize = 248;
const HIGH: usize = 62;
/// Between two columns: room for a call and its time.
const GAP: usize = 176;
/// From the top of one row to that of the next.
const ROW: usize = 82;
const MARGIN: usize = 20;
/// Where lines to the children of one parent part, from the end of its card.
const TRUNK: usize = 16;
/// Where lines beside the tree begin and end, from the top of a card: above what is said of those of the tree.
const PORT: usize = 10;
/// The legend of a drawing on paper.
const LEGEND: usize = 60;

/// How much of a call's name fits, in characters.
const API: usize = 22;

const BASES: [Basis; 3] = [Basis::Recorded, Basis::Matched, Basis::Inferred];

/// The drawing, with links if it is given addresses, else for paper: with its legend in it.
pub(crate) fn picture(drawing: &Drawing<'_, '_, '_>, address: Option<Address<'_>>) -> Markup {
    let on_paper = address.is_none();
    let last = |of: fn(&Spot) -> usize| drawing.spots.iter().map(of).max().unwrap_or_default() + 1;
    let width = last(|spot| spot.column) * (WIDE + GAP) - GAP + 2 * MARGIN;
    let height = last(|spot| spot.row) * ROW - (ROW - HIGH) + 2 * MARGIN;
    let (width, height) = if on_paper {
        (width.max(720), height + LEGEND)
    } else {
        (width, height)
    };
    let days = drawing.days();
    let one_day = days.as_ref().is_none_or(|(first, last)| first == last);
    let numbered = || drawing.selection.places.iter().enumerate();
    html! {
        svg.drawing viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="group"
            aria-label="The lineage, from root to leaves" {
            @for line in &drawing.selection.across { (across(drawing, line)) }
            (trunks(drawing))
            @for (number, place) in numbered() { (branch(drawing, (number, place), one_day)) }
            @for (number, place) in numbered() { (put(drawing, (number, place), address)) }
            @if on_paper { (foot(drawing, height - LEGEND)) }
        }
    }
}

/// The upper left corner of a place.
fn corner(spot: Spot) -> (usize, usize) {
    (MARGIN + spot.column * (WIDE + GAP), MARGIN + spot.row * ROW)
}

/// The line from a parent, and what is said of it: straight to the first child, to others from the trunk.
fn branch(
    drawing: &Drawing<'_, '_, '_>,
    (number, place): (usize, &Place),
    one_day: bool,
) -> Markup {
    let Some(parent) = place.parent else {
        return html! {};
    };
    let (from, to) = (corner(drawing.spot(parent)), corner(drawing.spot(number)));
    let (start, y) = (from.0 + WIDE, to.1 + HIGH / 2);
    let path = if from.1 == to.1 {
        format!("M{start} {y}H{}", to.0)
    } else {
        let bend = start + TRUNK;
        format!("M{bend} {}Q{bend} {y} {} {y}H{}", y - 6, bend + 6, to.0)
    };
    let call = drawing.call(place);
    let basis = call.as_ref().map_or("none", |call| call.basis);
    html! {
        path.line data-basis=(basis) d=(path) {}
        path.tip d={ "M" (to.0 - 7) " " (y - 4) "l7 4l-7 4z" } {}
        @if let Some(call) = &call { (said(call, (to.0 + TRUNK + 6 - GAP, y), one_day)) }
    }
}

/// Down from each parent to the last of its children, once: lines upon lines would grow thick.
fn trunks(drawing: &Drawing<'_, '_, '_>) -> Markup {
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, place) in drawing.selection.places.iter().enumerate() {
        if let Some(parent) = place.parent {
            let row = last.entry(parent).or_default();
            *row = drawing.spot(number).row.max(*row);
        }
    }
    let trunk = |(&parent, &row): (&usize, &usize)| {
        let spot = drawing.spot(parent);
        let ((x, from), (_, to)) = (corner(spot), corner(Spot { row, ..spot }));
        let (x, half) = (x + WIDE + TRUNK, HIGH / 2);
        (row > spot.row).then(|| format!("M{x} {}V{}", from + half, to + half - 6))
    };
    let paths = last.iter().filter_map(trunk);
    html! { @for path in paths { path.line data-basis="none" d=(path) {} } }
}

/// The call above its line, its time below.
fn said(call: &Call, (x, y): (usize, usize), one_day: bool) -> Markup {
    html! {
        text.api x=(x) y=(y - 6) { (cut(&call.api, API)) }
        text.time x=(x) y=(y + 15) {
            (clock(call.time, one_day)) @if call.others > 0 { " +" (call.others) }
        }
        @if call.cross_account { text.cross x=(x) y=(y + 28) { "cross-account" } }
    }
}

/// `09:20:00`, or with its day `03-02 09:20`.
fn clock(time: Timestamp, one_day: bool) -> String {
    let text = time.to_string().replace('T', " ").replace('Z', "");
    let part = if one_day {
        text.get(11..19)
    } else {
        text.get(5..16)
    };
    part.unwrap_or(&text).to_owned()
}

/// A line beside the tree, from the upper right of a card to the upper left of another.
fn across(drawing: &Drawing<'_, '_, '_>, line: &Across) -> Markup {
    let (from, to) = (
        corner(drawing.spot(line.from)),
        corner(drawing.spot(line.to)),
    );
    let (start, end) = ((from.0 + WIDE, from.1 + PORT), (to.0, to.1 + PORT));
    let path = format!(
        "M{} {}C{} {} {} {} {} {}",
        start.0,
        start.1,
        start.0 + GAP / 2,
        start.1,
        end.0.saturating_sub(GAP / 2),
        end.1,
        end.0,
        end.1
    );
    html! {
        path.line.across data-basis=(line.edge.basis.name()) d=(path) {}
        path.tip d={ "M" (end.0 - 7) " " (end.1 - 4) "l7 4l-7 4z" } {}
    }
}

/// A card where it stands, as a link if it has an address.
fn put(
    drawing: &Drawing<'_, '_, '_>,
    (number, place): (usize, &Place),
    address: Option<Address<'_>>,
) -> Markup {
    let (x, y) = corner(drawing.spot(number));
    let at = format!("translate({x} {y})");
    let card = drawing.card(place);
    let asked = number == drawing.selection.pivot;
    let inside = face(&card);
    let spoken = || {
        let spoken = card.spoken(drawing.call(place).as_ref());
        if asked { spoken + ", in focus" } else { spoken }
    };
    let link = address.map(|address| address(&place.what));
    html! {
        @if asked { text.asked x=(x + 2) y=(y - 5) { "in focus" } }
        @match link {
            Some(Link { href: Some(href), id }) => a.card href=(href) id=[id] transform=(at) data-status=[card.worst]
                aria-label=(spoken()) { g aria-hidden="true" { (inside) } },
            other => g.card id=[other.and_then(|link| link.id)] transform=(at) data-status=[card.worst] { (inside) },
        }
    }
}

/// What a card shows. The spaces part its words where they are searched.
fn face(card: &Card) -> Markup {
    let class = if card.look.is_some() {
        "shape"
    } else {
        "shape stub"
    };
    let Shown {
        kind,
        state,
        name,
        more,
    } = card.shown();
    let shape = shape(card.look.map(|(outline, _)| outline));
    html! {
        @if card.action.is_some() && card.look.is_some() { path.shape.behind d=(shape) transform="translate(5 5)" {} }
        path class=(class) d=(shape) {}
        @if card.worst.is_some() { path.stripe d="M3.5 14v34" {} }
        @if let Some((_, symbol)) = card.look { path.symbol d=(symbol) transform="translate(12 23)" {} }
        svg x="36" y="0" width=(WIDE - 42) height=(HIGH) {
            text.kind x="0" y="19" { (kind) } " "
            @if !state.is_empty() { text.status x=(WIDE - 48) y="19" { (state) } " " }
            text.name x="0" y="37" { (name) } " "
            text.more x="0" y="53" { (more) }
        }
        @match card.action {
            Some(Action::Show) => path.action d="M228 12h10M233 7v10" {},
            Some(Action::Fold) => path.action d="M228 12h10" {},
            None => {},
        }
    }
}

/// The outline of a card; none for what is no node.
fn shape(outline: Option<Outline>) -> String {
    let (w, h) = (WIDE, HIGH);
    let rounded = |r: usize| {
        let (x, y) = (w - 2 * r, h - 2 * r);
        format!(
            "M{r} 0h{x}a{r} {r} 0 0 1 {r} {r}v{y}a{r} {r} 0 0 1-{r} {r}h-{x}a{r} {r} 0 0 1-{r}-{r}v-{y}a{r} {r} 0 0 1 {r}-{r}z"
        )
    };
    match outline {
        Some(Outline::Lasting) => rounded(2),
        Some(Outline::Passing) => rounded(11),
        Some(Outline::Actor) => rounded(h / 2),
        Some(Outline::Made) => format!(
            "M10 0h{}l10 10v{}l-10 10h-{}l-10-10v-{}z",
            w - 20,
            h - 20,
            w - 20,
            h - 20
        ),
        None => rounded(8),
    }
}

/// What the lines mean, as a list beside a drawing.
pub(crate) fn legend() -> Markup {
    html! {
        ul.legend aria-label="Lines" {
            @for basis in BASES {
                li { (sample(basis)) (basis.name()) ": " (meaning(basis)) }
            }
        }
    }
}

fn sample(basis: Basis) -> Markup {
    html! {
        svg.drawing viewBox="0 0 40 10" width="40" height="10" aria-hidden="true" {
            path.line data-basis=(basis.name()) d="M1 5H39" {}
        }
    }
}

fn meaning(basis: Basis) -> &'static str {
    match basis {
        Basis::Recorded => "one record names both ends",
        Basis::Matched => "two records agree",
        Basis::Inferred => "circumstances fit",
    }
}

/// The legend of a drawing on paper.
fn foot(drawing: &Drawing<'_, '_, '_>, y: usize) -> Markup {
    let days = drawing
        .days()
        .map_or_else(String::new, |(first, last)| match first == last {
            true => format!(", times of {first}"),
            false => format!(", times from {first} to {last}"),
        });
    let said = format!(
        "Status at {}{days}, UTC; {} drawn",
        drawing.report.at(),
        counted(drawing.nodes(), "node")
    );
    html! {
        @for (number, basis) in (0usize..).zip(BASES) {
            @let x = MARGIN + number * 230;
            path.line data-basis=(basis.name()) d={ "M" (x) " " (y + 14) "h36" } {}
            text.more x=(x + 44) y=(y + 18) { (basis.name()) ": " (meaning(basis)) }
        }
        text.more x=(MARGIN) y=(y + 42) { (said) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_day_where_there_are_several() {
        let time = Timestamp::parse("2026-03-02T09:20:05Z").unwrap();
        assert_eq!(
            (clock(time, true), clock(time, false)),
            ("09:20:05".into(), "03-02 09:20".into())
        );
    }
}
