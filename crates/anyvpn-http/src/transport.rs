//! The seam to the network.

use std::error::Error as StdError;
use std::fmt;
use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use anyvpn_core::{Error, ErrorKind, Host};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http::header::HOST;
use http::{HeaderMap, Method, Request, Response};
use url::Url;

use crate::BaseUrl;
use crate::reason::words;
use crate::setup;
pub use crate::setup::{Names, Setup};

/// A reply's body as it arrives.
pub type Body = BoxStream<'static, Result<Bytes, TransportError>>;

/// Sends one request, once. Implementations neither repeat nor redirect.
pub trait Transport: Send + Sync + 'static {
    /// Sends the request and gives the reply's head; its body follows as a stream.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>>;

    /// The same for a request that is not yet put together with its base URL: what a client calls.
    ///
    /// Only a transport whose library has another type of address has a reason to do it itself.
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
}

/// How far a request came that got no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not a byte was sent: the name, the connection or TLS failed.
    NotSent,
    /// It may have arrived.
    MaybeSent,
}

/// Why no reply came, or why it broke off.
#[derive(Debug)]
pub struct TransportError {
    /// How far the request came.
    pub progress: Progress,
    /// The reason, in words that hold no address with a query and no credential.
    pub reason: String,
}

impl TransportError {
    /// An error that says its innermost cause, in words that people know.
    #[must_use]
    pub fn new(progress: Progress, error: &(dyn StdError + 'static)) -> Self {
        Self { progress, reason: words(error) }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl StdError for TransportError {}

/// The transport on reqwest.
pub struct Reqwest {
    client: reqwest::Client,
    /// Whether the client may follow redirects.
    foreign: bool,
    /// Whether requests have their `Host` before the client makes it for each anew.
    names_host: bool,
}

impl Reqwest {
    /// The transport with what the pipeline relies on: no redirects, no retries of its own.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the HTTP client cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, Error> {
        // HTTP/2 has another place for it, and some servers refuse both.
        let names_host = !setup.tls.alpn_protocols.iter().any(|name| name == b"h2");
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // By the first alone it keeps a copy of each request.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .referer(false)
            .connect_timeout(setup.connect)
            .tls_backend_preconfigured(setup.tls);
        if !setup.proxies {
            builder = builder.no_proxy();
        }
        if let Some(names) = setup.names {
            builder = builder.dns_resolver(Resolver(names));
        }
        let client = builder.build().map_err(|e| setup::failed(&e.without_url().to_string()))?;
        Ok(Self { client, foreign: false, names_host })
    }

    fn execute(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let asked = self.foreign.then(|| url.clone());
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        let reply = self.client.execute(request);
        Box::pin(async move {
            let mut reply = reply.await.map_err(failure)?;
            // A client of the caller's own can follow redirects. What it then brings is another
            // address's answer, and the request may have arrived twice.
            if asked.is_some_and(|asked| asked != *reply.url()) {
                return Err(TransportError {
                    progress: Progress::MaybeSent,
                    reason: "the HTTP client followed a redirect; build it with \
                             redirect::Policy::none()"
                        .to_owned(),
                });
            }
            let mut head = Response::new(());
            *head.status_mut() = reply.status();
            *head.headers_mut() = std::mem::take(reply.headers_mut());
            // Each poll may ask anew: how far the body has come is in the reply.
            let body = stream::poll_fn(move |context| {
                let chunk = pin!(reply.chunk()).poll(context);
                chunk.map(|chunk| chunk.map_err(failure).transpose())
            });
            Ok(head.map(|()| body.boxed()))
        })
    }
}

/// [`Names`] as reqwest asks for them.
struct Resolver(Arc<dyn Names>);

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let addresses = self.0.addresses(name.as_str());
        Box::pin(async move {
            // The port is the URL's.
            let addresses = addresses.await?.into_iter().map(|it| SocketAddr::new(it, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

/// A client of the caller's own. It must not follow redirects: build it with
/// `redirect::Policy::none()`. A reply that comes after a redirect is an error.
impl From<reqwest::Client> for Reqwest {
    fn from(client: reqwest::Client) -> Self {
        // What follows a redirect would take the name along.
        Self { client, foreign: true, names_host: false }
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
}

fn failure(error: reqwest::Error) -> TransportError {
    let progress = if error.is_connect() || error.is_builder() || never_begun(&error) {
        Progress::NotSent
    } else {
        Progress::MaybeSent
    };
    TransportError::new(progress, &error.without_url())
}

/// Whether the connection ended before the request was begun on it.
fn never_begun(error: &(dyn StdError + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.filter_map(|it| it.downcast_ref::<hyper::Error>()).any(hyper::Error::is_canceled)
}

/// An address of a host's name, by the system's resolver; an address is its own.
///
/// # Errors
///
/// `Unreachable` when the name has no address, or none of the wanted kind.
pub async fn resolve(host: &Host, ipv4_only: bool) -> Result<IpAddr, Error> {
    let name = host.to_string();
    let failed = |why: String| {
        Error::new(ErrorKind::Unreachable).with_detail(format!("the name {name:?}: {why}"))
    };
    let addresses = tokio::net::lookup_host((name.as_str(), 0)).await;
    let mut addresses = addresses.map_err(|e| failed(e.to_string()))?.map(|it| it.ip());
    let address = addresses.find(|address| !ipv4_only || address.is_ipv4());
    address.ok_or_else(|| failed("has no address of the wanted kind".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Reqwest, Setup, never_begun};

    #[test]
    fn the_host_is_named_beforehand_for_http_1_alone() {
        let named = |protocols: &[&[u8]]| {
            let mut setup = Setup::usual(Duration::from_secs(1), true, true).unwrap();
            setup.tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Reqwest::new(setup).unwrap().names_host
        };
        assert_eq!([named(&[]), named(&[b"http/1.1"])], [true, true]);
        assert!(!named(&[b"h2", b"http/1.1"]));
    }

    /// A connection whose other end is gone takes no request; one that took it may have sent it.
    #[tokio::test]
    async fn what_was_not_begun_was_not_sent() {
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
            // The request has been taken by now.
            tokio::task::yield_now().await;
            drop(theirs);
        };
        let (_, sent, ()) = tokio::join!(connection, sent, ends);
        assert!(!never_begun(&sent.unwrap_err()));
    }
}
