//! Connections below HTTP, where faults can break them.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::handler::{Connection, RequestHandler, router};
use crate::locked;
use crate::reply::Takeover;
use crate::wire::{Script, play};

/// Serves until it is dropped, which closes all connections.
pub(crate) async fn run(listener: TcpListener, handler: Arc<RequestHandler>, most: usize) {
    let router = router(&handler);
    let mut tasks = JoinSet::new();
    // Oldest first.
    let mut open: Vec<(AbortHandle, Arc<Connection>)> = Vec::new();
    loop {
        while tasks.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                make_room(&mut open, &mut tasks, most).await;
                let connection = Arc::new(Connection::new(peer.ip().to_canonical()));
                let (router, handler) = (router.clone(), Arc::clone(&handler));
                let served = serve(stream, Arc::clone(&connection), router, handler);
                open.push((tasks.spawn(served), connection));
            }
            // Running out of file descriptors or losing a peer does not end the server.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// If there are too many connections, closes the oldest one on which no request is being answered, or
/// waits for one to end.
async fn make_room(
    open: &mut Vec<(AbortHandle, Arc<Connection>)>,
    tasks: &mut JoinSet<()>,
    most: usize,
) {
    while open.len() >= most {
        open.retain(|(task, _)| !task.is_finished());
        if open.len() < most {
            return;
        }
        match open.iter().position(|(_, connection)| !connection.is_working()) {
            Some(place) => open.remove(place).0.abort(),
            None => drop(tasks.join_next().await),
        }
    }
}

/// The reason why hyper gives up a connection: the script plays the rest.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is taken over")]
struct TakenOver;

/// Serves one connection until it ends, or plays a script on it if a response asks for that.
async fn serve(
    stream: TcpStream,
    connection: Arc<Connection>,
    router: Router,
    handler: Arc<RequestHandler>,
) {
    // Small replies must not wait for an acknowledgement. If this fails, replies are only slower.
    let _ = stream.set_nodelay(true);
    let script: Arc<Mutex<Option<Arc<Script>>>> = Arc::default();
    let (slot, wait, read_timeout) = (script.clone(), handler.wait.clone(), handler.read_timeout);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&connection));
        let (connection, slot) = (Arc::clone(&connection), Arc::clone(&slot));
        let (router, handler) = (router.clone(), Arc::clone(&handler));
        Box::pin(async move {
            let response = handler.serve(router, request).await;
            match response.extensions().get() {
                Some(Takeover(script)) => {
                    *locked(&slot) = Some(Arc::clone(script));
                    Err(TakenOver)
                }
                None => {
                    connection.set_working(false);
                    Ok(response)
                }
            }
        })
    });
    let mut served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read_timeout)
        .serve_connection(TokioIo::new(stream), service);
    let _ = poll_fn(|context| served.poll_without_shutdown(context)).await;
    let stream = served.into_parts().io.into_inner();
    let script = locked(&script).take();
    if let Some(script) = script {
        play(stream, Arc::unwrap_or_clone(script), &wait).await;
    }
}
