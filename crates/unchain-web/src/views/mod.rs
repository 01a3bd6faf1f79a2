//! The views. A view reads a report and builds HTML; it must not know access or threads.

pub(crate) mod coverage;
pub(crate) mod findings;
pub(crate) mod incidents;
pub(crate) mod node;
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
use std::sync::Arc;
use unchain_core::report::Report;
use unchain_core::text::{Untrusted, terminal};
use unchain_core::time::Timestamp;

/// Rows of a page.
const ROWS: usize = 200;

/// One request for a view.
pub(crate) struct Visit<'v, 'l> {
    world: &'v World<'l>,
    report: Report<'v, 'l>,
    answers: Arc<Answers>,
    query: &'v Query,
    path: &'v str,
    /// The part of the address that names one thing; empty for a list.
    id: &'v str,
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

/// Builds a view, or says that the instant asked for is none.
pub(crate) fn visit(
    world: &World<'_>,
    (path, query, id): (&str, &Query, &str),
    view: impl FnOnce(&Visit<'_, '_>) -> Reply,
) -> Reply {
    let said = query.get("at").map(Timestamp::parse);
    let at = said.flatten().unwrap_or_else(|| world.now());
    let visit = Visit {
        world,
        report: Report::new(&world.lineage, at),
        answers: world.answers(at),
        query,
        path,
        id,
    };
    if said == Some(None) {
        let why = "This is not an instant. Give one such as 2026-03-02T11:40:00Z or 2026-03-02.";
        return visit.refused(StatusCode::BAD_REQUEST, ("Not an instant", why));
    }
    view(&visit)
}

impl Visit<'_, '_> {
    fn page(&self, title: &str, body: &Markup) -> Reply {
        let frame = Frame {
            title,
            path: self.path,
            query: self.query,
            at: self.report.at(),
            warnings: self.world.coverage.warnings.len(),
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

    /// Nothing has the name in the address.
    fn missing(&self, what: &str) -> Reply {
        let why = format!("The case has no {what} of this name. It may be that of another case.");
        self.refused(StatusCode::NOT_FOUND, ("Not found", &why))
    }

    fn judged(&self) -> &Judged {
        self.world.judged(&self.answers, &self.report)
    }

    /// An address of another view at the same instant.
    fn link(&self, path: &str) -> String {
        self.query.instant().link(path)
    }

    /// A link to a node, by a text of the log.
    fn node(&self, node: u32, text: &Untrusted) -> Markup {
        let address = self.link(&format!("/nodes/{}", self.world.names.name(node)));
        html! { a href=(address) {
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

    /// Whether there are raw records.
    fn has_records(&self) -> bool {
        self.world.fetch.is_some()
    }

    /// The rows of the page that is asked for, its number from 1, and how many there are.
    fn paged<'a, T>(&self, rows: &'a [T]) -> (&'a [T], (usize, usize)) {
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
    fn chosen(&self, field: &str, name: &str) -> bool {
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
