//! A reseller's customers.

use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use super::{Service, Status};
use crate::{Error, Secret, Timestamp};

/// A reseller's customers. Each is identified by a natural key: the e-mail address or user name that
/// the provider accepts only once.
///
/// No call of this trait is retried automatically once it may have arrived. Programs that must never
/// create a customer twice use [`Self::create_customer`], which reads before it creates, and again if
/// the outcome is unknown.
#[async_trait]
pub trait Customers: Send + Sync {
    /// Returns the name of the natural key for people, such as `e-mail address`.
    fn customer_key(&self) -> &'static str;

    /// Returns the plans that a customer can have, in the provider's order; empty if the provider has
    /// only one plan.
    fn plans(&self) -> &'static [Plan];

    /// Reads a customer; `None` if the provider says that there is none.
    ///
    /// # Errors
    ///
    /// Any failure of the call. A reply that is not the provider's own never means `None`.
    async fn find_customer(&self, key: &str) -> Result<Option<Customer>, Error>;

    /// Makes sure that a customer exists, without ever creating one twice.
    ///
    /// This reads first, creates only if the customer is not found, and reads again if the outcome of
    /// the creation is unknown. A customer who exists with another plan is not changed.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if another reseller's customer has the key; `InvalidRequest` if a field is
    /// missing or refused; `InsufficientBalance` if the reseller's balance is used up; `Ambiguous`,
    /// with the customer in [`Error::left_behind`], if it may or may not have been created.
    async fn create_customer(&self, customer: NewCustomer) -> Result<CreatedCustomer, Error>;

    /// Sends one creation, without reading before or after it.
    ///
    /// This is for programs that keep a journal of what they send, such as `anyvpn-fleet`. All others
    /// should use [`Self::create_customer`], which never creates a customer twice.
    ///
    /// # Errors
    ///
    /// As [`Self::create_customer`], except that an error with the advice to read back does not tell
    /// whether the customer exists.
    async fn add_customer(&self, customer: NewCustomer) -> Result<Customer, Error>;

    /// Checks a customer before creation, as far as possible without sending anything.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if a field is missing, or if the provider would refuse it.
    fn check_customer(&self, customer: &NewCustomer) -> Result<(), Error> {
        let _ = customer;
        Ok(())
    }

    /// Returns how long a call whose answer was lost can still take effect. After that time, a customer
    /// who is not found, twice and this time apart, was not created. Default 15 s: web servers usually
    /// end a request within 30 s.
    fn settle_time(&self) -> Duration {
        SETTLE_TIME
    }

    /// Sets a customer's password.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; here and below, `Refused` or `InvalidRequest` if the
    /// provider does not say why. `InvalidRequest` if the provider does not accept the password.
    async fn set_customer_password(&self, key: &str, password: Secret) -> Result<(), Error>;

    /// Closes a customer's account, immediately and permanently. A closed customer is no longer found,
    /// or is found without anything active.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `Ambiguous` if the account may have been closed: find the
    /// customer to see.
    async fn close_customer(&self, key: &str) -> Result<(), Error>;

    /// Returns the trait for listing customers; `None` if the provider has no list.
    fn customer_list(&self) -> Option<&dyn ListCustomers> {
        None
    }

    /// Returns the trait for changing a customer's plan; `None` if the provider has only one plan.
    fn plan_change(&self) -> Option<&dyn ChangePlan> {
        None
    }

    /// Returns the trait for suspending customers; `None` if the provider has no call for it.
    fn customer_suspension(&self) -> Option<&dyn SuspendCustomers> {
        None
    }

    /// Returns the trait for ending a customer's service later; `None` if the provider has no call for
    /// it.
    fn customer_end(&self) -> Option<&dyn EndCustomers> {
        None
    }
}

/// The default [`Customers::settle_time`].
const SETTLE_TIME: Duration = Duration::from_secs(15);

/// Lists a reseller's customers.
#[async_trait]
pub trait ListCustomers: Send + Sync {
    /// Returns all customers, in the provider's order, page by page. Nothing is sent before the stream
    /// is polled. Each customer is returned once, even if the list changes meanwhile.
    fn list_customers(&self) -> BoxStream<'_, Result<Customer, Error>>;
}

