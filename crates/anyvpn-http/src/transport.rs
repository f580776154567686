//! The interface to the network.

use std::error::Error as StdError;
use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyvpn_core::{Clock as _, Endpoint, Error, ErrorKind, WireGuardConfig};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http::header::HOST;
use http::{HeaderMap, Method, Request, Response};
use tokio::runtime;
use url::{Host, Url};

use crate::base_url::{LOOPBACK, is_localhost};
use crate::cause::describe_cause;
use crate::locked::locked;
pub use crate::setup::{Names, Setup};
use crate::{BaseUrl, Limits, SystemClock, proxy, setup};

/// A reply's body, as a stream.
pub type Body = BoxStream<'static, Result<Bytes, TransportError>>;

/// Sends a request once. Implementations neither repeat requests nor follow redirects.
pub trait Transport: Send + Sync + 'static {
    /// Sends the request and returns the reply's headers, with its body as a stream.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>>;

    /// Sends a request that has not been combined with its base URL. The client calls this method.
    ///
    /// Implement it only if the transport's HTTP library has its own type for URLs.
    fn send_to(
        &self,
        base: &BaseUrl,
        request: crate::Request,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        match request.into_http(base) {
            Ok(request) => self.send(request),
            Err(error) => Box::pin(ready(Err(TransportError::new(Progress::NotSent, &error)))),
        }
    }

    /// Checks that the transport can send from the current task. The client calls this first.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if it cannot, for example outside a tokio runtime.
    fn ready(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// How far a request got that has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was sent: name lookup, connection or TLS failed.
    NotSent,
    /// It may have arrived.
    MaybeSent,
}

/// The reason why there was no reply, or only a part of one.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    /// How far the request got.
    pub progress: Progress,
    /// The reason. It contains no credential and no URL with a query.
    pub reason: String,
}

impl TransportError {
    /// Creates an error that describes its innermost cause in plain words.
    #[must_use]
    pub fn new(progress: Progress, error: &(dyn StdError + 'static)) -> Self {
        Self { progress, reason: describe_cause(error) }
    }
}

/// The transport with reqwest. It follows no redirects, retries nothing, sends no `Referer`, and never
/// looks up `localhost` and its subdomains.
pub struct Reqwest {
    clients: Mutex<Vec<Connections>>,
    /// The setup from which to build a client for another runtime; `None` for the caller's own builder,
    /// which can build only one client.
    setup: Option<Setup>,
    /// Whether we set `Host`, so that the client need not create it for each request.
    names_host: bool,
}

/// A client and the runtime that drives its connections. A call from another runtime would depend on
/// this runtime's progress.
struct Connections {
    /// The runtime; `None` before the first use.
    runtime: Option<runtime::Id>,
    client: reqwest::Client,
}

/// The maximum number of runtimes with connections. The least recently used ones are removed first.
const RUNTIMES: usize = 16;

impl Reqwest {
    /// Creates the transport.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the HTTP client cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, Error> {
        // HTTP/2 sends the host name in another place, and some servers refuse requests with both.
        let names_host = !setup.tls.alpn_protocols.iter().any(|name| name == b"h2");
        let client = client_of(&setup)?;
        let clients = Mutex::new(vec![Connections { runtime: None, client }]);
        Ok(Self { clients, setup: Some(setup), names_host })
    }

    /// Creates the transport for plain http to this machine, for example to the sandbox, without
    /// certificates and proxies.
    ///
    /// # Errors
    ///
    /// As [`Reqwest::new`].
    pub fn loopback() -> Result<Self, Error> {
        Self::new(Setup::loopback(Limits::default().connect)?)
    }

