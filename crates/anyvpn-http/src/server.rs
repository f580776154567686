//! The servers of a provider with several servers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::Error;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::base_url::BaseUrl;
use crate::pinned::Pinned;
use crate::transport::Transport;
use crate::{proxy, setup};

/// The certificate authorities to trust for a server, instead of the system's.
#[derive(Clone)]
pub struct TrustRoots(pub(crate) Arc<ClientConfig>);

impl TrustRoots {
    /// Reads one or more authorities' certificates, in PEM.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for the field `ca` if the text is not PEM, contains no certificate, or contains
    /// one that cannot be read; and `InvalidRequest` if there is no crypto provider.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::invalid("ca", why);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| wrong(format!("is not PEM: {error}")))?;
            let added = roots.add(certificate);
            added.map_err(|error| wrong(format!("has an invalid certificate: {error}")))?;
        }
        if roots.is_empty() {
            return Err(wrong("contains no certificate; provide one or more in PEM".to_owned()));
        }
        let builder = setup::tls_builder().map_err(|why| setup::failed(&why))?;
        Ok(Self(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// One of a provider's servers. [`Client::with_server`] sends it the operations that name it.
///
/// [`Client::with_server`]: crate::Client::with_server
#[derive(Clone)]
pub struct Server {
    pub(crate) base: BaseUrl,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Server {
    /// Creates a server that is reached at `address`, without a name lookup, and must prove with a
    /// certificate of `roots` that it is `name`. The name is sent exactly as it is given, in TLS and as
    /// `Host`, including capitals. `connect` is the time limit for connecting and TLS.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the name cannot be a server's name, or if the environment sets a proxy for
    /// the address, because a proxy would look up the name.
    pub fn pinned(
        name: &str,
        address: SocketAddr,
        roots: &TrustRoots,
        connect: Duration,
    ) -> Result<Self, Error> {
        let wrong = || Error::invalid("server", format!("{name:?} cannot be the name of a server"));
        let tls_name = match ServerName::try_from(name) {
            Ok(found @ ServerName::DnsName(_)) => found.to_owned(),
            _ => return Err(wrong()),
        };
        let proxy = proxy::from_environment(&BaseUrl::parse(&format!("https://{address}"))?)?;
        if proxy.is_some() {
            let why = format!(
                "names a proxy, but {name} is reached at {address} only; name that address in \
                 NO_PROXY; nothing was sent"
            );
            return Err(Error::invalid("HTTPS_PROXY", why));
        }
        let base = BaseUrl::named(name, address.port()).map_err(|_| wrong())?;
        let tls = Arc::clone(&roots.0);
        let transport = Arc::new(Pinned { name: tls_name, address, tls, connect });
        Ok(Self { base, transport })
    }
}
