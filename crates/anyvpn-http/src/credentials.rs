//! Where the credential of a call comes from.

use std::sync::{Arc, Mutex, PoisonError};

use anyvpn_core::{Error, ErrorKind, Secret};
use async_trait::async_trait;

use crate::{Finish, StoreLock, TokenStore};

/// Holds the credential of a client, and replaces one that the provider refuses.
#[async_trait]
pub trait Credentials<C>: Send + Sync + 'static {
    /// The credential to use now; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Whatever hindered finding one.
    async fn current(&self) -> Result<Option<C>, Error>;

    /// The same where it is at hand, with nothing to wait for; calls then use it as it is. `None`
    /// asks [`Credentials::current`].
    fn at_hand(&self) -> Option<&C> {
        None
    }

    /// Replaces a credential that the provider refused with 401, and says whether there is another
    /// one now. Called at most once a call; implementations let one caller do it for all.
    ///
    /// # Errors
    ///
    /// Whatever hindered replacing it.
    async fn renew(&self, refused: &C) -> Result<bool, Error> {
        let _ = refused;
        Ok(false)
    }
}

/// One credential that is never replaced, or none.
pub struct Fixed<C>(pub Option<C>);

#[async_trait]
impl<C: Clone + Send + Sync + 'static> Credentials<C> for Fixed<C> {
    async fn current(&self) -> Result<Option<C>, Error> {
        Ok(self.0.clone())
    }

    fn at_hand(&self) -> Option<&C> {
        self.0.as_ref()
    }
}

/// Makes a new token when there is none, or when the provider refused the one there was.
#[async_trait]
pub trait SignIn<T>: Send + Sync + 'static {
    /// Makes a token.
    ///
    /// # Errors
    ///
    /// Whatever the sign-in gave.
    async fn sign_in(&self) -> Result<T, Error>;
}

/// A token that is kept in a [`TokenStore`], and made anew by signing in: by one caller at a time,
/// for all callers and, where the store is shared, for all processes.
///
/// A sign-in that has begun comes to its end also when the caller is dropped: its token would be lost
/// otherwise, and stay at the provider.
pub struct Stored<T, S>(Arc<Signing<T, S>>);

struct Signing<T, S> {
    store: Arc<dyn TokenStore<T>>,
    sign_in: S,
    /// Why a sign-in was refused. It is not tried again: many callers with a wrong password would
    /// get the account locked.
    refused: Mutex<Option<(ErrorKind, Option<String>)>>,
}

impl<T, S> Stored<T, S> {
    /// Tokens that `sign_in` makes and `store` keeps.
    #[must_use]
    pub fn new(store: Arc<dyn TokenStore<T>>, sign_in: S) -> Self {
        Self(Arc::new(Signing { store, sign_in, refused: Mutex::new(None) }))
    }
}

impl<S: SignIn<Secret>> Signing<Secret, S> {
    /// Makes a token and keeps it.
    async fn renewed(&self) -> Result<Secret, Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((kind, message)) = refused {
            let error = Error::new(kind)
                .with_detail("the provider has refused this sign-in before; nothing was sent");
            return Err(match message {
                Some(message) => error.with_message(message),
                None => error,
            });
        }
        let token = self.sign_in.sign_in().await.inspect_err(|error| {
            if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Suspended) {
                let why = (error.kind(), error.message().map(str::to_owned));
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            }
        })?;
        self.store.save(Some(&token)).await?;
        Ok(token)
    }
}

impl<S: SignIn<Secret>> Stored<Secret, S> {
    /// Makes a token and keeps it, under the store's lock.
    async fn renewed(&self, turn: StoreLock) -> Result<Secret, Error> {
        let signing = Arc::clone(&self.0);
        Finish::new(async move {
            let _turn = turn;
            signing.renewed().await
        })
        .await
    }
}

#[async_trait]
impl<S: SignIn<Secret>> Credentials<Secret> for Stored<Secret, S> {
    async fn current(&self) -> Result<Option<Secret>, Error> {
        let store = &self.0.store;
        if let Some(token) = store.load().await? {
            return Ok(Some(token));
        }
        let turn = store.lock().await?;
        if let Some(token) = store.load().await? {
            return Ok(Some(token));
        }
        self.renewed(turn).await.map(Some)
    }

    async fn renew(&self, refused: &Secret) -> Result<bool, Error> {
        let turn = self.0.store.lock().await?;
        let kept = self.0.store.load().await?;
        // Another caller or process has signed in since.
        if kept.is_some_and(|token| token.expose() != refused.expose()) {
            return Ok(true);
        }
        self.renewed(turn).await?;
        Ok(true)
    }
}
