//! Where orders, their progress and their journal are kept.

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
mod spare;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tables;

pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// An error of a database. After it, nobody can tell whether the change was made.
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
/// Each method is one transaction. All times are those of the database, so that workers whose clocks differ agree on
/// them.
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds orders, and changes those whose revision is higher. All or none: if one is refused, nothing is changed. A
    /// trial changes nothing, and says what would become of each order.
    ///
    /// # Errors
    ///
    /// Any error of the database, as in all that follows.
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError>;

    /// Claims orders that are due, those that have waited longest first, and gives each a higher fencing number.
    /// Orders of a stopped brand are not claimed.
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError>;

    /// Makes changes, each with its journal row, in order. One that is overtaken does not hinder the others.
    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError>;

    /// Reads one order; `None` if there is none.
    async fn order(&self, id: &str) -> Result<Option<Record>, StoreError>;

    /// Reads orders by id, of one state or all, that come after an id; at most `limit`.
    async fn orders(
        &self,
        state: Option<OrderState>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// Reads the journal of an order, oldest first; empty if there is none.
    async fn journal(&self, id: &str) -> Result<Vec<Entry>, StoreError>;

    /// Counts orders by profile and state, and says what is due.
    async fn summary(&self) -> Result<Summary, StoreError>;

    /// Lets a stopped brand go on.
    async fn resume(&self, profile: &str) -> Result<(), StoreError>;

    /// Sets how often an operation may be sent for all orders of a profile; `None` removes the limit.
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

/// What became of an imported order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// It is new.
    New,
    /// Its revision is higher than before.
    Changed,
    /// It was there already, and is the same.
    Same,
    /// It contradicts what is there.
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
    /// For how long no other worker shall have them.
    pub lease: Duration,
    /// The most orders.
    pub limit: u32,
    /// Only this order, whether it is due or not, unless a worker has it; `None` for all that are due.
    pub only: Option<String>,
}

/// An order that a worker has for a while.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The order as it was when it was claimed.
    pub order: Order,
    /// Its password.
    pub sealed: Sealed,
    /// What is known of its customer.
    pub progress: Progress,
    /// Where it stands.
    pub state: OrderState,
    /// The number that no earlier claim had.
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
    /// A step is over.
    Finish(Box<Finish>),
    /// A call that changes nothing is about to be sent.
    Reserve {
        /// The profile.
        profile: String,
        /// The name of the operation.
        operation: &'static str,
    },
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
    /// Where the order stands. An order with a newer revision is pending, whatever this says.
    pub state: OrderState,
    /// When the order is due again; `None` for never.
    pub due: Option<Timestamp>,
    /// What happened; `None` writes no row.
    pub event: Option<Event>,
    /// What happens to all orders of the profile; `None` for nothing.
    pub brand: Option<Brand>,
}

/// A change for all orders of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brand {
    /// Nothing is sent any more, for this reason, until [`Store::resume`].
    Stop(String),
    /// An operation rests until this time.
    Hold {
        /// The name of the operation.
        operation: &'static str,
        /// The time.
        until: Timestamp,
    },
}

/// What became of a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is made, and durable.
    Done,
    /// It is not made: another worker claimed the order, or, for an intent, the order has changed.
    Overtaken,
    /// It is not made: the budget has no room before this time.
    Later(Timestamp),
}

/// An order and where it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The order.
    pub order: Order,
    /// Its password.
    pub sealed: Sealed,
    /// What is known of its customer.
    pub progress: Progress,
    /// Where it stands.
    pub state: OrderState,
    /// Why it stands there; absent if that needs no reason.
    pub reason: Option<String>,
    /// When it is due; `None` for never.
    pub due: Option<Timestamp>,
    /// Its fencing number.
    pub fence: u64,
}

/// Counts of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How many orders of each profile stand in each state. States without orders are absent.
    pub counts: BTreeMap<(String, OrderState), u64>,
    /// How many orders are due, those that a worker has included.
    pub due: u64,
    /// How many of the due orders a worker has. A worker that was killed has them until its leases end.
    pub held: u64,
    /// When the last of these leases ends; `None` if no worker has a due order.
    pub held_until: Option<Timestamp>,
    /// Since when the order that has waited longest is due; `None` if none is.
    pub oldest_due: Option<Timestamp>,
    /// When the next order becomes due; `None` if none does.
    pub next_due: Option<Timestamp>,
    /// Since when the oldest ambiguous order is ambiguous; `None` if there is none.
    pub oldest_ambiguous: Option<Timestamp>,
    /// The brands that are stopped, with the reason.
    pub stopped: BTreeMap<String, String>,
}

impl Summary {
    /// Returns how many orders stand in a state, of all profiles.
    #[must_use]
    pub fn count(&self, state: OrderState) -> u64 {
        self.counts.iter().filter(|((_, other), _)| *other == state).map(|(_, count)| count).sum()
    }

    /// Returns how many orders there are.
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
