//! What makes tokens, for [`TokenManager`](crate::TokenManager).

use anyvpn_core::{Error, Secret, Timestamp};
use async_trait::async_trait;

use crate::BoundToken;

/// Makes the tokens of one account: by signing in, or by refreshing.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// A token, or a set of tokens.
    type Token: Clone + Send + Sync + 'static;
    /// What the calls of a client carry.
    type Credential: Send + Sync + 'static;

    /// The credential of calls with this token.
    fn credential(&self, token: Self::Token) -> Self::Credential;

    /// The part of a token that calls carry, by which one token is told from another.
    fn secret(token: &Self::Token) -> &Secret;

    /// The same part of a credential; `None` for one that was not made of a token.
    fn secret_of(credential: &Self::Credential) -> Option<&Secret>;

    /// When the provider ends the token; `None` when that is not known.
    fn expires_at(&self, token: &Self::Token) -> Option<Timestamp> {
        let _ = token;
        None
    }

    /// Checks whether a token can be made from the stored one.
    ///
    /// # Errors
    ///
    /// When it is known that the provider would refuse. Nothing is sent then.
    fn check(&self, stored: Option<&BoundToken<Self::Token>>) -> Result<(), Error> {
        let _ = stored;
        Ok(())
    }

    /// Makes a token; `stored` is the one that it replaces.
    ///
    /// # Errors
    ///
    /// Any error of the call that makes it.
    async fn make(&self, stored: Option<&BoundToken<Self::Token>>) -> Result<Self::Token, Error>;

    /// Whether this error is the last word, so that the same attempt is never made again. A refused
    /// password is: trying it on and on would get the account locked.
    fn is_final(&self, error: &Error) -> bool {
        let _ = error;
        false
    }
}

/// A token that could not be stored. It exists, and is used as long as this client lives.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnsavedToken<T> {
    /// The token, to be kept elsewhere.
    pub token: BoundToken<T>,
    /// Why it could not be stored, with the token as what is left behind.
    pub error: Error,
}
