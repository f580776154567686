//! The sources of tokens, for [`TokenManager`](crate::TokenManager).

use anyvpn_core::{Error, Secret, Timestamp};
use async_trait::async_trait;

use crate::BoundToken;

/// Obtains the tokens of one account, by signing in or by refreshing.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// The token, or set of tokens, that is stored.
    type Token: Clone + Send + Sync + 'static;
    /// The credential that calls carry.
    type Credential: Send + Sync + 'static;

    /// Returns the credential for calls with this token.
    fn credential(&self, token: Self::Token) -> Self::Credential;

    /// Returns the part of a token that calls carry, which identifies it.
    fn secret(token: &Self::Token) -> &Secret;

    /// Returns the same part of a credential; `None` if it was not made from a token.
    fn secret_of(credential: &Self::Credential) -> Option<&Secret>;

    /// Returns when the token expires; `None` if that is not known.
    fn expires_at(&self, token: &Self::Token) -> Option<Timestamp> {
        let _ = token;
        None
    }

    /// Checks whether a token can be obtained, given the stored one.
    ///
    /// # Errors
    ///
    /// If the provider is known to refuse. In that case nothing is sent.
    fn check(&self, stored: Option<&BoundToken<Self::Token>>) -> Result<(), Error> {
        let _ = stored;
        Ok(())
    }

    /// Obtains a token; `stored` is the one that it replaces.
    ///
    /// # Errors
    ///
    /// Any error of the call that obtains it.
    async fn make(&self, stored: Option<&BoundToken<Self::Token>>) -> Result<Self::Token, Error>;

    /// Returns whether this error is final, so that the same attempt is not retried. A refused
    /// password is final: repeating it could get the account locked.
    fn is_final(&self, error: &Error) -> bool {
        let _ = error;
        false
    }
}

/// A token that could not be stored. It is valid, and used as long as this client lives.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnsavedToken<T> {
    /// The token, to be stored elsewhere.
    pub token: BoundToken<T>,
    /// Why it could not be stored; the token is listed in [`Error::left_behind`].
    pub error: Error,
}
