//! Builds a [`Client`].

use std::sync::{Arc, Mutex};

use anyvpn_core::{Error, Secret};

use crate::base_url::BaseUrl;
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
    /// It must not follow redirects: build it with `redirect::Policy::none()`; a reply that comes
    /// after one is an error. Its connect timeout, proxies, roots and crypto provider are the
    /// caller's.
    #[must_use]
    pub fn http_client(self, client: reqwest::Client) -> Self {
        self.transport(Arc::new(Reqwest::from(client)))
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
        let base = BaseUrl::parse(&self.base_url)?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let setup = Setup::usual(self.limits.connect, base.is_plain(), base.is_loopback())?;
                Arc::new(Reqwest::new(setup)?)
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
