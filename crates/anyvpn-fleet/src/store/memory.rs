//! A store in memory, with what the databases promise. For tests and for trying things out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_core::Clock;
use async_trait::async_trait;

use super::tables::Tables;
use super::{
    Change, Claim, ClaimRequest, Committed, Imported, Placed, Record, Store, StoreError, Summary,
};
use crate::budget::Meter;
use crate::{Budget, Entry, OrderState};

/// A store in memory. Its transactions are as whole as those of a database; it is lost with the process.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    tables: Mutex<Tables>,
    journal: Mutex<BTreeMap<String, Vec<Entry>>>,
}

impl MemoryStore {
    /// Creates an empty store with this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tables: Mutex::default(), journal: Mutex::default() }
    }

    /// Moves the transaction's rows to the journal.
    fn write(&self, tables: &mut Tables) {
        for (id, entry) in tables.added.drain(..) {
            self.journal().entry(id).or_default().push(entry);
        }
    }

    fn journal(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Entry>>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn import(
        &self,
        orders: Vec<Placed>,
        is_trial: bool,
    ) -> Result<Vec<Imported>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let before = tables.clone();
        let imported: Vec<_> =
            orders.into_iter().map(|placed| tables.import(placed, now)).collect();
        if is_trial || imported.iter().any(|imported| matches!(imported, Imported::Refused(_))) {
            tables.added.clear();
            *tables = before;
        }
        self.write(&mut tables);
        Ok(imported)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        let now = self.clock.now();
        let tables = &mut *self.tables();
        let mut due: Vec<_> = tables
            .orders
            .iter_mut()
            .filter(|(id, row)| {
                row.lease_until.is_none_or(|until| until <= now)
                    && match &request.only {
                        Some(only) => *id == only,
                        None => {
                            row.record.due.is_some_and(|due| due <= now)
                                && request.profiles.contains(&row.record.order.profile)
                                && !tables.stopped.contains_key(&row.record.order.profile)
                        }
                    }
            })
            .map(|(_, row)| row)
            .collect();
        due.sort_by_key(|row| row.record.due);
        due.truncate(request.limit as usize);
        let lease_until = crate::decide::later(now, request.lease);
        Ok(due
            .into_iter()
            .map(|row| {
                let record = &mut row.record;
                record.fence += 1;
                row.lease_until = Some(lease_until);
                row.worker.clone_from(&request.worker);
                Claim {
                    order: record.order.clone(),
                    sealed: record.sealed.clone(),
                    progress: record.progress.clone(),
                    state: record.state,
                    fence: record.fence,
                    lease_until,
                    now,
                    claimed: request.instant,
                    lease: request.lease,
                    is_find_limited: tables
                        .meters
                        .contains_key(&(record.order.profile.clone(), "find".to_owned())),
                }
            })
            .collect())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let committed = changes.into_iter().map(|change| tables.commit(change, now)).collect();
        self.write(&mut tables);
        Ok(committed)
    }

    async fn order(&self, id: &str) -> Result<Option<Record>, StoreError> {
        Ok(self.tables().orders.get(id).map(|row| row.record.clone()))
    }

    async fn orders(
        &self,
        state: Option<OrderState>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let tables = self.tables();
        let records = tables.orders.iter().filter(|(id, row)| {
            after.is_none_or(|after| id.as_str() > after)
                && state.is_none_or(|state| row.record.state == state)
        });
        Ok(records.map(|(_, row)| row.record.clone()).take(limit as usize).collect())
    }

    async fn journal(&self, id: &str) -> Result<Vec<Entry>, StoreError> {
        Ok(self.journal().get(id).cloned().unwrap_or_default())
    }

    async fn summary(&self) -> Result<Summary, StoreError> {
        let now = self.clock.now();
        let tables = self.tables();
        let mut summary = Summary { stopped: tables.stopped.clone(), ..Summary::default() };
        for row in tables.orders.values() {
            let record = &row.record;
            *summary.counts.entry((record.order.profile.clone(), record.state)).or_default() += 1;
            if let Some(due) = record.due {
                if due <= now {
                    summary.due += 1;
                    if let Some(until) = row.lease_until.filter(|until| *until > now) {
                        summary.held += 1;
                        summary.held_until = summary.held_until.max(Some(until));
                    }
                    summary.oldest_due = summary.oldest_due.into_iter().chain([due]).min();
                }
                summary.next_due = summary.next_due.into_iter().chain([due]).min();
            }
            if record.state == OrderState::Ambiguous {
                let since = [row.state_since];
                summary.oldest_ambiguous = summary.oldest_ambiguous.into_iter().chain(since).min();
            }
        }
        Ok(summary)
    }

    async fn resume(&self, profile: &str) -> Result<(), StoreError> {
        self.tables().stopped.remove(profile);
        Ok(())
    }

    async fn set_budget(
        &self,
        profile: &str,
        operation: &str,
        budget: Option<Budget>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let meter = tables.meters.entry((profile.to_owned(), operation.to_owned()));
        meter.or_insert_with(|| Meter::new(None)).budget = budget;
        Ok(())
    }
}
