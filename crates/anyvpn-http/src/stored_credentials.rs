//! The credentials of a provider that was opened by its name, in the program's own token store.

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

/// The settings that a provider was opened with, filled up with those of a stored credential.
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
    /// Signs in by `make`, and keeps the credential in the token store that the program opened the
    /// provider with, where there is one. `subject` is who signs in.
    ///
    /// # Errors
    ///
    /// Any error of `make`. `InvalidRequest` when the store cannot be locked, before anything is
    /// made; or when it cannot be written, with the credential as what is left behind.
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

    /// Removes a credential that has ended from the token store that the program opened the provider
    /// with, if it is there.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the store cannot be locked, read or written.
    pub async fn forget_credential(&self, ended: &Credential) -> Result<(), Error> {
        let Some(Stored { store, .. }) = &self.0.stored else { return Ok(()) };
        let mut locked = store.lock().await?;
        match locked.load().await? {
            Some(stored) if is_same(&stored.token, ended) => locked.save(None).await,
            _ => Ok(()),
        }
    }
}

/// Whether two credentials are one: by the provider's id, or by a secret where it gives none.
fn is_same(stored: &Credential, ended: &Credential) -> bool {
    let (stored_settings, settings) = (&stored.settings, &ended.settings);
    match &ended.id {
        Some(id) => stored.id.as_ref() == Some(id),
        None => settings.keys().any(|key| stored_settings.text(key) == settings.text(key)),
    }
}
