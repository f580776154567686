//! The account behind the credentials.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, Secret, Timestamp};

/// The account behind the credentials.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Returns the account, its status and its services. Changes nothing.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential; `Suspended` if the provider refuses the call of a
    /// suspended account.
    async fn account(&self) -> Result<Account, Error>;

    /// Returns the trait for changing the account's password; `None` if the provider has no call for
    /// it.
    fn password_change(&self) -> Option<&dyn ChangePassword> {
        None
    }

    /// Returns the trait for closing the account; `None` if the provider has no call for it.
    fn account_closing(&self) -> Option<&dyn CloseAccount> {
        None
    }
}

/// Changes the password of the account to which the credentials belong.
#[async_trait]
pub trait ChangePassword: Send + Sync {
    /// Sets the password. The call is never retried automatically.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the provider does not accept the password.
    async fn change_password(&self, password: Secret) -> Result<(), Error>;
}

/// Closes the account to which the credentials belong.
#[async_trait]
pub trait CloseAccount: Send + Sync {
    /// Closes the account, immediately and permanently. The call is never retried automatically.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the provider needs the password and none is given; `Unauthorized` or
    /// `Refused` if it is wrong; `Ambiguous` if the account may have been closed: if it was, a further
    /// call returns `Unauthorized`.
    async fn close_account(&self, password: Option<&Secret>) -> Result<(), Error>;
}

/// An account at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Account {
    /// The user name or e-mail address for signing in; absent if the provider does not say, as for an
    /// account that is accessed with a key.
    pub login: Option<String>,
    /// The e-mail address; absent if the account has none.
    pub email: Option<String>,
    /// Whether the account can be used.
    pub status: Status,
    /// The account's services, in the provider's order; empty if there are none.
    pub services: Vec<Service>,
    /// The prepaid balance as the provider writes it, such as `25.00`, in the account's currency;
    /// absent if there is none.
    pub balance: Option<String>,
    /// When it was created; absent if the provider does not say.
    pub created_at: Option<Timestamp>,
    /// When access ends unless renewed; absent if the provider does not say.
    pub expires_at: Option<Timestamp>,
}

impl Account {
    /// Creates an account of which only the status is known, and the login if there is one.
    #[must_use]
    pub fn new(login: impl Into<Option<String>>, status: Status) -> Self {
        Self {
            login: login.into(),
            email: None,
            status,
            services: Vec::new(),
            balance: None,
            created_at: None,
            expires_at: None,
        }
    }
}

/// Whether an account, a service or a configuration can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It can be used.
    Active,
    /// It cannot be used at present.
    Inactive,
    /// It has expired.
    Expired,
    /// The provider has suspended it.
    Suspended,
    /// The provider's own word or number, as it was received.
    Other(String),
}

#[cfg(feature = "serde")]
impl serde::Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = <String as serde::Deserialize>::deserialize(deserializer)?;
        let known = [Self::Active, Self::Inactive, Self::Expired, Self::Suspended];
        let found = known.into_iter().find(|status| status.to_string() == word);
        Ok(found.unwrap_or(Self::Other(word)))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Other(word) => word,
        })
    }
}

/// A plan, product or subscription of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Service {
    /// The provider's id; absent if it has none.
    pub id: Option<String>,
    /// The plan's name.
    pub name: String,
    /// Whether it can be used.
    pub status: Status,
    /// When it ends or the next payment is due; absent if the provider does not say.
    pub due_at: Option<Timestamp>,
    /// Whether it is renewed automatically; absent if the provider does not say.
    pub auto_renew: Option<bool>,
}

impl Service {
    /// Creates a service of which only the name and status are known.
    #[must_use]
    pub fn new(name: impl Into<String>, status: Status) -> Self {
        Self { id: None, name: name.into(), status, due_at: None, auto_renew: None }
    }
}
