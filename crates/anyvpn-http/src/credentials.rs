//! Where the credential of a call comes from.

use anyvpn_core::Error;
use async_trait::async_trait;

/// Holds the credential of a client, and replaces one that the provider refuses.
#[async_trait]
pub trait Credentials<C>: Send + Sync + 'static {
    /// The credential to use now; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Whatever hindered finding one.
    async fn current(&self) -> Result<Option<C>, Error>;

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
}
