//! Addresses of plans. Must not know how a plan is shown, made or carried out.

use super::{Containment, Errand, Order, PlanRecord, Question, Wish};
use crate::query::Query;
use crate::routes::Site;
use crate::views::containment::{PlanContext, list};
use crate::views::{Reply, Visit, incidents, plan, planning};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::LOCATION;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;
use unchain_core::contain::{Level, Removal};

/// Bytes of a form.
const FORM: usize = 64 << 10;
/// Principals that a form may name.
const NAMED: usize = 200;

type PlanView = fn(&Visit<'_, '_>, &PlanContext) -> Reply;

/// The addresses that there are: who may not act has none to act by.
pub(crate) fn routes(containment: &Containment) -> Router<Site> {
    let mut router = Router::new()
        .route("/incidents", all(incidents::list))
        .route("/incidents/{id}", one(incidents::one))
        .route("/containment", all(list))
        .route("/containment/new", all(planning::form).post(make))
        .route("/containment/{id}", one(plan::one))
        .route("/containment/{id}/plan.json", one(plan::document))
        .route(
            "/containment/{id}/steps/{step}",
            get(
                async |State(site): State<Site>,
                       uri: Uri,
                       Path((id, step)): Path<(String, u32)>| {
                    let context = PlanContext::of(&site);
                    site.ask(uri, id, move |visit| plan::step(visit, &context, step))
                        .await
                },
            ),
        );
    if containment.read.is_some() {
        router = router.route("/containment/{id}/check", post(opinion));
    }
    if containment.verify.is_some() {
        router = router.route("/containment/{id}/verify", errand(Errand::Verify));
    }
    if containment.act.is_some() {
        router = router
            .route("/containment/{id}/look", errand(Errand::Look))
            .route("/containment/{id}/apply", errand(Errand::Apply))
            .route("/containment/{id}/undo", errand(Errand::Undo));
    }
    router.layer(DefaultBodyLimit::max(FORM))
}

fn all(view: PlanView) -> MethodRouter<Site> {
    get(async move |State(site): State<Site>, uri: Uri| {
        let context = PlanContext::of(&site);
        site.ask(uri, String::new(), move |visit| view(visit, &context))
            .await
    })
}

fn one(view: PlanView) -> MethodRouter<Site> {
    get(
        async move |State(site): State<Site>, uri: Uri, Path(id): Path<String>| {
            let context = PlanContext::of(&site);
            site.ask(uri, id, move |visit| view(visit, &context)).await
        },
    )
}

fn errand(errand: Errand) -> MethodRouter<Site> {
    post(
        async move |State(site): State<Site>, uri: Uri, Path(id): Path<String>, body: Bytes| {
            match sent(&site, &uri, &body) {
                Some(form) => begin(site, uri, (id, errand, form)).await,
                None => not_ours(),
            }
        },
    )
}

/// What a form says, if it is one of ours and for this address.
fn sent(site: &Site, uri: &Uri, body: &[u8]) -> Option<Query> {
    let form = Query::read(&String::from_utf8_lossy(body));
    let token = form.get("token").unwrap_or_default();
    site.access.knows_form(uri.path(), token).then_some(form)
}

fn not_ours() -> Response {
    let why = "This form is not of this page, or of an earlier run of the program. Load the page again.\n";
    (StatusCode::FORBIDDEN, why).into_response()
}

/// Where a form led: to an address, or to a page that says why not.
enum Led {
    To(String),
    Said(Reply),
}

impl IntoResponse for Led {
    fn into_response(self) -> Response {
        match self {
            Self::To(path) => (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response(),
            Self::Said(reply) => reply.into_response(),
        }
    }
}

async fn make(State(site): State<Site>, uri: Uri, body: Bytes) -> Response {
    match sent(&site, &uri, &body) {
        Some(form) => {
            let question = move |_: &Containment| Ok(Question::Plan(wish(&form)));
            answered(site, uri, question).await
        }
        None => not_ours(),
    }
}

async fn opinion(
    State(site): State<Site>,
    uri: Uri,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match sent(&site, &uri, &body) {
        Some(_) => {
            let question = move |containment: &Containment| {
                let record = known(containment, &id)?;
                Ok(Question::Opinion(record.digest.clone()))
            };
            answered(site, uri, question).await
        }
        None => not_ours(),
    }
}

fn known(containment: &Containment, id: &str) -> Result<Arc<PlanRecord>, String> {
    let found = containment.plan(id)?;
    found.ok_or_else(|| "no plan has this name; look at the list of plans".to_owned())
}

/// Has the accounts read, which may take long and is no worker's business, and a question answered by them.
async fn answered(
    site: Site,
    uri: Uri,
    question: impl FnOnce(&Containment) -> Result<Question, String> + Send + 'static,
) -> Response {
    let containment = site.desk.containment().clone();
    let prepare = move || {
        let read = containment.read.clone().ok_or_else(nobody_reads)?;
        read(question(&containment)?)
    };
    let Ok(prepared) = tokio::task::spawn_blocking(prepare).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    site.ask(uri, String::new(), move |visit| {
        match prepared.and_then(|answer| answer(&visit.report)) {
            Ok(planned) if planned.kept => Led::To(visit.link(&planned.record.path())),
            Ok(planned) => Led::Said(plan::refused(visit, &planned.record)),
            Err(why) => Led::Said(visit.conflict(&why)),
        }
    })
    .await
}

fn nobody_reads() -> String {
    "this program was not told how to read the accounts; start it with `--facts` or `--profile`"
        .to_owned()
}

async fn begin(site: Site, uri: Uri, (id, errand, form): (String, Errand, Query)) -> Response {
    let containment = site.desk.containment().clone();
    let start = move || -> Result<String, String> {
        let record = known(&containment, &id)?;
        let start = match errand {
            Errand::Verify => containment.verify.as_ref(),
            Errand::Look | Errand::Apply | Errand::Undo => containment.act.as_ref(),
        };
        let approval = form.get("approval").unwrap_or_default().to_owned();
        let digest = record.digest.clone();
        start.ok_or_else(nobody_reads)?(Order {
            errand,
            digest,
            approval,
        })?;
        Ok(record.path())
    };
    let started = tokio::task::spawn_blocking(start).await;
    let Ok(started) = started else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    site.ask(uri, String::new(), move |visit| match started {
        Ok(path) => Led::To(visit.link(&path)),
        Err(why) => Led::Said(visit.conflict(&why)),
    })
    .await
}

/// What the fields of the form say. Names of principals stand one a line.
fn wish(form: &Query) -> Wish {
    let names = |field: &str| -> Vec<String> {
        let lines = form.get(field).unwrap_or_default().split_whitespace();
        lines.take(NAMED).map(str::to_owned).collect()
    };
    Wish {
        pivot: form.get("pivot").unwrap_or_default().trim().to_owned(),
        level: match form.get("level") {
            Some("observe") => Level::Observe,
            Some("evict") => Level::Evict,
            _ => Level::Contain,
        },
        removal: match form.get("remove") {
            Some(_) => Removal::Remove,
            None => Removal::List,
        },
        freeze: form.get("freeze").is_some(),
        exempt: names("exempt"),
        shared: names("shared"),
    }
}
