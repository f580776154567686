//! Signing in, signing out and signing up.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::{Error, Secret, Setting, Settings, Timestamp};

/// Obtains a credential from a user name and a password, or other fields that a person knows.
///
/// Each sign-in may create another credential, and some providers keep it forever. So sign in once, and
/// store the credential.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Returns the fields for signing in, in the order in which people are asked for them.
    fn sign_in_fields(&self) -> &'static [Setting];

    /// Signs in with the values of [`Self::sign_in_fields`].
    ///
    /// With a token store in the [`Context`](crate::Context), the credential is stored there, and the
    /// provider's calls use it from then on. Without one, this provider does not change: open it again
    /// with the credential's settings.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that names each missing field, or if the store cannot be locked, before
    /// anything is sent; `Unauthorized` if the provider refuses the sign-in; `Ambiguous` if a
    /// credential may have been created. If the credential cannot be stored, the error lists it as left
    /// behind.
    async fn obtain_credential(&self, fields: &Settings) -> Result<Credential, Error>;
}

/// Revokes credentials.
#[async_trait]
pub trait SignOut: Send + Sync {
    /// Revokes a credential from signing in, and removes it from a token store in the
    /// [`Context`](crate::Context). A credential that is no longer valid is not an error.
    ///
    /// # Errors
    ///
    /// Any failure of the call. The credential may then still be valid.
    async fn revoke_credential(&self, credential: &Credential) -> Result<(), Error>;
}

/// A credential from signing in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Credential {
    /// The settings to open the provider with from now on, besides its address.
    pub settings: Settings,
    /// The provider's id of the credential, for signing out; absent if it has none.
    pub id: Option<String>,
    /// When it expires; absent if it does not expire, or if the provider does not say.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// Creates a credential with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, id: None, expires_at: None }
    }
}

/// Creates accounts, if anyone may.
#[async_trait]
pub trait SignUp: Send + Sync {
    /// Creates an account. The call is never retried automatically.
    ///
    /// # Errors
    ///
    /// If the provider refuses the login: `AlreadyExists`, `InvalidRequest` or, if it does not say why,
    /// `Refused`. `InvalidRequest` if a required field is absent, or if the provider does not accept a
    /// given one. `Ambiguous` if the account may have been created: sign in to see.
    async fn create_account(&self, account: NewAccount) -> Result<Account, Error>;
}

/// The input for creating an account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewAccount {
    /// The user name or email address for signing in, depending on the provider.
    pub login: String,
    /// The password.
    pub password: Secret,
    /// An email address besides the login; absent if not given.
    pub email: Option<String>,
    /// The currency to pay in, as in ISO 4217, such as `EUR`; absent if not given.
    pub currency: Option<String>,
}

impl NewAccount {
    /// Creates the input with this login and password and nothing else.
    #[must_use]
    pub fn new(login: impl Into<String>, password: Secret) -> Self {
        Self { login: login.into(), password, email: None, currency: None }
    }
}
