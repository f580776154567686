//! The store in one SQLite file, for one machine.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Clock, SystemClock, Timestamp};
use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Sqlite, Transaction};

use super::group::Group;
use super::rows::{self, CountRow, EntryRow, MeterRow, ORDER, OrderRow, micros};
use super::tables::Tables;
use super::{
    Change, Claim, ClaimRequest, Committed, Imported, Placed, Record, Store, StoreError, Summary,
};
use crate::{Budget, Entry, OrderState};

/// How long a transaction waits for another one.
const BUSY: Duration = Duration::from_secs(30);

/// A store in one SQLite file. Several processes of one machine can use it; one of them writes at a time.
///
/// A transaction is on the disk before the next step begins (`synchronous=FULL`).
pub struct SqliteStore {
    pool: SqlitePool,
    clock: Arc<dyn Clock>,
    group: Group,
}

impl SqliteStore {
    /// Opens a file, creates it if it is missing, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or a newer version of this crate has changed its tables.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str("sqlite:")?
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let migrated = rows::migrator(include_str!("../../migrations/sqlite/1_orders.sql"));
        migrated.run(&pool).await.map_err(|error| {
            StoreError::new(format!("the tables cannot be brought up to date: {error}"))
        })?;
        Ok(Self { pool, clock: Arc::new(SystemClock), group: Group::default() })
    }

    /// Replaces the machine's clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Begins a transaction that writes. The time is read once it has begun, so that times grow from one to the next.
    async fn begin(&self) -> Result<(Transaction<'static, Sqlite>, Timestamp), StoreError> {
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok((transaction, self.clock.now()))
    }

    async fn transact(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let (mut transaction, now) = self.begin().await?;
        let mut tables = Tables::default();
        for change in &changes {
            let id = match change {
                Change::Begin(begin) => &begin.id,
                Change::Finish(finish) => &finish.id,
                Change::Reserve { .. } => continue,
            };
            let sql = format!("SELECT {ORDER} FROM fleet_orders WHERE id = ?");
            let found: Option<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(columns) = found {
                tables.insert(rows::row(columns)?);
            }
        }
        load_meters(&mut transaction, &mut tables).await?;
        let stopped: Vec<(String, String)> =
            sqlx::query_as("SELECT profile, why FROM fleet_stopped")
                .fetch_all(&mut *transaction)
                .await?;
        let before = stopped.len();
        tables.stopped = stopped.into_iter().collect();
        let committed = changes.into_iter().map(|change| tables.commit(change, now)).collect();
        if tables.stopped.len() > before {
            for (profile, why) in &tables.stopped {
                sqlx::query(
                    "INSERT INTO fleet_stopped (profile, why) VALUES (?, ?) ON CONFLICT DO NOTHING",
                )
                .bind(profile)
                .bind(why)
                .execute(&mut *transaction)
                .await?;
            }
        }
        save(&mut transaction, &tables).await?;
        transaction.commit().await?;
        Ok(committed)
    }
}

async fn load_meters(
    transaction: &mut Transaction<'static, Sqlite>,
    tables: &mut Tables,
) -> Result<(), StoreError> {
    let meters: Vec<MeterRow> = sqlx::query_as(
        "SELECT profile, operation, calls, per_seconds, full_at, held_until, queue FROM fleet_meters",
    )
    .fetch_all(&mut **transaction)
    .await?;
    tables.meters = meters.into_iter().map(rows::meter).collect::<Result<_, _>>()?;
    Ok(())
}

