//! A part of a lineage as a picture: roots on the left, what came of them to the right.
//!
//! `select` says what is drawn, `layout` where, `card` what it says, `svg` and `list` write it. Must not know
//! addresses: who asks for a drawing gives them.

mod card;
mod fan;
mod layout;
mod list;
mod select;
mod svg;
mod symbols;

pub(crate) use card::name_of;
pub(crate) use list::list;
pub(crate) use select::{Shown, Slice, Wanted, What};
pub(crate) use svg::{legend, picture};

use card::{Call, Card};
use layout::{Spot, layout};
use select::{Place, Selection, select};
use std::collections::BTreeMap;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;

/// Where a place leads, and the name by which an address can point at it.
#[derive(Debug)]
pub(crate) struct Link {
    /// Nowhere, where there is only the drawing.
    pub(crate) href: Option<String>,
    pub(crate) id: Option<String>,
}

/// Gives a place its address.
pub(crate) type Address<'a> = &'a dyn Fn(&What) -> Link;

/// A drawing, ready to be written.
pub(crate) struct Drawing<'d, 'r, 'l> {
    report: &'d Report<'r, 'l>,
    selection: Selection,
    spots: Vec<Spot>,
}

impl std::fmt::Debug for Drawing<'_, '_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drawing")
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}

impl<'d, 'r, 'l> Drawing<'d, 'r, 'l> {
    /// Draws what is above and below a node.
    pub(crate) fn new(report: &'d Report<'r, 'l>, wanted: Wanted<'_>) -> Self {
        let selection = select(report, wanted);
        let tree: Vec<Option<usize>> = selection.places.iter().map(|place| place.parent).collect();
        let across: Vec<(usize, usize)> = selection
            .across
            .iter()
            .map(|line| (line.from, line.to))
            .collect();
        let spots = layout(&tree, &across, &selection.order);
        Self {
            report,
            selection,
            spots,
        }
    }

    /// How many nodes have a place.
    pub(crate) fn nodes(&self) -> usize {
        let places = self.selection.places.iter();
        places
            .filter(|place| matches!(place.what, What::Node(_)))
            .count()
    }

    fn card(&self, place: &Place) -> Card {
        Card::of(self.report, &place.what)
    }

    fn call(&self, place: &Place) -> Option<Call> {
        Call::of(self.report, place)
    }

    fn spot(&self, place: usize) -> Spot {
        self.spots.get(place).copied().unwrap_or_default()
    }

    /// The days of the calls that are drawn: the first and the last.
    pub(crate) fn days(&self) -> Option<(String, String)> {
        let places = self.selection.places.iter();
        let times: Vec<u32> = places.filter_map(|place| Some(place.edge?.time)).collect();
        let day = |time: &u32| {
            let text = Timestamp::from_seconds(i64::from(*time)).to_string();
            text.split('T').next().unwrap_or_default().to_owned()
        };
        Some((day(times.iter().min()?), day(times.iter().max()?)))
    }
}

/// Draws what is above and below a node as one SVG for a document: without links and ids, with its legend in
/// it. Its looks are in [`crate::STYLE`]. `most` bounds the places, of which one may stand for many nodes that are
/// alike. Status is as of the report's instant; times are UTC.
pub fn drawing(report: &Report<'_, '_>, node: u32, most: usize) -> String {
    let open = BTreeMap::new();
    let wanted = Wanted {
        pivot: node,
        most,
        open: &open,
        name: &|_| String::new(),
    };
    picture(&Drawing::new(report, wanted), None).into_string()
}
