//! The separate hosts of a provider. They share one address, use TLS with certificates of the sandbox's
//! own authority, and serve the provider's routes without the prefix.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use rustls::ServerConfig;
use rustls::crypto::ring::{default_provider, sign};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::handler::{Connection, RequestHandler, router};
use crate::random::Random;
use crate::reply::Takeover;
use crate::{certificate, registry};

/// The address of the hosts, and the authority that clients must trust.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    pub(crate) address: SocketAddr,
    /// The authority's certificate, in PEM.
    pub(crate) ca: String,
}

impl Default for Hosts {
    fn default() -> Hosts {
        Hosts { address: (std::net::Ipv4Addr::LOCALHOST, 0).into(), ca: String::new() }
    }
}

/// The authority, which creates the certificate of a host when it is requested.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    seed: u64,
}

/// Listens on another port of the same address, and creates the authority. Nothing is served yet.
pub(crate) async fn listen(beside: SocketAddr, seed: u64) -> io::Result<(TlsListener, Hosts)> {
    let listener = TcpListener::bind((beside.ip(), 0)).await?;
    let address = listener.local_addr()?;
    let (authority, ca) = Authority::new(seed).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(authority));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Ok((TlsListener { listener, acceptor }, Hosts { address, ca }))
}

/// The result of [`listen`].
pub(crate) struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl TlsListener {
    /// Returns the same hosts on another listener.
    pub(crate) fn also(&self, listener: TcpListener) -> TlsListener {
        TlsListener { listener, acceptor: self.acceptor.clone() }
    }

    /// Serves until it is dropped, which closes all connections.
    pub(crate) async fn run(self, handler: Arc<RequestHandler>) {
        let router = router(&handler);
        let mut tasks = JoinSet::new();
        loop {
            while tasks.try_join_next().is_some() {}
            // Running out of file descriptors or losing a peer does not end the server.
            let Ok((stream, peer)) = self.listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            let (router, handler) = (router.clone(), Arc::clone(&handler));
            tasks.spawn(serve(self.acceptor.clone(), stream, peer, router, handler));
        }
    }
}

/// The error for a reply that fails on the wire. Over TLS, this just ends the connection.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection ends")]
struct Ended;

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    router: axum::Router,
    handler: Arc<RequestHandler>,
) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let name = stream.get_ref().1.server_name().unwrap_or_default();
    let provider = host(name).map_or("", |(provider, _)| provider);
    let connection = Arc::new(Connection::new(peer.ip().to_canonical()));
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (router, handler) = (router.clone(), Arc::clone(&handler));
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&connection));
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        if let Ok(target) = format!("/{provider}{target}").parse() {
            *request.uri_mut() = target;
        }
        Box::pin(async move {
            let response = handler.serve(router, request).await;
            match response.extensions().get::<Takeover>() {
                Some(_) => Err(Ended),
                None => Ok(response),
            }
        })
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Returns the host with this name, or else the first one, and its provider.
fn host(name: &str) -> Option<(&'static str, &'static str)> {
    let mut hosts = registry::hosts();
    let first = hosts.next()?;
    if first.1.eq_ignore_ascii_case(name) {
        return Some(first);
    }
    Some(hosts.find(|(_, host)| host.eq_ignore_ascii_case(name)).unwrap_or(first))
}

impl Authority {
    /// Creates the authority, and returns it with its certificate in PEM.
    fn new(seed: u64) -> Result<(Authority, String), rcgen::Error> {
        let key = certificate::key(&mut Random::new(seed, 15))?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "anyvpn sandbox");
        let pem = certificate::pem(params.self_signed(&key)?.der(), "\n");
        Ok((Authority { issuer: Issuer::new(params, key), seed }, pem))
    }

    fn certified(&self, name: &str) -> Result<CertifiedKey, rcgen::Error> {
        let key = certificate::key(&mut Random::new(self.seed, 16))?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key =
            sign::any_supported_type(&key).map_err(|_| rcgen::Error::KeyGenerationUnavailable)?;
        Ok(CertifiedKey::new(vec![certificate], key))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let (_, name) = host(hello.server_name().unwrap_or_default())?;
        self.certified(name).ok().map(Arc::new)
    }
}
