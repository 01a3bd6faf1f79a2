//! The page behind a port. Must not know what is asked.

use crate::access::Access;
use crate::desk::Desk;
use crate::routes::router;
use crate::workers::WAITING;
use hyper::rt::Timer;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at once; who comes on top waits in the queue of the system. Each asks one question at a time, so that
/// the queue of questions has room for all of them. Connections that ask nothing are ended before they fill this.
const CONNECTIONS: usize = WAITING;
/// How long a reader may take for a request's head, and how long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait where the system has no room for a connection.
const NO_ROOM: Duration = Duration::from_millis(100);

type Service = TowerToHyperService<axum::Router>;

/// Answers requests until `stop` is done, then those in hand; who waits for news is let go.
pub async fn serve(
    listener: TcpListener,
    (access, desk): (Access, Desk),
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let service = TowerToHyperService::new(router(access, desk.clone()));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = tokio::select! {
            next = next(&listener, &room) => next,
            () = &mut stop => break,
        };
        let how = (service.clone(), TokioTimer::new());
        tokio::spawn(attend(next, how, graceful.watcher()));
    }
    drop(listener);
    desk.live().end();
    graceful.shutdown().await;
}

/// The next connection, when there is room for one.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // It is never closed.
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        // Somebody who went away again, or a system without room, is no reason to leave the others alone.
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(_) => tokio::time::sleep(NO_ROOM).await,
        }
    }
}

/// Answers what one reader asks until it goes, says nothing for too long, or everything ends.
async fn attend(
    (stream, _room): (TcpStream, Option<OwnedSemaphorePermit>),
    (service, timer): (Service, impl Timer + Send + Sync + 'static),
    watcher: Watcher,
) {
    // A page is one write; waiting for more of it would only delay it.
    drop(stream.set_nodelay(true));
    let connection = http1::Builder::new()
        .timer(timer)
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    // How a connection ended is of use to its reader alone.
    drop(watcher.watch(connection).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::rt::Sleep;
    use std::io::{Read as _, Write as _};
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Instant;

    /// For which every time is over at once.
    struct Impatient;

    struct Over;

    impl Future for Over {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    impl Sleep for Over {}

    impl Timer for Impatient {
        fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
            Box::pin(Over)
        }

        fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
            Box::pin(Over)
        }
    }

    #[test]
    fn who_sends_half_a_head_is_not_waited_for_when_the_time_is_over() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut reader = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        reader.write_all(b"GET /tokens HTTP/1.1\r\nHost:").unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(async {
            let stream = TcpStream::from_std(stream).unwrap();
            let service = TowerToHyperService::new(axum::Router::new());
            let watcher = GracefulShutdown::new().watcher();
            attend((stream, None), (service, Impatient), watcher).await;
        });
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert!(!said.contains("200"), "{said}");
    }
}
