//! Addresses and what answers them. Must not know how a view is built.

use crate::access::{Access, guard};
use crate::containment::routes as containment;
use crate::desk::Desk;
use crate::query::Query;
use crate::views::{self, Reply, Visit};
use crate::workers::NoAnswer;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// The style of every view, as one sheet.
const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/lineage.css"),
    include_str!("style/timeline.css"),
    include_str!("style/containment.css"),
);

/// The modules that a browser may load, by the name in their address.
const SCRIPTS: [(&str, &str); 3] = [
    ("lineage.js", include_str!("script/lineage.js")),
    ("live.js", include_str!("script/live.js")),
    ("timeline.js", include_str!("script/timeline.js")),
];

type View = fn(&Visit<'_, '_>) -> Reply;

/// What every handler needs.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) access: Access,
    pub(crate) desk: Desk,
}

/// Every address of the page, behind its access.
pub fn router(access: Access, desk: impl Into<Desk>) -> Router {
    let desk = desk.into();
    containment::routes(desk.containment())
        .route("/", get(|| async { see("/incidents") }))
        .route("/enter", get(enter))
        .route(
            "/style.css",
            get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }),
        )
        .route("/script/{name}", get(script))
        .route(
            "/live",
            get(|State(site): State<Site>| async move { site.desk.live().follow() }),
        )
        .route("/findings", all(views::findings::list))
        .route("/findings/{id}", one(views::findings::one))
        .route("/tokens", all(views::tokens::list))
        .route("/tokens.csv", all(views::tokens::csv))
        .route("/tokens.jsonl", all(views::tokens::jsonl))
        .route("/principals", all(views::principals::list))
        .route("/nodes/{id}", one(views::node::one))
        .route("/coverage", all(views::coverage::list))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing at this address.\n") })
        .layer(from_fn_with_state(access.clone(), guard))
        .with_state(Site { access, desk })
}

async fn script(Path(name): Path<String>) -> Response {
    let known = SCRIPTS.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, text)) => {
            ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], *text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn all(view: View) -> MethodRouter<Site> {
    get(move |State(site): State<Site>, uri: Uri| show(site, uri, (view, String::new())))
}

fn one(view: View) -> MethodRouter<Site> {
    get(
        move |State(site): State<Site>, uri: Uri, Path(id): Path<String>| {
            show(site, uri, (view, id))
        },
    )
}

/// Has a worker build a view.
async fn show(site: Site, uri: Uri, (view, id): (View, String)) -> Response {
    site.ask(uri, id, view).await
}

impl Site {
    /// Has a worker do something by a visit to an address; `id` is the part of it that names one thing.
    pub(crate) async fn ask<T: IntoResponse + Send + 'static>(
        &self,
        uri: Uri,
        id: String,
        view: impl FnOnce(&Visit<'_, '_>) -> T + Send + 'static,
    ) -> Response {
        let query = Query::read(uri.query().unwrap_or_default());
        let path = uri.path().to_owned();
        let Some(asker) = self.desk.asker() else {
            return failed(NoAnswer::Busy);
        };
        let reply = asker
            .ask(move |world| views::visit(world, (&path, &query, &id), view))
            .await;
        match reply {
            Ok(Ok(reply)) => reply.into_response(),
            Ok(Err(refused)) => refused.into_response(),
            Err(why) => failed(why),
        }
    }
}

fn failed(why: NoAnswer) -> Response {
    let (status, words) = match why {
        NoAnswer::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many questions wait; ask again.\n",
        ),
        NoAnswer::Failed => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "This could not be answered.\n",
        ),
    };
    (status, words).into_response()
}

/// Exchanges the token for a cookie, so that no later address holds it.
async fn enter(State(site): State<Site>, uri: Uri) -> Response {
    let query = Query::read(uri.query().unwrap_or_default());
    let token = query.get("token").unwrap_or_default();
    match site.access.cookie_for(token) {
        Some(cookie) => ([(SET_COOKIE, cookie)], see("/incidents")).into_response(),
        None => {
            let why = "This is not the token. Open the address that the program printed.\n";
            (StatusCode::FORBIDDEN, why).into_response()
        }
    }
}

fn see(path: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}
