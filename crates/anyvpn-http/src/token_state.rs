//! The state that a [`TokenManager`](crate::TokenManager) keeps between calls.

use std::sync::Arc;
use std::time::Instant;

use anyvpn_core::{Error, Secret};
use futures_core::future::BoxFuture;
use futures_util::future::{Shared, WeakShared};

use crate::BoundToken;

/// A renewal in progress. Errors are shared, since they cannot be cloned.
pub(crate) type Renewal<T> = Shared<BoxFuture<'static, Result<BoundToken<T>, Arc<Error>>>>;
pub(crate) type WeakRenewal<T> = WeakShared<BoxFuture<'static, Result<BoundToken<T>, Arc<Error>>>>;

pub(crate) struct State<T> {
    /// Weak, so that a renewal that nobody polls releases the store's lock.
    pub(crate) renewal: Option<WeakRenewal<T>>,
    pub(crate) unsaved: Option<Unsaved<T>>,
    pub(crate) last_made: Option<LastMade>,
    pub(crate) failure: Option<Failed>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { renewal: None, unsaved: None, last_made: None, failure: None }
    }
}

/// A token that could not be stored.
pub(crate) struct Unsaved<T> {
    pub(crate) token: BoundToken<T>,
    /// The token that the store held instead.
    pub(crate) replaces: Option<Secret>,
    /// Why it could not be stored; `None` until the first attempt has ended.
    pub(crate) error: Option<Arc<Error>>,
    pub(crate) failures: u32,
    /// When storing it will be tried again.
    pub(crate) retry_at: Instant,
}

/// The token that this process obtained last.
pub(crate) struct LastMade {
    pub(crate) secret: Secret,
    pub(crate) at: Instant,
    /// How many refused tokens were renewed in short succession.
    pub(crate) quick_renewals: u32,
}

/// The last failure to obtain a token.
pub(crate) struct Failed {
    pub(crate) error: Arc<Error>,
    pub(crate) failures: u32,
    /// When to try again; `None` means never.
    pub(crate) retry_at: Option<Instant>,
}
