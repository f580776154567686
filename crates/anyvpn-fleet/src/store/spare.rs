//! A connection that is kept from one transaction to the next. A pool tests a connection when it is taken and when it
//! is given back, which is two more questions to the database for each transaction.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};

use super::StoreError;

/// The connection, while no transaction has it.
pub(super) struct Spare<DB: Database>(Mutex<Option<PoolConnection<DB>>>);

impl<DB: Database> Default for Spare<DB> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<DB: Database> Spare<DB> {
    /// Takes the connection, or another one of the pool. It must be kept again only after a commit: any other one may
    /// be broken, and the pool finds out.
    pub(super) async fn take(&self, pool: &Pool<DB>) -> Result<PoolConnection<DB>, StoreError> {
        let spare = self.lock().take();
        match spare {
            Some(connection) => Ok(connection),
            None => Ok(pool.acquire().await?),
        }
    }

    /// Keeps a connection whose transaction was committed.
    pub(super) fn keep(&self, connection: PoolConnection<DB>) {
        *self.lock() = Some(connection);
    }

    fn lock(&self) -> MutexGuard<'_, Option<PoolConnection<DB>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
