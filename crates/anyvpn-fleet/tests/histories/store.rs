//! A database as workers meet it: slow, with errors before and after a commit, and processes that die around it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_fleet::{
    Budget, Change, Claim, ClaimRequest, Committed, Entry, Imported, OrderState, Placed, Record,
    Store, StoreError, Summary,
};
use async_trait::async_trait;

use crate::provider::SimProvider;
use crate::world::{Busy, World};

pub struct FaultyStore {
    pub world: World,
    pub inner: Arc<dyn Store>,
    pub provider: SimProvider,
    /// When each operation with a budget was allowed, and the operation.
    pub taken: Arc<Mutex<Vec<(Duration, &'static str)>>>,
    pub stall: Duration,
}

impl FaultyStore {
    async fn before(&self) -> Result<(), StoreError> {
        self.world.latency().await;
        self.world.may_die(1).await;
        if self.world.fault(1) {
            self.world.pause(self.stall.mul_f64(self.world.below(100) as f64 / 30.0)).await;
        }
        match self.world.fault(1) {
            true => Err(StoreError::new("the connection broke before the commit")),
            false => Ok(()),
        }
    }

    async fn after(&self) -> Result<(), StoreError> {
        self.world.may_die(1).await;
        self.world.latency().await;
        if self.world.fault(1) {
            self.world.pause(self.stall.mul_f64(self.world.below(100) as f64 / 30.0)).await;
        }
        match self.world.fault(1) {
            true => Err(StoreError::new("the connection broke after the commit")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError> {
        self.before().await?;
        let done = busy(self.inner.import(orders, is_trial)).await?;
        self.after().await?;
        Ok(done)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        self.before().await?;
        let claims = busy(self.inner.claim(request)).await?;
        self.after().await?;
        Ok(claims)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let is_protected = changes.iter().any(|change| match change {
            Change::Finish(finish) => self.provider.book().protected.contains(&key(&finish.id)),
            _ => false,
        });
        if is_protected {
            return busy(self.inner.commit(changes)).await;
        }
        self.before().await?;
        let operation = changes.iter().find_map(|change| match change {
            Change::Begin(begin) => Some(begin.operation.name()),
            Change::Reserve { operation, .. } => Some(*operation),
            Change::Finish(_) => None,
        });
        let begun = changes.iter().find_map(|change| match change {
            Change::Begin(begin) => Some((begin.id.clone(), begin.revision)),
            _ => None,
        });
        let done = busy(self.inner.commit(changes)).await?;
        if let (Some(operation), [Committed::Done]) = (operation, &*done) {
            if let Some((id, revision)) = begun {
                let order = busy(self.inner.order(&id)).await?;
                if order.is_none_or(|record| record.order.revision != revision) {
                    self.provider.book().violations.push(format!("{operation} for an old {id}"));
                }
            }
            let stopped = busy(self.inner.summary()).await?.stopped;
            if operation != "find" && !stopped.is_empty() {
                self.provider.book().violations.push(format!("{operation} for a stopped brand"));
            }
            self.taken.lock().unwrap().push((self.world.elapsed(), operation));
        }
        self.after().await?;
        Ok(done)
    }

    async fn order(&self, id: &str) -> Result<Option<Record>, StoreError> {
        busy(self.inner.order(id)).await
    }

    async fn orders(
        &self,
        state: Option<OrderState>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        busy(self.inner.orders(state, after, limit)).await
    }

    async fn journal(&self, id: &str) -> Result<Vec<Entry>, StoreError> {
        busy(self.inner.journal(id)).await
    }

    async fn summary(&self) -> Result<Summary, StoreError> {
        busy(self.inner.summary()).await
    }

    async fn resume(&self, profile: &str) -> Result<(), StoreError> {
        busy(self.inner.resume(profile)).await
    }

    async fn set_budget(
        &self,
        profile: &str,
        operation: &str,
        budget: Option<Budget>,
    ) -> Result<(), StoreError> {
        busy(self.inner.set_budget(profile, operation, budget)).await
    }
}

/// The key of an order's customer.
pub fn key(id: &str) -> String {
    format!("{id}@example.com")
}

async fn busy<T>(call: impl Future<Output = T>) -> T {
    let _busy = Busy::new();
    call.await
}
