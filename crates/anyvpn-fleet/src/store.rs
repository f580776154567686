//! Stores orders, their progress and their journal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyvpn_core::Timestamp;
use async_trait::async_trait;

use crate::{Budget, Entry, Event, Operation, Order, OrderState, Progress, Sealed};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod group;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod rows;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tables;

pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// An error of a database. After it, it is not known whether the change was made.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct StoreError {
    why: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// Creates an error with a text for people.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), source: None }
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// A database of orders.
///
/// Each method is one transaction. All times are those of the database, so that workers whose
/// clocks differ agree on them.
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds orders, and changes those whose revision is higher. If one is refused, nothing is
    /// changed. A trial changes nothing, and returns what would happen to each order.
    ///
    /// # Errors
    ///
    /// Any error of the database, as for all methods below.
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError>;

    /// Claims orders that are due, those that have waited longest first, and gives each a higher
    /// fencing number. Orders of a stopped brand are not claimed.
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError>;

    /// Makes changes in order, each with its journal row. A change that is overtaken does not
    /// prevent the others.
    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError>;

    /// Reads one order. `None` if it does not exist.
    async fn order(&self, id: &str) -> Result<Option<Record>, StoreError>;

    /// Reads at most `limit` orders, sorted by id, that come after an id and are in one state or in
    /// any.
    async fn orders(
        &self,
        state: Option<OrderState>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// Reads the journal of an order, oldest first. It is empty if the order does not exist.
    async fn journal(&self, id: &str) -> Result<Vec<Entry>, StoreError>;

    /// Counts orders by profile and state, and returns what is due.
    async fn summary(&self) -> Result<Summary, StoreError>;

    /// Resumes a stopped brand.
    async fn resume(&self, profile: &str) -> Result<(), StoreError>;

    /// Limits how often an operation may be sent for all orders of a profile. `None` removes the
    /// limit.
    async fn set_budget(
        &self,
        profile: &str,
        operation: &str,
        budget: Option<Budget>,
    ) -> Result<(), StoreError>;
}

/// An order with its sealed password, to be imported. The password is only used if the order is new.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The order.
    pub order: Order,
    /// Its password.
    pub sealed: Sealed,
}

/// The result of importing an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// The order is new.
    New,
    /// The order has a higher revision than before.
    Changed,
    /// The order already exists and is unchanged.
    Same,
    /// The order contradicts the existing one.
    Refused(String),
}

/// Which orders to claim.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// The name of the worker, for the journal.
    pub worker: String,
    /// The profiles whose orders the worker can handle.
    pub profiles: Vec<String>,
    /// The worker's monotonic time before the claim.
    pub instant: Instant,
    /// How long no other worker may claim the orders.
    pub lease: Duration,
    /// The maximum number of orders.
    pub limit: u32,
    /// Claims only this order, even if it is not due, unless another worker has it. `None` claims
    /// all that are due.
    pub only: Option<String>,
}

/// An order that a worker has claimed for some time.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The order as it was when it was claimed.
    pub order: Order,
    /// Its password.
    pub sealed: Sealed,
    /// What is known about its customer.
    pub progress: Progress,
    /// The state of the order.
    pub state: OrderState,
    /// The fencing number, which is higher than that of any earlier claim.
    pub fence: u64,
    /// When other workers may claim it.
    pub lease_until: Timestamp,
    /// The time of the claim.
    pub now: Timestamp,
    /// The worker's monotonic time before the claim.
    pub claimed: Instant,
    /// How long the lease is.
    pub lease: Duration,
    /// Whether reading customers of this profile has a budget.
    pub is_find_limited: bool,
}

/// A change of the database.
#[derive(Clone, Debug)]
pub enum Change {
    /// An operation is about to be sent.
    Begin(Box<Begin>),
    /// A step has ended.
    Finish(Box<Finish>),
    /// A call that changes nothing is about to be sent.
    Reserve {
        /// The profile.
        profile: String,
        /// The name of the operation.
        operation: &'static str,
    },
}

impl Change {
    /// Returns the id of the order that it changes; `None` if it changes none.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn id(&self) -> Option<&String> {
        match self {
            Self::Begin(begin) => Some(&begin.id),
            Self::Finish(finish) => Some(&finish.id),
            Self::Reserve { .. } => None,
        }
    }
}

/// The intent to send an operation.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The id of the order.
    pub id: String,
    /// The fencing number of the claim.
    pub fence: u64,
    /// The revision of the claim.
    pub revision: u32,
    /// What is known from now on.
    pub progress: Progress,
    /// The operation.
    pub operation: Operation,
}

/// The end of a step.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The id of the order.
    pub id: String,
    /// The fencing number of the claim.
    pub fence: u64,
    /// The revision of the claim.
    pub revision: u32,
    /// What is known now.
    pub progress: Progress,
    /// The state of the order. An order with a newer revision is pending, whatever this says.
    pub state: OrderState,
    /// When the order is due again. `None` means never.
    pub due: Option<Timestamp>,
    /// The event. `None` writes no journal row.
    pub event: Option<Event>,
    /// A change for all orders of the profile, or `None`.
    pub brand: Option<Brand>,
}

/// A change for all orders of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brand {
    /// Nothing is sent any more, for this reason, until [`Store::resume`].
    Stop(String),
    /// An operation is paused until this time.
    Hold {
        /// The name of the operation.
        operation: &'static str,
        /// The time.
        until: Timestamp,
    },
}

/// The result of a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The change was made, and is durable.
    Done,
    /// The change was not made: another worker claimed the order, or, for an intent, the order has
    /// changed.
    Overtaken,
    /// The change was not made: the budget has no room before this time.
    Later(Timestamp),
}

/// An order and its state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The order.
    pub order: Order,
    /// Its password.
    pub sealed: Sealed,
    /// What is known of its customer.
    pub progress: Progress,
    /// Its state.
    pub state: OrderState,
    /// The reason for the state. Absent if the state needs none.
    pub reason: Option<String>,
    /// When it is due. `None` means never.
    pub due: Option<Timestamp>,
    /// Its fencing number.
    pub fence: u64,
}

/// Counts of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of orders for each profile and state. States without orders are absent.
    pub counts: BTreeMap<(String, OrderState), u64>,
    /// The number of due orders, including those that a worker has claimed.
    pub due: u64,
    /// Since when the order that has waited longest is due. `None` if none is due.
    pub oldest_due: Option<Timestamp>,
    /// When the next order becomes due. `None` if none will.
    pub next_due: Option<Timestamp>,
    /// Since when the oldest ambiguous order has been ambiguous. `None` if there is none.
    pub oldest_ambiguous: Option<Timestamp>,
    /// The brands that are stopped, with the reason.
    pub stopped: BTreeMap<String, String>,
}

impl Summary {
    /// Returns the number of orders in a state, for all profiles.
    #[must_use]
    pub fn count(&self, state: OrderState) -> u64 {
        self.counts.iter().filter(|((_, other), _)| *other == state).map(|(_, count)| count).sum()
    }

    /// Returns the number of orders.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Returns the reason that a record shows after an event.
pub(crate) fn reason(state: OrderState, event: Option<&Event>) -> Option<String> {
    let has_reason =
        matches!(state, OrderState::Parked | OrderState::Drifted | OrderState::Ambiguous);
    event.filter(|_| has_reason).map(Event::to_string)
}
