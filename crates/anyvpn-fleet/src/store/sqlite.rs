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
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Sqlite, SqliteConnection, Transaction};

use super::group::Group;
use super::rows::{self, CountRow, EntryRow, MeterRow, ORDER, OrderRow, micros};
use super::spare::Spare;
use super::tables::Tables;
use super::{
    Change, Claim, ClaimRequest, Committed, Imported, Placed, Record, Store, StoreError, Summary,
};
use crate::{Budget, Entry, OrderState};

/// How long a transaction waits for another one.
const BUSY: Duration = Duration::from_secs(30);
/// How many rows are written by one statement: its text must not become too long.
const ROWS: usize = 1000;

/// A store in one SQLite file. Several processes of one machine can use it; one of them writes at a time.
///
/// A transaction is on the disk before the next step begins (`synchronous=FULL`).
pub struct SqliteStore {
    pool: SqlitePool,
    clock: Arc<dyn Clock>,
    group: Group,
    spare: Spare<Sqlite>,
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
        Ok(Self {
            pool,
            clock: Arc::new(SystemClock),
            group: Group::default(),
            spare: Spare::default(),
        })
    }

    /// Replaces the machine's clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Begins a transaction that writes. The time is read once it has begun, so that times grow from one to the next.
    async fn begin<'a>(
        &self,
        connection: &'a mut SqliteConnection,
    ) -> Result<(Transaction<'a, Sqlite>, Timestamp), StoreError> {
        let transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        Ok((transaction, self.clock.now()))
    }

    async fn transact(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let mut connection = self.spare.take(&self.pool).await?;
        let (mut transaction, now) = self.begin(&mut connection).await?;
        let mut tables = Tables::default();
        let sql = format!(
            "SELECT {ORDER} FROM fleet_orders WHERE id IN (SELECT value FROM json_each(?))"
        );
        let found: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(rows::json(&rows::orders_of(&changes))?)
            .fetch_all(&mut *transaction)
            .await?;
        for columns in found {
            tables.insert(rows::row(columns)?);
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
        self.spare.keep(connection);
        Ok(committed)
    }
}

async fn load_meters(
    transaction: &mut Transaction<'_, Sqlite>,
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

/// Writes what a transaction changed: one statement for the orders, and one for the journal. Each statement is handed
/// to a thread of SQLite's and back, which takes longer than writing a row.
async fn save(
    transaction: &mut Transaction<'_, Sqlite>,
    tables: &Tables,
) -> Result<(), StoreError> {
    let mut orders = Vec::new();
    for row in tables.changed.iter().filter_map(|id| tables.orders.get(id)) {
        let record = &row.record;
        orders.push((
            &record.order.id,
            &record.order.profile,
            &record.order.key,
            rows::json(&record.order)?,
            hexadecimal(&record.sealed.0),
            rows::json(&record.progress)?,
            record.state.name(),
            micros(row.state_since),
            &record.reason,
            record.due.map(micros),
            i64::try_from(record.fence).unwrap_or(i64::MAX),
            &row.worker,
            row.lease_until.map(micros),
        ));
    }
    for orders in orders.chunks(ROWS) {
        sqlx::query(
            "INSERT INTO fleet_orders (id, profile, customer_key, body, sealed, progress, state, state_since, \
             reason, due, fence, worker, lease_until) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), value ->> 5, \
             value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12 \
             FROM json_each(?) WHERE TRUE \
             ON CONFLICT (id) DO UPDATE SET body = excluded.body, progress = excluded.progress, \
             state = excluded.state, state_since = excluded.state_since, reason = excluded.reason, \
             due = excluded.due, lease_until = excluded.lease_until",
        )
        .bind(rows::json(&orders)?)
        .execute(&mut **transaction)
        .await?;
    }
    let mut journal = Vec::new();
    for (id, entry) in &tables.added {
        journal.push((
            id,
            micros(entry.at),
            &entry.worker,
            i64::try_from(entry.fence).unwrap_or(i64::MAX),
            entry.revision,
            entry.state.name(),
            rows::json(&entry.event)?,
        ));
    }
    for journal in journal.chunks(ROWS) {
        sqlx::query(
            "INSERT INTO fleet_journal (order_id, at, worker, fence, revision, state, event) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 \
             FROM json_each(?)",
        )
        .bind(rows::json(&journal)?)
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

/// Returns bytes as SQLite's `unhex` reads them.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[async_trait]
impl Store for SqliteStore {
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError> {
        let mut connection = self.spare.take(&self.pool).await?;
        let (mut transaction, now) = self.begin(&mut connection).await?;
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
            self.spare.keep(connection);
        }
        Ok(imported)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        let mut connection = self.spare.take(&self.pool).await?;
        let (mut transaction, now) = self.begin(&mut connection).await?;
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
        self.spare.keep(connection);
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
             MIN(due) FILTER (WHERE due <= ?1), MIN(due), MIN(state_since), \
             COUNT(*) FILTER (WHERE due <= ?1 AND lease_until > ?1), \
             MAX(lease_until) FILTER (WHERE due <= ?1 AND lease_until > ?1) \
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
