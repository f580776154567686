//! What a program gives to the providers that it opens, besides their settings.

use std::fmt;
use std::sync::Arc;

use crate::{CallObserver, Clock, Credential, LeaseStore, Limits, RetryPolicy, TokenStore};

/// What a program gives to the providers that it opens, besides their settings: bounds, retries, time,
/// stores of tokens and of leases, and who watches the calls. The default is that of each provider.
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
    /// What a call may take at most.
    pub limits: Limits,
    /// How a call is repeated.
    pub retry: RetryPolicy,
    /// The clock; `None` for that of this machine.
    pub clock: Option<Arc<dyn Clock>>,
    /// Where credentials are kept that signing in makes; `None` for nowhere.
    ///
    /// A provider reads it before each call, and takes from it what the settings do not give. What it
    /// holds for another provider or address is an `InvalidRequest`, before anything is sent.
    pub token_store: Option<Arc<dyn TokenStore<Credential>>>,
    /// The header `User-Agent` of every request; `None` for that of anyvpn.
    pub user_agent: Option<String>,
    /// Who is told what calls do while they run.
    pub observer: Option<Arc<dyn CallObserver>>,
    /// Where forwards are stored if the provider cannot list them; `None` for the memory of the opened
    /// provider.
    pub leases: Option<Arc<dyn LeaseStore>>,
}

impl Context {
    /// The same with these bounds.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with this way of repeating.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// The same with this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same with this token store. It is for one account of one provider.
    #[must_use]
    pub fn with_token_store(self, store: Arc<dyn TokenStore<Credential>>) -> Self {
        Self { token_store: Some(store), ..self }
    }

    /// The same with this `User-Agent`.
    #[must_use]
    pub fn with_user_agent(self, user_agent: impl Into<String>) -> Self {
        Self { user_agent: Some(user_agent.into()), ..self }
    }

    /// The same with this observer.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn CallObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The same with this store of forwards.
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
