//! The state that clones of a client share, and the server of each operation.

use std::sync::Arc;

use anyvpn_core::Error;
use http::HeaderValue;

use crate::base_url::BaseUrl;
use crate::credentials::Credentials;
use crate::rate_limiter::RateLimiter;
use crate::stored_credentials::Stored;
use crate::transport::Transport;
use crate::{CallObserver, Clock, Dialect, Limits, RetryPolicy, Server};

/// The shared state of a client.
pub(crate) struct ClientState<D: Dialect> {
    pub(crate) base: BaseUrl,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) credentials: Arc<dyn Credentials<D::Credential>>,
    /// Where the program stores the credentials that signing in creates.
    pub(crate) stored: Option<Stored>,
    pub(crate) limits: Limits,
    pub(crate) retry: RetryPolicy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn CallObserver>>,
    pub(crate) limiter: Arc<RateLimiter>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) gzip: bool,
    /// The servers that operations name.
    pub(crate) servers: Vec<(&'static str, Server)>,
    /// Whether all servers that operations name are at the base URL.
    pub(crate) one_address: bool,
}

impl<D: Dialect> Clone for ClientState<D> {
    fn clone(&self) -> Self {
        Self {
            base: self.base.clone(),
            transport: Arc::clone(&self.transport),
            credentials: Arc::clone(&self.credentials),
            limits: self.limits,
            retry: self.retry,
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
            limiter: Arc::clone(&self.limiter),
            user_agent: self.user_agent.clone(),
            gzip: self.gzip,
            stored: self.stored.clone(),
            servers: self.servers.clone(),
            one_address: self.one_address,
        }
    }
}

impl<D: Dialect> ClientState<D> {
    /// Returns where to send the operations that name this server.
    pub(crate) fn server(
        &self,
        name: Option<&'static str>,
    ) -> Result<(&BaseUrl, &dyn Transport), Error> {
        let Some(name) = name else { return Ok((&self.base, &*self.transport)) };
        match self.servers.iter().find(|(known, _)| *known == name) {
            Some((_, server)) => Ok((&server.base, &*server.transport)),
            None if self.one_address => Ok((&self.base, &*self.transport)),
            None => {
                let why =
                    format!("the address of the server {name} is not known; nothing was sent");
                Err(Error::invalid("server", why))
            }
        }
    }
}
