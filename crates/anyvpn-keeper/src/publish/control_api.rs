//! Serves gluetun's HTTP control API, for programs that ask gluetun for the port, and the metrics.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::MetricsText;
use bytes::Bytes;
use http::header::{
    ALLOW, CONTENT_TYPE, HOST, HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::access::{Access, Verdict};
use super::metrics::metrics;
use crate::Snapshot;

/// How long the head of a request may take, which is the same as in gluetun.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection may take, including the reply.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum size of a request's head, in bytes: the smallest limit that hyper accepts.
const LONGEST_HEAD: usize = 8192;
/// The maximum number of simultaneous connections. Others wait.
const MOST_CONNECTIONS: usize = 32;

/// The content type of gluetun's replies.
const PLAIN: &str = "text/plain; charset=utf-8";

/// A route, the content type of its reply, and the function that writes the reply.
type Route = (&'static str, &'static str, fn(&Snapshot) -> String);

/// The routes. All of them are for GET; nothing can be changed.
const ROUTES: &[Route] = &[
    ("/v1/portforward", PLAIN, port),
    ("/v1/openvpn/portforwarded", PLAIN, port),
    ("/v1/publicip/ip", PLAIN, public_ip),
    ("/v1/vpn/status", PLAIN, vpn_status),
    // The keeper runs neither of these.
    ("/v1/openvpn/status", PLAIN, stopped),
    ("/v1/dns/status", PLAIN, stopped),
    ("/v1/updater/status", PLAIN, stopped),
    ("/v1/version", PLAIN, version),
    ("/metrics", MetricsText::CONTENT_TYPE, metrics),
];

/// A server of gluetun's HTTP control API and of `/metrics`.
#[derive(Debug)]
pub struct ControlApi {
    listener: TcpListener,
    access: Arc<Access>,
}

impl ControlApi {
    /// Listens on an address, with a free port if the port is 0.
    ///
    /// # Errors
    ///
    /// If the address is not one of this machine, or the port is taken or not allowed.
    pub async fn bind(address: SocketAddr, access: Access) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, access: Arc::new(access) })
    }

    /// Returns the address on which it listens.
    ///
    /// # Errors
    ///
    /// If the system does not report it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers from the latest snapshot until the future is dropped, which closes all connections.
    pub async fn serve(self, latest: watch::Receiver<Snapshot>) {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= MOST_CONNECTIONS {
                connections.join_next().await;
            }
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let served = serve(stream, Arc::clone(&self.access), latest.clone());
                    connections.spawn(tokio::time::timeout(CONNECTION_TIMEOUT, served));
                }
                // Running out of file descriptors or losing a peer does not end the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// Answers the one request of a connection.
async fn serve(stream: TcpStream, access: Arc<Access>, latest: watch::Receiver<Snapshot>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &access, &latest.borrow());
        async { Ok::<_, Infallible>(response) }
    });
    // It is not our error if a peer disconnects early.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn answer<B>(request: &Request<B>, access: &Access, snapshot: &Snapshot) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    // The path must match exactly: gluetun does not know `/v1/portforward/`.
    let Some((_, content_type, render)) = ROUTES.iter().find(|(known, _, _)| *known == path) else {
        return refusal(StatusCode::NOT_FOUND);
    };
    if request.method() != Method::GET {
        let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    let query = request.uri().query().unwrap_or_default();
    match access.judge(&format!("GET {path}"), request.headers(), query) {
        Verdict::Refused { basic } => {
            let mut response = refusal(StatusCode::UNAUTHORIZED);
            if basic {
                let challenge = r#"Basic realm="restricted", charset="UTF-8""#;
                response
                    .headers_mut()
                    .insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            return response;
        }
        Verdict::Everybody if !is_local_name(request) => return refusal(StatusCode::FORBIDDEN),
        Verdict::Everybody | Verdict::Known => {}
    }
    reply(content_type, render(snapshot))
}

/// Returns whether the caller named this server by an address, or by a name without a dot, such as
/// `localhost` or a container's name.
///
/// A web page can make its own name resolve to this machine. In the browser of a person who is not on
/// the VPN, it could then read the VPN's port and address.
fn is_local_name<B>(request: &Request<B>) -> bool {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = match named.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => named,
    };
    !host.contains('.') || host.parse::<Ipv4Addr>().is_ok()
}

/// Returns an error in the form of Go's `http.Error`.
fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = reply(PLAIN, format!("{}\n", status.canonical_reason().unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn reply(content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Returns one line of JSON, in the form of Go's encoder.
fn line(value: &impl Serialize) -> String {
    // Strings and numbers can always be written as JSON.
    format!("{}\n", serde_json::to_string(value).unwrap_or_default())
}

/// Returns the port as gluetun does since 3.41.2, which has both forms of the number.
fn port(snapshot: &Snapshot) -> String {
    #[derive(Serialize)]
    struct Ports {
        port: u16,
        ports: Vec<u16>,
    }
    let port = snapshot.port.as_ref().map(|open| open.port);
    line(&Ports { port: port.unwrap_or_default(), ports: port.into_iter().collect() })
}

/// Returns the public address. gluetun omits empty fields, but programs that read them require them.
fn public_ip(snapshot: &Snapshot) -> String {
    #[derive(Default, Serialize)]
    struct PublicIp {
        public_ip: String,
        region: &'static str,
        country: &'static str,
        city: &'static str,
        hostname: &'static str,
        location: &'static str,
        organization: &'static str,
        postal_code: &'static str,
        timezone: &'static str,
    }
    let address = snapshot.port.as_ref().and_then(|open| open.address);
    let public_ip = address.as_ref().map(IpAddr::to_string).unwrap_or_default();
    line(&PublicIp { public_ip, ..PublicIp::default() })
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

fn vpn_status(snapshot: &Snapshot) -> String {
    line(&Status { status: if snapshot.tunnel.is_some() { "running" } else { "stopped" } })
}

fn stopped(_: &Snapshot) -> String {
    line(&Status { status: "stopped" })
}

fn version(_: &Snapshot) -> String {
    #[derive(Serialize)]
    struct Version {
        version: &'static str,
        commit: &'static str,
        created: &'static str,
    }
    let version = concat!("anyvpn ", env!("CARGO_PKG_VERSION"));
    line(&Version { version, commit: "", created: "" })
}
