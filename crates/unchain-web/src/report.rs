//! The views of the page for one file that somebody is handed: no server, no script.
//!
//! The same code as the page's; only links lead elsewhere and nothing is paged. Must not know what else
//! the file says.

use crate::answers::{Answers, Judged, Now};
use crate::containment::PlanRecord;
use crate::html::{counted, log};
use crate::query::Query;
use crate::timeline::{self, draw::Links};
use crate::views::containment::{Met, standing};
use crate::views::{
    self, File, Visit, coverage, filed, findings, incidents, lineage, node, plan, principals,
    tokens,
};
use crate::workers::{Setting, World};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use maud::{Markup, html};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use unchain_core::contain::progress;
use unchain_core::lineage::Lineage;
use unchain_core::report::{IncidentRow, Report, Token};
use unchain_core::time::Timestamp;

/// How the views look, and how a document around them does.
pub const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/drawing.css"),
    include_str!("style/lineage.css"),
    include_str!("style/timeline.css"),
    include_str!("style/containment.css"),
    include_str!("style/report.css"),
);

/// Credentials in the inventory of a file: those of incidents come first.
const TOKENS: usize = 6000;
/// Rows of other tables of a file.
const ROWS: usize = 1000;
/// Bytes of HTML that tell of single nodes.
const TOLD: usize = 500_000;
/// Lines of all time lines together.
const LANES: usize = 400;
/// Places of all drawings together.
const PLACES: usize = 300;
/// How many lines or places each has at least.
const FEWEST: usize = 12;
/// Nodes that are told of at most.
const NODES: usize = 100;

/// A view that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The list of incidents.
    Incidents,
    /// What is known of an incident, by its place in the list, without its title.
    Incident(usize),
    /// The lineage of an incident's root as a drawing.
    Lineage(usize),
    /// The credentials of an incident in time.
    TimeLine(usize),
    /// What happened in an incident, with its findings.
    Story(usize),
    /// The steps of a plan, by its place in the list.
    Steps(usize),
    /// The list of findings.
    Findings,
    /// A finding, by its place in the list.
    Finding(usize),
    /// The inventory of credentials.
    Tokens,
    /// Whose the credentials are.
    Principals,
    /// Where the nodes that findings are about came from, what they did and what came of them.
    Nodes,
    /// On what the answers rest.
    Coverage,
}

/// The views of one lineage at one instant.
pub struct Views<'l> {
    world: World<'l>,
    answers: Arc<Answers>,
    plans: Vec<Arc<PlanRecord>>,
    query: Query,
    file: File,
    /// The nodes that have a part of their own.
    nodes: Vec<u32>,
    /// Of which credentials there are rows, in the order of the inventory.
    rows: BTreeSet<u32>,
}

impl std::fmt::Debug for Views<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views").finish_non_exhaustive()
    }
}

impl<'l> Views<'l> {
    /// Views for a file that knows these plans, in which links can lead to these ids besides the nodes: those of incidents and findings
    /// are their own, those of lists the last part of their address.
    pub fn new(
        lineage: &'l Lineage<'l>,
        (judged, plans, at): (Judged, Vec<Arc<PlanRecord>>, Timestamp),
        places: impl IntoIterator<Item = String>,
    ) -> Self {
        let setting = Setting {
            judge: &nothing,
            now: Now::At(at),
            threads: 1,
            fetch: None,
        };
        let world = World::new(lineage, &setting);
        let mut views = Self {
            query: Query::default().with("at", &world.now().to_string()),
            world,
            answers: Arc::new(Answers::of(judged)),
            plans,
            file: File {
                places: places.into_iter().collect(),
                told: BTreeSet::new(),
            },
            nodes: Vec::new(),
            rows: BTreeSet::new(),
        };
        views.rows = views.chosen();
        views.nodes = views.told();
        let nodes = views.rows.iter().chain(&views.nodes);
        let places: Vec<String> = nodes.map(|&node| views.place(node)).collect();
        views.file.places.extend(places);
        views.file.told.extend(&views.nodes);
        views
    }

    /// A view as HTML without headings above the third level. It loads nothing and runs nothing.
    pub fn html(&self, view: View) -> String {
        let visit = self.visit();
        let one = match view {
            View::Incidents => {
                let all: Vec<_> = visit.incidents().collect();
                let rows = all.get(..ROWS).unwrap_or(&all);
                self.contained(&visit, |contained| {
                    incidents::rows_of(&visit, (rows, all.len()), Some(contained))
                })
            }
            View::Incident(number) => {
                let one = visit.incidents().nth(number);
                one.map_or_else(Markup::default, |(row, root)| {
                    self.contained(&visit, |contained| {
                        incidents::facts(&visit, (row, root), Some(contained))
                    })
                })
            }
            View::Story(number) => {
                let one = visit.incidents().nth(number);
                one.map_or_else(Markup::default, |(row, _)| incidents::told(&visit, row))
            }
            View::Lineage(number) => {
                let one = visit.incidents().nth(number);
                let places = (PLACES / visit.incidents().count().max(1)).max(FEWEST);
                one.map_or_else(Markup::default, |(_, root)| {
                    lineage::filed(&visit, root, places)
                })
            }
            View::TimeLine(number) => self.time_line(&visit, number),
            View::Steps(number) => self
                .plans
                .get(number)
                .map_or_else(Markup::default, |record| {
                    let progress = progress(&record.plan, &record.receipts);
                    plan::table_of(&visit, (record, &progress))
                }),
            View::Findings => self.findings(&visit),
            View::Finding(number) => {
                let inner = self.visit().below(4);
                let one = visit.findings().nth(number);
                one.map_or_else(Markup::default, |(row, node)| {
                    findings::body(&inner, row, node)
                })
            }
            View::Tokens => self.tokens(&visit),
            View::Principals => {
                let all = principals::kept(&visit);
                principals::rows_of(&visit, all.get(..ROWS).unwrap_or(&all), all.len())
            }
            View::Nodes => html! { @for node in &self.nodes { (part(&visit, *node)) } },
            View::Coverage => coverage::body(&visit.below(2)),
        };
        one.into_string()
    }

