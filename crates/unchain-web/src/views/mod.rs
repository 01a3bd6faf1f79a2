//! The views. A view reads a report and builds HTML; it must not know access or threads.

pub(crate) mod containment;
pub(crate) mod coverage;
pub(crate) mod findings;
pub(crate) mod incidents;
pub(crate) mod lineage;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod planning;
pub(crate) mod principals;
pub(crate) mod records;
pub(crate) mod timeline;
pub(crate) mod tokens;

use crate::answers::{Answers, Judged};
use crate::html::{self, Frame};
use crate::query::Query;
use crate::workers::World;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use std::collections::BTreeSet;
use std::sync::Arc;
use unchain_core::lineage::Lineage;
use unchain_core::report::{FindingRow, IncidentRow, Report, Token};
use unchain_core::text::{Untrusted, terminal};
use unchain_core::time::Timestamp;

/// Rows of a page.
const ROWS: usize = 200;
/// Rows of each part of what a file tells of a node.
const FILED: usize = 25;
/// Rows of a list in a file.
const ROWS_OF_FILE: usize = 1000;

/// One request for a view.
pub(crate) struct Visit<'v, 'l> {
    pub(crate) world: &'v World<'l>,
    pub(crate) report: Report<'v, 'l>,
    answers: Arc<Answers>,
    pub(crate) query: &'v Query,
    pub(crate) path: &'v str,
    /// The part of the address that names one thing; empty for a list.
    pub(crate) id: &'v str,
    /// The file that this is written to; none for the answer of a server.
    file: Option<&'v File>,
    /// How deep the headings of its parts are.
    level: u8,
}

/// What stands in a file of views.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// The ids that a link can lead to.
    pub(crate) places: BTreeSet<String>,
    /// The nodes that have a part of their own; others have a row.
    pub(crate) told: BTreeSet<u32>,
}

/// What a view answers.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    kind: &'static str,
    /// The name under which a browser keeps it; none for a page.
    file: Option<&'static str>,
    body: String,
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let kept = self
            .file
            .map(|name| format!("attachment; filename=\"{name}\""));
        let disposition = kept.map(|kept| [(CONTENT_DISPOSITION, kept)]);
        match disposition {
            Some(header) => {
                (self.status, [(CONTENT_TYPE, self.kind)], header, self.body).into_response()
            }
            None => (self.status, [(CONTENT_TYPE, self.kind)], self.body).into_response(),
        }
    }
}

/// Builds a view, or else says that the instant asked for is none.
pub(crate) fn visit<T>(
    world: &World<'_>,
    (path, query, id): (&str, &Query, &str),
    view: impl FnOnce(&Visit<'_, '_>) -> T,
) -> Result<T, Reply> {
    let said = query.get("at").map(Timestamp::parse);
    let at = said.flatten().unwrap_or_else(|| world.now());
    let visit = Visit::new(world, (path, query, id), at);
    if said == Some(None) {
        let why = "This is not an instant. Give one such as 2026-03-02T11:40:00Z or 2026-03-02.";
        return Err(visit.refused(StatusCode::BAD_REQUEST, ("Not an instant", why)));
    }
    Ok(view(&visit))
}

/// The visit of whoever writes views to a file.
pub(crate) fn filed<'v, 'l>(
    (world, answers): (&'v World<'l>, &Arc<Answers>),
    (query, file): (&'v Query, &'v File),
) -> Visit<'v, 'l> {
    Visit {
        world,
        report: Report::new(world.lineage, world.now()),
        answers: Arc::clone(answers),
        query,
        path: "",
        id: "",
        file: Some(file),
        level: 4,
    }
}

/// The id under which a file has what the server has at an address: incidents and findings have names of their own.
pub(crate) fn place(path: &str) -> String {
    let name = path.trim_start_matches('/');
    let own = name
        .strip_prefix("incidents/")
        .or_else(|| name.strip_prefix("findings/"));
    own.map_or_else(|| name.replace('/', "-"), str::to_owned)
}

