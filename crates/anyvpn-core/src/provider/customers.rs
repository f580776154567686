//! A reseller's customers.

use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use super::{Service, Status};
use crate::{Error, Secret, Timestamp};

/// A reseller's customers, each named by a natural key: the e-mail address or the user name that the
/// provider accepts only once.
///
/// No call here is repeated by itself once it may have arrived. Who must never create a customer
/// twice relies on [`Self::create_customer`], which reads before it creates and after it is in doubt.
#[async_trait]
pub trait Customers: Send + Sync {
    /// The name of the natural key for people, such as `e-mail address`.
    fn customer_key(&self) -> &'static str;

    /// The plans that a customer can have, in the provider's order; empty where the provider knows
    /// one plan only.
    fn plans(&self) -> &'static [Plan];

    /// Reads a customer; `None` when the provider says that there is none.
    ///
    /// # Errors
    ///
    /// Any failure of the call. A reply that is not the provider's own never means `None`.
    async fn find_customer(&self, key: &str) -> Result<Option<Customer>, Error>;

    /// Makes sure that a customer exists, without ever creating one twice.
    ///
    /// Reads first, creates only when the customer is not found, and reads again when the outcome of
    /// creating is unknown. A customer who exists with another plan is not changed.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the key is taken by a customer of somebody else; `InvalidRequest` for a
    /// field that is missing or refused; `InsufficientBalance` when the reseller's balance is used up;
    /// `Ambiguous`, with the customer in [`Error::left_behind`], when it may or may not have been
    /// created.
    async fn create_customer(&self, customer: NewCustomer) -> Result<CreatedCustomer, Error>;

    /// Sends one creation, and reads neither before nor after it.
    ///
    /// This is for programs that keep a journal of what they send, such as `anyvpn-fleet`. All others
    /// want [`Self::create_customer`], which never creates a customer twice.
    ///
    /// # Errors
    ///
    /// As [`Self::create_customer`], except that an error which advises to read back says nothing about
    /// whether the customer exists.
    async fn add_customer(&self, customer: NewCustomer) -> Result<Customer, Error>;

    /// Checks a customer to be created, as far as that is possible without sending anything.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for a field that is missing, or that the provider would refuse.
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
    /// `NotFound` for an unknown customer, or `Refused` or `InvalidRequest` where the provider does not
    /// say why, as in all that follows; `InvalidRequest` for a password that the provider does not
    /// accept.
    async fn set_customer_password(&self, key: &str, password: Secret) -> Result<(), Error>;

    /// Closes a customer's account, at once and for good. A closed customer is no longer found, or is
    /// found without anything active.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `Ambiguous` when it may be closed: find the customer to
    /// see.
    async fn close_customer(&self, key: &str) -> Result<(), Error>;

    /// Listing the customers; `None` where the provider has no list.
    fn customer_list(&self) -> Option<&dyn ListCustomers> {
        None
    }

    /// Changing a customer's plan; `None` where the provider knows one plan only.
    fn plan_change(&self) -> Option<&dyn ChangePlan> {
        None
    }

    /// Suspending customers; `None` where the provider has no call for it.
    fn customer_suspension(&self) -> Option<&dyn SuspendCustomers> {
        None
    }

    /// Ending a customer's service later; `None` where the provider has no call for it.
    fn customer_end(&self) -> Option<&dyn EndCustomers> {
        None
    }
}

/// The usual [`Customers::settle_time`].
const SETTLE_TIME: Duration = Duration::from_secs(15);

/// Lists a reseller's customers.
#[async_trait]
pub trait ListCustomers: Send + Sync {
    /// All customers, in the provider's order, page by page. Nothing is sent before the stream is
    /// polled. A customer is given once, also when the list changes meanwhile.
    fn list_customers(&self) -> BoxStream<'_, Result<Customer, Error>>;
}

/// Changes a customer's plan.
#[async_trait]
pub trait ChangePlan: Send + Sync {
    /// Gives a customer another plan in place of the present one, or a first one. Costs what the
    /// provider charges for it; never repeated by itself. Nothing is bought for a customer who has the
    /// plan already.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `InvalidRequest` for an unknown plan, or when it is not
    /// clear which of several plans to replace; `Ambiguous` when it may be done: find the customer to
    /// see.
    async fn change_plan(&self, key: &str, plan: &str) -> Result<(), Error>;
}

/// Suspends and resumes customers.
#[async_trait]
pub trait SuspendCustomers: Send + Sync {
    /// Suspends a customer, who can no longer connect. One who is suspended stays so.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer.
    async fn suspend_customer(&self, key: &str) -> Result<(), Error>;

    /// Ends a suspension. One who is not suspended stays so.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `InsufficientBalance` when the reseller's balance is used
    /// up.
    async fn resume_customer(&self, key: &str) -> Result<(), Error>;
}

/// Ends a customer's service at a later time.
#[async_trait]
pub trait EndCustomers: Send + Sync {
    /// Says when a customer's service ends.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown customer; `InvalidRequest` for an end that the provider has no way
    /// to keep.
    async fn end_customer(&self, key: &str, end: CustomerEnd) -> Result<(), Error>;

    /// Checks whether the provider has a way to keep this end. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if it has none.
    fn check_end(&self, end: CustomerEnd) -> Result<(), Error>;
}

/// When a customer's service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CustomerEnd {
    /// When what is paid for ends.
    PaidPeriod,
    /// At the provider's next daily run, as a rule at midnight.
    NextRun,
    /// At this time; providers that count in days take the day in UTC.
    At(Timestamp),
    /// Never by itself: the service is renewed.
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
    /// A plan.
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
    /// The password. A password that the provider makes would be lost with a lost reply.
    pub password: Secret,
    /// The [`Plan::id`]; absent where the provider knows one plan only.
    pub plan: Option<String>,
    /// The country, as ISO 3166-1 alpha-2, such as `US`; some providers need it, and the others
    /// ignore it.
    pub country: Option<String>,
}

impl NewCustomer {
    /// A customer with this key and password and nothing else.
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
    /// This call created the customer, with the password that was given.
    Created(Customer),
    /// The customer was there before this call. The password is not the one that was given.
    Existed(Customer),
    /// The customer was found after a creation whose outcome is unknown: this call or another one
    /// created it, and nothing is known of the password.
    FoundAfterDoubt(Customer),
}

impl CreatedCustomer {
    /// The customer, however it came to be there.
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
    /// The provider's own id; absent where it has none.
    pub id: Option<String>,
    /// Whether the customer can connect.
    pub status: Status,
    /// The customer's services, in the provider's order. Empty if there are none.
    pub services: Vec<Service>,
    /// The [`Plan::id`] of the active service; absent when there is none, or several, or when the
    /// provider's word for it is not known.
    pub plan: Option<String>,
    /// When the service ends unless it is renewed; absent if the provider does not say.
    pub expires_at: Option<Timestamp>,
}

impl Customer {
    /// A customer of whom only key and status are known.
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
