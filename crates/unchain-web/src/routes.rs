//! Addresses and what answers them. Must not know how a view is built.

use crate::access::{Access, guard};
use crate::api::{self, Asked, Operation};
use crate::containment::routes as containment;
use crate::desk::Desk;
use crate::problem::Problem;
use crate::query::Query;
use crate::views::{self, Reply, Visit};
use crate::workers::{NoAnswer, World};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// The style of every view, as one sheet.
const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/drawing.css"),
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
    programs()
        .merge(containment::routes(desk.containment()))
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
        .route("/findings/{id}/records", slow(views::records::of_finding))
        .route("/lineage", all(views::lineage::show))
        .route("/timeline", all(views::timeline::show))
        .route("/tokens", all(views::tokens::list))
        .route("/tokens.csv", all(views::tokens::csv))
        .route("/tokens.jsonl", all(views::tokens::jsonl))
        .route("/principals", all(views::principals::list))
        .route("/nodes/{id}", one(views::node::one))
        .route("/nodes/{id}/records", slow(views::records::of_node))
        .route("/records/{id}", slow(views::records::one))
        .route("/coverage", all(views::coverage::list))
        .fallback(nothing)
        .layer(from_fn_with_state(access.clone(), guard))
        .with_state(Site { access, desk })
}

/// The addresses of the API.
fn programs() -> Router<Site> {
    let operations = api::OPERATIONS.iter();
    operations.fold(Router::new(), |router, operation| {
        router.route(operation.path, one_operation(operation))
    })
}

fn one_operation(operation: &'static Operation) -> MethodRouter<Site> {
    get(
        move |State(site): State<Site>,
              uri: Uri,
              headers: HeaderMap,
              name: Result<Option<Path<String>>, PathRejection>| async move {
            let name = name.map(|name| name.map(|Path(name)| name).unwrap_or_default());
            let told = tell(&site, (operation, &uri, &headers), name).await;
            api::response(told, uri.path())
        },
    )
}

/// Has a worker answer a program.
async fn tell(
    site: &Site,
    (operation, uri, headers): (&'static Operation, &Uri, &HeaderMap),
    name: Result<String, PathRejection>,
) -> Result<String, Problem> {
    api::takes_json(headers)?;
    let name = name.map_err(|_| {
        let why = "The address is not UTF-8.";
        Problem::asked_wrongly(why, "Write names in it as answers give them.")
    })?;
    let asked = Asked {
        operation,
        path: uri.path().to_owned(),
        query: Query::read(uri.query().unwrap_or_default()),
        name,
    };
    let told = site.work(move |world| api::answer(world, &asked)).await;
    told.unwrap_or_else(|why| Err(why.into()))
}

async fn nothing(uri: Uri) -> Response {
    let hint = match uri.path().starts_with("/api/") {
        true => "/api/v1/openapi.json lists the addresses.",
        false => "",
    };
    let why = "There is nothing at this address.";
    Problem::new(StatusCode::NOT_FOUND, why, hint).answer(uri.path())
}

impl From<NoAnswer> for Problem {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many questions wait.",
                "Ask again.",
            ),
            NoAnswer::Failed => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This could not be answered.",
                "Please report it, with the address.",
            ),
        }
    }
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

/// A view of one thing that reads files.
fn slow(view: View) -> MethodRouter<Site> {
    get(
        move |State(site): State<Site>, uri: Uri, Path(id): Path<String>| async move {
            let query = Query::read(uri.query().unwrap_or_default());
            let path = uri.path().to_owned();
            let job = move |world: &World<'_>| views::visit(world, (&path, &query, &id), view);
            let told = match site.desk.asker() {
                Some(asker) => asker.ask_for_files(job).await,
                None => Err(NoAnswer::Busy),
            };
            match told {
                Ok(Ok(reply) | Err(reply)) => reply.into_response(),
                Err(why) => Problem::from(why).answer(uri.path()),
            }
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
        let reply = self
            .work(move |world| views::visit(world, (&path, &query, &id), view))
            .await;
        match reply {
            Ok(Ok(reply)) => reply.into_response(),
            Ok(Err(refused)) => refused.into_response(),
            Err(why) => Problem::from(why).answer(uri.path()),
        }
    }

    /// Has one of the workers who are there now do a job.
    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&World<'_>) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let asker = self.desk.asker().ok_or(NoAnswer::Busy)?;
        asker.ask(job).await
    }
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
