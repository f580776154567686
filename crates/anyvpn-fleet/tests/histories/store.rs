//! A database as workers experience it: slow, with errors before and after a commit, and processes
//! that die meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::Timestamp;
use anyvpn_fleet::{
    Begin, Budget, Change, Claim, ClaimRequest, Committed, Entry, Event, Finish, Imported,
    Operation, OrderState, Placed, Reason, Record, Store, StoreError, Summary, Wanted,
};
use async_trait::async_trait;

use crate::provider::SimProvider;
use crate::world::{Busy, World};

pub struct FaultyStore {
    pub world: World,
    pub inner: Arc<dyn Store>,
    pub provider: SimProvider,
    /// When operations with a budget were allowed, and which.
    pub taken: Arc<Mutex<Vec<(Duration, &'static str)>>>,
    /// The lease of a worker.
    pub lease: Duration,
    /// Until when each order belongs to a worker.
    pub leases: Mutex<BTreeMap<String, Timestamp>>,
    /// How often in a row reading the customer of each order failed.
    pub failed: Mutex<BTreeMap<String, u32>>,
}

impl FaultyStore {
    /// A worker stops for a while: mostly for less than its lease, sometimes for longer.
    async fn stall(&self) {
        if self.world.fault(if self.world.weather().is_slow { 12 } else { 2 }) {
            let longest = if self.world.fault(50) { 3.3 } else { 0.5 };
            let share = self.world.below(100) as f64 / 100.0;
            self.world.pause(self.lease.mul_f64(longest * share)).await;
        }
    }

    async fn before(&self) -> Result<(), StoreError> {
        self.world.latency().await;
        self.world.may_die(1).await;
        self.stall().await;
        match self.world.fault(1) {
            true => Err(StoreError::new("the connection broke before the commit")),
            false => Ok(()),
        }
    }

    async fn after(&self) -> Result<(), StoreError> {
        self.world.may_die(1).await;
        self.world.latency().await;
        self.stall().await;
        match self.world.fault(1) {
            true => Err(StoreError::new("the connection broke after the commit")),
            false => Ok(()),
        }
    }

    /// Orders are claimed when they are due, by one worker at a time, and not for a stopped brand.
    async fn claimed(&self, claims: &[Claim], is_any: bool) -> Result<(), StoreError> {
        for claim in claims {
            let id = &claim.order.id;
            let old = self.leases.lock().unwrap().insert(id.clone(), claim.lease_until);
            if old.is_some_and(|until| claim.now < until) {
                self.wrong(format!("two workers have {id}"));
            }
            let record = busy(self.inner.order(id)).await?;
            let due = record.and_then(|record| record.due);
            if is_any && due.is_none_or(|due| claim.now < due) {
                self.wrong(format!("{id} was claimed before it was due"));
            }
            if is_any && self.provider.book().is_stopped() {
                self.wrong(format!("{id} was claimed for a stopped brand"));
            }
        }
        Ok(())
    }

    /// An operation may be sent from now on.
    async fn began(&self, begin: &Begin) -> Result<(), StoreError> {
        let Begin { id, operation, .. } = begin;
        self.provider.book().sends(operation.name(), self.world.elapsed());
        let Some(record) = busy(self.inner.order(id)).await? else { return Ok(()) };
        if (record.order.revision, record.fence) != (begin.revision, begin.fence) {
            self.wrong(format!(
                "to {operation} for {id}, which has changed or is another worker's"
            ));
        }
        // Until this lease ends, another worker must assume that the operation can still be sent.
        let lease = self.leases.lock().unwrap().get(id).copied();
        let since = begin.progress.open.as_ref().map(|open| open.since);
        if since < lease {
            self.wrong(format!("to {operation} for {id} would settle before the lease is over"));
        }
        let closes = *operation == Operation::Close;
        if closes != (record.order.wanted == Wanted::Closed) {
            self.wrong(format!(
                "to {operation} for {id}, which is to be {:?}",
                record.order.wanted
            ));
        }
        Ok(())
    }

    /// A step is over, and said so at this time.
    async fn finished(&self, finish: &Finish, at: Timestamp) -> Result<(), StoreError> {
        self.failed(finish, at);
        self.leases.lock().unwrap().remove(&finish.id);
        let asked = self.provider.book().asked.get(&key(&finish.id)).copied();
        let counted = finish.progress.open.as_ref().filter(|open| open.looks > 0);
        if counted.is_some_and(|open| asked.is_none_or(|asked| asked < open.since)) {
            self.wrong(format!("{} counts a reading from after it was asked", finish.id));
        }
        if let Some(Event::Failed { why, .. } | Event::Parked(Reason::Refused(why))) = &finish.event
        {
            self.provider.book().hear(why);
        }
        let record = busy(self.inner.order(&finish.id)).await?;
        if record.is_none_or(|record| record.fence != finish.fence) {
            self.wrong(format!("{} is another worker's, and yet has an outcome", finish.id));
        }
        Ok(())
    }

    /// A reading that failed is repeated later each time.
    fn failed(&self, finish: &Finish, at: Timestamp) {
        let mut failed = self.failed.lock().unwrap();
        let times = failed.entry(finish.id.clone()).or_default();
        *times = match &finish.event {
            Some(Event::Failed { doing, why }) if doing == "find" && !why.contains("notice") => {
                *times + 1
            }
            _ => 0,
        };
        let least = times.checked_sub(1).map_or(0, |before| 1 << before.min(10));
        if *times > 0 && finish.due.is_none_or(|due| due < at + Duration::from_secs(least)) {
            self.wrong(format!("{} is read again too early after a failure", finish.id));
        }
    }

    fn wrong(&self, what: String) {
        self.provider.book().violations.push(what);
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
        let is_any = request.only.is_none();
        let claims = busy(self.inner.claim(request)).await?;
        self.claimed(&claims, is_any).await?;
        self.after().await?;
        Ok(claims)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let is_protected = changes.iter().any(|change| match change {
            Change::Finish(finish) => self.provider.book().protected.contains(&key(&finish.id)),
            _ => false,
        });
        let at = self.world.now();
        if !is_protected {
            self.before().await?;
        }
        let done = busy(self.inner.commit(changes.clone())).await?;
        for (change, committed) in changes.iter().zip(&done) {
            let operation = match change {
                _ if *committed != Committed::Done => continue,
                Change::Begin(begin) => {
                    self.began(begin).await?;
                    begin.operation.name()
                }
                Change::Finish(finish) => {
                    self.finished(finish, at).await?;
                    continue;
                }
                Change::Reserve { operation, .. } => {
                    self.provider.book().sends(operation, self.world.elapsed());
                    *operation
                }
            };
            self.taken.lock().unwrap().push((self.world.elapsed(), operation));
        }
        if is_protected {
            return Ok(done);
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
        busy(self.inner.resume(profile)).await?;
        self.provider.book().resume();
        Ok(())
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

/// Returns the key of an order's customer.
pub fn key(id: &str) -> String {
    format!("{id}@example.com")
}

async fn busy<T>(call: impl Future<Output = T>) -> T {
    let _busy = Busy::new();
    call.await
}
