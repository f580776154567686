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

    /// Whether it removes something, so that it has done its work when the thing is not found after an
    /// attempt that was lost. Unless an implementation says otherwise, whether the method is DELETE.
    fn removes(&self) -> bool {
        self.request().is_ok_and(|request| *request.method() == http::Method::DELETE)
    }

    /// Says what a reply means. Pure. It is called for successes (2xx), and for refusals in the
    /// provider's own form ([`Dialect::is_own_form`]) other than 429 and 5xx.
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

    /// The shortest time between two attempts of an operation, where the vendor has set one.
    fn min_interval(operation: OperationId) -> Option<Duration> {
        let _ = operation;
        None
    }

    /// Whether [`Self::min_interval`] does not hold for this credential.
    fn exempt(credential: Option<&Self::Credential>) -> bool {
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

    /// Whether a reply that is no success has the form in which the provider refuses, so that its
    /// status and words are the provider's own. It is called for every status but 2xx and 3xx.
    ///
    /// Anything between the caller and the provider can answer in its place: a proxy, a
    /// content-delivery network, a gateway, the login page of a network. A reply that is not in the
    /// provider's form says nothing about the account: the call ends with
    /// [`ErrorKind::Unavailable`](anyvpn_core::ErrorKind::Unavailable) (5xx),
    /// [`ErrorKind::RateLimited`](anyvpn_core::ErrorKind::RateLimited) (429) or
    /// [`ErrorKind::UnexpectedReply`](anyvpn_core::ErrorKind::UnexpectedReply), and no credential is
    /// renewed. So look for a documented key in a JSON object, and keep exceptions few. Where a server
    /// of the provider refuses without a body, the operations of that server are the exception, with
    /// the statuses that it uses.
    fn is_own_form(operation: OperationId, reply: &Reply) -> bool;

    /// The kind, code and message of a refusal: a reply in the provider's own form, also with 429 and
    /// 5xx, or a success (2xx) that [`Self::decode`] found to be a refusal.
    fn refusal(reply: &Reply) -> Error;
}
