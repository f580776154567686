//! Creates and updates a reseller's customers at a provider to match a shop's orders. Each customer is
//! created once, even if processes are killed.
//!
//! - An [`Order`] says what the shop wants. [`Store::import`] stores it. A [`Sealer`] generates and
//!   encrypts its password before anything is sent.
//! - [`decide`] is the rule that derives at most one operation from the order and the state of its
//!   customer.
//! - [`step`] runs the rule for one claimed order: it reads, commits its intent, sends, and commits the outcome.
//! - A [`Store`] keeps orders and their journal.

mod budget;
mod decide;
mod intake;
mod journal;
mod metrics;
mod order;
mod person;
mod plan;
mod progress;
mod seal;
mod step;
mod store;
mod worker;

pub use budget::Budget;
pub use decide::{Decision, decide};
pub use intake::{Format, Mistake, OrderFile, read_orders};
pub use journal::{Entry, Event};
pub use metrics::metrics;
pub use order::{End, Order, Wanted};
pub use person::{Act, Acted, act};
pub use plan::{Plan, PlannedStep};
pub use progress::{Adopt, Open, Operation, OrderState, Owner, Progress, Reason, Rules};
pub use seal::{SealError, Sealed, Sealer};
pub use step::{StepContext, Stepped, step};
#[cfg(feature = "postgres")]
pub use store::PostgresStore;
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::{
    Begin, Brand, Change, Claim, ClaimRequest, Committed, Finish, Imported, MemoryStore, Placed,
    Record, Store, StoreError, Summary,
};
pub use worker::{Counters, Until, Worker, WorkerSettings};

/// Compiles the recipe.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/recipes/reseller.md")]
struct Recipe;
