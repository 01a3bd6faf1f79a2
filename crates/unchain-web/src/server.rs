//! The page behind a port. Must not know what is asked.

use crate::access::Access;
use crate::desk::Desk;
use crate::routes::router;
use axum::serve::ListenerExt as _;
use std::future::Future;
use std::io;
use tokio::net::TcpListener;

/// Why the page stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The network failed.
    #[error("the page cannot be served")]
    Io(#[from] io::Error),
}

/// Answers requests until `stop` is done, then those in hand; who waits for news is let go.
///
/// # Errors
///
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    (access, desk): (Access, Desk),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    // A page is one write; waiting for more of it would only delay it.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let waiting = desk.clone();
    let stop = async move {
        stop.await;
        waiting.live().end();
    };
    axum::serve(listener, router(access, desk))
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
