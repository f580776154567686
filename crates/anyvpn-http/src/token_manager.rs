//! Keeps a client's token valid: one renewal at a time, whose outcome all waiting callers share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyvpn_core::{Advice, Error, Leftover, LeftoverKind, Secret, within};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::WeakShared;

use crate::locked::locked;
use crate::shared_error::copy;
use crate::token_state::{Failed, LastMade, Renewal, State, Unsaved};
use crate::{
    Binding, BoundToken, Clock, Credentials, LockedStore, RunToCompletion, TokenSource, TokenStore,
    UnsavedToken,
};

/// How long before its expiry a token is renewed; half its lifetime if that is shorter.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// A token that seems to live for less than this was issued under a wrong clock. Its expiry is then
/// ignored, and it is used until the provider refuses it.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
/// How long a caller waits for the renewal of a token that is still valid.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first and the longest pause after a failed renewal. Each failure doubles it.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5 * 60);
/// The longest pause that a server can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// The first and the highest age at which a refused token is renewed. Each renewal of a refused token
/// doubles it, until a token has lasted [`LASTING`].
const FIRST_AGE: Duration = Duration::from_secs(60);
const LONGEST_AGE: Duration = Duration::from_secs(3600);
const LASTING: Duration = Duration::from_secs(2 * 3600);

/// Supplies a client's credential, with a token from a [`TokenSource`] that a [`TokenStore`] keeps.
///
/// - At most one renewal runs at a time, for all clones and, if the store is shared, for all
///   processes. All waiting callers get its outcome, including a failure. A renewal that has begun
///   finishes even if its callers are dropped, as long as the tokio runtime lives.
/// - After a failure nothing is sent for 1 s, then 2 s and so on up to 5 min, or for as long as the
///   server asks (1 h at most). Callers get the same error meanwhile.
/// - A token is renewed 5 min before it expires, or after half its lifetime if that is shorter. If the
///   renewal fails, the token is used until it expires.
/// - A token that the provider refuses is renewed, unless it was obtained less than a minute ago. Each
///   such renewal doubles this time, up to an hour.
/// - A token that cannot be stored is still used, and storing it is tried again: see
///   [`TokenManager::unsaved`].
/// - If the store holds a token of another account, provider or base URL, that is an error before
///   anything is sent.
pub struct TokenManager<S: TokenSource>(Arc<ManagerState<S>>);

impl<S: TokenSource> Clone for TokenManager<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: TokenSource> std::fmt::Debug for TokenManager<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenManager").field("binding", &self.0.binding).finish_non_exhaustive()
    }
}

struct ManagerState<S: TokenSource> {
    source: S,
    store: Arc<dyn TokenStore<S::Token>>,
    binding: Binding,
    clock: Arc<dyn Clock>,
    state: Mutex<State<S::Token>>,
}

/// The reason for a renewal.
#[derive(Clone)]
enum Reason {
    /// There is no token, it expires soon, or it has yet to be stored.
    Age,
    /// The provider refused this token.
    Refused(Secret),
}

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Fresh,
    /// Valid, and due for renewal.
    Due,
    Ended,
}

impl<S: TokenSource> TokenManager<S> {
    /// Creates a manager for tokens that `source` obtains and `store` keeps. `clock` is the client's.
    #[must_use]
    pub fn new(
        source: S,
        store: Arc<dyn TokenStore<S::Token>>,
        binding: Binding,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(ManagerState { source, store, binding, clock, state: Mutex::default() }))
    }

    /// Returns the token that could not be stored yet; `None` if there is none.
    #[must_use]
    pub fn unsaved(&self) -> Option<UnsavedToken<S::Token>> {
        let state = self.0.state();
        let unsaved = state.unsaved.as_ref()?;
        let error = copy(unsaved.error.as_ref()?).with_leftover(leftover::<S>(&unsaved.token));
        Some(UnsavedToken { token: unsaved.token.clone(), error })
    }

    /// Returns the stored token, after checking its binding; `None` if there is none.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if it belongs to another account, provider or base URL, or cannot be read.
    pub async fn stored(&self) -> Result<Option<BoundToken<S::Token>>, Error> {
        let loaded = self.0.store.load().await;
        self.0.best(loaded)
    }

    /// Obtains a token with `make` and replaces the stored one, which must belong to the same account.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the store cannot be locked or has a token of another account, in which case
    /// `make` is not called; any error of `make`. Failing to store the new token is not an error: see
    /// [`TokenManager::unsaved`].
    pub async fn replace(
        &self,
        make: impl Future<Output = Result<S::Token, Error>> + Send + 'static,
    ) -> Result<BoundToken<S::Token>, Error> {
        let inner = Arc::clone(&self.0);
        RunToCompletion::new(async move {
            let mut locked = inner.store.lock().await?;
            let stored = inner.checked(locked.load().await?)?;
            let token = make.await?;
            Ok(inner.keep(&mut *locked, stored.as_ref(), token, 0).await)
        })
        .await
    }
}

