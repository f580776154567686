//! The credentials of a provider that was opened by name, in the program's token store.

use std::sync::Arc;

use anyvpn_core::{
    Binding, BoundToken, Credential, Error, Leftover, LeftoverKind, Settings, TokenStore,
};
use async_trait::async_trait;

use crate::{Client, Credentials, Dialect};

/// A program's token store, and the provider that it is for.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) provider: &'static str,
    /// The base URL that the credential is for.
    pub(crate) base_url: String,
    pub(crate) store: Arc<dyn TokenStore<Credential>>,
}

/// The settings with which a provider was opened, supplemented by those of a stored credential.
pub(crate) struct StoredCredentials<C> {
    pub(crate) stored: Stored,
    pub(crate) settings: Settings,
    pub(crate) credential: fn(&Settings) -> Option<C>,
}

#[async_trait]
impl<C: Send + Sync + 'static> Credentials<C> for StoredCredentials<C> {
    async fn current(&self) -> Result<Option<C>, Error> {
        let mut settings = self.settings.clone();
        let Stored { provider, base_url, store } = &self.stored;
        if let Some(stored) = store.load().await? {
            let subject = stored.binding.subject.clone();
            stored.binding.check(&Binding::new(*provider, base_url, subject))?;
            settings.fill_from(stored.token.settings);
        }
        Ok((self.credential)(&settings))
    }
}

impl<D: Dialect> Client<D> {
    /// Signs in with `make`, and stores the credential in the token store with which the program opened
    /// the provider, if there is one. `subject` is the user who signs in.
    ///
    /// # Errors
    ///
    /// Any error of `make`. `InvalidRequest` if the store cannot be locked, in which case `make` is not
    /// called, or if it cannot be written, in which case the error lists the credential as left behind.
    pub async fn keep_credential(
        &self,
        subject: Option<&str>,
        make: impl Future<Output = Result<Credential, Error>>,
    ) -> Result<Credential, Error> {
        let Some(Stored { provider, base_url, store }) = &self.0.stored else { return make.await };
        // Lock the store first, so that nothing is created that could not be stored.
        let mut locked = store.lock().await?;
        let credential = make.await?;
        let binding = Binding::new(*provider, base_url, subject.map(str::to_owned));
        let token = BoundToken::new(binding, credential).with_made_at(self.clock().now());
        locked.save(Some(&token)).await.map_err(|error| {
            let Credential { settings, id, .. } = &token.token;
            let mut leftover = Leftover::new(LeftoverKind::Token, id.clone().unwrap_or_default());
            if let Some(secret) = settings.keys().next().and_then(|key| settings.get(key)) {
                leftover = leftover.with_text(secret.clone());
            }
            error.with_leftover(leftover)
        })?;
        Ok(token.token)
    }

    /// Removes a credential that is no longer valid from the token store with which the program opened
    /// the provider, if it is stored there.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the store cannot be locked, read or written.
    pub async fn forget_credential(&self, ended: &Credential) -> Result<(), Error> {
        let Some(Stored { store, .. }) = &self.0.stored else { return Ok(()) };
        let mut locked = store.lock().await?;
        match locked.load().await? {
            Some(stored) if is_same(&stored.token, ended) => locked.save(None).await,
            _ => Ok(()),
        }
    }
}

/// Returns whether two credentials are the same: by the provider's id or, if there is none, by a
/// secret.
fn is_same(stored: &Credential, ended: &Credential) -> bool {
    let (stored_settings, settings) = (&stored.settings, &ended.settings);
    match &ended.id {
        Some(id) => stored.id.as_ref() == Some(id),
        None => settings.keys().any(|key| stored_settings.text(key) == settings.text(key)),
    }
}