    /// Creates the transport with the caller's own builder, for one base URL.
    pub(crate) fn own(builder: reqwest::ClientBuilder, base: &BaseUrl) -> Result<Self, Error> {
        let mut builder = safe(builder);
        if base.is_loopback() {
            builder = builder.no_proxy();
        } else {
            // We cannot see whether a builder uses the environment's proxies. It would ignore one that
            // it cannot use, so that is an error in any case.
            proxy::from_environment(base)?;
        }
        if let Some(Host::Domain(name)) = base.url_host()
            && is_localhost(name)
        {
            // The port is the URL's.
            let addresses = LOOPBACK.map(|address| SocketAddr::new(address, 0));
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        let client = build(builder)?;
        let clients = Mutex::new(vec![Connections { runtime: None, client }]);
        // HTTP/2 may be used, which sends the host name in another place.
        Ok(Self { clients, setup: None, names_host: false })
    }

    /// Returns the client for the current runtime.
    fn client(&self) -> Result<reqwest::Client, Error> {
        let runtime = current_runtime()?.id();
        let mut clients = locked(&self.clients);
        let is_ours =
            |connections: &Connections| connections.runtime.is_none_or(|id| id == runtime);
        let client = match (clients.iter().position(is_ours), &self.setup) {
            (Some(at), _) => clients.remove(at).client,
            (None, Some(setup)) => client_of(setup)?,
            (None, None) => {
                return Err(Error::new(ErrorKind::InvalidRequest).with_detail(
                    "a client that was built with http_client belongs to the tokio runtime that \
                     used it first; build one for each runtime; nothing was sent",
                ));
            }
        };
        if clients.len() == RUNTIMES {
            clients.remove(0);
        }
        clients.push(Connections { runtime: Some(runtime), client: client.clone() });
        Ok(client)
    }

    fn execute(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let client = match self.client() {
            Ok(client) => client,
            Err(error) => {
                return Box::pin(ready(Err(TransportError::new(Progress::NotSent, &error))));
            }
        };
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        Box::pin(async move {
            let mut reply = client.execute(request).await.map_err(failure)?;
            let mut head = Response::new(());
            *head.status_mut() = reply.status();
            *head.headers_mut() = std::mem::take(reply.headers_mut());
            // Each poll may start over, because the reply records how far the body has been read.
            let body = stream::poll_fn(move |context| {
                let chunk = pin!(reply.chunk()).poll(context);
                chunk.map(|chunk| chunk.map_err(failure).transpose())
            });
            Ok(head.map(|()| body.boxed()))
        })
    }
}

/// Returns the current runtime.
///
/// # Errors
///
/// `InvalidRequest` if there is none; tokio itself would panic.
pub(crate) fn current_runtime() -> Result<runtime::Handle, Error> {
    let no_runtime = |_| SystemClock.ready().map(|()| runtime::Handle::current());
    runtime::Handle::try_current().or_else(no_runtime)
}

/// Disables the settings of a builder that could redirect or repeat a request.
fn safe(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        .redirect(reqwest::redirect::Policy::none())
        // With only the first setting, it keeps a copy of each request.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .referer(false)
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| setup::failed(&error.without_url().to_string()))
}

fn client_of(setup: &Setup) -> Result<reqwest::Client, Error> {
    let mut builder = safe(reqwest::Client::builder())
        .connect_timeout(setup.connect)
        .tls_backend_preconfigured(setup.tls.clone())
        .dns_resolver(Resolver(setup.names.clone()))
        // The environment's proxy is in the setup, where it was checked.
        .no_proxy();
    if let Some(proxy) = &setup.proxy {
        let proxy = reqwest::Proxy::all(proxy.clone());
        builder = builder.proxy(proxy.map_err(|e| setup::failed(&e.without_url().to_string()))?);
    }
    build(builder)
}

/// Looks up names as the setup says, except those of this machine.
struct Resolver(Option<Arc<dyn Names>>);

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let names = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            let addresses = match names {
                _ if is_localhost(name) => LOOPBACK.to_vec(),
                Some(names) => names.addresses(name).await?,
                None => {
                    tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()
                }
            };
            // The port is the URL's.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

