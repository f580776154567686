//! An operation as a value, and what a provider's dialect adds to it.

use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, OperationId, Replay, Secret};
use serde::de::DeserializeOwned;

use crate::{Client, Reply, Request};

/// Which credentials an operation takes: the `security` of its OpenAPI entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// The names of the schemes of which one is to be used; empty when a credential is not sent.
    pub schemes: &'static [&'static str],
    /// Whether the operation works without a credential as well.
    pub anonymous: bool,
}

impl Security {
    /// No credential is sent, even where there is one.
    pub const NONE: Self = Self { schemes: &[], anonymous: true };

    /// One of these schemes is needed.
    #[must_use]
    pub const fn required(schemes: &'static [&'static str]) -> Self {
        Self { schemes, anonymous: false }
    }

    /// One of these schemes is used where there is a credential.
    #[must_use]
    pub const fn optional(schemes: &'static [&'static str]) -> Self {
        Self { schemes, anonymous: true }
    }

    /// Puts a bearer token into the request as it allows: the whole [`Dialect::attach`] of a provider
    /// whose every scheme is a bearer token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] when a token is needed and there is none.
    pub fn attach_bearer(self, token: Option<&Secret>, request: &mut Request) -> Result<(), Error> {
        match token {
            Some(token) if !self.schemes.is_empty() => request.bearer(token),
            None if !self.anonymous => Err(Error::new(ErrorKind::Unauthorized)
                .with_detail("this call needs a token and there is none; nothing was sent")),
            _ => Ok(()),
        }
    }
}

/// One call of a provider's API, as a value.
///
/// Implementations are generated from the provider's OpenAPI document; [`Client::call`] is the only
/// thing that sends one.
///
/// [`Client::call`]: crate::Client::call
pub trait Operation: Send + Sync {
    /// The provider's dialect.
    type Dialect: Dialect;
    /// What a success gives.
    type Output: Send;
    /// The name everywhere.
    const ID: OperationId;
    /// Whether it may be sent again.
    const REPLAY: Replay;

    /// Which credentials it takes.
    fn security(&self) -> Security;

    /// The request, without a credential. Pure.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](anyvpn_core::ErrorKind::InvalidRequest) for input that must not
    /// be sent, such as an empty path segment.
    fn request(&self) -> Result<Request, Error>;

    /// What a reply means. Pure. It is asked for every reply but 429 and 5xx.
    ///
    /// # Errors
    ///
    /// The provider's refusal, or
    /// [`ErrorKind::UnexpectedReply`](anyvpn_core::ErrorKind::UnexpectedReply).
    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error>;
}

/// How one provider differs from the others.
pub trait Dialect: Sized + Send + Sync + 'static {
    /// What applications hold: a [`Client`] with the provider's neutral traits.
    type Provider: From<Client<Self>>;
    /// What the provider accepts as proof of who is calling.
    type Credential: Clone + Send + Sync + 'static;

    /// The shortest time between two calls of an operation, where the vendor has set one.
    fn pace(operation: OperationId) -> Option<Duration> {
        let _ = operation;
        None
    }

    /// Whether [`Self::pace`] does not hold for this credential.
    fn unpaced(credential: Option<&Self::Credential>) -> bool {
        let _ = credential;
        false
    }

    /// Puts the credential into the request, as the operation's `security` allows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`](anyvpn_core::ErrorKind::Unauthorized) when the operation needs a
    /// credential and there is none that it takes. Nothing is sent then.
    fn attach(
        credential: Option<&Self::Credential>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error>;

    /// Splits a reply into its value or the provider's refusal.
    ///
    /// # Errors
    ///
    /// As [`Operation::decode`].
    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error>;

    /// The kind, code and message of a reply that is no success. It is also asked for 429 and 5xx.
    fn refusal(reply: &Reply) -> Error;
}
