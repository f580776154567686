//! Operations as values, and the dialect that each provider adds.

use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, OperationId, Replay, Secret};
use serde::de::DeserializeOwned;

use crate::{Client, Reply, Request};

/// The credentials that an operation accepts: `security` in its OpenAPI entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// The names of the accepted schemes; empty if no credential is sent.
    pub schemes: &'static [&'static str],
    /// Whether the operation also works without a credential.
    pub anonymous: bool,
}

impl Security {
    /// No credential is sent, even if there is one.
    pub const NONE: Self = Self { schemes: &[], anonymous: true };

    /// Creates a security that needs one of these schemes.
    #[must_use]
    pub const fn required(schemes: &'static [&'static str]) -> Self {
        Self { schemes, anonymous: false }
    }

    /// Creates a security that uses one of these schemes if there is a credential.
    #[must_use]
    pub const fn optional(schemes: &'static [&'static str]) -> Self {
        Self { schemes, anonymous: true }
    }

    /// Adds a bearer token to the request. For a provider that uses only bearer tokens,
    /// [`Dialect::attach`] needs to do nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if a token is needed and there is none.
    pub fn attach_bearer(self, token: Option<&Secret>, request: &mut Request) -> Result<(), Error> {
        match token {
            Some(token) if !self.schemes.is_empty() => request.bearer(token),
            None if !self.anonymous => Err(Error::new(ErrorKind::Unauthorized)
                .with_detail("this call needs a token, but there is none; nothing was sent")),
            _ => Ok(()),
        }
    }
}

/// A call of a provider's API, as a value.
///
/// Implementations are generated from the provider's OpenAPI document. Only [`Client::call`] sends
/// them.
///
/// [`Client::call`]: crate::Client::call
pub trait Operation: Send + Sync {
    /// The provider's dialect.
    type Dialect: Dialect;
    /// The value of a successful reply.
    type Output: Send;
    /// The operation's name.
    const ID: OperationId;
    /// Whether it may be sent again.
    const REPLAY: Replay;
    /// The name of the operation's server, if the provider has several; `None` for the one at the base
    /// URL.
    const SERVER: Option<&'static str> = None;

    /// Returns the credentials that the operation accepts.
    fn security(&self) -> Security;

    /// Builds the request, without a credential. It has no side effects.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](anyvpn_core::ErrorKind::InvalidRequest) if the input must not be
    /// sent, such as an empty path segment.
    fn request(&self) -> Result<Request, Error>;

    /// Returns whether the operation removes an object. If so, "not found" after an attempt whose reply
    /// was lost counts as success. Default: true for the method DELETE.
    fn removes(&self) -> bool {
        self.request().is_ok_and(|request| *request.method() == http::Method::DELETE)
    }

    /// Decodes a reply. It has no side effects. It is called for successes (2xx), and for refusals in
    /// the provider's own form ([`Dialect::is_own_form`]) other than 429 and 5xx.
    ///
    /// # Errors
    ///
    /// The provider's refusal, or
    /// [`ErrorKind::UnexpectedReply`](anyvpn_core::ErrorKind::UnexpectedReply).
    fn decode(&self, reply: &Reply) -> Result<Self::Output, Error>;
}

/// The ways in which a provider's API differs from others.
pub trait Dialect: Sized + Send + Sync + 'static {
    /// The type that applications use: a [`Client`] with the provider's neutral traits.
    type Provider: From<Client<Self>>;
    /// The credential by which the provider identifies the caller.
    type Credential: Clone + Send + Sync + 'static;

    /// Returns the shortest time between two attempts of an operation, if the vendor has set one.
    fn min_interval(operation: OperationId) -> Option<Duration> {
        let _ = operation;
        None
    }

    /// Returns whether calls with this credential are exempt from [`Self::min_interval`].
    fn exempt(credential: Option<&Self::Credential>) -> bool {
        let _ = credential;
        false
    }

    /// Returns whether the credential may be sent to the server with this name; `None` is the one at
    /// the base URL. If it may not, operations of that server that accept a credential are refused
    /// before anything is sent.
    fn is_credential_for(server: Option<&'static str>) -> bool {
        server.is_none()
    }

    /// Adds the credential to the request, as the operation's `security` allows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`](anyvpn_core::ErrorKind::Unauthorized) if the operation needs a
    /// credential and there is no suitable one. In that case nothing is sent.
    fn attach(
        credential: Option<&Self::Credential>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error>;

    /// Decodes a reply to its value or to the provider's refusal.
    ///
    /// # Errors
    ///
    /// As [`Operation::decode`].
    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error>;

    /// Returns whether a failure has the form of the provider's refusals, so that its status and
    /// message come from the provider. It is called for all statuses except 2xx and 3xx.
    ///
    /// Anything between the caller and the provider can answer in its place: a proxy, a
    /// content-delivery network, a gateway, the login page of a network. A reply that is not in the
    /// provider's form says nothing about the account: the call ends with
    /// [`ErrorKind::Unavailable`](anyvpn_core::ErrorKind::Unavailable) (5xx),
    /// [`ErrorKind::RateLimited`](anyvpn_core::ErrorKind::RateLimited) (429) or
    /// [`ErrorKind::UnexpectedReply`](anyvpn_core::ErrorKind::UnexpectedReply), and no credential is
    /// renewed. So check for a documented key in a JSON object, and make few exceptions. If one of the
    /// provider's servers refuses without a body, make an exception for the operations and statuses of
    /// that server.
    fn is_own_form(operation: OperationId, reply: &Reply) -> bool;

    /// Returns whether a reply in the provider's own form refuses the credential with a status other
    /// than 401, so that the credential is renewed.
    fn refuses_credential(reply: &Reply) -> bool {
        let _ = reply;
        false
    }

    /// Returns the error for a refusal, with its kind, code and message. The reply is in the provider's
    /// own form, possibly with 429 or 5xx, or it is a success (2xx) that [`Self::decode`] found to be a
    /// refusal.
    fn refusal(reply: &Reply) -> Error;
}
