//! Builds a [`Client`].

use std::sync::{Arc, Mutex};

use anyvpn_core::{Error, Secret};
use url::{Host, ParseError, Url};

use crate::client::Inner;
use crate::setup::Setup;
use crate::transport::{Reqwest, Transport};
use crate::{Client, Clock, Credentials, Dialect, Fixed, Limits, RetryPolicy, SystemClock};

/// Collects what a [`Client`] needs.
pub struct ClientBuilder<D: Dialect> {
    base_url: String,
    credentials: Arc<dyn Credentials<D::Credential>>,
    transport: Option<Arc<dyn Transport>>,
    limits: Limits,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    #[cfg(feature = "gzip")]
    gzip: bool,
}

impl<D: Dialect> ClientBuilder<D> {
    pub(crate) fn new(base_url: String) -> Self {
        Self {
            base_url,
            credentials: Arc::new(Fixed(None)),
            transport: None,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            clock: Arc::new(SystemClock),
            #[cfg(feature = "gzip")]
            gzip: false,
        }
    }

    /// Another base URL: everything before the documented paths.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Where the credential comes from. Without this there is none.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Credentials<D::Credential>) -> Self {
        self.credentials = Arc::new(credentials);
        self
    }

    /// One credential that is never replaced.
    #[must_use]
    pub fn credential(self, credential: D::Credential) -> Self {
        self.credentials(Fixed(Some(credential)))
    }

    /// Sends with a client of the caller's own.
    ///
    /// See [`Reqwest`] for what it must be like. Its connect timeout, proxies, roots and crypto provider are the caller's.
    #[must_use]
    pub fn http_client(self, client: reqwest::Client) -> Self {
        self.transport(Arc::new(Reqwest(client)))
    }

    /// Sends with another transport, such as a scripted one in a test.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Other bounds.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Another way of repeating.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Asks for replies compressed with gzip; [`Limits::decompressed`] bounds them.
    #[cfg(feature = "gzip")]
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Builds the provider. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for a base URL that is neither https nor plain http to this machine
    /// (a loopback address or `localhost`), or that has a query, a fragment or a user name; and when
    /// the HTTP client cannot be set up.
    pub fn build(self) -> Result<D::Provider, Error> {
        let (base, loopback) = check(&self.base_url)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let plain = base.starts_with("http:");
                Arc::new(Reqwest::new(Setup::usual(self.limits.connect, plain, loopback)?)?)
            }
        };
        Ok(D::Provider::from(Client(Arc::new(Inner {
            base,
            transport,
            credentials: self.credentials,
            limits: self.limits,
            retry: self.retry,
            clock: self.clock,
            pause: Mutex::new(None),
            pace: Arc::default(),
            #[cfg(feature = "gzip")]
            gzip: self.gzip,
        }))))
    }
}

impl<D: Dialect<Credential = Secret>> ClientBuilder<D> {
    /// The bearer token of every call that takes one.
    #[must_use]
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.credential(token.into())
    }
}

/// The base URL without a slash at its end, and whether it is on this machine.
fn check(base_url: &str) -> Result<(String, bool), Error> {
    // The messages never repeat the URL: it could hold a password.
    let wrong = |why: &str| Error::invalid("url", why);
    let url = Url::parse(base_url.trim()).map_err(|e| match e {
        ParseError::RelativeUrlWithoutBase => wrong("must begin with https://"),
        e => wrong(&format!("is no URL ({e}); write it like https://vpn.example.com")),
    })?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        // Of `vpn.example.com:443` the name would be the scheme.
        None => return Err(wrong("must begin with https://, with a host behind it")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(wrong(
                "is plain http to another machine, which would show the token to everyone on the \
                 way; use https",
            ));
        }
        _ => return Err(wrong("must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must not have a query or a fragment"));
    }
    Ok((url.as_str().trim_end_matches('/').to_owned(), loopback))
}
