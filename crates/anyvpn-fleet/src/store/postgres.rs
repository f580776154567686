//! The store in PostgreSQL, for workers on several machines.

use std::str::FromStr;
use std::sync::Arc;

use anyvpn_core::{Clock, Timestamp};
use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Postgres};

use super::group::Group;
use super::rows::{self, CountRow, EntryRow, MeterRow, ORDER, OrderRow, micros};
use super::spare::Spare;
use super::tables::{Row, Tables};
use super::{
    Change, Claim, ClaimRequest, Committed, Imported, Placed, Record, Store, StoreError, Summary,
};
use crate::{Budget, Entry, OrderState};

/// The database's time, in microseconds.
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
/// The same, with the stopped brands: one row at least.
const NOW_AND_STOPPED: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, profile, why \
    FROM (VALUES (1)) AS one LEFT JOIN fleet_stopped ON TRUE";

/// A store in PostgreSQL. Its tables have names that begin with `fleet_`, so that they can be in the shop's own database.
pub struct PostgresStore {
    pool: PgPool,
    clock: Option<Arc<dyn Clock>>,
    group: Group,
    spare: Spare<Postgres>,
}

impl PostgresStore {
    /// Connects to a database, such as `postgres://shop@db.example/shop`, and brings the tables up to date.
    ///
    /// # Errors
    ///
    /// When it cannot connect, or a newer version of this crate has changed the tables.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("anyvpn-fleet")
            .disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await?;
        let migrator = rows::migrator(include_str!("../../migrations/postgres/1_orders.sql"));
        migrator.run(&pool).await.map_err(|error| {
            StoreError::new(format!("the tables cannot be brought up to date: {error}"))
        })?;
        Ok(Self { pool, clock: None, group: Group::default(), spare: Spare::default() })
    }

    /// Replaces the database's clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Imports orders within a transaction of the caller's, so that an order exists exactly if the shop's own rows do.
    ///
    /// If one is [`Imported::Refused`], none is imported.
    ///
    /// # Errors
    ///
    /// Any error of the database.
    pub async fn import_within(
        &self,
        connection: &mut PgConnection,
        orders: Vec<Placed>,
    ) -> Result<Vec<Imported>, StoreError> {
        let now = self.now(connection).await?;
        let column =
            |text: fn(&Placed) -> &String| orders.iter().map(text).cloned().collect::<Vec<_>>();
        let ids = column(|placed| &placed.order.id);
        let profiles = column(|placed| &placed.order.profile);
        let keys = column(|placed| &placed.order.key);
        let sql = format!(
            "SELECT {ORDER} FROM fleet_orders WHERE id = ANY($1) OR (profile, customer_key) IN \
             (SELECT * FROM UNNEST($2::text[], $3::text[])) ORDER BY id FOR UPDATE"
        );
        let found: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(ids)
            .bind(profiles)
            .bind(keys)
            .fetch_all(&mut *connection)
            .await?;
        let mut tables = Tables::default();
        for columns in found {
            let row = rows::row(columns)?;
            tables.insert(row);
        }
        let imported: Vec<_> =
            orders.into_iter().map(|placed| tables.import(placed, now)).collect();
        if !imported.iter().any(|imported| matches!(imported, Imported::Refused(_))) {
            save(connection, &tables).await?;
        }
        Ok(imported)
    }

    async fn now(&self, connection: &mut PgConnection) -> Result<Timestamp, StoreError> {
        match &self.clock {
            Some(clock) => Ok(clock.now()),
            None => rows::time(sqlx::query_scalar(NOW).fetch_one(connection).await?),
        }
    }

    async fn transact(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let mut connection = self.spare.take(&self.pool).await?;
        let mut transaction = connection.begin().await?;
        let mut tables = Tables::default();
        let sql =
            format!("SELECT {ORDER} FROM fleet_orders WHERE id = ANY($1) ORDER BY id FOR UPDATE");
        let found: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(rows::orders_of(&changes))
            .fetch_all(&mut *transaction)
            .await?;
        for columns in found {
            let row = rows::row(columns)?;
            tables.insert(row);
        }
        let meters: Vec<MeterRow> = sqlx::query_as(
            "SELECT profile, operation, calls, per_seconds, full_at, held_until, queue FROM fleet_meters \
             ORDER BY profile, operation FOR UPDATE",
        )
        .fetch_all(&mut *transaction)
        .await?;
        tables.meters = meters.into_iter().map(rows::meter).collect::<Result<_, _>>()?;
        // The clock is read only now that the rows are locked, so that a later transaction of an order
        // has a later time.
        let found: Vec<(i64, Option<String>, Option<String>)> =
            sqlx::query_as(NOW_AND_STOPPED).fetch_all(&mut *transaction).await?;
        let mut now = self.clock.as_ref().map(|clock| clock.now());
        for (time, profile, why) in found {
            now = Some(now.map_or_else(|| rows::time(time), Ok)?);
            tables.stopped.extend(profile.zip(why));
        }
        let now = now.ok_or_else(|| StoreError::new("the database returned no time"))?;
        let before = tables.stopped.len();
        let committed = changes.into_iter().map(|change| tables.commit(change, now)).collect();
        if tables.stopped.len() > before {
            for (profile, why) in &tables.stopped {
                sqlx::query("INSERT INTO fleet_stopped (profile, why) VALUES ($1, $2) ON CONFLICT DO NOTHING")
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

/// Writes what a transaction changed: one statement for the orders and the journal.
async fn save(connection: &mut PgConnection, tables: &Tables) -> Result<(), StoreError> {
    let changed: Vec<_> = tables.changed.iter().filter_map(|id| tables.orders.get(id)).collect();
    if !changed.is_empty() {
        save_orders(connection, &changed, &tables.added).await?;
    }
    for key in &tables.changed_meters {
        let Some(meter) = tables.meters.get(key) else { continue };
        let (calls, per) = rows::budget_columns(meter.budget);
        sqlx::query(
            "INSERT INTO fleet_meters (profile, operation, calls, per_seconds, full_at, held_until, queue) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (profile, operation) DO UPDATE SET \
             full_at = excluded.full_at, held_until = excluded.held_until, queue = excluded.queue",
        )
        .bind(&key.0)
        .bind(&key.1)
        .bind(calls)
        .bind(per)
        .bind(micros(meter.full_at))
        .bind(micros(meter.held_until))
        .bind(micros(meter.queue))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes orders, and their rows of the journal.
async fn save_orders(
    connection: &mut PgConnection,
    changed: &[&Row],
    added: &[(String, Entry)],
) -> Result<(), StoreError> {
    let texts = |text: fn(&Row) -> &str| changed.iter().map(|row| text(row)).collect::<Vec<_>>();
    let bodies: Vec<_> =
        changed.iter().map(|row| rows::json(&row.record.order)).collect::<Result<_, _>>()?;
    let progress: Vec<_> =
        changed.iter().map(|row| rows::json(&row.record.progress)).collect::<Result<_, _>>()?;
    let sealed: Vec<_> = changed.iter().map(|row| &*row.record.sealed.0).collect();
    let since: Vec<_> = changed.iter().map(|row| micros(row.state_since)).collect();
    let reasons: Vec<_> = changed.iter().map(|row| row.record.reason.as_deref()).collect();
    let due: Vec<_> = changed.iter().map(|row| row.record.due.map(micros)).collect();
    let leases: Vec<_> = changed.iter().map(|row| row.lease_until.map(micros)).collect();
    let fences: Vec<_> =
        changed.iter().map(|row| i64::try_from(row.record.fence).unwrap_or(i64::MAX)).collect();
    let events: Vec<_> =
        added.iter().map(|(_, entry)| rows::json(&entry.event)).collect::<Result<_, _>>()?;
    let numbers =
        |number: fn(&Entry) -> i64| added.iter().map(|(_, it)| number(it)).collect::<Vec<_>>();
    sqlx::query(
        "WITH saved AS (INSERT INTO fleet_orders (id, profile, customer_key, body, sealed, progress, state, \
         state_since, reason, due, fence, worker, lease_until) SELECT * FROM UNNEST($1::text[], $2::text[], \
         $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bigint[], \
         $11::bigint[], $12::text[], $13::bigint[]) \
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, progress = excluded.progress, \
         state = excluded.state, state_since = excluded.state_since, reason = excluded.reason, \
         due = excluded.due, lease_until = excluded.lease_until) \
         INSERT INTO fleet_journal (order_id, at, worker, fence, revision, state, event) SELECT * FROM \
         UNNEST($14::text[], $15::bigint[], $16::text[], $17::bigint[], $18::bigint[], $19::text[], $20::text[])",
    )
    .bind(texts(|row| &row.record.order.id))
    .bind(texts(|row| &row.record.order.profile))
    .bind(texts(|row| &row.record.order.key))
    .bind(bodies)
    .bind(sealed)
    .bind(progress)
    .bind(texts(|row| row.record.state.name()))
    .bind(since)
    .bind(reasons)
    .bind(due)
    .bind(fences)
    .bind(texts(|row| &row.worker))
    .bind(leases)
    .bind(added.iter().map(|(id, _)| &**id).collect::<Vec<_>>())
    .bind(numbers(|entry| micros(entry.at)))
    .bind(added.iter().map(|(_, entry)| &*entry.worker).collect::<Vec<_>>())
    .bind(numbers(|entry| i64::try_from(entry.fence).unwrap_or(i64::MAX)))
    .bind(numbers(|entry| i64::from(entry.revision)))
    .bind(added.iter().map(|(_, entry)| entry.state.name()).collect::<Vec<_>>())
    .bind(events)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

#[async_trait]
impl Store for PostgresStore {
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError> {
        let mut connection = self.spare.take(&self.pool).await?;
        let mut transaction = connection.begin().await?;
        let imported = self.import_within(&mut transaction, orders).await?;
        if !is_trial {
            transaction.commit().await?;
            self.spare.keep(connection);
        }
        Ok(imported)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        let mut connection = self.spare.take(&self.pool).await?;
        let mut transaction = connection.begin().await?;
        let now = self.now(&mut transaction).await?;
        let which = match &request.only {
            Some(_) => "id = ANY($4)",
            None => {
                "due <= $1 AND profile = ANY($4) AND profile NOT IN (SELECT profile FROM fleet_stopped)"
            }
        };
        let sql = format!(
            "WITH due AS (SELECT id FROM fleet_orders WHERE {which} \
             AND (lease_until IS NULL OR lease_until <= $1) ORDER BY due LIMIT $5 FOR UPDATE SKIP LOCKED) \
             UPDATE fleet_orders SET fence = fence + 1, lease_until = $2, worker = $3 FROM due \
             WHERE fleet_orders.id = due.id RETURNING {ORDER}"
        );
        let only = request.only.clone().map(|id| vec![id]);
        let claimed: Vec<OrderRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(micros(now))
            .bind(micros(crate::decide::later(now, request.lease)))
            .bind(&request.worker)
            .bind(only.as_ref().unwrap_or(&request.profiles))
            .bind(i64::from(request.limit))
            .fetch_all(&mut *transaction)
            .await?;
        let limited: Vec<String> =
            sqlx::query_scalar("SELECT profile FROM fleet_meters WHERE operation = 'find'")
                .fetch_all(&mut *transaction)
                .await?;
        transaction.commit().await?;
        self.spare.keep(connection);
        let is_limited = |profile: &str| limited.iter().any(|limited| limited == profile);
        claimed.into_iter().map(|columns| rows::claim(columns, &request, now, is_limited)).collect()
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        self.group.commit(changes, async |changes| self.transact(changes).await).await
    }

    async fn order(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let sql = format!("SELECT {ORDER} FROM fleet_orders WHERE id = $1");
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
            "SELECT {ORDER} FROM fleet_orders WHERE ($1::text IS NULL OR state = $1) AND id > $2 \
             ORDER BY id LIMIT $3"
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
            "SELECT at, worker, fence, revision, state, event FROM fleet_journal WHERE order_id = $1 ORDER BY seq",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        found.into_iter().map(rows::entry).collect()
    }

    async fn summary(&self) -> Result<Summary, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let now = self.now(&mut connection).await?;
        let counts: Vec<CountRow> = sqlx::query_as(
            "SELECT profile, state, COUNT(*), COUNT(*) FILTER (WHERE due <= $1), \
             MIN(due) FILTER (WHERE due <= $1), MIN(due), MIN(state_since), \
             COUNT(*) FILTER (WHERE due <= $1 AND lease_until > $1), \
             MAX(lease_until) FILTER (WHERE due <= $1 AND lease_until > $1) \
             FROM fleet_orders GROUP BY profile, state",
        )
        .bind(micros(now))
        .fetch_all(&mut *connection)
        .await?;
        let stopped = sqlx::query_as("SELECT profile, why FROM fleet_stopped")
            .fetch_all(&mut *connection)
            .await?;
        rows::summary(counts, stopped)
    }

    async fn resume(&self, profile: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM fleet_stopped WHERE profile = $1")
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
             VALUES ($1, $2, $3, $4, 0, 0, 0) ON CONFLICT (profile, operation) DO UPDATE SET \
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
