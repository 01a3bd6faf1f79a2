//! The lab behind a port: HTTP/1.1 to [`Lab::handle`] and back, and the world saved while it changes. `X-Forwarded-For`
//! and its like are not believed: a request comes from where its connection comes from.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{
    HeaderName, HeaderValue, Request as HttpRequest, Response as HttpResponse, StatusCode,
};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use unchain_core::time::Timestamp;

use crate::Lab;
use crate::http::{Request, Response};
use crate::state::{self, Folder, StateError};

/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 512 << 20;
/// The shortest pause between two saves.
const PAUSE: Duration = Duration::from_secs(1);
/// Saving takes at most one part in this many of the time, however large the world.
const SHARE: u32 = 20;

/// A lab and what it needs from the host.
#[derive(Debug)]
pub struct Server {
    /// The lab.
    pub lab: Arc<Lab>,
    /// The host's time, UTC.
    pub clock: fn() -> Timestamp,
    /// Where the world is kept; none: in memory only.
    pub state: Option<Folder>,
    /// Who may connect.
    pub reach: Reach,
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Programs on this machine.
    Loopback,
    /// Whoever reaches the address; the operator asked for it.
    Network,
}

/// Why the lab stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is open to other machines, and that was not asked for.
    #[error("the lab would listen on {0}, which other machines can reach; listen on 127.0.0.1")]
    Exposed(SocketAddr),
    /// The network failed.
    #[error("the lab cannot serve")]
    Io(#[from] io::Error),
    /// The world could not be kept at the end.
    #[error("the lab's world was not saved")]
    State(#[from] StateError),
}

/// A listener on this machine only; port 0: any free one.
///
/// # Errors
///
/// The port is taken.
pub async fn loopback(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

impl Server {
    /// Serves until `stop` is done, then answers the requests in hand and saves the world.
    ///
    /// # Errors
    ///
    /// The listener is open to the network without leave, or fails, or the world cannot be saved at the end.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        if self.reach == Reach::Loopback && !address.ip().is_loopback() {
            return Err(ServeError::Exposed(address));
        }
        let keeper = self
            .state
            .map(|folder| Arc::new(Keeper::new(Arc::clone(&self.lab), folder)));
        let saving = keeper.clone().map(|keeper| tokio::spawn(keep(keeper)));
        let router = Router::new()
            .fallback(answer)
            .with_state((self.lab, self.clock));
        // An answer is one write; waiting for more of it would cost each call forty milliseconds.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service)
            .with_graceful_shutdown(stop)
            .await;
        if let Some(saving) = saving {
            saving.abort();
        }
        if let Some(keeper) = keeper {
            keeper.save()?;
        }
        Ok(served?)
    }
}

/// Saves the world of one lab into one folder, one save at a time.
#[derive(Debug)]
struct Keeper {
    lab: Arc<Lab>,
    /// The folder, and how many requests had been served at the last save.
    folder: Mutex<(Folder, Option<u64>)>,
}

impl Keeper {
    fn new(lab: Arc<Lab>, folder: Folder) -> Self {
        Self {
            lab,
            folder: Mutex::new((folder, None)),
        }
    }

    /// Saves, unless nothing was asked since the last time.
    fn save(&self) -> Result<(), StateError> {
        let mut guard = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let (folder, last) = &mut *guard;
        let served = self.lab.served();
        if *last == Some(served) {
            return Ok(());
        }
        let bytes = state::bytes(&self.lab.world()).map_err(|source| StateError::Form {
            path: folder.path().to_owned(),
            source,
        })?;
        folder.save(&bytes)?;
        *last = Some(served);
        Ok(())
    }
}

/// Saves again and again. A failure (a full disk) is tried again; the save at the end says so if it lasts.
async fn keep(keeper: Arc<Keeper>) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let keeper = Arc::clone(&keeper);
        let took = tokio::task::spawn_blocking(move || {
            let start = Instant::now();
            let saved = keeper.save();
            saved.map(|()| start.elapsed())
        });
        pause = match took.await {
            Ok(Ok(took)) => PAUSE.max(took.saturating_mul(SHARE)),
            _ => PAUSE,
        };
    }
}

type Shared = (Arc<Lab>, fn() -> Timestamp);

async fn answer(
    State((lab, clock)): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HttpRequest<Body>,
) -> HttpResponse<Body> {
    let head = request.method() == axum::http::Method::HEAD;
    match read(request, peer).await {
        Some(request) => write(lab.handle(&request, clock()), head),
        None => {
            let mut response = HttpResponse::new(Body::from(
                "the body is longer than the lab takes, or was cut off",
            ));
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            response
        }
    }
}

/// A request with its whole body; none where that is too long or breaks off.
async fn read(request: HttpRequest<Body>, peer: SocketAddr) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.ok()?;
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Some(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
        peer: peer.ip().to_canonical(),
    })
}

/// The length of a body is the server's to say, except in answer to `HEAD`. Headers that HTTP has no form for are
/// left out.
fn write(response: Response, head: bool) -> HttpResponse<Body> {
    let mut out = HttpResponse::new(Body::from(response.body));
    *out.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        let name = HeaderName::try_from(name);
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) else {
            continue;
        };
        if head || name != axum::http::header::CONTENT_LENGTH {
            out.headers_mut().append(name, value);
        }
    }
    out
}