#[async_trait]
impl<S: TokenSource> Credentials<S::Credential> for TokenManager<S> {
    async fn current(&self) -> Result<Option<S::Credential>, Error> {
        let inner = &self.0;
        let loaded = inner.store.load().await;
        let stored = inner.best(loaded)?;
        let freshness = stored.as_ref().map(|stored| inner.freshness(stored));
        let token = match (stored, freshness) {
            (Some(stored), Some(Freshness::Fresh)) if !inner.is_to_be_stored() => stored,
            (Some(stored), Some(Freshness::Fresh | Freshness::Due)) => {
                let renewal = inner.renewed(Reason::Age);
                // The old token is valid until it expires, even if the renewal fails.
                match within(&*inner.clock, PATIENCE, renewal).await {
                    Some(Ok(renewed)) => renewed,
                    Some(Err(_)) | None => stored,
                }
            }
            _ => inner.renewed(Reason::Age).await?,
        };
        Ok(Some(inner.source.credential(token.token)))
    }

    async fn renew(&self, refused: &S::Credential) -> Result<bool, Error> {
        let Some(refused) = S::secret_of(refused) else { return Ok(false) };
        let inner = &self.0;
        // A renewal in progress may have begun for another reason and end with the same token.
        for _ in 0..2 {
            let loaded = inner.store.load().await;
            match inner.best(loaded)? {
                // Another caller or process has obtained a new one.
                Some(stored) if !is_same::<S>(&stored, refused) => return Ok(true),
                Some(stored) if inner.is_young(&stored) => return Ok(false),
                _ => {}
            }
            let token = inner.renewed(Reason::Refused(refused.clone())).await?;
            if !is_same::<S>(&token, refused) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<S: TokenSource> ManagerState<S> {
    fn state(&self) -> MutexGuard<'_, State<S::Token>> {
        locked(&self.state)
    }

    fn checked(
        &self,
        stored: Option<BoundToken<S::Token>>,
    ) -> Result<Option<BoundToken<S::Token>>, Error> {
        if let Some(stored) = &stored {
            stored.binding.check(&self.binding)?;
        }
        Ok(stored)
    }

    /// Returns the newer of the loaded token and the one that could not be stored.
    fn best(
        &self,
        loaded: Result<Option<BoundToken<S::Token>>, Error>,
    ) -> Result<Option<BoundToken<S::Token>>, Error> {
        let loaded = loaded.and_then(|stored| self.checked(stored));
        let mut state = self.state();
        if let Some(unsaved) = &state.unsaved {
            // The store held one token when ours was obtained. If it now holds a third one, another
            // process has obtained that since.
            let is_superseded = match &loaded {
                Ok(Some(stored)) => {
                    unsaved.replaces.as_ref().is_none_or(|old| !is_same::<S>(stored, old))
                }
                Ok(None) | Err(_) => false,
            };
            if !is_superseded {
                return Ok(Some(unsaved.token.clone()));
            }
            state.unsaved = None;
        }
        loaded
    }

    fn is_to_be_stored(&self) -> bool {
        let now = self.clock.instant();
        self.state().unsaved.as_ref().is_some_and(|unsaved| unsaved.retry_at <= now)
    }

    /// Returns the age of the token; `None` if it is not known.
    ///
    /// The monotonic clock stops while the machine sleeps, and the time of day can be set, so the
    /// larger of the two ages is used.
    fn age(&self, token: &BoundToken<S::Token>) -> Option<Duration> {
        let by_time_of_day = token.made_at.map(|made| {
            // Negative if the clock was set back.
            Duration::try_from(self.clock.now().duration_since(made)).ok()
        });
        let state = self.state();
        let made = state.last_made.as_ref().filter(|made| is_same::<S>(token, &made.secret));
        let by_clock = made.map(|made| self.clock.instant().saturating_duration_since(made.at));
        by_time_of_day.flatten().max(by_clock)
    }

    fn freshness(&self, token: &BoundToken<S::Token>) -> Freshness {
        let Some(end) = self.source.expires_at(&token.token) else { return Freshness::Fresh };
        let life = token.made_at.map(|made| {
            // Negative if it seems to have expired before it was obtained.
            Duration::try_from(end.duration_since(made)).unwrap_or_default()
        });
        if life.is_some_and(|life| life < SHORTEST_LIFE) {
            return Freshness::Fresh;
        }
        // The token was obtained a moment ago, so whatever its expiry says, a new one would be no
        // better.
        let grace = life.map_or(FIRST_AGE, |life| FIRST_AGE.min(life / 2));
        if self.age(token).is_some_and(|age| age < grace) {
            return Freshness::Fresh;
        }
        let margin = life.map_or(MARGIN, |life| MARGIN.min(life / 2));
        let left = Duration::try_from(end.duration_since(self.clock.now())).unwrap_or_default();
        match left {
            Duration::ZERO => Freshness::Ended,
            left if left <= margin => Freshness::Due,
            _ => Freshness::Fresh,
        }
    }

    /// Returns whether the token is so new that a refusal says nothing about it.
    fn is_young(&self, token: &BoundToken<S::Token>) -> bool {
        let Some(age) = self.age(token) else { return false };
        let state = self.state();
        let made = state.last_made.as_ref().filter(|made| is_same::<S>(token, &made.secret));
        let quick = made.map_or(0, |made| made.quick_renewals);
        age < doubled(FIRST_AGE, quick, LONGEST_AGE)
    }

    /// Waits for the renewal in progress, or begins one.
    async fn renewed(self: &Arc<Self>, reason: Reason) -> Result<BoundToken<S::Token>, Error> {
        let under_way = self.state().renewal.as_ref().and_then(WeakShared::upgrade);
        let renewal = match under_way {
            Some(renewal) => renewal,
            None if self.is_to_be_stored() => self.renewal(reason),
            // Checked first, so that callers do not wait for the store's lock only to be told to wait.
            None => match self.backing_off() {
                Some(error) => return Err(copy(&error)),
                None => self.renewal(reason),
            },
        };
        RunToCompletion::new(renewal).await.map_err(|error| copy(&error))
    }

    fn renewal(self: &Arc<Self>, reason: Reason) -> Renewal<S::Token> {
        let mut state = self.state();
        if let Some(renewal) = state.renewal.as_ref().and_then(WeakShared::upgrade) {
            return renewal;
        }
        let inner = Arc::clone(self);
        let renewal = async move {
            let outcome = inner.renew(reason).await;
            inner.state().renewal = None;
            outcome
        };
        let renewal = renewal.boxed().shared();
        state.renewal = renewal.downgrade();
        renewal
    }

    /// Obtains a token, unless another process did so meanwhile, and stores it. The store's lock is
    /// held from before the first read until after the last write.
    async fn renew(&self, reason: Reason) -> Result<BoundToken<S::Token>, Arc<Error>> {
        let mut locked = self.store.lock().await?;
        let loaded = locked.load().await;
        let stored = self.best(loaded)?;
        if let Some(stored) = &stored {
            self.store_again(&mut *locked).await;
            let is_wanted = match &reason {
                Reason::Age => self.freshness(stored) != Freshness::Fresh,
                Reason::Refused(refused) => is_same::<S>(stored, refused) && !self.is_young(stored),
            };
            if !is_wanted {
                return Ok(stored.clone());
            }
        }
        if let Some(error) = self.backing_off() {
            return Err(error);
        }
        self.source.check(stored.as_ref())?;
        match self.source.make(stored.as_ref()).await {
            Ok(token) => {
                let quick = match reason {
                    Reason::Age => 0,
                    Reason::Refused(_) => self.quick_renewals(),
                };
                Ok(self.keep(&mut *locked, stored.as_ref(), token, quick).await)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Returns how many refused tokens were renewed in short succession, including this one.
    fn quick_renewals(&self) -> u32 {
        let now = self.clock.instant();
        let state = self.state();
        let made = state.last_made.as_ref();
        let made = made.filter(|made| now.saturating_duration_since(made.at) < LASTING);
        made.map_or(0, |made| made.quick_renewals.saturating_add(1))
    }

    /// Returns the error of the last attempt while it is too soon for the next one.
    fn backing_off(&self) -> Option<Arc<Error>> {
        let now = self.clock.instant();
        let state = self.state();
        let failed = state.failure.as_ref()?;
        let left = match failed.retry_at {
            None => None,
            Some(retry_at) if retry_at <= now => return None,
            Some(retry_at) => Some(retry_at - now),
        };
        let said = failed.error.detail().map(|detail| format!("{detail}; "));
        let said = said.unwrap_or_default();
        let error = copy(&failed.error);
        let error = match left {
            None => error.with_detail(format!(
                "{said}the provider has refused this sign-in before; nothing was sent"
            )),
            Some(left) => {
                let seconds = left.as_secs_f64().ceil();
                let error = error.with_detail(format!(
                    "{said}this was tried a moment ago; nothing was sent; the next attempt is in \
                     {seconds} s"
                ));
                let retries = matches!(error.advice(), Advice::Retry(_));
                if retries { error.with_retry_after(Some(left)) } else { error }
            }
        };
        Some(Arc::new(error))
    }

    /// Records a failure, so that nothing is sent for a while.
    fn failed(&self, error: Error) -> Arc<Error> {
        let now = self.clock.instant();
        let mut state = self.state();
        let failures = state.failure.as_ref().map_or(0, |failed| failed.failures);
        let back_off = doubled(FIRST_BACK_OFF, failures, LONGEST_BACK_OFF);
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_RETRY_AFTER);
        let retry_at = now.checked_add(back_off.max(asked)).unwrap_or(now);
        let is_final = self.source.is_final(&error);
        let error = Arc::new(error);
        state.failure = Some(Failed {
            error: Arc::clone(&error),
            failures: failures.saturating_add(1),
            retry_at: (!is_final).then_some(retry_at),
        });
        error
    }

    /// Stores a new token: first in memory, so that it is not lost if the store fails.
    async fn keep(
        &self,
        locked: &mut dyn LockedStore<S::Token>,
        stored: Option<&BoundToken<S::Token>>,
        token: S::Token,
        quick_renewals: u32,
    ) -> BoundToken<S::Token> {
        let at = self.clock.instant();
        let made_at = self.clock.now();
        let secret = S::secret(&token).clone();
        let token = BoundToken::new(self.binding.clone(), token).with_made_at(made_at);
        {
            let mut state = self.state();
            // The token that could not be stored last time is not in the store.
            let replaces = match state.unsaved.take() {
                Some(unsaved) => unsaved.replaces,
                None => stored.map(|stored| S::secret(&stored.token).clone()),
            };
            state.last_made = Some(LastMade { secret, at, quick_renewals });
            state.failure = None;
            state.unsaved = Some(Unsaved {
                token: token.clone(),
                replaces,
                error: None,
                failures: 0,
                retry_at: at,
            });
        }
        self.store_again(locked).await;
        token
    }

    /// Tries again to store the token that could not be stored, unless that was tried a moment ago.
    async fn store_again(&self, locked: &mut dyn LockedStore<S::Token>) {
        if !self.is_to_be_stored() {
            return;
        }
        let Some(token) = self.state().unsaved.as_ref().map(|unsaved| unsaved.token.clone()) else {
            return;
        };
        let outcome = locked.save(Some(&token)).await;
        let now = self.clock.instant();
        let mut state = self.state();
        match outcome {
            Ok(()) => state.unsaved = None,
            Err(error) => {
                tracing::warn!(
                    provider = %self.binding.provider,
                    %error,
                    "a new token cannot be stored; it is used from memory"
                );
                if let Some(unsaved) = &mut state.unsaved {
                    let wait = doubled(FIRST_BACK_OFF, unsaved.failures, LONGEST_BACK_OFF);
                    unsaved.retry_at = now.checked_add(wait).unwrap_or(now);
                    unsaved.failures = unsaved.failures.saturating_add(1);
                    unsaved.error = Some(Arc::new(error));
                }
            }
        }
    }
}

fn is_same<S: TokenSource>(token: &BoundToken<S::Token>, secret: &Secret) -> bool {
    S::secret(&token.token).expose() == secret.expose()
}

fn leftover<S: TokenSource>(token: &BoundToken<S::Token>) -> Leftover {
    let binding = token.binding.to_string();
    Leftover::new(LeftoverKind::Token, binding).with_text(S::secret(&token.token).clone())
}

/// Returns `first`, doubled `times` times, but at most `longest`.
fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(longest)
}
