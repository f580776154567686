//! Connections, below HTTP, where they can be broken.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::gate::Peer;
use crate::locked;
use crate::reply::Takeover;
use crate::wire::{Script, Wait, play};

/// Connections at one time; more wait until one ends.
const CONNECTIONS: usize = 1024;

/// Serves until it is dropped, and takes all connections with it then.
pub(crate) async fn run(listener: TcpListener, router: Router, wait: Wait) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(slot) = free.clone().acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (router, wait) = (router.clone(), wait.clone());
                connections.spawn(async move {
                    serve(stream, peer, router, &wait).await;
                    drop(slot);
                });
            }
            // Out of file descriptors, or the peer has gone: neither ends the server.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Why hyper lets go of a connection: the rest of it is a script's.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is taken over")]
struct TakenOver;

/// Serves one connection to its end, or plays a script on it when a response asks for that.
async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, wait: &Wait) {
    // Small replies must not wait for an acknowledgement. It works without, only slower.
    let _ = stream.set_nodelay(true);
    let script: Arc<Mutex<Option<Arc<Script>>>> = Arc::default();
    let slot = Arc::clone(&script);
    let routed = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip().to_canonical()));
        let answer = routed.call(request);
        let slot = Arc::clone(&slot);
        Box::pin(async move {
            let answer: Result<Response, Infallible> = answer.await;
            let Ok(response) = answer;
            match response.extensions().get() {
                Some(Takeover(script)) => {
                    *locked(&slot) = Some(Arc::clone(script));
                    Err(TakenOver)
                }
                None => Ok(response),
            }
        })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    let script = locked(&script).take();
    if let Some(script) = script {
        play(stream, Arc::unwrap_or_clone(script), wait).await;
    }
}
