//! The page behind a port. Must not know what is asked.

use crate::access::Access;
use crate::routes::router;
use crate::workers::Asker;
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

/// Answers requests until `stop` is done, then those in hand.
///
/// # Errors
///
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    (access, asker): (Access, Asker),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    // A page is one write; waiting for more of it would only delay it.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router(access, asker))
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
