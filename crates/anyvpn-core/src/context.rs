//! The context in which a program opens providers.

use std::fmt;
use std::sync::Arc;

use crate::{CallObserver, Clock, Credential, LeaseStore, Limits, RetryPolicy, TokenStore};

/// The context in which a program opens providers, besides their settings: limits, retries, clock, token
/// store, lease store and observer. By default each provider uses its own.
///
/// ```
/// use std::time::Duration;
///
/// use anyvpn_core::{Context, Limits};
///
/// let limits = Limits { call: Duration::from_secs(10), ..Limits::default() };
/// let context = Context::default().with_limits(limits).with_user_agent("acme-app/2.1");
/// assert_eq!(context.limits.call, Duration::from_secs(10));
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Context {
    /// The limits of a call.
    pub limits: Limits,
    /// How a call is retried.
    pub retry: RetryPolicy,
    /// The clock; `None` uses the machine's clock.
    pub clock: Option<Arc<dyn Clock>>,
    /// The store for credentials from signing in; `None` stores none.
    ///
    /// A provider reads it before each call, for settings that were not given. If it holds a credential of
    /// another provider or address, calls fail with `InvalidRequest` before anything is sent.
    pub token_store: Option<Arc<dyn TokenStore<Credential>>>,
    /// The header `User-Agent` of every request; `None` uses that of anyvpn.
    pub user_agent: Option<String>,
    /// The observer, which is told about the progress of calls.
    pub observer: Option<Arc<dyn CallObserver>>,
    /// The store for forwards of a provider that cannot list them; `None` stores them in the memory of
    /// the opened provider.
    pub leases: Option<Arc<dyn LeaseStore>>,
}

impl Context {
    /// Sets the limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets how calls are retried.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Sets the token store. It is for one account of one provider.
    #[must_use]
    pub fn with_token_store(self, store: Arc<dyn TokenStore<Credential>>) -> Self {
        Self { token_store: Some(store), ..self }
    }

    /// Sets the `User-Agent`.
    #[must_use]
    pub fn with_user_agent(self, user_agent: impl Into<String>) -> Self {
        Self { user_agent: Some(user_agent.into()), ..self }
    }

    /// Sets the observer.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn CallObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Sets the lease store.
    #[must_use]
    pub fn with_leases(self, leases: Arc<dyn LeaseStore>) -> Self {
        Self { leases: Some(leases), ..self }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("limits", &self.limits)
            .field("retry", &self.retry)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}
