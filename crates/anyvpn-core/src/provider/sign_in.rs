//! Signing in, signing out and signing up.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::{Error, Secret, Setting, Settings, Timestamp};

/// Makes a credential of what a person knows, such as a user name and a password.
///
/// Providers can make a further credential at each sign-in, and some keep it for ever: sign in once,
/// and keep what it gives.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// What signing in takes, in the order in which a person is asked for it.
    fn sign_in_fields(&self) -> &'static [Setting];

    /// Signs in with the values of [`Self::sign_in_fields`].
    ///
    /// With a token store in the [`Context`](crate::Context), the store keeps the credential, and the
    /// provider's calls use it from then on. Without one the provider stays as it is: open another one
    /// with the credential's settings.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that names each field that is missing, or when the store cannot be locked,
    /// before anything is sent; `Unauthorized` when the provider refuses the sign-in; `Ambiguous` when
    /// a credential may have been made. When the store cannot keep the credential, the error has it as
    /// what is left behind.
    async fn obtain_credential(&self, fields: &Settings) -> Result<Credential, Error>;
}

/// Ends a credential at the provider.
#[async_trait]
pub trait SignOut: Send + Sync {
    /// Ends a credential that signing in made. One that has ended already counts as ended. A token
    /// store in the [`Context`](crate::Context) then has it no more.
    ///
    /// # Errors
    ///
    /// Any failure of the call; the credential may still be good then.
    async fn revoke_credential(&self, credential: &Credential) -> Result<(), Error>;
}

/// What signing in gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Credential {
    /// What to open the provider with from now on, beside its address.
    pub settings: Settings,
    /// The provider's id of the credential, for signing out; absent where it has none.
    pub id: Option<String>,
    /// When it ends; absent where it has no end, or the provider does not say.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// A credential with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, id: None, expires_at: None }
    }
}

/// Creates accounts, where anyone may.
#[async_trait]
pub trait SignUp: Send + Sync {
    /// Creates an account. Never repeated by itself.
    ///
    /// # Errors
    ///
    /// `AlreadyExists`, `InvalidRequest` or, where the provider does not say why, `Refused` when it
    /// refuses the login; `InvalidRequest` when it needs a field that is absent, or has no place for
    /// one that is given; `Ambiguous` when the account may have been created: sign in to see.
    async fn create_account(&self, account: NewAccount) -> Result<Account, Error>;
}

/// An account to be created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewAccount {
    /// What the person signs in with: a user name or an e-mail address, as the provider has it.
    pub login: String,
    /// The password.
    pub password: Secret,
    /// An e-mail address beside the login.
    pub email: Option<String>,
    /// The currency to pay in, as ISO 4217, such as `EUR`.
    pub currency: Option<String>,
}

impl NewAccount {
    /// An account with this login and password and nothing else.
    #[must_use]
    pub fn new(login: impl Into<String>, password: Secret) -> Self {
        Self { login: login.into(), password, email: None, currency: None }
    }
}
