//! The setup of a transport: trust, name lookup and proxy.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind};
use futures_core::future::BoxFuture;
use rustls::crypto::CryptoProvider;
use rustls::{ConfigBuilder, WantsVerifier};
use url::Url;

use crate::{BaseUrl, proxy};

/// The setup of a built-in transport. [`ClientBuilder`](crate::ClientBuilder) creates one by itself;
/// create one by hand to use your own certificate authority, client certificate or name lookup.
#[derive(Clone)]
pub struct Setup {
    /// The time for name lookup, connection and TLS: [`Limits::connect`](crate::Limits::connect).
    pub connect: Duration,
    /// The TLS configuration, with the trusted certificates.
    pub tls: rustls::ClientConfig,
    /// How names are looked up; `None` uses the system. `localhost` and its subdomains are never looked
    /// up, because they always mean this machine.
    pub names: Option<Arc<dyn Names>>,
    /// The http or https proxy for all requests; `None` sends them directly. Requests to this machine
    /// cannot use a proxy.
    pub proxy: Option<Url>,
}

/// Looks up names.
pub trait Names: Send + Sync + 'static {
    /// Returns the addresses of a name, in the order in which to try them.
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

impl Setup {
    /// Creates the default setup for a base URL: the system's name lookup, its certificates for https,
    /// and the environment's proxy.
    pub(crate) fn usual(connect: Duration, base: &BaseUrl) -> Result<Self, Error> {
        let tls = tls(base.is_plain()).map_err(|why| failed(&why))?;
        Ok(Self { connect, tls, names: None, proxy: proxy::from_environment(base)? })
    }

    /// Creates the setup for plain http to this machine: no certificates and no proxy.
    pub(crate) fn loopback(connect: Duration) -> Result<Self, Error> {
        Self::direct(connect, false)
    }

    /// Creates the setup for requests that go directly to their host, even if the environment sets a
    /// proxy. With `https` it has the system's certificates, for plain http it has none.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if TLS cannot be set up.
    pub fn direct(connect: Duration, https: bool) -> Result<Self, Error> {
        let tls = tls(!https).map_err(|why| failed(&why))?;
        Ok(Self { connect, tls, names: None, proxy: None })
    }
}

/// Creates the error for a transport that cannot be built. It is not `Unreachable`, which would advise
/// to try again, although only a different setup helps.
pub(crate) fn failed(why: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest).with_detail(format!("cannot set up TLS: {why}"))
}

/// Returns the process's crypto provider, or else the one that the crate's features select.
pub(crate) fn crypto_provider() -> Result<Arc<CryptoProvider>, String> {
    let provider = CryptoProvider::get_default().cloned().or_else(built_in_provider);
    provider.ok_or_else(|| {
        "no crypto provider: enable the feature `ring` or `aws-lc`, install a default one, or pass \
         your own client"
            .to_owned()
    })
}

/// Returns a builder for TLS with the default versions and without trusted certificates.
pub(crate) fn tls_builder() -> Result<ConfigBuilder<rustls::ClientConfig, WantsVerifier>, String> {
    rustls::ClientConfig::builder_with_provider(crypto_provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

/// Creates the TLS configuration with the process's crypto provider, or else with the one that the
/// crate's features select.
fn tls(plain: bool) -> Result<rustls::ClientConfig, String> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let builder = tls_builder()?;
    if plain {
        // Reading the system's certificates takes milliseconds, and plain http needs none.
        return Ok(builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth());
    }
    check_certificate_file()?;
    let builder = builder.with_platform_verifier().map_err(|e| {
        let why = match e {
            rustls::Error::General(why) => why,
            e => e.to_string(),
        };
        // Minimal containers have no certificates.
        format!("{why}; on Linux, install ca-certificates or set SSL_CERT_FILE")
    })?;
    Ok(builder.with_no_client_auth())
}

/// Returns an error if `SSL_CERT_FILE` does not name a regular file of a reasonable size, because
/// reading an endless file would never end. A missing file is not an error yet, because `SSL_CERT_DIR`
/// may name a folder.
fn check_certificate_file() -> Result<(), String> {
    /// Far larger than the certificates of all authorities.
    const LONGEST: u64 = 64 << 20;
    let path = PathBuf::from(std::env::var_os("SSL_CERT_FILE").unwrap_or_default());
    let why = match std::fs::metadata(&path) {
        Ok(found) if !found.is_file() => "is not a file",
        Ok(found) if found.len() > LONGEST => "is larger than 64 MiB",
        _ => return Ok(()),
    };
    Err(format!("SSL_CERT_FILE {why}: {}", path.display()))
}

#[cfg(feature = "ring")]
fn built_in_provider() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(all(feature = "aws-lc", not(feature = "ring")))]
fn built_in_provider() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc")))]
fn built_in_provider() -> Option<Arc<CryptoProvider>> {
    None
}