/// Changes a customer's plan.
#[async_trait]
pub trait ChangePlan: Send + Sync {
    /// Replaces a customer's plan, or gives the customer a first one. This costs what the provider
    /// charges for it, and is never retried automatically. Nothing is bought for a customer who
    /// already has the plan.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `InvalidRequest` for an unknown plan, or if it is not clear
    /// which of several plans to replace; `Ambiguous` if it may have been done: find the customer to
    /// see.
    async fn change_plan(&self, key: &str, plan: &str) -> Result<(), Error>;
}

/// Suspends and resumes customers.
#[async_trait]
pub trait SuspendCustomers: Send + Sync {
    /// Suspends a customer, who can then no longer connect. A suspended customer stays suspended.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer.
    async fn suspend_customer(&self, key: &str) -> Result<(), Error>;

    /// Ends a suspension. A customer who is not suspended does not change.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `InsufficientBalance` if the reseller's balance is used up.
    async fn resume_customer(&self, key: &str) -> Result<(), Error>;
}

/// Ends a customer's service at a later time.
#[async_trait]
pub trait EndCustomers: Send + Sync {
    /// Sets when a customer's service ends.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `InvalidRequest` if the provider does not support this end.
    async fn end_customer(&self, key: &str, end: CustomerEnd) -> Result<(), Error>;

    /// Checks whether the provider supports this end. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if it does not.
    fn check_end(&self, end: CustomerEnd) -> Result<(), Error>;
}

/// When a customer's service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CustomerEnd {
    /// At the end of the paid period.
    PaidPeriod,
    /// At the provider's next daily run, usually at midnight.
    NextRun,
    /// At this time; providers that count in days use the day in UTC.
    At(Timestamp),
    /// Never: the service is renewed automatically.
    Never,
}

/// A plan that a customer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Plan {
    /// The id for [`NewCustomer::plan`] and [`ChangePlan::change_plan`], such as `12-months`.
    pub id: &'static str,
    /// The name for people, such as `12 months`.
    pub title: &'static str,
}

impl Plan {
    /// Creates a plan.
    #[must_use]
    pub const fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title }
    }
}

/// A customer to be created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewCustomer {
    /// The natural key: see [`Customers::customer_key`].
    pub key: String,
    /// The password. The caller chooses it, because a password that the provider generates would be
    /// lost with a lost reply.
    pub password: Secret,
    /// The [`Plan::id`]; absent if the provider has only one plan.
    pub plan: Option<String>,
    /// The country, as ISO 3166-1 alpha-2, such as `US`; some providers need it, and the others
    /// ignore it.
    pub country: Option<String>,
}

impl NewCustomer {
    /// Creates the input with this key and password and nothing else.
    #[must_use]
    pub fn new(key: impl Into<String>, password: Secret) -> Self {
        Self { key: key.into(), password, plan: None, country: None }
    }
}

/// The outcome of [`Customers::create_customer`].
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CreatedCustomer {
    /// This call created the customer, with the given password.
    Created(Customer),
    /// The customer existed before this call, so the password is not the given one.
    Existed(Customer),
    /// The customer was found after a creation whose outcome was unknown. This call or another one
    /// created it, so the password is not known.
    FoundAfterDoubt(Customer),
}

impl CreatedCustomer {
    /// Returns the customer, whatever the outcome.
    #[must_use]
    pub fn customer(&self) -> &Customer {
        match self {
            Self::Created(customer) | Self::Existed(customer) | Self::FoundAfterDoubt(customer) => {
                customer
            }
        }
    }
}

/// A customer of a reseller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Customer {
    /// The natural key.
    pub key: String,
    /// The provider's own id; absent if it has none.
    pub id: Option<String>,
    /// Whether the customer can connect.
    pub status: Status,
    /// The customer's services, in the provider's order. Empty if there are none.
    pub services: Vec<Service>,
    /// The [`Plan::id`] of the active service; absent if there is no active service or more than one,
    /// or if the provider's word for it is not known.
    pub plan: Option<String>,
    /// When the service ends unless it is renewed; absent if the provider does not say.
    pub expires_at: Option<Timestamp>,
}

impl Customer {
    /// Creates a customer of whom only the key and status are known.
    #[must_use]
    pub fn new(key: impl Into<String>, status: Status) -> Self {
        Self {
            key: key.into(),
            id: None,
            status,
            services: Vec::new(),
            plan: None,
            expires_at: None,
        }
    }
}
