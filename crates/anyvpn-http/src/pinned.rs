//! The transport to a server with a known address, whose name is sent exactly as it is given.
//!
//! reqwest converts names to lower case, and takes the name for TLS from the URL. Such servers get few
//! calls, so each call opens its own connection.

use std::error::Error as StdError;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::Error;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::StreamExt as _;
use http::header::HOST;
use http::{Request, Response, Uri};
use http_body_util::{BodyDataStream, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::BaseUrl;
use crate::transport::{Body, Progress, Transport, TransportError, current_runtime, never_begun};

pub(crate) struct Pinned {
    pub(crate) name: ServerName<'static>,
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    /// The time limit for connecting and TLS.
    pub(crate) connect: Duration,
}

impl Pinned {
    async fn connected(&self) -> Result<TlsStream<TcpStream>, TransportError> {
        let connect = async {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(Arc::clone(&self.tls)).connect(self.name.clone(), stream).await
        };
        match tokio::time::timeout(self.connect, connect).await {
            Ok(connected) => connected.map_err(|error| not_sent(&error)),
            Err(elapsed) => Err(not_sent(&elapsed)),
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let stream = TokioIo::new(self.connected().await?);
        let handshake = http1::handshake(stream).await;
        let (mut sender, connection) = handshake.map_err(|error| not_sent(&error))?;
        // The connection ends when the reply's body ends or is dropped.
        drop(tokio::spawn(connection));
        let reply = sender.send_request(request.map(Full::new)).await.map_err(failure)?;
        Ok(reply.map(|body| BodyDataStream::new(body).map(|part| part.map_err(failure)).boxed()))
    }
}

impl Transport for Pinned {
    fn send(
        &self,
        mut request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        // Unlike a proxy, a server gets only the path.
        let target = request.uri().path_and_query().cloned();
        *request.uri_mut() = target.map_or_else(Uri::default, Uri::from);
        Box::pin(self.exchange(request))
    }

    fn send_to(
        &self,
        base: &BaseUrl,
        request: crate::Request,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        match request.into_http(base) {
            Ok(mut request) => {
                request.headers_mut().insert(HOST, base.host().clone());
                self.send(request)
            }
            Err(error) => Box::pin(ready(Err(not_sent(&error)))),
        }
    }

    fn ready(&self) -> Result<(), Error> {
        current_runtime().map(drop)
    }
}

fn not_sent(error: &(dyn StdError + 'static)) -> TransportError {
    TransportError::new(Progress::NotSent, error)
}

fn failure(error: hyper::Error) -> TransportError {
    let progress = if never_begun(&error) { Progress::NotSent } else { Progress::MaybeSent };
    TransportError::new(progress, &error)
}
