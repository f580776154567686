//! Metrics over HTTP, for this machine only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyvpn::Timestamp;
use anyvpn_fleet::{Store, Worker, metrics};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::failure::Failure;
use crate::text::reason;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum length of a request's headers.
const HEAD: usize = 8 << 10;

/// Serves until an error occurs.
pub async fn serve(address: SocketAddr, store: Arc<dyn Store>, worker: Worker) -> Failure {
    if !address.ip().is_loopback() {
        return Failure::usage(format!("other machines could reach {address}"))
            .hint("listen on 127.0.0.1, and let the collector of this machine read it");
    }
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            return Failure::other(format!("{address} cannot be listened on: {}", reason(&error)))
                .hint("choose another port with --metrics");
        }
    };
    loop {
        // Requests are served one after another, because a collector asks only every few seconds.
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = tokio::time::timeout(PATIENCE, answer(stream, &*store, &worker)).await;
            }
            // The process has too many files open.
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
    }
}

async fn answer(mut stream: TcpStream, store: &dyn Store, worker: &Worker) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD {
        let mut part = [0; 1024];
        match stream.read(&mut part).await? {
            0 => return Ok(()),
            read => head.extend_from_slice(&part[..read]),
        }
    }
    let (status, body) = if head.starts_with(b"GET /metrics ") {
        match store.summary().await {
            Ok(summary) => {
                let text = metrics(&summary, &worker.counters(), Timestamp::now());
                ("200 OK", text)
            }
            Err(_) => ("503 Service Unavailable", "the database does not answer\n".to_owned()),
        }
    } else {
        ("404 Not Found", "the metrics are at /metrics\n".to_owned())
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}
