//! A drawing as lists within lists, for readers who hear it or search it.

use super::select::Place;
use super::{Address, Drawing};
use crate::html::{outside, word};
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeMap;

/// Levels that are nested; a deeper place says how deep it is.
const NESTED: usize = 20;

/// Every place, children below their parent.
pub(crate) fn list(drawing: &Drawing<'_, '_, '_>, address: Address<'_>) -> Markup {
    let mut out = String::new();
    let mut open = 0;
    for (depth, number) in steps(drawing) {
        let Some(place) = drawing.selection.places.get(number) else {
            continue;
        };
        let level = depth.min(NESTED).min(open);
        if level == open {
            out.push_str("<ul><li>");
        } else {
            out.push_str(&"</li></ul>".repeat(open - level - 1));
            out.push_str("</li><li>");
        }
        open = level + 1;
        out.push_str(&line(drawing, (number, place), (depth - level, address)).into_string());
    }
    out.push_str(&"</li></ul>".repeat(open));
    html! { div.outline { (PreEscaped(out)) } }
}

/// Every place with its depth, each before what is below it.
fn steps(drawing: &Drawing<'_, '_, '_>) -> Vec<(usize, usize)> {
    let mut below: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for &number in &drawing.selection.order {
        let parent = drawing
            .selection
            .places
            .get(number)
            .and_then(|place| place.parent);
        below.entry(parent).or_default().push(number);
    }
    let mut steps = Vec::new();
    let mut waiting: Vec<(usize, Option<usize>)> = vec![(0, None)];
    while let Some((depth, at)) = waiting.pop() {
        if let Some(number) = at {
            steps.push((depth - 1, number));
        }
        let next = below.get(&at).into_iter().flatten().rev();
        waiting.extend(next.map(|number| (depth + 1, Some(*number))));
    }
    steps
}

fn line(
    drawing: &Drawing<'_, '_, '_>,
    (number, place): (usize, &Place),
    (deeper, address): (usize, Address<'_>),
) -> Markup {
    let card = drawing.card(place);
    let call = drawing.call(place);
    let also = drawing
        .selection
        .across
        .iter()
        .filter(|line| line.to == number);
    let also = also.filter_map(|line| drawing.selection.places.get(line.from));
    html! {
        @if deeper > 0 { "(" (deeper) " deeper) " }
        a href=[address(&place.what).href] { (outside(&card.name)) }
        " " (card.kind)
        @if let Some(status) = card.status { ", " (word(status)) }
        @if !card.more.is_empty() { ", " (outside(&card.more)) }
        @if let Some(call) = &call {
            span.soft {
                ", " (outside(&call.api)) " at " (crate::html::time(call.time)) ", " (call.basis)
                @if call.cross_account { ", cross-account" }
            }
        }
        @for other in also { span.soft { ", also from " (outside(&drawing.card(other).name)) } }
    }
}
