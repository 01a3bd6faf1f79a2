//! What is new, told to browsers that wait for it. Must not know what has grown.

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// So many browsers may wait at once: each holds a connection, and none a worker.
const WAITING: usize = 64;
/// A connection whose other end is gone is noticed after this.
const PROBE: Duration = Duration::from_secs(30);

/// How far things have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// Events in the ledger that is shown.
    events: u64,
    /// How often something came of a plan.
    journal: u64,
    /// The server ends.
    over: bool,
}

/// Tells all who wait.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    state: watch::Sender<State>,
    seats: Arc<Semaphore>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
            seats: Arc::new(Semaphore::new(WAITING)),
        }
    }

    /// Another ledger is shown.
    pub(crate) fn events(&self, events: u64) {
        self.changed(|state| State { events, ..state });
    }

    /// Something came of a plan.
    pub(crate) fn journal(&self) {
        self.changed(|state| State {
            journal: state.journal.wrapping_add(1),
            ..state
        });
    }

    /// How often something came of a plan so far.
    pub(crate) fn of_journal(&self) -> u64 {
        self.state.borrow().journal
    }

    /// Lets everybody go.
    pub(crate) fn end(&self) {
        self.changed(|state| State {
            over: true,
            ..state
        });
    }

    fn changed(&self, change: impl FnOnce(State) -> State) {
        self.state.send_if_modified(|state| {
            let before = *state;
            *state = change(before);
            *state != before
        });
    }

    /// What is so now, then every change, as server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html).
    pub(crate) fn follow(&self) -> Response {
        let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() else {
            let why = "Too many pages wait for news; this one will not be told.\n";
            return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
        };
        let mut states = self.state.subscribe();
        states.mark_changed();
        let events = unfold((states, seat), |(mut states, seat)| async move {
            states.changed().await.ok()?;
            let state = *states.borrow_and_update();
            (!state.over).then(|| (Ok::<_, Infallible>(event(state)), (states, seat)))
        });
        let alive = KeepAlive::new().interval(PROBE);
        Sse::new(events).keep_alive(alive).into_response()
    }
}

fn event(state: State) -> Event {
    let State {
        events, journal, ..
    } = state;
    let data = format!("{{\"events\":{events},\"journal\":{journal}}}");
    Event::default().event("state").data(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::BodyDataStream;
    use futures_util::StreamExt as _;
    use tokio::runtime::{Builder, Runtime};

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    async fn next(stream: &mut BodyDataStream) -> Option<String> {
        let bytes = stream.next().await?.unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn who_waits_is_told_what_is_so_and_what_changes_until_the_end() {
        runtime().block_on(async {
            let live = Live::new();
            live.events(7);
            let mut stream = live.follow().into_body().into_data_stream();
            let told = next(&mut stream).await.unwrap();
            assert_eq!(told, "event: state\ndata: {\"events\":7,\"journal\":0}\n\n");
            live.events(7);
            live.journal();
            let told = next(&mut stream).await.unwrap();
            assert_eq!(told, "event: state\ndata: {\"events\":7,\"journal\":1}\n\n");
            live.end();
            assert_eq!(next(&mut stream).await, None);
            let mut late = live.follow().into_body().into_data_stream();
            assert_eq!(next(&mut late).await, None);
        });
    }

    #[test]
    fn so_many_wait_and_no_more_and_who_goes_makes_room() {
        runtime().block_on(async {
            let live = Live::new();
            let mut waiting: Vec<Response> = (0..WAITING).map(|_| live.follow()).collect();
            assert!(waiting.iter().all(|one| one.status() == StatusCode::OK));
            assert_eq!(live.follow().status(), StatusCode::SERVICE_UNAVAILABLE);
            waiting.pop();
            assert_eq!(live.follow().status(), StatusCode::OK);
        });
    }
}
