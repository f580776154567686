//! A store in memory, with what the databases promise. For tests and for trying things out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyvpn_core::Timestamp;
use async_trait::async_trait;

use super::{
    Begin, Brand, Change, Claim, ClaimRequest, Committed, Finish, Imported, Placed, Record, Store,
    StoreError, Summary, reason,
};
use crate::budget::Meter;
use crate::{Budget, Entry, Event, OrderState, Progress};

/// A store in memory. Its transactions are as whole as those of a database; it is lost with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Tables>);

#[derive(Clone, Debug, Default)]
struct Tables {
    orders: BTreeMap<String, Row>,
    journal: BTreeMap<String, Vec<Entry>>,
    meters: BTreeMap<(String, String), Meter>,
    stopped: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Row {
    record: Record,
    lease_until: Option<Timestamp>,
    worker: String,
    state_since: Timestamp,
}

impl Row {
    fn is_free(&self, now: Timestamp) -> bool {
        self.lease_until.is_none_or(|until| until <= now)
    }

    fn enter(&mut self, state: OrderState, now: Timestamp) {
        if self.record.state != state {
            self.state_since = now;
        }
        self.record.state = state;
    }
}

impl Tables {
    fn write(&mut self, id: &str, at: Timestamp, event: Event) {
        let row = &self.orders[id];
        let entry = Entry {
            at,
            worker: row.worker.clone(),
            fence: row.record.fence,
            revision: row.record.order.revision,
            state: row.record.state,
            event,
        };
        self.journal.entry(id.to_owned()).or_default().push(entry);
    }

    fn import(&mut self, placed: Placed, now: Timestamp) -> Imported {
        let Placed { order, sealed } = placed;
        let id = order.id.clone();
        if let Some(row) = self.orders.get_mut(&id) {
            if let Some(why) = order.conflict(&row.record.order) {
                return Imported::Refused(why);
            }
            if row.record.order == order {
                return Imported::Same;
            }
            if row.record.state == OrderState::Released {
                return Imported::Refused("the order was released; use another order id".into());
            }
            row.record.order = order;
            row.record.progress.failures = 0;
            (row.record.due, row.record.reason) = (Some(now), None);
            row.enter(OrderState::Pending, now);
            self.write(&id, now, Event::Changed);
            return Imported::Changed;
        }
        let taken = self.orders.values().map(|row| &row.record).find(|record| {
            let other = &record.order;
            record.state != OrderState::Released
                && (&other.profile, &other.key) == (&order.profile, &order.key)
        });
        if let Some(taken) = taken {
            return Imported::Refused(format!("order {} has the same customer", taken.order.id));
        }
        let record = Record {
            order,
            sealed,
            progress: Progress::default(),
            state: OrderState::Pending,
            reason: None,
            due: Some(now),
            fence: 0,
        };
        let worker = "import".to_owned();
        self.orders.insert(id.clone(), Row { record, lease_until: None, worker, state_since: now });
        self.write(&id, now, Event::Imported);
        Imported::New
    }

    fn begin(&mut self, begin: Begin, now: Timestamp) -> Committed {
        let Some(row) = self.orders.get_mut(&begin.id) else { return Committed::Overtaken };
        let record = &mut row.record;
        if (record.fence, record.order.revision) != (begin.fence, begin.revision)
            || self.stopped.contains_key(&record.order.profile)
        {
            return Committed::Overtaken;
        }
        let meter = (record.order.profile.clone(), begin.operation.name().to_owned());
        if let Some(meter) = self.meters.get_mut(&meter)
            && let Err(due) = meter.take(now)
        {
            return Committed::Later(due);
        }
        record.progress = begin.progress;
        self.write(&begin.id, now, Event::Sending(begin.operation));
        Committed::Done
    }

    fn finish(&mut self, finish: Finish, now: Timestamp) -> Committed {
        let Some(row) = self.orders.get_mut(&finish.id) else { return Committed::Overtaken };
        if row.record.fence != finish.fence || row.lease_until.is_none() {
            return Committed::Overtaken;
        }
        let profile = row.record.order.profile.clone();
        let is_current = row.record.order.revision == finish.revision;
        row.record.progress = finish.progress;
        row.lease_until = None;
        if is_current {
            row.record.reason = reason(finish.state, finish.event.as_ref());
            row.record.due = finish.due;
            row.enter(finish.state, now);
        } else {
            row.record.due = Some(now);
        }
        if let Some(event) = finish.event {
            self.write(&finish.id, now, event);
        }
        match finish.brand {
            Some(Brand::Stop(why)) => {
                self.stopped.insert(profile, why);
            }
            Some(Brand::Hold { operation, until }) => {
                let meter = self.meters.entry((profile, operation.to_owned()));
                meter.or_insert_with(|| Meter::new(None)).hold(until);
            }
            None => {}
        }
        Committed::Done
    }
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn import(
        &self,
        orders: Vec<Placed>,
        now: Timestamp,
    ) -> Result<Vec<Imported>, StoreError> {
        let mut tables = self.tables();
        let before = tables.clone();
        let imported: Vec<_> =
            orders.into_iter().map(|placed| tables.import(placed, now)).collect();
        if imported.iter().any(|imported| matches!(imported, Imported::Refused(_))) {
            *tables = before;
        }
        Ok(imported)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        let tables = &mut *self.tables();
        let mut due: Vec<_> = tables
            .orders
            .iter_mut()
            .filter(|(id, row)| {
                row.is_free(request.now)
                    && match &request.only {
                        Some(only) => *id == only,
                        None => {
                            row.record.due.is_some_and(|due| due <= request.now)
                                && request.profiles.contains(&row.record.order.profile)
                                && !tables.stopped.contains_key(&row.record.order.profile)
                        }
                    }
            })
            .map(|(_, row)| row)
            .collect();
        due.sort_by_key(|row| row.record.due);
        due.truncate(request.limit as usize);
        let lease_until = crate::step::later(request.now, request.lease);
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
                    claimed: request.instant,
                    lease: request.lease,
                    is_find_limited: tables
                        .meters
                        .contains_key(&(record.order.profile.clone(), "find".to_owned())),
                }
            })
            .collect())
    }

    async fn commit(
        &self,
        changes: Vec<Change>,
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError> {
        let mut tables = self.tables();
        let commit = |change| match change {
            Change::Begin(begin) => tables.begin(*begin, now),
            Change::Finish(finish) => tables.finish(*finish, now),
            Change::Reserve { profile, operation } => {
                let meter = tables.meters.get_mut(&(profile, operation.to_owned()));
                match meter.map_or(Ok(()), |meter| meter.take(now)) {
                    Ok(()) => Committed::Done,
                    Err(due) => Committed::Later(due),
                }
            }
        };
        Ok(changes.into_iter().map(commit).collect())
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
        Ok(self.tables().journal.get(id).cloned().unwrap_or_default())
    }

    async fn summary(&self, now: Timestamp) -> Result<Summary, StoreError> {
        let tables = self.tables();
        let mut summary = Summary { stopped: tables.stopped.clone(), ..Summary::default() };
        for row in tables.orders.values() {
            let record = &row.record;
            *summary.counts.entry((record.order.profile.clone(), record.state)).or_default() += 1;
            if let Some(due) = record.due {
                if due <= now {
                    summary.due += 1;
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
