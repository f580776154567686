//! Builds a [`Client`].

use std::sync::Arc;

use anyvpn_core::{Error, Secret, Settings};
use http::HeaderValue;

use crate::base_url::BaseUrl;
use crate::client_state::ClientState;
use crate::proxy;
use crate::setup::Setup;
use crate::stored_credentials::{Stored, StoredCredentials};
use crate::transport::{Reqwest, Transport};
use crate::{
    CallObserver, Client, Clock, Context, Credentials, Dialect, Fixed, Limits, RetryPolicy, Server,
    SystemClock,
};

/// Builds a [`Client`].
pub struct ClientBuilder<D: Dialect> {
    base_url: String,
    credentials: Arc<dyn Credentials<D::Credential>>,
    stored: Option<Stored>,
    sender: Sender,
    user_agent: Option<String>,
    limits: Limits,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn CallObserver>>,
    gzip: bool,
    /// The names and base URLs of the other servers.
    servers: Vec<(&'static str, String)>,
    one_address: bool,
}

/// The way in which requests are sent.
enum Sender {
    /// The built-in transport.
    BuiltIn,
    /// The built-in transport, with the caller's own HTTP client.
    HttpClient(Box<reqwest::ClientBuilder>),
    /// The caller's own transport.
    Transport(Arc<dyn Transport>),
}

/// The default user agent. Without one, gateways tend to answer with a blocking page.
static USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("anyvpn/", env!("CARGO_PKG_VERSION")));

impl<D: Dialect> ClientBuilder<D> {
    pub(crate) fn new(base_url: String) -> Self {
        Self {
            base_url,
            credentials: Arc::new(Fixed(None)),
            stored: None,
            sender: Sender::BuiltIn,
            user_agent: None,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            clock: Arc::new(SystemClock),
            observer: None,
            gzip: false,
            servers: Vec::new(),
            one_address: false,
        }
    }