impl<'v, 'l> Visit<'v, 'l> {
    /// A visit of an address at an instant.
    pub(crate) fn new(
        world: &'v World<'l>,
        (path, query, id): (&'v str, &'v Query, &'v str),
        at: Timestamp,
    ) -> Self {
        Self {
            world,
            report: Report::new(world.lineage, at),
            answers: world.answers(at),
            query,
            path,
            id,
            file: None,
            level: 2,
        }
    }

    /// The same for what stands right below a heading of this level, from 1 to 4.
    pub(crate) fn below(self, heading: u8) -> Self {
        let level = heading + 1;
        Self { level, ..self }
    }

    fn page(&self, title: &str, body: &Markup) -> Reply {
        let frame = Frame {
            title,
            path: self.path,
            query: self.query,
            at: self.report.at(),
            warnings: self.world.coverage.warnings.len(),
            events: self.report.lineage().ledger().events(),
        };
        Reply {
            status: StatusCode::OK,
            kind: "text/html; charset=utf-8",
            file: None,
            body: html::page(&frame, body).into_string(),
        }
    }

    fn refused(&self, status: StatusCode, (title, why): (&str, &str)) -> Reply {
        let reply = self.page(title, &html! { p { (why) } });
        Reply { status, ..reply }
    }

    /// What was asked cannot be done now: `why` says what to do next after its last `; `, and may hold text of a log.
    pub(crate) fn conflict(&self, why: &str) -> Reply {
        let (what, hint) = why.rsplit_once("; ").unwrap_or((why, ""));
        let body = html! {
            p role="alert" { (html::outside(what)) "." }
            @if !hint.is_empty() { p { "What to do: " (html::outside(hint)) "." } }
        };
        let reply = self.page("Not done", &body);
        Reply {
            status: StatusCode::CONFLICT,
            ..reply
        }
    }

    /// Nothing has the name in the address.
    fn missing(&self, what: &str) -> Reply {
        let why = format!("The case has no {what} of this name. It may be that of another case.");
        self.refused(StatusCode::NOT_FOUND, ("Not found", &why))
    }

    pub(crate) fn judged(&self) -> &Judged {
        self.world.judged(&self.answers, &self.report)
    }

    /// Every finding with the node that it is about, by time.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&FindingRow, u32)> {
        let judged = self.judged();
        let findings = judged.findings.findings.iter();
        findings.zip(judged.subjects.iter().copied())
    }

    /// Every incident with the node at which it begins, the worst first.
    pub(crate) fn incidents(&self) -> impl Iterator<Item = (&IncidentRow, u32)> {
        let judged = self.judged();
        let incidents = judged.findings.incidents.iter();
        incidents.zip(judged.roots.iter().copied())
    }

    /// The name of a node.
    pub(crate) fn name(&self, node: u32) -> String {
        self.world.names.name(node).to_owned()
    }

    /// An address of another view at the same instant.
    pub(crate) fn link(&self, path: &str) -> String {
        self.query.instant().link(path)
    }

    /// Where a link leads: another view at the same instant, or its place in the same file. None where the file has no such
    /// place: an `a` without `href` is plain text.
    pub(crate) fn href(&self, path: &str) -> Option<String> {
        let Some(file) = self.file else {
            return Some(self.link(path));
        };
        let place = place(path);
        file.places.contains(&place).then(|| format!("#{place}"))
    }

    /// A link that only a server can answer.
    fn asks(&self, query: &Query, path: &str) -> Option<String> {
        self.file.is_none().then(|| query.link(path))
    }

    /// The heading of a part of what a page is about.
    fn part(&self, words: &str) -> Markup {
        html! {
            @match self.level { 3 => { h3 { (words) } } 4 => { h4 { (words) } } 5 => { h5 { (words) } } _ => { h2 { (words) } } }
        }
    }

    /// Rows of a part of a page that can have very many.
    fn rows(&self) -> usize {
        if self.file.is_none() { ROWS } else { FILED }
    }

    /// Every credential in order of creation.
    pub(crate) fn tokens(&self) -> &[(u32, Token)] {
        self.answers.tokens(&self.report)
    }

