//! What a transport is made of.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind};
use futures_core::future::BoxFuture;
use url::Url;

use crate::{BaseUrl, proxy};

/// What a built-in transport is made of. [`ClientBuilder`](crate::ClientBuilder) makes this by
/// itself; by hand it is for an authority, a client certificate or names of one's own.
#[derive(Clone)]
pub struct Setup {
    /// The longest time for name, connection and TLS: [`Limits::connect`](crate::Limits::connect).
    pub connect: Duration,
    /// Whom TLS trusts.
    pub tls: rustls::ClientConfig,
    /// Where names are looked up; `None` asks the system. `localhost` and the names below it are not
    /// looked up: they are this machine.
    pub names: Option<Arc<dyn Names>>,
    /// The proxy that all requests go through, by http or https; `None` sends directly. It cannot be a
    /// way to this machine.
    pub proxy: Option<Url>,
}

/// Looks names up.
pub trait Names: Send + Sync + 'static {
    /// The addresses of a name, in the order in which they are to be tried.
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

impl Setup {
    /// The usual one for a base URL: the system's names and certificates, of which plain http needs
    /// none, and the environment's proxy.
    pub(crate) fn usual(connect: Duration, base: &BaseUrl) -> Result<Self, Error> {
        let tls = tls(base.is_plain()).map_err(|why| failed(&why))?;
        Ok(Self { connect, tls, names: None, proxy: proxy::from_environment(base)? })
    }

    /// For plain http to this machine: no certificates, no proxy.
    pub(crate) fn loopback(connect: Duration) -> Result<Self, Error> {
        let tls = tls(true).map_err(|why| failed(&why))?;
        Ok(Self { connect, tls, names: None, proxy: None })
    }
}

/// The error of a transport that cannot be built. Not `Unreachable`, which advises to try again: it
/// stays so until the machine or the program is set up otherwise.
pub(crate) fn failed(why: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest).with_detail(format!("cannot set up TLS: {why}"))
}

/// TLS with the process's crypto provider, or else the one that the features name.
fn tls(plain: bool) -> Result<rustls::ClientConfig, String> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = match rustls::crypto::CryptoProvider::get_default() {
        Some(provider) => Arc::clone(provider),
        None => built_in_provider().ok_or(
            "no crypto provider: enable the feature `ring` or `aws-lc`, install a default one, or \
             pass a client of your own",
        )?,
    };
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    if plain {
        // Reading the system's roots takes milliseconds, and plain http needs none.
        return Ok(builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth());
    }
    let builder = builder.with_platform_verifier().map_err(|e| {
        let why = match e {
            rustls::Error::General(why) => why,
            e => e.to_string(),
        };
        // A slim container has none.
        format!("{why}; on Linux, install ca-certificates or set SSL_CERT_FILE")
    })?;
    Ok(builder.with_no_client_auth())
}

#[cfg(feature = "ring")]
fn built_in_provider() -> Option<Arc<rustls::crypto::CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(all(feature = "aws-lc", not(feature = "ring")))]
fn built_in_provider() -> Option<Arc<rustls::crypto::CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc")))]
fn built_in_provider() -> Option<Arc<rustls::crypto::CryptoProvider>> {
    None
}
