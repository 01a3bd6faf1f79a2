//! A case of made-up records behind a router, without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use unchain_core::detect::{self, Networks, Scene, Settings};
use unchain_core::ledger::Ledger;
use unchain_core::record::plain;
use unchain_core::report::Report;
use unchain_core::time::Timestamp;
use unchain_trail::Trail;
use unchain_web::{
    Access, Desk, Fetch, Fetched, Judged, Now, RawRecord, SECRET_BYTES, Setting, Sought, router,
    with_workers,
};

/// Where the page believes to be.
pub(crate) const ADDRESS: &str = "127.0.0.1:8080";
/// After A was made inactive; B works on.
pub(crate) const NOON: &str = "2026-03-02T12:05:00Z";

/// The records of the seed story.
pub(crate) fn story() -> Trail {
    Trail::parse(include_str!(
        "../../../../scenarios/whack-a-mole/story.trail"
    ))
    .unwrap()
}

/// A router to ask.
pub(crate) struct Site {
    router: Router,
    runtime: Runtime,
    url: String,
}

/// What it said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Records as a ledger.
pub(crate) fn ledger(records: &[Value]) -> Ledger {
    let mut ledger = Ledger::default();
    for record in records {
        ledger.apply(&plain(record).unwrap());
    }
    ledger.settle();
    ledger
}

/// How it is asked: at [`NOON`].
pub(crate) fn setting() -> Setting<'static> {
    Setting {
        judge: &judged,
        now: Now::At(Timestamp::parse(NOON).unwrap()),
        threads: 2,
        fetch: None,
    }
}

/// Calls with a site that shows some records at [`NOON`].
pub(crate) fn on<T>(records: &[Value], ask: impl FnOnce(&Site) -> T) -> T {
    with_files(records, &|_, sought| fetched(records, sought), ask)
}

/// The same where raw records come from elsewhere.
pub(crate) fn with_files<T>(
    records: &[Value],
    fetch: Fetch<'_>,
    ask: impl FnOnce(&Site) -> T,
) -> T {
    let setting = Setting {
        fetch: Some(fetch),
        ..setting()
    };
    with_workers(&ledger(records), setting, |asker| ask(&Site::new(asker)))
}

/// Records by their event ids, as if they were in a file.
fn fetched(records: &[Value], sought: &[Sought]) -> Result<Fetched, String> {
    let find = |sought: &Sought| {
        let mut all = records.iter();
        let record = all.find(|record| record["eventID"] == *sought.id)?;
        Some(RawRecord {
            id: sought.id.clone(),
            file: "/logs/<b>trail.json".to_owned(),
            record: record.clone(),
        })
    };
    Ok(Fetched {
        records: sought.iter().filter_map(find).collect(),
        ..Fetched::default()
    })
}

pub(crate) fn judged(report: &Report<'_, '_>) -> Judged {
    let (settings, lineage) = (Settings::default(), report.lineage());
    let networks = Networks::new(lineage.ledger(), &settings, &|_| None);
    let scene = Scene::new(lineage, &settings, &networks, None);
    let found = detect::run(&scene);
    let incidents = detect::incidents(&scene, &found);
    let findings = report.findings(&scene, &found, &incidents);
    Judged::new(report, findings, (&found, &incidents))
}

impl Site {
    /// A site at a desk.
    pub(crate) fn new(desk: impl Into<Desk>) -> Self {
        let access = Access::new([7; SECRET_BYTES], ADDRESS.parse().unwrap());
        Self {
            url: access.url(),
            router: router(access, desk),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    /// The address that the program would print, without the host.
    pub(crate) fn entrance(&self) -> &str {
        self.url.strip_prefix("http://127.0.0.1:8080").unwrap()
    }

    /// The cookie that the token is exchanged for.
    pub(crate) fn cookie(&self) -> String {
        let said = self.ask("GET", self.entrance(), &[("host", ADDRESS)]);
        assert_eq!(
            (said.status.as_u16(), &said.headers["location"]),
            (303, &"/incidents".parse().unwrap())
        );
        let cookie = said.headers["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Asks as somebody who was let in.
    pub(crate) fn get(&self, path: &str) -> Said {
        self.ask(
            "GET",
            path,
            &[("host", ADDRESS), ("cookie", &self.cookie())],
        )
    }

    /// Asks with these headers and no other.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Said {
        self.send(method, (path, ""), headers)
    }

    /// The same with something sent.
    pub(crate) fn send(
        &self,
        method: &str,
        (path, body): (&str, &str),
        headers: &[(&str, &str)],
    ) -> Said {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            Said {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            }
        })
    }
}