    /// The lineage of the case.
    pub(crate) fn lineage(&self) -> &Lineage<'_> {
        self.report.lineage()
    }

    /// A node in one word.
    pub(crate) fn label(&self, node: u32) -> Untrusted {
        self.report.label(node)
    }

    /// Whether this is a file and not the answer of a server.
    fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// An instant of a table. A file of thousands of rows does not say each twice.
    fn moment(&self, at: Option<Timestamp>) -> Markup {
        match at.filter(|_| self.is_file()) {
            Some(at) => html! { time { (html::moment(at)) } },
            None => html::maybe_time(at),
        }
    }

    /// The id of a node's row, where a file has no part about the node.
    fn row_id(&self, node: u32) -> Option<String> {
        let file = self.file.filter(|file| !file.told.contains(&node))?;
        let place = place(&self.address(node));
        file.places.contains(&place).then_some(place)
    }

    /// The address of a node.
    pub(crate) fn address(&self, node: u32) -> String {
        format!("/nodes/{}", self.world.names.name(node))
    }

    /// A link to a node, by a text of the log.
    fn node(&self, node: u32, text: &Untrusted) -> Markup {
        html! { a href=[self.href(&self.address(node))] {
            @if text.is_empty() { "unnamed" } @else { (html::log(text)) }
        } }
    }

    /// A link to a node, by what it is called in one word.
    fn labelled(&self, node: u32) -> Markup {
        self.node(node, &self.report.label(node))
    }

    /// An event id, which leads to its record where there are records.
    fn event(&self, id: &str) -> Markup {
        let address = self.world.fetch.and_then(|_| records::address(id));
        html! {
            @if let Some(address) = address { a.id href=(self.link(&address)) { code { (html::outside(id)) } } }
            @else { code { (html::outside(id)) } }
        }
    }

    /// The credentials that an incident reaches, ascending; none for an incident that the case does not have.
    fn reached(&self, id: &str) -> &[u32] {
        let judged = self.judged();
        let mut all = judged.findings.incidents.iter().zip(&judged.reached);
        let found = all.find(|(incident, _)| incident.id == id);
        found.map_or(&[], |(_, nodes)| nodes)
    }

    /// When a credential of an incident was last used.
    fn last_use(&self, id: &str) -> Option<Timestamp> {
        let last_used = self.answers.last_used(&self.report);
        let times = self
            .reached(id)
            .iter()
            .filter_map(|node| last_used.get(node));
        times.max().copied()
    }

    /// How often a credential was used; it leads to the uses.
    fn uses(&self, node: u32, uses: u64) -> Markup {
        let address = self.href(&self.address(node));
        let address = address
            .filter(|_| !self.is_file())
            .map(|address| address + "#uses");
        html! { a href=[address] { (uses) } }
    }

    /// Whether there are raw records.
    fn has_records(&self) -> bool {
        self.world.fetch.is_some()
    }

    /// The kind of a node and its principal.
    fn whose(&self, node: u32) -> Markup {
        let end = self.report.end(node);
        let principal = end.principal_arn.filter(|_| end.access_key_id.is_some());
        html! {
            (end.kind.replace('-', " "))
            @if let Some(principal) = &principal { " of " (html::log(principal)) }
        }
    }

    /// The rows of the page that is asked for, its number from 1, and how many there are.
    fn paged<'a, T>(&self, rows: &'a [T]) -> (&'a [T], (usize, usize)) {
        if self.is_file() {
            return (rows.get(..ROWS_OF_FILE).unwrap_or(rows), (1, 1));
        }
        let pages = rows.len().div_ceil(ROWS).max(1);
        let asked = self.query.get("page").and_then(|page| page.parse().ok());
        let page = asked.unwrap_or(1usize).clamp(1, pages);
        let from = (page - 1) * ROWS;
        let to = rows.len().min(from + ROWS);
        (rows.get(from..to).unwrap_or_default(), (page, pages))
    }

    /// The instant as a hidden field, so that a form of filters keeps it.
    fn kept_instant(&self) -> Markup {
        html! { @if let Some(at) = self.query.get("at") { input type="hidden" name="at" value=(at); } }
    }

    /// Whether any of some texts holds what the field `q` says, whatever the case of its letters.
    fn holds<'t>(&self, texts: impl IntoIterator<Item = &'t Untrusted>) -> bool {
        let Some(wanted) = self.query.get("q").map(|q| q.trim().to_lowercase()) else {
            return true;
        };
        texts
            .into_iter()
            .any(|text| text.raw().to_lowercase().contains(&wanted))
    }

    /// Whether a name is the one chosen for a field, or none is.
    pub(crate) fn chosen(&self, field: &str, name: &str) -> bool {
        self.query.get(field).is_none_or(|wanted| wanted == name)
    }
}

/// The field of a search. What it shows again is defused like text of a log.
fn search(query: &Query) -> Markup {
    let said = terminal(query.get("q").unwrap_or_default());
    html! {
        label for="q" { "Text" }
        input #q name="q" type="search" value=(said)
            autocomplete="off" spellcheck="false";
    }
}
