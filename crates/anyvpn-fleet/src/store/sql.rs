//! What SQLite and PostgreSQL do with the same SQL.

use anyvpn_core::Timestamp;
use sqlx::{Arguments, AssertSqlSafe, Connection, Database, Encode, Executor, FromRow, Type};

use super::rows::{self, CountRow, EntryRow, MeterRow, ORDER, OrderRow, micros};
use super::tables::Tables;
use super::{Record, StoreError, Summary};
use crate::{Budget, Entry, OrderState};

/// A profile and why it is stopped.
type StoppedRow = (String, String);

/// A value of a statement.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A connection that runs statements.
pub(super) trait Run {
    fn run(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// A connection that reads rows of a type.
pub(super) trait Fetch<R> {
    fn fetch(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<R>, sqlx::Error>> + Send;
}

impl<C, D> Run for C
where
    C: Connection<Database = D>,
    D: Database,
    D::Arguments: sqlx::IntoArguments<D>,
    for<'c> &'c mut C: Executor<'c, Database = D>,
    for<'q> Option<String>: Encode<'q, D> + Type<D>,
    for<'q> Option<i64>: Encode<'q, D> + Type<D>,
{
    async fn run(&mut self, sql: &str, values: Vec<Value>) -> Result<(), sqlx::Error> {
        let arguments = arguments::<D::Arguments>(values)?;
        sqlx::query_with(AssertSqlSafe(sql), arguments).execute(self).await?;
        Ok(())
    }
}

impl<C, D, R> Fetch<R> for C
where
    C: Connection<Database = D>,
    D: Database,
    D::Arguments: sqlx::IntoArguments<D>,
    for<'c> &'c mut C: Executor<'c, Database = D>,
    for<'q> Option<String>: Encode<'q, D> + Type<D>,
    for<'q> Option<i64>: Encode<'q, D> + Type<D>,
    R: for<'r> FromRow<'r, D::Row> + Send + Unpin,
{
    async fn fetch(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<R>, sqlx::Error> {
        let arguments = arguments::<D::Arguments>(values)?;
        sqlx::query_as_with(AssertSqlSafe(sql), arguments).fetch_all(self).await
    }
}

fn arguments<A>(values: Vec<Value>) -> Result<A, sqlx::Error>
where
    A: Arguments,
    for<'q> Option<String>: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> Option<i64>: Encode<'q, A::Database> + Type<A::Database>,
{
    let mut arguments = A::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(super) async fn order(
    connection: &mut impl Fetch<OrderRow>,
    id: &str,
) -> Result<Option<Record>, StoreError> {
    let sql = format!("SELECT {ORDER} FROM fleet_orders WHERE id = $1");
    let found = connection.fetch(&sql, vec![id.into()]).await?;
    found.into_iter().next().map(|columns| Ok(rows::row(columns)?.record)).transpose()
}

pub(super) async fn orders(
    connection: &mut impl Fetch<OrderRow>,
    state: Option<OrderState>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    let sql = format!(
        "SELECT {ORDER} FROM fleet_orders WHERE (CAST($1 AS TEXT) IS NULL OR state = $1) AND id > $2 \
         ORDER BY id LIMIT $3"
    );
    let after = after.unwrap_or_default();
    let values = vec![state.map(OrderState::name).into(), after.into(), i64::from(limit).into()];
    let found = connection.fetch(&sql, values).await?;
    found.into_iter().map(|columns| Ok(rows::row(columns)?.record)).collect()
}

pub(super) async fn journal(
    connection: &mut impl Fetch<EntryRow>,
    id: &str,
) -> Result<Vec<Entry>, StoreError> {
    let sql = "SELECT at, worker, fence, revision, state, event FROM fleet_journal WHERE order_id = $1 ORDER BY seq";
    let found = connection.fetch(sql, vec![id.into()]).await?;
    found.into_iter().map(rows::entry).collect()
}

pub(super) async fn summary(
    connection: &mut (impl Fetch<CountRow> + Fetch<StoppedRow>),
    now: Timestamp,
) -> Result<Summary, StoreError> {
    let sql = "SELECT profile, state, COUNT(*), COUNT(*) FILTER (WHERE due <= $1), \
         MIN(due) FILTER (WHERE due <= $1), MIN(due), MIN(state_since) \
         FROM fleet_orders GROUP BY profile, state";
    let counts = Fetch::<CountRow>::fetch(connection, sql, vec![micros(now).into()]).await?;
    let stopped = Fetch::<StoppedRow>::fetch(connection, STOPPED, Vec::new()).await?;
    rows::summary(counts, stopped)
}

const STOPPED: &str = "SELECT profile, why FROM fleet_stopped";

pub(super) async fn resume(connection: &mut impl Run, profile: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM fleet_stopped WHERE profile = $1";
    Ok(connection.run(sql, vec![profile.into()]).await?)
}

pub(super) async fn set_budget(
    connection: &mut impl Run,
    profile: &str,
    operation: &str,
    budget: Option<Budget>,
) -> Result<(), StoreError> {
    let (calls, per) = rows::budget_columns(budget);
    let sql = "INSERT INTO fleet_meters (profile, operation, calls, per_seconds, full_at, held_until, queue) \
         VALUES ($1, $2, $3, $4, 0, 0, 0) ON CONFLICT (profile, operation) DO UPDATE SET \
         calls = excluded.calls, per_seconds = excluded.per_seconds";
    let values = vec![profile.into(), operation.into(), calls.into(), per.into()];
    Ok(connection.run(sql, values).await?)
}

/// Reads what holds for all orders of a profile, and locks its meters where the database locks rows.
pub(super) async fn load_brands(
    connection: &mut (impl Fetch<MeterRow> + Fetch<StoppedRow>),
    tables: &mut Tables,
    lock: &str,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT profile, operation, calls, per_seconds, full_at, held_until, queue FROM fleet_meters \
         ORDER BY profile, operation {lock}"
    );
    let meters = Fetch::<MeterRow>::fetch(connection, &sql, Vec::new()).await?;
    tables.meters = meters.into_iter().map(rows::meter).collect::<Result<_, _>>()?;
    let stopped = Fetch::<StoppedRow>::fetch(connection, STOPPED, Vec::new()).await?;
    tables.stopped = stopped.into_iter().collect();
    Ok(())
}

/// Writes what a transaction changed for all orders of a profile.
pub(super) async fn save_brands(
    connection: &mut impl Run,
    tables: &Tables,
) -> Result<(), StoreError> {
    for profile in &tables.newly_stopped {
        let Some(why) = tables.stopped.get(profile) else { continue };
        let sql = "INSERT INTO fleet_stopped (profile, why) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        connection.run(sql, vec![profile.as_str().into(), why.as_str().into()]).await?;
    }
    for key in &tables.changed_meters {
        let Some(meter) = tables.meters.get(key) else { continue };
        let (calls, per) = rows::budget_columns(meter.budget);
        let sql = "INSERT INTO fleet_meters (profile, operation, calls, per_seconds, full_at, held_until, queue) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (profile, operation) DO UPDATE SET \
             full_at = excluded.full_at, held_until = excluded.held_until, queue = excluded.queue";
        let values = vec![
            key.0.as_str().into(),
            key.1.as_str().into(),
            calls.into(),
            per.into(),
            micros(meter.full_at).into(),
            micros(meter.held_until).into(),
            micros(meter.queue).into(),
        ];
        connection.run(sql, values).await?;
    }
    Ok(())
}