/// Writes what a transaction changed.
async fn save(
    transaction: &mut Transaction<'static, Sqlite>,
    tables: &Tables,
) -> Result<(), StoreError> {
    for id in &tables.changed {
        let Some(row) = tables.orders.get(id) else { continue };
        let record = &row.record;
        sqlx::query(
            "INSERT INTO fleet_orders (id, profile, customer_key, body, sealed, progress, state, state_since, \
             reason, due, fence, worker, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET body = excluded.body, progress = excluded.progress, \
             state = excluded.state, state_since = excluded.state_since, reason = excluded.reason, \
             due = excluded.due, lease_until = excluded.lease_until",
        )
        .bind(id)
        .bind(&record.order.profile)
        .bind(&record.order.key)
        .bind(rows::json(&record.order)?)
        .bind(&record.sealed.0)
        .bind(rows::json(&record.progress)?)
        .bind(record.state.name())
        .bind(micros(row.state_since))
        .bind(&record.reason)
        .bind(record.due.map(micros))
        .bind(i64::try_from(record.fence).unwrap_or(i64::MAX))
        .bind(&row.worker)
        .bind(row.lease_until.map(micros))
        .execute(&mut **transaction)
        .await?;
    }
    for (id, entry) in &tables.added {
        sqlx::query(
            "INSERT INTO fleet_journal (order_id, at, worker, fence, revision, state, event) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(micros(entry.at))
        .bind(&entry.worker)
        .bind(i64::try_from(entry.fence).unwrap_or(i64::MAX))
        .bind(i64::from(entry.revision))
        .bind(entry.state.name())
        .bind(rows::json(&entry.event)?)
        .execute(&mut **transaction)
        .await?;
    }
    for key in &tables.changed_meters {
        let Some(meter) = tables.meters.get(key) else { continue };
        let (calls, per) = rows::budget_columns(meter.budget);
        sqlx::query(
            "INSERT INTO fleet_meters (profile, operation, calls, per_seconds, full_at, held_until, queue) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (profile, operation) DO UPDATE SET \
             full_at = excluded.full_at, held_until = excluded.held_until, queue = excluded.queue",
        )
        .bind(&key.0)
        .bind(&key.1)
        .bind(calls)
        .bind(per)
        .bind(micros(meter.full_at))
        .bind(micros(meter.held_until))
        .bind(micros(meter.queue))
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

#[async_trait]
impl Store for SqliteStore {
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError> {
        let (mut transaction, now) = self.begin().await?;
        let mut tables = Tables::default();
        for Placed { order, .. } in &orders {
            let sql = format!(
                "SELECT {ORDER} FROM fleet_orders WHERE id = ? OR (profile = ? AND customer_key = ?)"
            );
            let found: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(&order.id)
                .bind(&order.profile)
                .bind(&order.key)
                .fetch_all(&mut *transaction)
                .await?;
            for columns in found {
                let row = rows::row(columns)?;
                tables.insert(row);
            }
        }
        let imported: Vec<_> =
            orders.into_iter().map(|placed| tables.import(placed, now)).collect();
        if !is_trial && !imported.iter().any(|imported| matches!(imported, Imported::Refused(_))) {
            save(&mut transaction, &tables).await?;
            transaction.commit().await?;
        }
        Ok(imported)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        let (mut transaction, now) = self.begin().await?;
        let which = match &request.only {
            Some(_) => "id = ?4",
            None => {
                "due <= ?1 AND profile IN (SELECT value FROM json_each(?4)) \
                 AND profile NOT IN (SELECT profile FROM fleet_stopped)"
            }
        };
        let sql = format!(
            "UPDATE fleet_orders SET fence = fence + 1, lease_until = ?2, worker = ?3 WHERE id IN \
             (SELECT id FROM fleet_orders WHERE {which} AND (lease_until IS NULL OR lease_until <= ?1) \
             ORDER BY due LIMIT ?5) RETURNING {ORDER}"
        );
        let profiles = rows::json(&request.profiles)?;
        let claimed: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(micros(now))
            .bind(micros(crate::decide::later(now, request.lease)))
            .bind(&request.worker)
            .bind(request.only.as_ref().unwrap_or(&profiles))
            .bind(i64::from(request.limit))
            .fetch_all(&mut *transaction)
            .await?;
        let mut tables = Tables::default();
        load_meters(&mut transaction, &mut tables).await?;
        transaction.commit().await?;
        let is_limited =
            |profile: &str| tables.meters.contains_key(&(profile.to_owned(), "find".to_owned()));
        claimed.into_iter().map(|columns| rows::claim(columns, &request, now, is_limited)).collect()
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        self.group.commit(changes, async |changes| self.transact(changes).await).await
    }

    async fn order(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let sql = format!("SELECT {ORDER} FROM fleet_orders WHERE id = ?");
        let found: Option<OrderRow> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await?;
        found.map(|columns| Ok(rows::row(columns)?.record)).transpose()
    }

    async fn orders(
        &self,
        state: Option<OrderState>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let sql = format!(
            "SELECT {ORDER} FROM fleet_orders WHERE (?1 IS NULL OR state = ?1) AND id > ?2 ORDER BY id LIMIT ?3"
        );
        let found: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(state.map(OrderState::name))
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        found.into_iter().map(|columns| Ok(rows::row(columns)?.record)).collect()
    }

    async fn journal(&self, id: &str) -> Result<Vec<Entry>, StoreError> {
        let found: Vec<EntryRow> = sqlx::query_as(
            "SELECT at, worker, fence, revision, state, event FROM fleet_journal WHERE order_id = ? ORDER BY seq",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        found.into_iter().map(rows::entry).collect()
    }

    async fn summary(&self) -> Result<Summary, StoreError> {
        let counts: Vec<CountRow> = sqlx::query_as(
            "SELECT profile, state, COUNT(*), COUNT(*) FILTER (WHERE due <= ?1), \
             MIN(due) FILTER (WHERE due <= ?1), MIN(due), MIN(state_since) \
             FROM fleet_orders GROUP BY profile, state",
        )
        .bind(micros(self.clock.now()))
        .fetch_all(&self.pool)
        .await?;
        let stopped =
            sqlx::query_as("SELECT profile, why FROM fleet_stopped").fetch_all(&self.pool).await?;
        rows::summary(counts, stopped)
    }

    async fn resume(&self, profile: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM fleet_stopped WHERE profile = ?")
            .bind(profile)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn set_budget(
        &self,
        profile: &str,
        operation: &str,
        budget: Option<Budget>,
    ) -> Result<(), StoreError> {
        let (calls, per) = rows::budget_columns(budget);
        sqlx::query(
            "INSERT INTO fleet_meters (profile, operation, calls, per_seconds, full_at, held_until, queue) \
             VALUES (?, ?, ?, ?, 0, 0, 0) ON CONFLICT (profile, operation) DO UPDATE SET \
             calls = excluded.calls, per_seconds = excluded.per_seconds",
        )
        .bind(profile)
        .bind(operation)
        .bind(calls)
        .bind(per)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