    fn visit(&self) -> Visit<'_, 'l> {
        filed((&self.world, &self.answers), (&self.query, &self.file))
    }

    /// With what tells where the containment of an incident stands.
    fn contained(
        &self,
        visit: &Visit<'_, '_>,
        then: impl FnOnce(&dyn Fn(&IncidentRow, u32) -> Markup) -> Markup,
    ) -> Markup {
        let met = Met::of(&self.plans);
        let standing = |record: &_, progress: &_| standing(visit, (record, progress));
        then(&|incident, root| met.told(visit, &standing, (incident, root)))
    }

    fn time_line(&self, visit: &Visit<'_, '_>, number: usize) -> Markup {
        let Some((incident, _)) = visit.incidents().nth(number) else {
            return Markup::default();
        };
        let node = |node: u32| visit.href(&visit.address(node));
        let finding = |id: &str| visit.href(&format!("/findings/{id}"));
        let links = Links {
            node: &node,
            finding: &finding,
            group: &|_| None,
        };
        let lines = (LANES / visit.incidents().count().max(1)).max(FEWEST);
        timeline::incident(
            (&visit.report, self.world.forest()),
            (visit.judged(), &incident.id),
            (&links, lines.min(timeline::LINES)),
        )
    }

    fn findings(&self, visit: &Visit<'_, '_>) -> Markup {
        let mut rows: Vec<_> = visit.findings().collect();
        let all = rows.len();
        rows.retain(|(finding, _)| finding.allowed_by.is_none());
        let kept = rows.get(..ROWS).unwrap_or(&rows);
        html! {
            (findings::also(visit, all - rows.len()))
            (findings::rows_of(visit, kept, &counted(rows.len(), "finding")))
        }
    }

    fn tokens(&self, visit: &Visit<'_, '_>) -> Markup {
        let all = visit.tokens();
        let rows: Vec<&(u32, Token)> = all
            .iter()
            .filter(|(node, _)| self.rows.contains(node))
            .collect();
        let less = all.len() - rows.len();
        html! {
            @if less > 0 { p {
                "Here stand those of incidents, then those that were used last; " (counted(less, "more credential"))
                " not shown."
            } }
            (tokens::rows_of(visit, &rows, all.len()))
        }
    }

    /// The credentials that have a row: everything under the roots of incidents, then what was used last.
    fn chosen(&self) -> BTreeSet<u32> {
        let visit = self.visit();
        let all = visit.tokens();
        if all.len() <= TOKENS {
            return all.iter().map(|(node, _)| *node).collect();
        }
        let lineage = visit.lineage();
        let roots = visit.incidents().map(|(_, root)| root);
        let concerned: BTreeSet<u32> = roots
            .flat_map(|root| lineage.descendants(root).into_iter().chain([root]))
            .collect();
        let mut ranked: Vec<_> = all
            .iter()
            .map(|(node, token)| {
                (
                    !concerned.contains(node),
                    std::cmp::Reverse(token.last_used),
                    *node,
                )
            })
            .collect();
        ranked.sort_unstable();
        ranked
            .into_iter()
            .take(TOKENS)
            .map(|(_, _, node)| node)
            .collect()
    }

    /// The nodes that have a part of their own: roots of incidents and what findings are about, with what is above
    /// them, as far as there is room.
    fn told(&self) -> Vec<u32> {
        let visit = self.visit();
        let lineage = visit.lineage();
        let roots = visit.incidents().map(|(_, root)| root);
        let subjects = visit.findings().map(|(_, node)| node);
        let above = |node| lineage.ancestors(node).into_iter().map(|edge| edge.parent);
        let mut known = BTreeSet::new();
        let mut nodes = Vec::new();
        for node in roots
            .chain(subjects)
            .flat_map(|node| above(node).chain([node]))
        {
            if nodes.len() < NODES && known.insert(node) {
                nodes.push(node);
            }
        }
        let mut room = TOLD;
        nodes.retain(|&node| {
            let size = part(&visit, node).0.len();
            let fits = size <= room;
            room -= if fits { size } else { 0 };
            fits
        });
        nodes
    }

    fn place(&self, node: u32) -> String {
        views::place(&self.visit().address(node))
    }
}

/// What was found is known before anybody asks for it.
fn nothing(_: &Report<'_, '_>) -> Judged {
    Judged::default()
}

/// All that is known of one node.
fn part(visit: &Visit<'_, '_>, node: u32) -> Markup {
    html! {
        details.node id=(views::place(&visit.address(node))) {
            summary { h3 { (node::kind(visit, node)) " " (log(&visit.label(node))) } }
            (node::body(visit, node))
        }
    }
}

/// Where a browser may take style from: [`STYLE`] and nowhere else, as `style-src` of a policy says it.
pub fn style_source() -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(STYLE)))
}