impl Transport for Reqwest {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let (head, body) = request.into_parts();
        match Url::parse(&head.uri.to_string()) {
            Ok(url) => self.execute(head.method, url, head.headers, body),
            Err(error) => Box::pin(ready(Err(TransportError::new(Progress::NotSent, &error)))),
        }
    }

    fn send_to(
        &self,
        base: &BaseUrl,
        request: crate::Request,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let url = base.url(request.target());
        let (method, mut headers, body) = request.into_parts();
        if self.names_host {
            headers.entry(HOST).or_insert_with(|| base.host().clone());
        }
        self.execute(method, url, headers, body)
    }

    fn ready(&self) -> Result<(), Error> {
        // TLS reads the system's time, and rustls panics before 1970.
        if SystemTime::now() < SystemTime::UNIX_EPOCH {
            return Err(Error::new(ErrorKind::InvalidRequest).with_detail(
                "this machine's clock shows a year before 1970; set it; nothing was sent",
            ));
        }
        self.client().map(drop)
    }
}

fn failure(error: reqwest::Error) -> TransportError {
    let progress = if error.is_connect() || error.is_builder() || never_begun(&error) {
        Progress::NotSent
    } else {
        Progress::MaybeSent
    };
    TransportError::new(progress, &error.without_url())
}

/// Returns whether the connection ended before the request was started on it.
pub(crate) fn never_begun(error: &(dyn StdError + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_canceled)
}

/// Resolves a host's name to an address with the system's resolver; an address resolves to itself.
///
/// # Errors
///
/// `Unreachable` if the name has no address, or none of the wanted kind; `InvalidRequest` outside a
/// tokio runtime.
pub async fn resolve(host: &anyvpn_core::Host, ipv4_only: bool) -> Result<IpAddr, Error> {
    current_runtime()?;
    let name = host.to_string();
    let failed = |why: String| {
        Error::new(ErrorKind::Unreachable).with_detail(format!("the name {name:?}: {why}"))
    };
    let addresses = tokio::net::lookup_host((name.as_str(), 0)).await;
    let mut addresses = addresses.map_err(|e| failed(e.to_string()))?.map(|address| address.ip());
    let address = addresses.find(|address| !ipv4_only || address.is_ipv4());
    address.ok_or_else(|| failed("has no address of the wanted kind".to_owned()))
}

/// Replaces the names of a configuration's endpoints by addresses.
///
/// # Errors
///
/// As [`resolve`]. The endpoints before the failed one then already have addresses.
pub async fn resolve_endpoints(config: &mut WireGuardConfig, ipv4_only: bool) -> Result<(), Error> {
    for (index, peer) in config.peers().into_iter().enumerate() {
        // An address with an interface needs no lookup, and a lookup would lose the interface.
        if let Some(Endpoint { host, port }) = peer.endpoint
            && !matches!(host, anyvpn_core::Host::Zoned(_))
        {
            let host = resolve(&host, ipv4_only).await?.into();
            config.set_endpoint(index, Endpoint { host, port })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Reqwest, Setup, never_begun};

    #[test]
    fn the_host_is_named_beforehand_for_http_1_alone() {
        let named = |protocols: &[&[u8]]| {
            let mut setup = Setup::loopback(Duration::from_secs(1)).unwrap();
            setup.tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Reqwest::new(setup).unwrap().names_host
        };
        assert_eq!([named(&[]), named(&[b"http/1.1"])], [true, true]);
        assert!(!named(&[b"h2", b"http/1.1"]));
    }

    /// A connection that the peer has closed accepts no request. If it has accepted one, the
    /// request may have been sent.
    #[tokio::test]
    async fn a_request_that_was_not_started_counts_as_not_sent() {
        let request = || http::Request::new(http_body_util::Empty::<bytes::Bytes>::new());
        let (ours, theirs) = tokio::io::duplex(1024);
        let io = hyper_util::rt::TokioIo::new(ours);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        drop(connection);
        assert!(never_begun(&sender.send_request(request()).await.unwrap_err()));
        drop(theirs);

        let (ours, theirs) = tokio::io::duplex(1024);
        let io = hyper_util::rt::TokioIo::new(ours);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        let sent = sender.send_request(request());
        let ends = async {
            // The request has already been sent.
            tokio::task::yield_now().await;
            drop(theirs);
        };
        let (_, sent, ()) = tokio::join!(connection, sent, ends);
        assert!(!never_begun(&sent.unwrap_err()));
    }
}