    /// Sets another base URL: everything before the documented paths. All servers that operations name
    /// are then at this URL too, as in a sandbox.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self.servers.clear();
        self.one_address = true;
        self
    }

    /// Sets the base URL of the server that operations call by this name; see [`Operation::SERVER`].
    ///
    /// [`Operation::SERVER`]: crate::Operation::SERVER
    #[must_use]
    pub fn server(mut self, name: &'static str, base_url: impl Into<String>) -> Self {
        self.servers.push((name, base_url.into()));
        self
    }

    /// Sets the source of the credential. Without it no credential is sent.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Credentials<D::Credential>) -> Self {
        self.credentials = Arc::new(credentials);
        self
    }

    /// Sets a credential that is never replaced.
    #[must_use]
    pub fn credential(self, credential: D::Credential) -> Self {
        self.credentials(Fixed(Some(credential)))
    }

    /// Sends requests with the caller's own HTTP client, with its connect timeout, roots, crypto
    /// provider, default headers and proxies.
    ///
    /// Regardless of the builder's settings, the client follows no redirects, retries nothing and sends
    /// no `Referer`. It connects to `localhost` and its subdomains only on this machine and without a
    /// proxy, and sends the user agent of [`ClientBuilder::user_agent`]. A proxy variable that we
    /// cannot use is an error, as with the built-in client, because the builder would ignore it. The
    /// client belongs to the tokio runtime that uses it first: its connections live there, so a call in
    /// another one is an `InvalidRequest` error.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::ClientBuilder) -> Self {
        self.sender = Sender::HttpClient(Box::new(client));
        self
    }

    /// Sets the `User-Agent`. Default: `anyvpn/VERSION`.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the transport, such as a scripted one in a test.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.sender = Sender::Transport(transport);
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how calls are retried.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the observer, which is told about the progress of calls.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Applies the context, with which a program configures all providers that it opens. Settings that
    /// the context does not have stay as they are.
    #[must_use]
    pub fn context(mut self, context: &Context) -> Self {
        let context = context.clone();
        self.limits = context.limits;
        self.retry = context.retry;
        self.clock = context.clock.unwrap_or(self.clock);
        self.user_agent = context.user_agent.or(self.user_agent);
        self.observer = context.observer.or(self.observer);
        self
    }

    /// Applies what a registry passes to a provider: the context, and the credential that `credential`
    /// creates from the settings. Call this after [`ClientBuilder::base_url`].
    ///
    /// If the context has a token store, the settings of the stored credential are added before each
    /// call. They do not replace the given ones.
    #[must_use]
    pub fn settings(
        mut self,
        provider: &'static str,
        settings: &Settings,
        context: &Context,
        credential: fn(&Settings) -> Option<D::Credential>,
    ) -> Self {
        self = self.context(context);
        match context.token_store.clone() {
            None => self.credentials(Fixed(credential(settings))),
            Some(store) => {
                // An invalid value is reported by `build`.
                let base = BaseUrl::parse(&self.base_url);
                let base_url = base.map(|base| base.as_str().to_owned()).unwrap_or_default();
                let stored = Stored { provider, base_url, store };
                self.stored = Some(stored.clone());
                self.credentials(StoredCredentials {
                    stored,
                    settings: settings.clone(),
                    credential,
                })
            }
        }
    }

    /// Requests replies compressed with gzip, which [`Limits::decompressed`] limits.
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
    /// Returns `InvalidRequest` in these cases. The base URL is neither https nor plain http to this
    /// machine (a loopback address, `localhost` or a subdomain of it), or has a query, a fragment or a
    /// user name. The user agent is empty, or has characters other than visible ASCII with spaces in
    /// between. The HTTP client cannot be set up. A proxy variable of the environment (`HTTPS_PROXY` or
    /// `ALL_PROXY`, also in lower case) applies to the base URL but cannot be used, such as one for a
    /// SOCKS proxy. Hosts in `NO_PROXY` are reached directly; this machine always is.
    pub fn build(self) -> Result<D::Provider, Error> {
        let base = BaseUrl::parse(&self.base_url)?;
        let user_agent = match self.user_agent {
            Some(user_agent) => header(&user_agent)?,
            None => USER_AGENT.clone(),
        };
        let mut usual = None;
        let transport = match self.sender {
            Sender::Transport(transport) => transport,
            Sender::HttpClient(builder) => Arc::new(Reqwest::own(*builder, &base)?),
            Sender::BuiltIn => {
                let setup = usual.insert(Setup::usual(self.limits.connect, &base)?);
                Arc::new(Reqwest::new(setup.clone())?)
            }
        };
        if self.stored.as_ref().is_some_and(|stored| stored.base_url != base.as_str()) {
            let why = "must be set before the settings, so that a stored token is not sent to another address";
            return Err(Error::invalid("base_url", why));
        }
        let mut servers = Vec::with_capacity(self.servers.len());
        for (name, url) in self.servers {
            let base = BaseUrl::parse(&url)?;
            let mut transport = Arc::clone(&transport);
            if let Some(setup) = &usual {
                // `NO_PROXY` may apply to some of the servers.
                let proxy = proxy::from_environment(&base)?;
                if proxy != setup.proxy {
                    transport = Arc::new(Reqwest::new(Setup { proxy, ..setup.clone() })?);
                }
            }
            servers.push((name, Server { base, transport }));
        }
        Ok(D::Provider::from(Client(Arc::new(ClientState {
            base,
            transport,
            credentials: self.credentials,
            stored: self.stored,
            limits: self.limits,
            retry: self.retry,
            clock: self.clock,
            observer: self.observer,
            limiter: Arc::default(),
            user_agent,
            gzip: self.gzip,
            servers,
            one_address: self.one_address,
        }))))
    }
}

impl<D: Dialect<Credential = Secret>> ClientBuilder<D> {
    /// Sets the bearer token.
    #[must_use]
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.credential(token.into())
    }
}

/// Returns a user agent as a header value.
fn header(user_agent: &str) -> Result<HeaderValue, Error> {
    let wrong =
        || Error::invalid("user_agent", "must be visible ASCII characters, separated by spaces");
    let is_fit = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if user_agent.trim().is_empty() || !user_agent.bytes().all(is_fit) {
        return Err(wrong());
    }
    HeaderValue::from_str(user_agent).map_err(|_| wrong())
}
