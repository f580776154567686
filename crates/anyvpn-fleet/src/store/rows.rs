//! Rows of the databases, as values and back.

use anyvpn_core::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::tables::Row;
use super::{Change, Claim, ClaimRequest, Record, StoreError};
use crate::budget::Meter;
use crate::{Budget, Entry, OrderState, Sealed};

/// The columns of an order, in the order of [`OrderRow`].
pub(super) const ORDER: &str =
    "body, sealed, progress, state, state_since, reason, due, fence, worker, lease_until";

/// The columns of an order.
pub(super) type OrderRow =
    (String, Vec<u8>, String, String, i64, Option<String>, Option<i64>, i64, String, Option<i64>);
/// The columns of a journal row: at, worker, fence, revision, state, event.
pub(super) type EntryRow = (i64, String, i64, i64, String, String);
/// The columns of a meter: profile, operation, calls, `per_seconds`, `full_at`, `held_until`, queue.
pub(super) type MeterRow = (String, String, Option<i64>, Option<i64>, i64, i64, i64);
/// The columns of a count: profile, state, orders, due orders, oldest due, next due, oldest since, due orders
/// that a worker has, and the end of the last lease.
pub(super) type CountRow =
    (String, String, i64, i64, Option<i64>, Option<i64>, Option<i64>, i64, Option<i64>);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::new(format!("the database failed: {error}")).with_source(error)
    }
}

/// Returns the migrations of a database. They only go forward.
pub(super) fn migrator(orders: &'static str) -> Migrator {
    let sql = sqlx::SqlSafeStr::into_sql_str(orders);
    let first = Migration::new(1, "orders".into(), MigrationType::Simple, sql, false);
    let mut migrator = Migrator::with_migrations(vec![first]);
    migrator.dangerous_set_table_name("fleet_migrations");
    migrator
}

pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

pub(super) fn time(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| damaged(&error))
}

pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| damaged(&error))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| damaged(&error))
}

pub(super) fn state(name: &str) -> Result<OrderState, StoreError> {
    OrderState::named(name).ok_or_else(|| damaged(&format!("unknown state {name:?}")))
}

fn damaged(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::new(format!("the database has a row that cannot be read: {why}"))
}

pub(super) fn unsigned<T: TryFrom<i64>>(number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| damaged(&format!("{number} is out of range")))
}

pub(super) fn row(columns: OrderRow) -> Result<Row, StoreError> {
    let (body, sealed, progress, name, since, reason, due, fence, worker, lease_until) = columns;
    let record = Record {
        order: parsed(&body)?,
        sealed: Sealed(sealed),
        progress: parsed(&progress)?,
        state: state(&name)?,
        reason,
        due: due.map(time).transpose()?,
        fence: unsigned(fence)?,
    };
    let lease_until = lease_until.map(time).transpose()?;
    Ok(Row { record, lease_until, worker, state_since: time(since)? })
}

/// Returns the ids of the orders that are changed.
pub(super) fn orders_of(changes: &[Change]) -> Vec<&str> {
    let mut ids = Vec::new();
    for change in changes {
        match change {
            Change::Begin(begin) => ids.push(&*begin.id),
            Change::Finish(finish) => ids.push(&*finish.id),
            Change::Reserve { .. } => {}
        }
    }
    ids
}

/// Returns the claim of an order that was just claimed.
pub(super) fn claim(
    columns: OrderRow,
    request: &ClaimRequest,
    now: Timestamp,
    is_find_limited: impl Fn(&str) -> bool,
) -> Result<Claim, StoreError> {
    let Row { record, .. } = row(columns)?;
    Ok(Claim {
        is_find_limited: is_find_limited(&record.order.profile),
        order: record.order,
        sealed: record.sealed,
        progress: record.progress,
        state: record.state,
        fence: record.fence,
        lease_until: crate::decide::later(now, request.lease),
        now,
        claimed: request.instant,
        lease: request.lease,
    })
}

pub(super) fn entry(columns: EntryRow) -> Result<Entry, StoreError> {
    let (at, worker, fence, revision, name, event) = columns;
    Ok(Entry {
        at: time(at)?,
        worker,
        fence: unsigned(fence)?,
        revision: unsigned(revision)?,
        state: state(&name)?,
        event: parsed(&event)?,
    })
}

pub(super) fn meter(columns: MeterRow) -> Result<((String, String), Meter), StoreError> {
    let (profile, operation, calls, per, full_at, held_until, queue) = columns;
    let budget = match (calls, per) {
        (Some(calls), Some(per)) => Some(Budget {
            calls: unsigned(calls)?,
            per: std::time::Duration::from_secs(unsigned(per)?),
        }),
        _ => None,
    };
    let meter = Meter {
        budget,
        full_at: time(full_at)?,
        held_until: time(held_until)?,
        queue: time(queue)?,
    };
    Ok(((profile, operation), meter))
}

/// Returns a budget as its two columns.
pub(super) fn budget_columns(budget: Option<Budget>) -> (Option<i64>, Option<i64>) {
    let per = |budget: &Budget| i64::try_from(budget.per.as_secs()).unwrap_or(i64::MAX);
    (budget.as_ref().map(|budget| i64::from(budget.calls)), budget.as_ref().map(per))
}

/// Adds up the counts of a summary.
pub(super) fn summary(
    rows: Vec<CountRow>,
    stopped: Vec<(String, String)>,
) -> Result<super::Summary, StoreError> {
    let mut summary =
        super::Summary { stopped: stopped.into_iter().collect(), ..Default::default() };
    for (profile, name, count, due, oldest, next, since, held, held_until) in rows {
        let state = state(&name)?;
        summary.counts.insert((profile, state), unsigned(count)?);
        summary.due += unsigned::<u64>(due)?;
        summary.held += unsigned::<u64>(held)?;
        summary.held_until = summary.held_until.max(held_until.map(time).transpose()?);
        let earlier = |one: Option<Timestamp>, other: Option<i64>| {
            Ok::<_, StoreError>(one.into_iter().chain(other.map(time).transpose()?).min())
        };
        summary.oldest_due = earlier(summary.oldest_due, oldest)?;
        summary.next_due = earlier(summary.next_due, next)?;
        if state == OrderState::Ambiguous {
            summary.oldest_ambiguous = earlier(summary.oldest_ambiguous, since)?;
        }
    }
    Ok(summary)
}
